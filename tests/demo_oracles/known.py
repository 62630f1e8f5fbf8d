"""What the company's systems held on the evening of a day, read from their own records with nothing of Plumbline.

Issues, deals and postings as plain values, in the words of the company; instants are aware, days are Berlin's.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

import demo

BERLIN = ZoneInfo("Europe/Berlin")
CYCLE = (date(2026, 10, 5), date(2027, 1, 3))

Json = dict[str, Any]


@dataclass(frozen=True)
class Sprint:
    started: datetime
    completed: datetime | None


@dataclass(frozen=True)
class Issue:
    """`done`: when it last came from an open status into a done one, for issues that are done; else None.

    `started`: when it first was in progress; of one that was done without that, when it was done. `blocks`: ids of the
    issues that it holds up. `reopened`: the days on which it went from done back to open. `changed`: the days on which
    somebody changed it.
    """

    record: str
    key: str
    epic: str | None
    project: str
    type: str
    status: str
    labels: frozenset[str]
    points: Decimal | None
    sprints: tuple[Sprint, ...]
    created: datetime
    updated: datetime
    done: datetime | None
    started: datetime | None
    blocks: tuple[str, ...]
    reopened: tuple[date, ...]
    changed: frozenset[date]

    @property
    def started_on(self) -> date | None:
        return self.started and berlin_day(self.started)

    @property
    def done_on(self) -> date | None:
        return self.done and berlin_day(self.done)

    @property
    def cycle_days(self) -> float:
        """Days from being taken up to done."""
        assert self.done is not None
        assert self.started is not None
        return (self.done - self.started) / timedelta(days=1)

    @property
    def lead_days(self) -> Decimal:
        """Days from creation to done, to the millionth."""
        assert self.done is not None
        microseconds = (self.done - self.created) // timedelta(microseconds=1)
        return (Decimal(microseconds) / 86_400_000_000).quantize(Decimal("0.000001"))


@dataclass(frozen=True)
class Deal:
    """`closed` and `won`: when it last left the open stages, or came into a won one, if that is where it stands.

    `expected`: the day by which it is to close. `waits_for`: key of the issue that it waits for.
    """

    record: str
    waits_for: str | None
    expected: date
    pipeline: str
    product: str | None
    amount: Decimal
    created: datetime
    updated: datetime
    closed: datetime | None
    won: datetime | None


@dataclass(frozen=True)
class Posting:
    record: str
    on: date
    entered: date
    account: str
    account_type: str
    cost_centre: str
    amount: Decimal


@dataclass(frozen=True)
class BudgetLine:
    record: str
    month: date
    account: str
    amount: Decimal


@dataclass(frozen=True)
class Known:
    """Everything known on the evening of `today`."""

    today: date
    issues: list[Issue]
    deals: list[Deal]
    postings: list[Posting]
    budget: list[BudgetLine]

    @property
    def days(self) -> list[date]:
        """The days of the cycle so far."""
        return days_between(CYCLE[0], min(self.today, CYCLE[1]))


def days_between(first: date, last: date) -> list[date]:
    """Each day from the first to the last."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def berlin_day(instant: datetime) -> date:
    """The day of an instant in Berlin."""
    return instant.astimezone(BERLIN).date()


def known_on(today: date, folder: Path) -> Known:
    """What the systems of the demo's company show on the evening of `today`; the folder takes the finance exports."""
    snapshot = world().as_of(today)
    snapshot.write_finance(folder)
    category = {status["id"]: status["statusCategory"]["key"] for status in snapshot.jira.statuses}
    histories = snapshot.jira.changelogs
    stages = {stage["id"]: stage["metadata"] for line in snapshot.crm.pipelines for stage in line["stages"]}
    return Known(
        today,
        [_issue(issue, histories[issue["id"]], category) for issue in snapshot.jira.issues],
        [_deal(deal, stages) for deal in snapshot.crm.deals],
        [posting for path in sorted(folder.glob("gl_*.csv")) for posting in _postings(path)],
        [line for path in sorted(folder.glob("budget_*.xlsx")) for line in _budget_lines(path)],
    )


@cache
def world() -> demo.World:
    """The demo's company under the seed of its workspace."""
    return demo.simulate()


