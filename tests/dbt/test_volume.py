"""How much a stream brought on its last working day, against a plain count of the records' own dates."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from math import ceil, floor, sqrt
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.dbt.scratch_project import ScratchProject
from warehouse.control import CheckResult

BERLIN = ZoneInfo("Europe/Berlin")
HOLIDAY = date(2026, 10, 20)
BUSY, SILENT = date(2026, 10, 13), date(2026, 10, 27)
LAST_POSTED = date(2026, 10, 21)
STREAMS = ["jira.issues", "jira.changelogs", "crm.deals", "finance.ledger"]
Counts = dict[str, Counter[date]]


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


@pytest.fixture(scope="module")
def counts() -> Counts:
    """Records by stream and day: a steady company with one busy and one silent day, of which the CRM is but five weeks old."""
    chance = random.Random(5)
    first, last = date(2026, 6, 1), date(2026, 10, 30)
    found: Counts = {stream: Counter() for stream in STREAMS}
    for day in _days(first, last):
        usual = 3 if day.weekday() > 4 or day == HOLIDAY else 40 if day.weekday() == 0 else 20
        for stream, records in found.items():
            often = usual / 5 if stream == "finance.ledger" else usual
            records[day] = max(0, round(chance.gauss(often, sqrt(often))))
            if day == SILENT and stream.startswith("jira"):
                records[day] = 0
        if day == BUSY:
            found["jira.issues"][day] = 300
        if day < date(2026, 9, 22):
            found["crm.deals"][day] = 0
        if day > LAST_POSTED:
            found["finance.ledger"][day] = 0
    return {stream: Counter({day: n for day, n in of.items() if n}) for stream, of in found.items()}


@pytest.fixture(scope="module")
def project(counts: Counts, tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """What one pull brought of all of it."""
    project = ScratchProject(tmp_path_factory.mktemp("volume"), holidays=[(HOLIDAY.isoformat(), "A day off")])
    project.write()

    def each(stream: str) -> Iterator[tuple[str, str]]:
        """A key and a moment of its day for each record; the first one just after midnight in Berlin, the day before in UTC."""
        for day, number in counts[stream].items():
            for which in range(number):
                at = datetime.combine(day, time(0, 5 * (which % 12)), BERLIN).astimezone(UTC)
                yield f"{day}-{which}", at.isoformat()

    project.land(
        "jira_issues",
        # What was touched since bears another day.
        {
            key: {"id": key, "fields": {"created": at, "updated": "2026-10-30T12:00:00Z"}}
            for key, at in each("jira.issues")
        },
    )
    # Two changes at once are one record.
    items = [{"field": "status", "from": "1", "to": "2"}, {"field": "resolution", "from": None, "to": "3"}]
    project.land(
        "jira_changelogs",
        {
            key: {"id": key, "issueId": "1", "created": at, "items": items}
            for key, at in each("jira.changelogs")
        },
    )
    project.land(
        "hubspot_deals",
        {
            key: {
                "id": key,
                "properties": {},
                "propertiesWithHistory": {
                    "dealstage": [{"value": "a", "timestamp": at}],
                    "amount": [{"value": "1", "timestamp": at}],
                },
            }
            for key, at in each("crm.deals")
        },
        source="crm",
    )
    project.land(
        "finance_ledger",
        {
            key: {
                "key": key,
                "posting": {
                    "date": "2026-06-01",
                    "posted_at": at,
                    "account": "4",
                    "amount": "1",
                    "currency": "EUR",
                },
            }
            for key, at in each("finance.ledger")
        },
    )
    project.begin(date(2026, 10, 30), "r0")
    project.build("stream_volume")
    return project


def _judged(project: ScratchProject, as_of: date, pulled: list[str]) -> dict[str, dict[str, Any]]:
    project.begin(as_of, f"run of {as_of}")
    project.control(checks=[CheckResult("pull", each, "pulled", True, "error", "pulled") for each in pulled])
    project.dbt("run", "--select", "stream_volume")
    rows = project.rows("select * from operations.stream_volume")
    return {f"{row['source']}.{row['stream']}": row for row in rows}


def _expected(records: Counter[date], as_of: date, in_files: bool) -> tuple[Any, ...]:
    def works(day: date) -> bool:
        return day.weekday() < 5 and day != HOLIDAY

    known = [day for day in records if day <= as_of]
    end = max(known) if in_files else as_of
    judged = next(day for back in range(1, 20) if works(day := end - timedelta(days=back)))
    before = (judged - timedelta(weeks=week) for week in range(1, 13))
    earlier = [records[day] for day in before if works(day) and day > min(known)]
    if len(earlier) < 6:
        return judged, records[judged], len(earlier), None, None, True
    middle = median(earlier)
    leeway = max(3.5 * 1.4826 * median(abs(each - middle) for each in earlier), 3.5 * sqrt(middle), 10)
    low, high = ceil(max(middle - leeway, 0)), floor(middle + leeway)
    return judged, records[judged], len(earlier), low, high, low <= records[judged] <= high


# After the busy day; after the holiday; on a Monday, of which Friday was the last working day; after the silent day.
@pytest.mark.parametrize(
    "as_of", [date(2026, 10, 14), date(2026, 10, 21), date(2026, 10, 26), date(2026, 10, 28)], ids=str
)
def test_each_stream_is_judged_as_by_hand(project: ScratchProject, counts: Counts, as_of: date) -> None:
    found = _judged(project, as_of, STREAMS)
    columns = ("date", "records", "earlier_days", "usual_from", "usual_to", "is_usual")
    assert {stream: tuple(row[column] for column in columns) for stream, row in found.items()} == {
        stream: _expected(counts[stream], as_of, in_files=stream == "finance.ledger") for stream in STREAMS
    }
    unusual = {stream for stream, row in found.items() if not row["is_usual"]}
    assert unusual == {BUSY: {"jira.issues"}, SILENT: {"jira.issues", "jira.changelogs"}}.get(
        as_of - timedelta(days=1), set()
    )
    assert found["crm.deals"]["sentence"].startswith("Too few earlier weeks of crm.deals")


def test_only_what_this_run_pulled_is_judged(project: ScratchProject) -> None:
    assert set(_judged(project, date(2026, 10, 29), ["jira.issues"])) == {"jira.issues"}
