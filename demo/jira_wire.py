"""Jira Cloud's wire shapes: issues, histories, sprints, statuses and what else the REST v3 and agile APIs print."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from demo.clock import jira_text, utc_text
from demo.company import Person
from demo.projects import PROJECTS, statuses
from demo.tracker import Change, FieldChange, Issue, IssueType, Link, Project, Sprint, State, Status, Version

SITE = "https://meridian-logistics.atlassian.net"
ESTIMATE_FIELD = "customfield_10016"
SPRINT_FIELD = "customfield_10020"

Json = dict[str, Any]

_CATEGORIES: dict[str, tuple[int, str, str]] = {
    "new": (2, "blue-gray", "To Do"),
    "indeterminate": (4, "yellow", "In Progress"),
    "done": (3, "green", "Done"),
}
_PRIORITIES = {"Highest": "1", "High": "2", "Medium": "3", "Low": "4"}
_RESOLUTIONS = {"Done": "10000", "Won't Do": "10001"}


def issue_record(issue: Issue, states: dict[Issue, State], updated: datetime, now: datetime) -> Json:
    """One issue as the search answers it; `states` holds the state of every issue that may be embedded."""
    state = states[issue]
    resolved = _resolved_at(issue, now) if state["resolution"] else None
    fields: Json = {
        "summary": state["summary"],
        "issuetype": _type(state["type"]),
        "project": _project(issue.project),
        "status": _status(state["status"]),
        "created": jira_text(issue.created),
        "updated": jira_text(updated),
        "resolutiondate": jira_text(resolved) if resolved else None,
        "labels": list(state["labels"]),
        "fixVersions": [_version(version, now) for version in state["versions"]],
        "issuelinks": [_link(link, issue, states) for link in state["links"]],
        "assignee": _user(state["assignee"]) if state["assignee"] else None,
        "reporter": _user(issue.reporter),
        "priority": _priority(state["priority"]),
        ESTIMATE_FIELD: state["points"],
        SPRINT_FIELD: [_sprint(sprint, now) for sprint in state["sprints"]] or None,
    }
    if state["parent"]:
        fields["parent"] = _embedded(state["parent"], states)
    return {
        "expand": "",
        "id": issue.id,
        "self": f"{SITE}/rest/api/3/issue/{issue.id}",
        "key": issue.key,
        "fields": fields,
    }


def history_record(change: Change) -> Json:
    """One entry of an issue's changelog."""
    items = [item for field in change.fields for item in _items(field, change.issue)]
    return {"id": change.id, "author": _user(change.by), "created": jira_text(change.at), "items": items}


def status_records() -> list[Json]:
    """All statuses of the site."""
    return [_status(status) for status in statuses()]


def project_records() -> list[Json]:
    """All projects of the site."""
    return [
        {**_project(project), "isPrivate": False, "style": "classic", "properties": {}}
        for project in PROJECTS
    ]


def field_records() -> list[Json]:
    """The fields of the site that the simulation fills."""
    system = {
        "summary": "string", "issuetype": "issuetype", "project": "project", "status": "status", "created": "datetime",
        "updated": "datetime", "resolutiondate": "datetime", "labels": "array", "fixVersions": "array",
        "issuelinks": "array", "assignee": "user", "reporter": "user", "priority": "priority", "parent": "issuelink",
    }  # fmt: skip
    custom = (
        (ESTIMATE_FIELD, "Story point estimate", "number", "com.pyxis.greenhopper.jira:jsw-story-points"),
        (SPRINT_FIELD, "Sprint", "array", "com.pyxis.greenhopper.jira:gh-sprint"),
    )
    records: list[Json] = [
        {
            "id": key, "key": key, "name": key.capitalize(), "custom": False, "orderable": True, "navigable": True,
            "searchable": True, "clauseNames": [key], "schema": {"type": kind, "system": key},
        }
        for key, kind in system.items()
    ]  # fmt: skip
    for key, name, kind, origin in custom:
        number = int(key.rsplit("_", 1)[1])
        records.append({
            "id": key, "key": key, "name": name, "untranslatedName": name, "custom": True, "orderable": True,
            "navigable": True, "searchable": True, "clauseNames": [f"cf[{number}]", name],
            "schema": {"type": kind, "custom": origin, "customId": number},
        })  # fmt: skip
    return records


