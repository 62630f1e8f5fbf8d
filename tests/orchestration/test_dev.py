"""`plumbline dev` opens Dagster's UI with nothing but the workspace set; schedule and sensors run by themselves."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from alerts.last_run import LastRun, keep
from tests.alerts.channels.conftest import SECRET
from tests.alerts.channels.hook_server import SignedServer
from tests.command_line import PLUMBLINE, environment

ALERTS = """
alerts:
  channels:
    hook: {type: webhook, url: "${HOOK_URL}", secret: "${HOOK_SECRET}"}
  routes:
    everything: {to: hook}
"""
QUERY = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
    schedules { name scheduleState { status } }
    sensors { name sensorState { status ticks(limit: 1) { status } } }
    assetNodes { assetKey { path } }
} } } }"""


@pytest.fixture
def hook() -> Iterator[SignedServer]:
    with SignedServer(SECRET) as server:
        yield server


@pytest.fixture
def address(starter_run: Path, tmp_path: Path, hook: SignedServer) -> Iterator[str]:
    folder = tmp_path / "acme"
    shutil.copytree(starter_run, folder, symlinks=True)
    file = folder / "plumbline.yml"
    file.write_text(file.read_text() + ALERTS, encoding="utf-8")
    now = datetime.now(UTC)
    keep(
        folder / ".plumbline",
        LastRun(started_at=now, ended_at=now, succeeded=False, problem="The pull failed."),
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(PLUMBLINE), "dev", "-w", str(folder), "--port", str(port)],
        env=environment({"HOOK_URL": hook.url, "HOOK_SECRET": SECRET}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield f"http://127.0.0.1:{port}/graphql"
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def test_ui_answers_and_schedule_and_sensors_are_running(address: str, hook: SignedServer) -> None:
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        try:
            answer = requests.post(address, json={"query": QUERY}, timeout=10).json()
            nodes = answer["data"]["repositoriesOrError"].get("nodes") or []
        except (requests.RequestException, KeyError, ValueError):
            nodes = []
        ticks = [sensor["sensorState"]["ticks"] for sensor in nodes[0]["sensors"]] if nodes else []
        if ticks and all(tick and tick[0]["status"] != "STARTED" for tick in ticks):
            break
        time.sleep(1)
    [location] = nodes
    assert [each["scheduleState"]["status"] for each in location["schedules"]] == ["RUNNING"]
    sensors = {
        sensor["name"]: (sensor["sensorState"]["status"], sensor["sensorState"]["ticks"][0]["status"])
        for sensor in location["sensors"]
    }
    assert sensors == {"alerts": ("RUNNING", "SKIPPED"), "operations": ("RUNNING", "SKIPPED")}
    # That the last refresh failed nobody had told: the sensor says it, without a run.
    assert len(hook.kept) == len(hook.arrived) == 1
    paths = {"/".join(node["assetKey"]["path"]) for node in location["assetNodes"]}
    assert {"landing/finance/ledger", "flow/ledger_entries", "published/scorecard"} <= paths
