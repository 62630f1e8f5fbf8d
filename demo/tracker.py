"""The simulated tracker: issues with every change ever made to them, from which any day's state is rebuilt."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

from demo.company import Person


@dataclass(frozen=True, slots=True)
class Status:
    """A workflow status; category is Jira's key: `new`, `indeterminate` or `done`."""

    id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class IssueType:
    """An issue type; level 1 is an epic, 0 standard, -1 a sub-task."""

    id: str
    name: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Project:
    """A Jira project with the function that works in it and its workflow in order."""

    id: str
    key: str
    name: str
    function: str
    workflow: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class Sprint:
    """A two-week sprint of one board."""

    id: int
    name: str
    board: int
    starts: datetime
    ends: datetime
    completes: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A fix version; `releases` holds (known from, release date), oldest first, and `released` when it went out."""

    id: str
    name: str
    releases: tuple[tuple[datetime, str], ...]
    released: datetime | None = None


@dataclass(eq=False, slots=True)
class Link:
    """`blocker` blocks `blocked` (or relates to it), known from `at`."""

    blocker: Issue
    blocked: Issue
    at: datetime
    kind: Literal["Blocks", "Relates"] = "Blocks"
    id: str = ""


# State of an issue by field: status, resolution, assignee, priority, points, sprints, labels, versions, parent,
# summary, type, links. Values are the dataclasses above, texts, numbers, None, or tuples of them.
State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Edit:
    at: datetime
    by: Person
    field: str
    value: Any
    how: Literal["set", "add", "remove"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's old and new value within a change."""

    field: str
    old: Any
    new: Any


@dataclass(eq=False, slots=True)
class Change:
    """What one person changed on one issue at one instant; `id` is the tracker's history id."""

    issue: Issue
    at: datetime
    by: Person
    fields: tuple[FieldChange, ...]
    id: str = ""


@dataclass(eq=False, slots=True)
class Issue:
    """One issue: what it was when created, and the edits that followed in any order until the tracker is closed."""

    project: Project
    created: datetime
    reporter: Person
    start: State
    id: str = ""
    key: str = ""
    changes: list[Change] = field(default_factory=list)
    _edits: list[_Edit] = field(default_factory=list)

    def set(self, at: datetime, by: Person, **values: Any) -> None:
        """Sets fields at an instant."""
        self._edits.extend(_Edit(at, by, name, value, "set") for name, value in values.items())

    def add(self, at: datetime, by: Person, **values: Any) -> None:
        """Adds one value to each of the list fields named."""
        self._edits.extend(_Edit(at, by, name, value, "add") for name, value in values.items())

    def remove(self, at: datetime, by: Person, **values: Any) -> None:
        """Takes one value out of each of the list fields named."""
        self._edits.extend(_Edit(at, by, name, value, "remove") for name, value in values.items())

    def move(self, at: datetime, by: Person, status: Status) -> None:
        """Moves through the workflow; resolution follows the status as the workflow's post functions do."""
        resolution = None
        if status.category == "done":
            resolution = "Won't Do" if status.name == "Cancelled" else "Done"
        self.set(at, by, status=status, resolution=resolution)

    def last_edit(self) -> datetime:
        """Instant of the latest edit so far."""
        return max((edit.at for edit in self._edits), default=self.created)

    def settle(self) -> None:
        """Turns the edits into changes in time order, leaving out those that change nothing."""
        state = dict(self.start)
        self._edits.sort(key=lambda edit: edit.at)
        for (at, _), edits in groupby(self._edits, key=lambda edit: (edit.at, edit.by)):
            fields: list[FieldChange] = []
            by = self.reporter
            for edit in edits:
                by = edit.by
                old = state[edit.field]
                new = _after(old, edit)
                if new != old:
                    state[edit.field] = new
                    fields.append(FieldChange(edit.field, old, new))
            if fields:
                self.changes.append(Change(self, at, by, tuple(fields)))
        self._edits.clear()

    def state_before(self, instant: datetime) -> tuple[State, int]:
        """State and number of changes just before an instant."""
        seen = bisect_left(self.changes, instant, key=lambda change: change.at)
        state = dict(self.start)
        for change in self.changes[:seen]:
            for item in change.fields:
                state[item.field] = item.new
        return state, seen


def _after(old: Any, edit: _Edit) -> Any:
    if edit.how == "set":
        return edit.value
    if edit.how == "add":
        return old if edit.value in old else (*old, edit.value)
    return tuple(value for value in old if value != edit.value)


_BLANK: Mapping[str, Any] = {
    "resolution": None,
    "assignee": None,
    "priority": "Medium",
    "points": None,
    "sprints": (),
    "labels": (),
    "versions": (),
    "parent": None,
    "links": (),
}


class Tracker:
    """All issues of the company. Open while the simulation writes; `close` numbers issues, links and histories."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.links: list[Link] = []
        self.sprints: list[Sprint] = []
        self.versions: list[Version] = []

    def create(self, project: Project, kind: IssueType, at: datetime, by: Person, **fields: Any) -> Issue:
        """A new issue in the first status of its project's workflow; `fields` are the other fields it starts with."""
        start = {**_BLANK, "status": project.workflow[0], "type": kind, **fields}
        issue = Issue(project, at, by, start)
        self.issues.append(issue)
        return issue

    def link(self, blocker: Issue, blocked: Issue, at: datetime, by: Person) -> None:
        """Records that `blocker` blocks `blocked`; both histories show it."""
        at = max(at, blocker.created, blocked.created)
        link = Link(blocker, blocked, at)
        self.links.append(link)
        blocker.add(at, by, links=link)
        blocked.add(at, by, links=link)

    def close(self) -> None:
        """Settles every issue and hands out ids in order of time, as the tracker would have."""
        self.issues.sort(key=lambda issue: issue.created)
        counters: dict[str, int] = {}
        for number, issue in enumerate(self.issues, start=10_001):
            counters[issue.project.key] = counters.get(issue.project.key, 0) + 1
            issue.id = str(number)
            issue.key = f"{issue.project.key}-{counters[issue.project.key]}"
        for number, link in enumerate(sorted(self.links, key=lambda link: link.at), start=20_001):
            link.id = str(number)
        for issue in self.issues:
            issue.settle()
        changes = sorted((c for issue in self.issues for c in issue.changes), key=lambda change: change.at)
        for number, change in enumerate(changes, start=100_001):
            change.id = str(number)
