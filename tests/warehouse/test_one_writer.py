"""One process at a time writes to the warehouse, and the others are told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from warehouse.connection import WarehouseBusyError, connect
from warehouse.writer_lock import writer_lock

_ROOT = Path(__file__).parents[2]
_HOLD = """
import sys, time
from pathlib import Path
from warehouse.connection import connect
from warehouse.writer_lock import writer_lock
with writer_lock(Path(sys.argv[1]), timeout=0), connect(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def _another_writer(warehouse: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _HOLD, str(warehouse)]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_writer_is_told_waits_and_gives_up(tmp_path: Path) -> None:
    warehouse, told = tmp_path / "state" / "warehouse.duckdb", list[str]()
    with _another_writer(warehouse):
        with (
            pytest.raises(WarehouseBusyError, match="Another run is still writing"),
            writer_lock(warehouse, timeout=0.3, waiting=told.append),
        ):
            pytest.fail("two writers at once")
        assert len(told) == 1
        assert "waiting up to 0.3 s" in told[0]


def test_a_second_writer_goes_on_when_the_first_one_ends(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with _another_writer(warehouse) as process:

        def let_go(_: str) -> None:
            process.communicate("\n")

        with writer_lock(warehouse, timeout=20, waiting=let_go):
            connect(warehouse).close()


def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with _another_writer(warehouse) as process:
        process.kill()
        process.wait()
        with writer_lock(warehouse, timeout=0, waiting=pytest.fail):
            pass


def test_a_warehouse_that_another_process_has_open_says_so(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with _another_writer(warehouse), pytest.raises(WarehouseBusyError, match="open in another process"):
        connect(warehouse)


def test_sessions_are_in_utc_and_live_beside_plain_connections_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    warehouse = tmp_path / "new folder" / "warehouse.duckdb"
    with connect(warehouse) as con, duckdb.connect(str(warehouse)) as other:
        assert con.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
        assert other.execute("SELECT 1").fetchall() == [(1,)]
