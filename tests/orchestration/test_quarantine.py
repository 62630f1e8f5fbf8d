"""Rows that cannot be read, from the file to the check that doubts what was computed without them."""

import time
from datetime import date
from pathlib import Path

import pytest

from orchestration.check_results import of_quarantine
from tests.connectors.finance_folder import Folder
from tests.warehouse.warehouse_parts import memory_warehouse
from warehouse.control import CheckResult, begin_run
from warehouse.raw import load

HEADER = "Date,Account,Amount,Document\n"
ROWS = "2026-10-05,4000,1.00,A\n2026-10-06,4000,2.00,B\n"
LEDGER = ("finance", "ledger")


class Refreshes:
    """A folder that is pulled and loaded again and again."""

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)
        self.con = memory_warehouse()
        begin_run(self.con, "r", date(2026, 10, 30), "UTC")

    def checks(self) -> dict[str, CheckResult]:
        for manifest in self.folder.finance.pull(self.folder.cursors, self.folder.landing, lambda *_: None):
            load(self.con, self.folder.landing.root, manifest)
            if manifest.stream == "ledger":
                self.folder.cursors = {"ledger": str(manifest.cursor_to)}
        found = list(of_quarantine(self.con, [LEDGER]))
        assert {each.subject for each in found} == {"finance.ledger"}
        return {each.check_name: each for each in found}


@pytest.fixture
def refreshes(tmp_path: Path) -> Refreshes:
    return Refreshes(tmp_path)


def test_rows_in_quarantine_fail_the_check_until_their_file_is_mended(refreshes: Refreshes) -> None:
    refreshes.folder.write("a.csv", HEADER + ROWS)
    assert all(each.passed for each in refreshes.checks().values())
    refreshes.folder.write("b.csv", HEADER + ROWS.replace("2.00", "two").replace("A", "C") + "x,4000,3,D\n")
    found = refreshes.checks()
    assert found["files"].passed
    rows = found["rows"]
    assert (rows.passed, rows.severity, rows.failing_rows) == (False, "warn", 2)
    assert rows.message == (
        "2 rows of 1 file could not be read and went to quarantine, the first in b.csv, line 3, "
        'column "Amount": the amount is unreadable, expected an amount such as -1,234.50.'
    )
    assert not refreshes.checks()["rows"].passed, "also when nothing new is read"
    refreshes.folder.write("b.csv", HEADER + ROWS.replace("A", "C"))
    assert refreshes.checks()["rows"].passed


def test_a_file_refused_whole_fails_its_check_until_it_is_mended_or_gone(refreshes: Refreshes) -> None:
    refreshes.folder.write("a.csv", HEADER + ROWS)
    refreshes.folder.write("b.csv", HEADER.replace("Amount", "Sum") + ROWS)
    found = refreshes.checks()
    assert found["rows"].passed
    assert (found["files"].passed, found["files"].severity) == (False, "error")
    assert 'b.csv, line 1: the header has no column "Amount"' in found["files"].message
    (refreshes.folder.path / "b.csv").unlink()
    assert refreshes.checks()["files"].passed


def test_a_file_that_waits_is_told(refreshes: Refreshes) -> None:
    refreshes.folder.write("a.csv", (HEADER + ROWS)[:-1], modified=int(time.time()))
    found = refreshes.checks()["files"]
    assert (found.passed, found.severity) == (False, "warn")
    assert found.message == "a.csv is still being written and waits for the next run."
    refreshes.folder.write("a.csv", HEADER + ROWS)
    assert refreshes.checks()["files"].passed


def test_the_counts_of_every_file_can_be_asked_for(refreshes: Refreshes) -> None:
    refreshes.folder.write("a.csv", "Acme\n" + HEADER + ROWS + "\nx,4000,3,D\nTotal,,3.00,\n")
    refreshes.checks()
    asked = "select record ->> ['file', 'rows', 'loaded', 'quarantined', 'no_data'] from raw.finance_files"
    assert refreshes.con.execute(asked).fetchall() == [(["a.csv", "7", "2", "1", "4"],)]
