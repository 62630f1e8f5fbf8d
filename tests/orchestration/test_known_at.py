"""`plumbline run --known-at` gives again what a run published then, from records that changed and came late since."""

import csv
import json
import shutil
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from publish import Published
from publish.reading import Row
from tests.command_line import plumbline


@pytest.fixture(scope="module")
def workspace(starter_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that ran; then a posting came late, another was edited and a third removed, and it ran again."""
    folder = tmp_path_factory.mktemp("known") / "acme"
    shutil.copytree(starter_run, folder, symlinks=True)
    (folder / "first.json").write_text(json.dumps(series(folder), default=str))
    time.sleep(1.1)  # the moment is asked for in whole seconds
    (folder / "moment.txt").write_text(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S%z}")
    ledger = folder / "finance" / "gl_sample.csv"
    header, *postings = ledger.read_text(encoding="utf-8").splitlines()
    reported = {row["date"] for row in series(folder)}
    revenue = [posting for posting in postings if ",revenue," in posting and posting[:10] in reported]
    edited = revenue[0].rpartition(",")[0] + ",-1.00"
    late = revenue[2].replace(revenue[2].split(",")[1], "LATE1")
    kept = [posting for posting in postings if posting not in revenue[:2]]
    ledger.write_text("\n".join([header, *kept, edited, late]) + "\n", encoding="utf-8")
    run(folder)
    return folder


def run(folder: Path) -> None:
    answer = plumbline("run", "-w", folder)
    assert answer.code == 0, answer.err


def series(folder: Path, state: str = ".plumbline") -> list[Row]:
    return Published(folder / state / "published").table("kr_daily")


def test_what_was_known_then_is_computed_again(workspace: Path) -> None:
    first = json.loads((workspace / "first.json").read_text())
    now = json.loads(json.dumps(series(workspace), default=str))
    assert now != first
    state = workspace / ".plumbline"
    before = {
        path: path.read_bytes()
        for path in [*state.glob("ledger/*"), *state.glob("landing/**/*")]
        if path.is_file()
    }
    current = (state / "published" / "current").resolve()

    moment = (workspace / "moment.txt").read_text()
    answer = plumbline("run", "-w", workspace, "--known-at", moment)
    assert answer.code == 0, answer.err
    assert json.loads(json.dumps(series(workspace, ".plumbline/known_at"), default=str)) == first
    assert "Revenue posted in the ledger" in answer.out

    assert {path: path.read_bytes() for path in before} == before
    assert (state / "published" / "current").resolve() == current
    answer = plumbline("verify", "-w", workspace)
    assert answer.code == 0, answer.out


def test_what_reads_differently_now_is_published_with_its_parts(workspace: Path, starter_run: Path) -> None:
    with (starter_run / "finance" / "gl_sample.csv").open(newline="", encoding="utf-8") as file:
        postings = list(csv.DictReader(file))
    reported = {row["date"] for row in series(starter_run)}
    revenue = [
        posting
        for posting in postings
        if posting["Account Type"] == "revenue" and posting["Posting Date"] in reported
    ]
    edited, removed, late = revenue[:3]
    expected = {}
    for day in reported:
        # Revenue is a credit. The file was sent again without the second posting, which is therefore gone.
        parts = (
            -Decimal(late["Amount"]) if late["Posting Date"] <= day else Decimal(0),
            (1 + Decimal(edited["Amount"]) if edited["Posting Date"] <= day else Decimal(0))
            + (Decimal(removed["Amount"]) if removed["Posting Date"] <= day else Decimal(0)),
        )
        if any(parts) and day < max(reported):
            expected["revenue-posted", day] = parts
    rows = Published(workspace / ".plumbline" / "published").table("restatements")
    assert all(row["is_split"] and row["from_definition"] == 0 for row in rows)
    found = {(row["kr_id"], row["date"]): (row["from_late"], row["from_edited"]) for row in rows}
    assert found == expected
    answer = plumbline("status", "-w", workspace)
    assert f"{len(expected)} past days read otherwise than they were first told" in answer.out


def test_before_anything_had_landed_nothing_is_known(workspace: Path) -> None:
    answer = plumbline("run", "-w", workspace, "--known-at", "2020-01-01T00:00")
    assert answer.code == 2
    assert "nothing had landed by 2020-01-01" in answer.err