def _issue(issue: Json, history: list[Json], category: dict[str, str]) -> Issue:
    fields = issue["fields"]
    points = fields["customfield_10016"]
    done = _done(issue, history, category)
    return Issue(
        record=f"jira/issues/{issue['id']}",
        key=issue["key"],
        epic=(fields.get("parent") or {}).get("key"),
        project=fields["project"]["key"],
        type=fields["issuetype"]["name"],
        status=fields["status"]["name"],
        labels=frozenset(fields["labels"]),
        points=None if points is None else Decimal(str(points)),
        sprints=tuple(_sprint(sprint) for sprint in fields["customfield_10020"] or ()),
        created=datetime.fromisoformat(fields["created"]),
        updated=datetime.fromisoformat(fields["updated"]),
        done=done,
        started=_started(issue, history, category) or done,
        blocks=tuple(
            link["outwardIssue"]["id"]
            for link in fields["issuelinks"]
            if link["type"]["name"] == "Blocks" and "outwardIssue" in link
        ),
        reopened=tuple(
            berlin_day(datetime.fromisoformat(change["created"]))
            for change in history
            for item in change["items"]
            if item["field"] == "status" and category[item["from"]] == "done" != category[item["to"]]
        ),
        changed=frozenset(berlin_day(datetime.fromisoformat(change["created"])) for change in history),
    )


def _sprint(sprint: Json) -> Sprint:
    completed = sprint["completeDate"] if sprint["state"] == "closed" else None
    return Sprint(
        datetime.fromisoformat(sprint["startDate"]), completed and datetime.fromisoformat(completed)
    )


def _done(issue: Json, history: list[Json], category: dict[str, str]) -> datetime | None:
    if category[issue["fields"]["status"]["id"]] != "done":
        return None
    return max(
        datetime.fromisoformat(change["created"])
        for change in history
        for item in change["items"]
        if item["field"] == "status" and category[item["to"]] == "done" and category[item["from"]] != "done"
    )


def _started(issue: Json, history: list[Json], category: dict[str, str]) -> datetime | None:
    moves = [
        (datetime.fromisoformat(change["created"]), item)
        for change in sorted(history, key=lambda change: datetime.fromisoformat(change["created"]))
        for item in change["items"]
        if item["field"] == "status"
    ]
    if moves and category[moves[0][1]["from"]] == "indeterminate":
        return datetime.fromisoformat(issue["fields"]["created"])
    return next((at for at, item in moves if category[item["to"]] == "indeterminate"), None)


def _deal(deal: Json, stages: dict[str, Json]) -> Deal:
    properties = deal["properties"]
    assert properties["deal_currency_code"] == "EUR"
    closed = won = None
    was_closed = was_won = False
    for version in reversed(deal["propertiesWithHistory"]["dealstage"]):
        at = datetime.fromisoformat(version["timestamp"])
        is_closed = stages[version["value"]]["isClosed"] == "true"
        is_won = is_closed and Decimal(stages[version["value"]]["probability"]) == 1
        closed = at if is_closed and not was_closed else closed if is_closed else None
        won = at if is_won and not was_won else won if is_won else None
        was_closed, was_won = is_closed, is_won
    return Deal(
        record=f"hubspot/deals/{deal['id']}",
        waits_for=properties["waits_for_issue"] or None,
        expected=berlin_day(datetime.fromisoformat(properties["closedate"])),
        pipeline=properties["pipeline"],
        product=properties["product_line"],
        amount=Decimal(properties["amount"]),
        created=datetime.fromisoformat(properties["createdate"]),
        updated=datetime.fromisoformat(deal["updatedAt"]),
        closed=closed,
        won=won,
    )


def _postings(path: Path) -> Iterator[Posting]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            yield Posting(
                record=f"finance/ledger/{row['Document No']}/{row['Line']}",
                on=_german_day(row["Posting Date"]),
                entered=_german_day(row["Entered"]),
                account=row["Account"],
                account_type=row["Account Type"],
                cost_centre=row["Cost Centre"],
                amount=Decimal(row["Amount EUR"].replace(",", ".")),
            )


def _german_day(text: str) -> date:
    day, month, year = map(int, text.split("."))
    return date(year, month, day)


def _budget_lines(path: Path) -> Iterator[BudgetLine]:
    book = openpyxl.load_workbook(path, read_only=True)
    header, *rows = book["Budget"].iter_rows(values_only=True)
    for cells in rows:
        row: dict[Any, Any] = dict(zip(header, cells, strict=True))
        month = row["Month"].date()
        key = f"{month}/{row['Account']}/{row['Cost Centre']}"
        yield BudgetLine(f"finance/budgets/{key}", month, str(row["Account"]), Decimal(row["Amount"]))
    book.close()
