"""`plumbline health`: what it says of a workspace that is well, and of each thing that can break, from outside."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster._core.scheduler.instigation import InstigatorStatus

from alerts.last_run import LastRun, keep, published_at
from orchestration.health import Finding, examine, is_healthy
from orchestration.workspace import Workspace
from tests.command_line import environment, plumbline
from tests.orchestration.dev import Dev

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from warehouse.writer_lock import writer_lock
with writer_lock(Path(sys.argv[1]), timeout=0):
    print("held", flush=True)
    sys.stdin.readline()
"""
IMPORTED = """
import sys
sys.argv = sys.argv[1:]
from orchestration.cli import app
try:
    app()
except SystemExit as end:
    print(end.code, {"dagster", "dbt", "great_expectations", "pandas"} & set(sys.modules))
"""


@pytest.fixture
def workspace(starter_run: Path, tmp_path: Path) -> Workspace:
    """A copy of the starter that ran once."""
    shutil.copytree(starter_run, tmp_path / "acme", symlinks=True)
    return Workspace(tmp_path / "acme")


def published(workspace: Workspace) -> Path:
    return (workspace.published / "current").resolve()


def found(workspace: Workspace, now: datetime | None = None) -> dict[str, Finding]:
    """What each look finds, an hour after the run."""
    now = now or published_at(published(workspace)) + timedelta(hours=1)
    return {finding.check: finding for finding in examine(workspace, now)}


def states(workspace: Workspace, now: datetime | None = None) -> dict[str, str]:
    """What is not well."""
    return {name: one.state for name, one in found(workspace, now).items() if one.state != "ok"}


def content(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(file.relative_to(folder)): (file.lstat().st_mtime_ns, file.lstat().st_size)
        for file in folder.rglob("*")
    }


