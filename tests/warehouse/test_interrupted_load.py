"""A load that is killed leaves the warehouse as it was or as it should be, and the next one completes it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from connectors.landing import Landing
from tests.warehouse.warehouse_parts import ISSUES, issue, land, prepared, rows
from warehouse.connection import connect
from warehouse.raw import cursors, load, pending

_ROOT = Path(__file__).parents[2]
_LOAD = """
import sys
from pathlib import Path
from connectors.landing import Landing
from warehouse.connection import connect
from warehouse.raw import load, pending
warehouse, landing = Path(sys.argv[1]), Path(sys.argv[2])
con = connect(warehouse)
for manifest in pending(con, Landing(landing)):
    print("loading", flush=True)
    load(con, landing, manifest)
"""
_ROWS = 100_000
_CONTENT = "SELECT count(*), sum(hash(_key, _updated_at, record::VARCHAR)) FROM raw.jira_issues"


def test_a_load_killed_at_any_moment_is_completed_by_the_next(tmp_path: Path) -> None:
    landing, warehouse = tmp_path / "landing", tmp_path / "warehouse.duckdb"
    records = [issue(str(row), "2026-10-01T00:00:00Z", summary=f"{row:060d}") for row in range(_ROWS)]
    first = land(landing, ISSUES, records[: _ROWS // 2], cursor_to="first")
    changed = [issue(row["id"], "2026-10-02T00:00:00Z") for row in records[: _ROWS // 4]]
    second = land(landing, ISSUES, [*changed, *records[_ROWS // 2 :]], cursor_to="second")
    with prepared(connect(tmp_path / "uninterrupted.duckdb")) as con:
        states = [rows(con, _CONTENT)]
        for manifest in (first, second):
            load(con, landing, manifest)
            states.append(rows(con, _CONTENT))
    prepared(connect(warehouse)).close()

    unfinished = 0
    for after in (0.02, 0.1, 0.2, 0.35, 0.5):
        _load_and_kill(warehouse, landing, after)
        with connect(warehouse) as con:
            left = pending(con, Landing(landing))
            assert rows(con, _CONTENT) == states[2 - len(left)]
            assert cursors(con, "acme").get("issues") == (None, "first", "second")[2 - len(left)]
        unfinished += bool(left)
    assert unfinished, "no load was killed before its end: the test shows nothing"

    with connect(warehouse) as con:
        for manifest in pending(con, Landing(landing)):
            load(con, landing, manifest)
        assert rows(con, _CONTENT) == states[2]


def _load_and_kill(warehouse: Path, landing: Path, after: float) -> None:
    command = [sys.executable, "-c", _LOAD, str(warehouse), str(landing)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