def version_records(versions: Iterable[Version], now: datetime) -> list[Json]:
    """The versions that are known by then."""
    return [_version(version, now) for version in versions if version.releases[0][0] < now]


def board_records(sprints: Iterable[Sprint]) -> list[Json]:
    """The boards that work in sprints, each named after the first word of its sprints."""
    names = {sprint.board: sprint.name.split()[0] for sprint in sprints}
    return [
        {
            "id": board,
            "self": f"{SITE}/rest/agile/1.0/board/{board}",
            "name": f"{name} board",
            "type": "scrum",
        }
        for board, name in names.items()
    ]


def sprint_records(sprints: Iterable[Sprint], now: datetime) -> dict[int, list[Json]]:
    """The sprints by board, oldest first, up to the next one; as a board lists them."""
    listed: dict[int, list[Json]] = {}
    for sprint in sprints:
        if sprint.starts < now + timedelta(days=14):
            shown = _sprint(sprint, now)
            shown["originBoardId"] = shown.pop("boardId")
            listed.setdefault(sprint.board, []).append(shown)
    return listed


def _resolved_at(issue: Issue, now: datetime) -> datetime | None:
    found = None
    for change in issue.changes:
        if change.at >= now:
            break
        if any(item.field == "resolution" and item.new for item in change.fields):
            found = change.at
    return found


@cache
def _user(person: Person) -> Json:
    return {
        "self": f"{SITE}/rest/api/3/user?accountId={person.account_id}",
        "accountId": person.account_id,
        "emailAddress": person.email,
        "displayName": person.name,
        "active": True,
        "timeZone": "Europe/Berlin",
        "accountType": "atlassian",
    }


@cache
def _type(kind: IssueType) -> Json:
    return {
        "self": f"{SITE}/rest/api/3/issuetype/{kind.id}",
        "id": kind.id,
        "name": kind.name,
        "subtask": kind.level < 0,
        "hierarchyLevel": kind.level,
    }


@cache
def _project(project: Project) -> Json:
    return {
        "self": f"{SITE}/rest/api/3/project/{project.id}",
        "id": project.id,
        "key": project.key,
        "name": project.name,
        "projectTypeKey": "software" if "Backlog" in {s.name for s in project.workflow} else "business",
        "simplified": False,
    }


@cache
def _status(status: Status) -> Json:
    number, colour, name = _CATEGORIES[status.category]
    return {
        "self": f"{SITE}/rest/api/3/status/{status.id}",
        "description": "",
        "name": status.name,
        "untranslatedName": status.name,
        "id": status.id,
        "statusCategory": {
            "self": f"{SITE}/rest/api/3/statuscategory/{number}",
            "id": number,
            "key": status.category,
            "colorName": colour,
            "name": name,
        },
    }


@cache
def _priority(name: str) -> Json:
    number = _PRIORITIES[name]
    return {"self": f"{SITE}/rest/api/3/priority/{number}", "id": number, "name": name}


def _version(version: Version, now: datetime) -> Json:
    release = [day for known, day in version.releases if known < now][-1]
    released = version.released is not None and version.released < now
    return {
        "self": f"{SITE}/rest/api/3/version/{version.id}",
        "id": version.id,
        "name": version.name,
        "archived": False,
        "released": released,
        "releaseDate": release,
    }


def _sprint(sprint: Sprint, now: datetime) -> Json:
    state = "closed" if sprint.completes < now else "active" if sprint.starts < now else "future"
    shown: Json = {
        "id": sprint.id,
        "name": sprint.name,
        "state": state,
        "boardId": sprint.board,
        "goal": "",
        "startDate": utc_text(sprint.starts),
        "endDate": utc_text(sprint.ends),
    }
    if state == "closed":
        shown["completeDate"] = utc_text(sprint.completes)
    return shown


