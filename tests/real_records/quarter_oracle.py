"""The key results of workspaces/quarter, straight from Titanium's issues and Oxford's payments."""

import calendar
import csv
import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.real_records.oracle import (
    Entry,
    Oracle,
    days_between,
    local_day,
    mean,
    median,
    p85,
    share,
    total,
    total_over_total,
)

START, END = date(2016, 10, 1), date(2016, 12, 31)
ZONE = ZoneInfo("America/Los_Angeles")
Record = dict[str, Any]


def key_results(real_records: Path) -> dict[str, Oracle]:
    """By id."""
    with gzip.open(real_records / "jira_titanium" / "issues.jsonl.gz", "rt", encoding="utf-8") as lines:
        issues = [json.loads(line) for line in lines]
    bugs = [i for i in issues if i["key"].startswith("TIMOB-") and i["fields"]["issuetype"]["name"] == "Bug"]
    payments = _payments(real_records, 2016)
    running = [e for kind, _, e in payments if kind == "Revenue"]
    plan = _spread_over_months(_payments(real_records, 2015))
    return {
        "bug-resolution": Oracle(_lead_times(bugs), 28, median, START),
        "slowest-resolutions": Oracle(_lead_times(issues), 56, p85, START),
        "issues-resolved": Oracle(_ones(_lead_times(issues)), "cycle", total, START),
        "open-issues": Oracle(_open(issues), "as_of", total, START),
        "sprint-delivery": Oracle(_sprint_items(issues), "cycle", share, START),
        "spend-against-plan": Oracle(
            tuple(Entry(e.record, e.day, e.amount, "numerator") for e in running) + plan,
            "cycle",
            total_over_total,
            START,
        ),
        "capital-spend": Oracle(
            tuple(e for kind, _, e in payments if kind == "Capital"), "cycle", total, START
        ),
        "payment-size": Oracle(
            tuple(e for _, area, e in payments if area == "Direct Services"), 28, mean, START
        ),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _done_at(issue: Record) -> datetime | None:
    """Without changelogs, a finished issue was done when it was resolved."""
    fields = issue["fields"]
    if fields["status"]["statusCategory"]["key"] != "done" or not fields["resolutiondate"]:
        return None
    return _moment(fields["resolutiondate"])


def _lead_times(issues: list[Record]) -> tuple[Entry, ...]:
    done = [(issue, at) for issue in issues if (at := _done_at(issue))]
    return tuple(
        Entry(_record(i), local_day(at, ZONE), days_between(_moment(i["fields"]["created"]), at))
        for i, at in done
    )


def _ones(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return tuple(Entry(e.record, e.day) for e in entries)


def _open(issues: list[Record]) -> tuple[Entry, ...]:
    found = []
    for issue in issues:
        done_at = _done_at(issue)
        if issue["fields"]["status"]["statusCategory"]["key"] == "done" and done_at is None:
            continue
        created = local_day(_moment(issue["fields"]["created"]), ZONE)
        found.append(Entry(_record(issue), created, until=local_day(done_at, ZONE) if done_at else None))
    return tuple(found)


def _sprint_items(issues: list[Record]) -> tuple[Entry, ...]:
    found = []
    for issue in issues:
        done_at = _done_at(issue)
        for sprint in issue["fields"].get("closedSprints") or []:
            start, end = _moment(sprint["startDate"]), _moment(sprint["completeDate"])
            delivered = done_at is not None and start <= done_at <= end
            found.append(
                Entry(
                    _record(issue),
                    local_day(end, ZONE),
                    Fraction(delivered),
                    "numerator" if delivered else "denominator",
                )
            )
    return tuple(found)


def _record(issue: Record) -> str:
    return f"jira/issues/{issue['id']}"


def _payments(real_records: Path, year: int) -> list[tuple[str, str, Entry]]:
    """Capital or revenue, service area, and the payment, of the last quarter of a year and the one before it."""
    found = []
    for quarter in ("jul-sep", "oct-dec"):
        name = f"expenditure-over-500-{quarter}-{year}.csv"
        with (real_records / "finance_oxford" / name).open(newline="", encoding="utf-8-sig") as file:
            header, *rows = csv.reader(file)
        at = {title.strip().casefold(): place for place, title in enumerate(header)}
        kind = at.get("type of expenditure", at.get("capital or revenue"))
        area = at.get("service area", at.get("organisational unit"))
        assert kind is not None
        assert area is not None
        for line, row in enumerate(rows, start=2):
            day = datetime.strptime(row[at["paid date"]], "%d/%m/%Y").date()  # noqa: DTZ007
            amount = Fraction(Decimal(row[at["amount"]]))
            found.append(
                (row[kind].strip(), row[area].strip(), Entry(f"oxford/ledger/{name}:{line}", day, amount))
            )
    return found


def _spread_over_months(last_year: list[tuple[str, str, Entry]]) -> tuple[Entry, ...]:
    """The plan of running costs: what was paid a year before, each month's evenly over its days."""
    planned: dict[tuple[int, str], Fraction] = {}
    for kind, area, payment in last_year:
        if kind == "Revenue" and payment.day.month >= START.month:
            key = payment.day.month, area
            planned[key] = planned.get(key, Fraction(0)) + payment.amount
    found = []
    for (month, area), amount in planned.items():
        days = calendar.monthrange(END.year, month)[1]
        record = f"oxford/budgets/{END.year}-{month:02}-01/all/Revenue/{area}"
        found += [
            Entry(record, date(END.year, month, day), amount / days, "denominator")
            for day in range(1, days + 1)
        ]
    return tuple(found)
