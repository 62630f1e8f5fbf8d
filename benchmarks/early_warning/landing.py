"""What a tracker shows of the companies on one evening, landed as the Jira connector lands it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from benchmarks.early_warning.companies import DONE, IN_PROGRESS, TODO, Company, Item, moment
from connectors.jira.connector import JiraCloud
from connectors.jira.streams import CHANGELOGS, FIELDS, ISSUES, PROJECTS, STATUSES
from connectors.landing import Landing
from connectors.stream import Stream

Json = dict[str, Any]
SOURCE = "jira"

_SITE = "https://early-warning.atlassian.net/rest/api/3"
_STATUSES = {
    TODO: ("10010", "To Do", 2, "new"),
    IN_PROGRESS: ("10011", "In Progress", 4, "indeterminate"),
    DONE: ("10013", "Done", 3, "done"),
}
_BLOCKS = {"id": "10000", "name": "Blocks", "inward": "is blocked by", "outward": "blocks"}


def evening_of(day: date) -> datetime:
    """The end of the day, after all its work (UTC)."""
    return datetime.combine(day, time(21), UTC)


def land_evening(companies: Iterable[Company], after: date | None, until: date, into: Path) -> None:
    """Land what is new or changed of the companies' items since the evening of ``after`` (none: ever) by that of ``until``."""
    since = evening_of(after) if after else datetime.min.replace(tzinfo=UTC)
    items = [item for company in companies for item in company.items]
    landing = Landing(into)
    _land(landing, PROJECTS, _projects(companies))
    _land(landing, STATUSES, [_status(name) for name in _STATUSES])
    _land(landing, FIELDS, [{"id": "labels", "key": "labels", "name": "Labels", "custom": False}])
    _land(landing, ISSUES, issues(items, since, evening_of(until)))
    _land(landing, CHANGELOGS, changelogs(items, since, evening_of(until)))


def issues(items: Iterable[Item], since: datetime, until: datetime) -> Iterator[Json]:
    """The items that were created or moved after ``since``, as they stand at ``until``."""
    for item in items:
        created = moment(item.created)
        moves = [(at, status) for at, status in _moves(item) if at <= until]
        updated = moves[-1][0] if moves else created
        if not since < updated <= until:
            continue
        status = moves[-1][1] if moves else TODO
        yield {
            "id": item.id,
            "self": f"{_SITE}/issue/{item.id}",
            "key": item.key,
            "fields": {
                "summary": f"Item {item.key}",
                "issuetype": {"id": "10021", "name": "Story", "subtask": False, "hierarchyLevel": 0},
                "project": _project(item.project),
                "status": _status(status),
                "created": _text(created),
                "updated": _text(updated),
                "resolutiondate": _text(updated) if status == DONE else None,
                "labels": list(item.labels),
                "fixVersions": [],
                "issuelinks": [
                    {
                        "id": f"{item.id}{other.id}",
                        "type": _BLOCKS,
                        "outwardIssue": {"id": other.id, "key": other.key},
                    }
                    for other in item.blocks
                ],
            },
        }


def changelogs(items: Iterable[Item], since: datetime, until: datetime) -> Iterator[Json]:
    """The moves of the items after ``since`` and by ``until``."""
    for item in items:
        before = TODO
        for number, (at, status) in enumerate(_moves(item)):
            if since < at <= until:
                change = {
                    "field": "status",
                    "fieldtype": "jira",
                    "fieldId": "status",
                    "from": _STATUSES[before][0],
                    "fromString": _STATUSES[before][1],
                    "to": _STATUSES[status][0],
                    "toString": _STATUSES[status][1],
                }
                yield {
                    "issueId": item.id,
                    "id": f"{item.id}{number:03d}",
                    "author": {"accountId": f"712020:{item.project.lower()}"},
                    "created": _text(at),
                    "items": [change],
                }
            before = status


def _land(landing: Landing, stream: Stream, records: Iterable[Json]) -> None:
    with landing.open(SOURCE, "jira", stream, None, JiraCloud.api_version) as writer:
        writer.write(records)


def _moves(item: Item) -> Iterator[tuple[datetime, str]]:
    return ((moment(at), status) for at, status in item.moves)


def _projects(companies: Iterable[Company]) -> list[Json]:
    return [
        _project(project) for company in companies for project in sorted({i.project for i in company.items})
    ]


def _project(key: str) -> Json:
    return {"id": str(10_000 + 2 * int(key[1:-1]) + (key[-1] == "P")), "key": key, "name": f"Project {key}"}


def _status(name: str) -> Json:
    number, text, category, key = _STATUSES[name]
    return {"id": number, "name": text, "statusCategory": {"id": category, "key": key, "name": text}}


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"
