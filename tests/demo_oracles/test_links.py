"""Every record behind a number leads back: into the system it came from, and to the landed file that holds it."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from demo.servers.hubspot import PORTAL, UI_DOMAIN
from demo.servers.jira import ADDRESS
from publish import Published
from tests.demo_oracles.evenings import RUNS, WEEK_4
from tests.demo_oracles.handoffs import GIVERS, PROMISES
from tests.demo_oracles.known import CYCLE, Known, berlin_day
from tests.demo_runs import DemoRuns

Row = dict[str, Any]
TABLES = ("evidence", "handoff_evidence", "integrity_events")

pytestmark = [pytest.mark.timeout(1500), pytest.mark.parametrize("day", RUNS, ids=str)]


@pytest.fixture
def workspace(demo_run: DemoRuns, day: date) -> Path:
    return demo_run(*RUNS[day])


@pytest.fixture
def published(workspace: Path) -> Published:
    return Published(workspace / ".plumbline" / "published")


def table(published: Published, name: str) -> list[Row]:
    found = duckdb.execute("select * from read_parquet(?)", [f"{published.folder}/tables/{name}.parquet"])
    columns = [column[0] for column in found.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("name", TABLES)
def test_a_link_leads_to_the_very_record_in_its_system(
    published: Published, known: Callable[[date], Known], day: date, name: str
) -> None:
    addresses = {issue.record: f"{ADDRESS}/browse/{issue.key}" for issue in known(day).issues}
    for deal in known(day).deals:
        number = deal.record.rpartition("/")[2]
        addresses[deal.record] = f"https://{UI_DOMAIN}/contacts/{PORTAL}/record/0-3/{number}"
    rows = table(published, name)
    systems = {row["record"].split("/")[0] for row in rows if row["url"]}
    assert systems == {"jira", "hubspot"} if name == "evidence" else systems
    for row in rows:
        assert row["url"] == addresses.get(row["record"]), row["record"]
        assert bool(row["found_in"]) == row["record"].startswith("finance/")


def test_a_finance_record_is_found_in_its_file_and_row(published: Published, workspace: Path) -> None:
    exports = workspace / ".plumbline" / "simulation" / "finance"
    rows = [row for row in table(published, "evidence") if row["found_in"]]
    assert {row["record"].split("/")[1] for row in rows} == {"ledger", "budgets"}
    for row in rows:
        place, _, number = row["found_in"].partition(", row ")
        file, _, sheet = place.partition("#")
        held = lines_of(exports / file, sheet)[int(number) - 1]
        if sheet:
            month, account, cost_centre = row["record"].removeprefix("finance/budgets/").split("/")
            assert {month, account, cost_centre} <= {str(cell).removesuffix(" 00:00:00") for cell in held}
        else:
            document, line = row["record"].removeprefix("finance/ledger/").split("/")
            assert {document, line} <= set(held)
            assert row["name"] == document


@cache
def lines_of(path: Path, sheet: str) -> list[tuple[Any, ...]]:
    if sheet:
        book = openpyxl.load_workbook(path, read_only=True)
        rows = list(book[sheet].iter_rows(values_only=True))
        book.close()
        return rows
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [tuple(row) for row in csv.reader(file, delimiter=";")]


@pytest.mark.parametrize("name", TABLES)
def test_a_record_stands_in_the_landed_file_that_it_names(
    published: Published, workspace: Path, name: str
) -> None:
    rows = table(published, name)
    assert rows
    for row in rows:
        stream, key = row["record"].split("/", 2)[1:]
        assert stream == row["landed_file"].split("/")[1]
        assert key in landed(workspace / ".plumbline" / "landing" / row["landed_file"])


def test_the_landed_records_add_up_to_the_value(published: Published, workspace: Path) -> None:
    (current,) = [row for row in published.table("kr_current") if row["kr_id"] == "won-amount"]
    amounts = [
        landed(workspace / ".plumbline" / "landing" / row["landed_file"])[row["record"].split("/", 2)[2]]["properties"]["amount"]
        for row in table(published, "evidence")
        if row["kr_id"] == "won-amount"
    ]  # fmt: skip
    assert sum(map(Decimal, amounts)) == current["value"] > 0


@cache
def landed(file: Path) -> dict[str, Row]:
    """The newest records of a landed file by their key."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return {record["id"] if "id" in record else record["key"]: record for record in records}


@pytest.mark.parametrize("handoff", PROMISES)
def test_the_items_of_a_handoff_are_those_that_bear_its_label(
    published: Published, known: Callable[[date], Known], day: date, handoff: str
) -> None:
    promise = PROMISES[handoff]
    expected = {}
    for issue in known(day).issues:
        if (
            issue.project not in GIVERS[promise.giver]
            or promise.label not in issue.labels
            or issue.type == "Epic"
        ):
            continue
        returned_on = max(issue.reopened, default=date.min)
        if issue.done_on:
            stands = ("done", issue.done_on)
        elif issue.started_on:
            stands = ("in_progress", max(issue.started_on, returned_on))
        else:
            stands = ("waiting", max(berlin_day(issue.created), returned_on))
        expected[issue.record] = (issue.key, *stands, len(issue.reopened))
    found = {
        row["record"]: (row["name"], row["state"], row["since"], row["returned"])
        for row in table(published, "handoff_evidence")
        if row["handoff_id"] == handoff and row["part"] == "item"
    }
    assert found == expected


def test_the_items_add_up_to_the_numbers_of_each_handoff(published: Published) -> None:
    rows = [row for row in table(published, "handoff_evidence") if row["part"] == "item"]
    assert len({(row["handoff_id"], row["record"]) for row in rows}) == len(rows)
    for handoff in published.table("handoff_current"):
        items = [row for row in rows if row["handoff_id"] == handoff["handoff_id"]]
        states = Counter(row["state"] for row in items)
        assert len(items) == handoff["items"]
        assert states["done"] == handoff["done"]
        assert states["waiting"] == handoff["waiting"]
        assert states["waiting"] + states["in_progress"] == handoff["open"]
        if handoff["is_declared"]:
            assert sum(row["returned"] for row in items) == handoff["returned"]


def test_the_deals_that_wait_add_up_to_what_is_at_stake(
    published: Published, known: Callable[[date], Known], day: date
) -> None:
    deals = [row for row in table(published, "handoff_evidence") if row["part"] == "deal"]
    for handoff in published.table("handoff_current"):
        waiting = [row for row in deals if row["handoff_id"] == handoff["handoff_id"]]
        assert len({row["record"] for row in waiting}) == len(waiting) == handoff["deals_at_stake"]
        assert sum(row["amount"] for row in waiting) == handoff["amount_at_stake"]
    held = {deal.record: deal for deal in known(day).deals}
    for row in deals:
        deal = held[row["record"]]
        assert (row["amount"], row["closes_on"], row["since"]) == (
            deal.amount,
            deal.expected,
            berlin_day(deal.created),
        )
        assert deal.closed is None
        assert row["closes_on"] <= CYCLE[1]
    assert bool(deals) or day != WEEK_4