def test_the_command_says_it_in_lines_and_in_json_imports_nothing_slow_and_writes_nothing(
    workspace: Workspace,
) -> None:
    before = content(workspace.root)
    said = plumbline("health", "-w", workspace.root)
    assert said.code == 0, said.out
    lines = [line.split(maxsplit=2) for line in said.out.splitlines()]
    answer = json.loads(plumbline("health", "--json", "-w", workspace.root).out)
    assert answer["healthy"] is True
    assert [[one["state"], one["check"]] for one in answer["checks"]] == [line[:2] for line in lines]
    assert [line[1] for line in lines] == [
        "run",
        "published",
        "dagster",
        "streams",
        "messages",
        "lock",
        "disk",
    ]

    answered = subprocess.run(
        [sys.executable, "-c", IMPORTED, "plumbline", "health", "-w", str(workspace.root)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert answered.stdout.splitlines()[-1] == "0 set()"
    assert content(workspace.root) == before


def test_a_workspace_that_never_ran_is_not_healthy_and_one_that_cannot_be_read_is_bad_input(
    tmp_path: Path,
) -> None:
    assert plumbline("init", tmp_path / "acme").code == 0
    said = plumbline("health", "-w", tmp_path / "acme")
    assert (said.code, "plumbline run" in said.out) == (1, True)
    assert plumbline("health", "-w", tmp_path / "nowhere").code == 2


def test_a_run_that_is_late_and_one_that_failed(workspace: Workspace) -> None:
    done = published_at(published(workspace))
    in_time, late = done + timedelta(hours=73), done + timedelta(hours=75)
    assert states(workspace, in_time) == {}
    assert states(workspace, late) == {"run": "failed"}
    began = done + timedelta(hours=1)
    keep(
        workspace.state,
        LastRun(started_at=began, ended_at=began + timedelta(minutes=1), succeeded=False),
    )
    assert states(workspace, in_time) == {"run": "warning"}
    assert "failed 71 hours ago" in found(workspace, in_time)["run"].sentence
    assert is_healthy(list(found(workspace, in_time).values()))
    assert not is_healthy(list(found(workspace, late).values()))


def test_a_refused_run_is_noted_with_what_readers_still_see(workspace: Workspace) -> None:
    before = published(workspace)
    workspace.file.write_text(
        workspace.file.read_text().replace("folder: finance", "folder: ${NOT_SET}"), encoding="utf-8"
    )
    assert plumbline("run", "-w", workspace.root).code == 2
    assert published(workspace) == before
    assert states(workspace) == {"run": "warning"}
    metrics = (workspace.state / "metrics.prom").read_text(encoding="utf-8")
    assert "\nplumbline_run_success 0.0\n" in metrics
    assert '\nplumbline_key_results{status="green"}' in metrics


@pytest.mark.parametrize("lost", ["tables/flags.parquet", "json/kr_current.json", "run.json"])
def test_a_published_run_that_lacks_a_file(workspace: Workspace, lost: str) -> None:
    (published(workspace) / lost).unlink()
    assert states(workspace)["published"] == "failed"


def test_a_stream_that_is_stale_or_was_not_pulled(workspace: Workspace) -> None:
    file = published(workspace) / "json" / "source_freshness.json"
    rows = json.loads(file.read_text(encoding="utf-8"))
    rows[0] |= {"stale": True, "sentence": "It is old."}
    file.write_text(json.dumps(rows), encoding="utf-8")
    assert states(workspace) == {"streams": "warning"}
    assert found(workspace)["streams"].sentence.startswith("It is old.")
    checks = published(workspace) / "json" / "checks.json"
    pulls = json.loads(checks.read_text(encoding="utf-8"))
    for row in pulls:
        row["passed"] = row["passed"] and (row["kind"], row["subject"]) != ("pull", "finance.ledger")
    checks.write_text(json.dumps(pulls), encoding="utf-8")
    assert "could not pull finance.ledger." in found(workspace)["streams"].sentence


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux lists its locks")
def test_a_run_that_is_going_on_is_seen_and_not_disturbed(workspace: Workspace) -> None:
    command = [sys.executable, "-c", HOLD, str(workspace.warehouse)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        now = datetime.now(UTC)
        seen = found(workspace, now)["lock"]
        assert (seen.state, f"Process {holder.pid} " in seen.sentence) == ("ok", True)
        assert "started 0 minutes ago" in seen.sentence
        assert found(workspace, now + timedelta(hours=3))["lock"].state == "warning"
        holder.communicate("\n")
    assert found(workspace)["lock"].sentence == "No run is writing to the warehouse."


def test_the_daemon_its_schedule_and_its_sensor(workspace: Workspace) -> None:
    now = published_at(published(workspace)) + timedelta(hours=1)
    minutes = timedelta(minutes=1)
    dev = Dev(workspace)
    assert found(workspace, now)["dagster"].sentence == "No daemon of Dagster is in use here."

    dev.beat(at=now)
    dev.tick(schedule=now - 65 * minutes, sensor=now - minutes)
    assert found(workspace, now)["dagster"] == Finding(
        "dagster", "ok", "The daemon is alive, refresh_schedule, operations tick."
    )

    dev.tick(schedule=now - 150 * minutes, sensor=now - minutes)
    assert "The schedule refresh_schedule has not ticked since" in found(workspace, now)["dagster"].sentence
    dev.tick(schedule=now - minutes, sensor=now - 20 * minutes)
    assert "The sensor operations has not ticked since" in found(workspace, now)["dagster"].sentence
    dev.tick(schedule=now - minutes, sensor=now - minutes, status=InstigatorStatus.STOPPED)
    assert "is switched off in Dagster" in found(workspace, now)["dagster"].sentence
    assert states(workspace, now) == {"dagster": "failed"}

    dev.tick(schedule=now - minutes, sensor=now - minutes)
    assert states(workspace, now) == {}
    dev.beat("SCHEDULER", at=now - 20 * minutes)
    assert "No heartbeat comes from SCHEDULER." in found(workspace, now)["dagster"].sentence

    dev.beat(at=now - 20 * minutes)
    assert states(workspace, now) == {"dagster": "failed"}
    assert "nothing starts by itself" in found(workspace, now)["dagster"].sentence
    keep(workspace.state, LastRun(started_at=now - 2 * minutes, ended_at=now, succeeded=True))
    assert states(workspace, now) == {"dagster": "warning"}
    dev.beat(at=now - timedelta(days=8))
    assert found(workspace, now)["dagster"].sentence == "No daemon of Dagster is in use here."
