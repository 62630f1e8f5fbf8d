"""`plumbline dev` opens Dagster's UI with nothing but the workspace set; schedule and sensor run by themselves."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.command_line import PLUMBLINE, environment, plumbline

QUERY = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
    schedules { name scheduleState { status } }
    sensors { name sensorState { status ticks(limit: 1) { status } } }
    assetNodes { assetKey { path } }
} } } }"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "acme"
    assert plumbline("init", folder).code == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(PLUMBLINE), "dev", "-w", str(folder), "--port", str(port)],
        env=environment(),
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


def test_ui_answers_and_schedule_and_sensor_are_running(address: str) -> None:
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        try:
            answer = requests.post(address, json={"query": QUERY}, timeout=10).json()
            nodes = answer["data"]["repositoriesOrError"].get("nodes") or []
        except (requests.RequestException, KeyError, ValueError):
            nodes = []
        if nodes and nodes[0]["sensors"][0]["sensorState"]["ticks"]:
            break
        time.sleep(1)
    [location] = nodes
    assert [each["scheduleState"]["status"] for each in location["schedules"]] == ["RUNNING"]
    [sensor] = location["sensors"]
    assert (sensor["name"], sensor["sensorState"]["status"]) == ("operations", "RUNNING")
    assert sensor["sensorState"]["ticks"][0]["status"] == "SKIPPED"
    paths = {"/".join(node["assetKey"]["path"]) for node in location["assetNodes"]}
    assert {"landing/finance/ledger", "flow/ledger_entries", "published/scorecard"} <= paths