def _embedded(issue: Issue, states: dict[Issue, State]) -> Json:
    state = states[issue]
    return {
        "id": issue.id,
        "key": issue.key,
        "self": f"{SITE}/rest/api/3/issue/{issue.id}",
        "fields": {
            "summary": state["summary"],
            "status": _status(state["status"]),
            "priority": _priority(state["priority"]),
            "issuetype": _type(state["type"]),
        },
    }


def _link(link: Link, seen_from: Issue, states: dict[Issue, State]) -> Json:
    blocks = link.kind == "Blocks"
    kind = {
        "id": "10000" if blocks else "10003",
        "name": link.kind,
        "inward": "is blocked by" if blocks else "relates to",
        "outward": "blocks" if blocks else "relates to",
        "self": f"{SITE}/rest/api/3/issueLinkType/{10000 if blocks else 10003}",
    }
    other = ("outwardIssue", link.blocked) if seen_from is link.blocker else ("inwardIssue", link.blocker)
    return {
        "id": link.id,
        "self": f"{SITE}/rest/api/3/issueLink/{link.id}",
        "type": kind,
        other[0]: _embedded(other[1], states),
    }


_Side = tuple[str | None, str | None]


def _items(change: FieldChange, issue: Issue) -> list[Json]:
    """The changelog items of one field's change; a change of links or versions is one item each."""
    old, new = change.old, change.new
    if change.field == "links":
        return [_link_item(link, issue) for link in new if link not in old]
    if change.field == "versions":
        return _version_items(old, new)
    name, field_id, side = _FIELDS[change.field]
    kind = "custom" if field_id and field_id.startswith("customfield") else "jira"
    return [_item(name, field_id, side(old), side(new), kind)]


def _item(name: str, field_id: str | None, old: _Side, new: _Side, kind: str = "jira") -> Json:
    head: Json = {"field": name, "fieldtype": kind}
    if field_id:
        head["fieldId"] = field_id
    return {**head, "from": old[0], "fromString": old[1], "to": new[0], "toString": new[1]}


def _status_side(status: Status) -> _Side:
    return status.id, status.name


def _resolution_side(name: str | None) -> _Side:
    return (_RESOLUTIONS[name], name) if name else (None, None)


def _priority_side(name: str) -> _Side:
    return _PRIORITIES[name], name


def _person_side(person: Person | None) -> _Side:
    return (person.account_id, person.name) if person else (None, None)


def _points_side(points: float | None) -> _Side:
    return None, None if points is None else f"{points:g}"


def _sprints_side(sprints: tuple[Sprint, ...]) -> _Side:
    return ", ".join(str(sprint.id) for sprint in sprints), ", ".join(sprint.name for sprint in sprints)


def _labels_side(labels: tuple[str, ...]) -> _Side:
    return "", " ".join(labels)


def _text_side(text: str) -> _Side:
    return None, text


# Field of the state -> name and id in the changelog, and how a value is printed there.
_FIELDS: dict[str, tuple[str, str | None, Callable[[Any], _Side]]] = {
    "status": ("status", "status", _status_side),
    "resolution": ("resolution", "resolution", _resolution_side),
    "priority": ("priority", "priority", _priority_side),
    "assignee": ("assignee", "assignee", _person_side),
    "points": ("Story point estimate", ESTIMATE_FIELD, _points_side),
    "sprints": ("Sprint", SPRINT_FIELD, _sprints_side),
    "labels": ("labels", "labels", _labels_side),
    "summary": ("summary", "summary", _text_side),
}


def _version_items(old: tuple[Version, ...], new: tuple[Version, ...]) -> list[Json]:
    gone = [_item("Fix Version", "fixVersions", (v.id, v.name), (None, None)) for v in old if v not in new]
    come = [_item("Fix Version", "fixVersions", (None, None), (v.id, v.name)) for v in new if v not in old]
    return gone + come


def _link_item(link: Link, issue: Issue) -> Json:
    if issue is link.blocker:
        verb, other = ("blocks" if link.kind == "Blocks" else "relates to"), link.blocked
    else:
        verb, other = ("is blocked by" if link.kind == "Blocks" else "relates to"), link.blocker
    return _item("Link", None, (None, None), (other.key, f"This issue {verb} {other.key}"))
