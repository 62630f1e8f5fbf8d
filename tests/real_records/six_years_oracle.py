"""The key results of workspaces/six_years, straight from the recorded Jira Cloud site, Salesforce and Xero."""

import csv
import json
from datetime import UTC, date, datetime
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
    p85,
    share,
    total,
    total_over_total,
)

START, END = date(2019, 11, 1), date(2026, 3, 31)
ZONE = ZoneInfo("Asia/Shanghai")
WON, LOST = "Closed Won", "Closed Lost"
Record = dict[str, Any]


def key_results(real_records: Path) -> dict[str, Oracle]:
    """By id."""
    issues = _issues(real_records)
    deals = _deals(real_records)
    return {
        "lead-time": Oracle(
            tuple(
                Entry(record, local_day(done, ZONE), days_between(created, done))
                for record, created, done, _ in issues
                if done
            ),
            "cycle",
            p85,
            START,
        ),
        "open-work": Oracle(
            tuple(
                Entry(record, local_day(created, ZONE), until=local_day(done, ZONE) if done else None)
                for record, created, done, _ in issues
            ),
            "as_of",
            total,
            START,
        ),
        "cloud-sprint-delivery": Oracle(_sprint_items(issues), "cycle", share, START),
        "deals-won": Oracle(
            tuple(Entry(d.record, d.won, d.amount) for d in deals if d.won and d.amount is not None),
            "cycle",
            total,
            START,
        ),
        "win-rate": Oracle(
            tuple(
                Entry(d.record, d.closed, Fraction(bool(d.won)), "numerator" if d.won else "denominator")
                for d in deals
                if d.closed
            ),
            "cycle",
            share,
            START,
        ),
        "open-pipeline": Oracle(
            tuple(
                Entry(d.record, d.created, d.amount, until=d.closed) for d in deals if d.amount is not None
            ),
            "as_of",
            total,
            START,
        ),
        "deal-size": Oracle(_imported_won(real_records), "cycle", mean, START),
        "revenue": Oracle(_lines(real_records, "value", -1, "REVENUE"), "cycle", total, START),
        "cost-share": Oracle(
            _lines(real_records, "numerator", -1, "EXPENSE", "DIRECTCOSTS")
            + _lines(real_records, "denominator", 1, "REVENUE"),
            "cycle",
            total_over_total,
            START,
        ),
    }


def status_changes(real_records: Path) -> list[tuple[str, datetime, str, str]]:
    """Every status change of the recording: issue, when, from, to."""
    found = []
    for issue, history in recorded_histories(real_records):
        at = datetime.fromisoformat(history["created"])
        found += [(issue, at, i["from"], i["to"]) for i in history["items"] if i["field"] == "status"]
    return found


def recorded_histories(real_records: Path) -> list[tuple[str, Record]]:
    """Every history of the recording, with the id of its issue."""
    embedded = [
        (issue["id"], history)
        for issue in _read(real_records, "issues")
        for history in issue["changelog"]["histories"]
    ]
    apart = [(str(entry["input"]["issue_id"]), entry["body"]) for entry in _read(real_records, "changelogs")]
    return embedded + apart


def categories(real_records: Path) -> dict[str, str]:
    """The category of every status that the site lists."""
    words = {"new": "todo", "indeterminate": "in_progress", "done": "done"}
    return {s["id"]: words[s["statusCategory"]["key"]] for s in _read(real_records, "statuses")}


def _read(real_records: Path, name: str) -> list[Record]:
    path = real_records / "jira_cloud_recorded" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def _issues(real_records: Path) -> list[tuple[str, datetime, datetime | None, list[Record]]]:
    """Record, created, last moved into done if it is done, and sprints, of each issue whose body was recorded."""
    listed = categories(real_records)
    moves: dict[str, list[tuple[datetime, str, str]]] = {}
    for issue_id, at, before, after in status_changes(real_records):
        moves.setdefault(issue_id, []).append((at, before, after))
    found = []
    for issue in _read(real_records, "issues"):
        fields = issue["fields"]
        entries = [
            at
            for at, before, after in moves.get(issue["id"], [])
            if listed.get(after) == "done" and listed.get(before) != "done"
        ]
        done = max(entries) if listed[fields["status"]["id"]] == "done" else None
        created = datetime.fromisoformat(fields["created"])
        found.append((f"jira/issues/{issue['id']}", created, done, fields["customfield_10020"] or []))
    return found


def _sprint_items(
    issues: list[tuple[str, datetime, datetime | None, list[Record]]],
) -> tuple[Entry, ...]:
    found = []
    for record, _, done, sprints in issues:
        for sprint in sprints:
            if sprint["state"] != "closed":
                continue
            start, end = (datetime.fromisoformat(sprint[name]) for name in ("startDate", "completeDate"))
            delivered = done is not None and start <= done <= end
            part = "numerator" if delivered else "denominator"
            found.append(Entry(record, local_day(end, ZONE), Fraction(delivered), part))
    return tuple(found)


class _Deal:
    """An opportunity: the days on which it came, was closed and was won, if it is closed or won now."""

    def __init__(self, row: dict[str, str], history: list[tuple[datetime, str]]) -> None:
        self.record = f"crm/opportunities/{row['Id']}"
        self.amount = Fraction(Decimal(row["Amount"])) if row["Amount"] else None
        self.created = local_day(history[0][0], ZONE)
        stages = [None, *(stage for _, stage in history)]
        steps = [
            (local_day(at, ZONE), before, after)
            for (at, after), before in zip(history, stages[:-1], strict=True)
        ]
        closings = [day for day, before, after in steps if _closed(after) and not _closed(before)]
        wins = [day for day, before, after in steps if after == WON != before]
        self.closed = max(closings) if _closed(row["StageName"]) else None
        self.won = max(wins) if row["StageName"] == WON else None


def _closed(stage: str | None) -> bool:
    return stage in (WON, LOST)


def _deals(real_records: Path) -> list[_Deal]:
    folder = real_records / "crm_salesforce"
    histories: dict[str, list[tuple[datetime, str]]] = {}
    for row in _table(folder / "OpportunityHistory.csv"):
        at = datetime.strptime(row["CreatedDate"], "%m/%d/%y %I:%M %p").replace(tzinfo=UTC)
        histories.setdefault(row["OpportunityId"], []).append((at, row["StageName"]))
    return [_Deal(row, sorted(histories[row["Id"]])) for row in _table(folder / "Opportunity.csv")]


def _imported_won(real_records: Path) -> tuple[Entry, ...]:
    path = real_records / "crm_salesforce" / "opportunities_tree.json"
    return tuple(
        Entry(
            f"crm/opportunities/006imported{number:07d}",
            date.fromisoformat(o["CloseDate"]),
            Fraction(o["Amount"]),
        )
        for number, o in enumerate(json.loads(path.read_text(encoding="utf-8"))["records"], start=1)
        if o["StageName"] == WON
    )


def _lines(real_records: Path, part: str, sign: int, *account_types: str) -> tuple[Entry, ...]:
    """Journal lines of some types of account; the books write revenue as a credit, which is negative."""
    folder = real_records / "finance_xero"
    dates = {
        row["journal_id"]: date.fromisoformat(row["journal_date"])
        for row in _table(folder / "xero_journal_data.csv")
    }
    return tuple(
        Entry(
            f"xero/ledger/{row['journal_id']}/{row['journal_line_id']}",
            dates[row["journal_id"]],
            sign * Fraction(Decimal(row["net_amount"])),
            part,
        )
        for row in _table(folder / "xero_journal_line_data.csv")
        if row["account_type"] in account_types
    )


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))
