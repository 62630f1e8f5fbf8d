"""A loopback server that speaks the wire shapes of Jira Cloud's REST API v3, and what it shares with Jira Data Center's."""

from __future__ import annotations

import base64
import heapq
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from demo.servers import jql
from demo.servers.loopback import Answer, Fault, Json, JsonObject, LoopbackServer, Request

# What the site calls itself: the port changes from start to start, and records must not change with it.
ADDRESS = "https://jira.example"


@dataclass
class JiraSite:
    """What one Jira site holds, as plain JSON objects in Jira's own shapes.

    - issues: ``{"id", "key", "self"?, "fields": {...}}`` as a search returns them with all fields; ``fields`` must
      hold ``project`` with id and key, ``created`` and ``updated``. Ids are texts of digits. Times are written
      ``2026-10-30T18:00:00.000+0200``; sprints are a list under their custom field.
    - changelogs: by issue id, its histories ``{"id", "author", "created", "items": [{"field", "fieldtype", "fieldId",
      "from", "fromString", "to", "toString"}]}``, oldest first, with ``created`` written like the times of issues.
    - statuses, fields, projects: as ``/status``, ``/field`` and ``/project/search`` list them.
    - versions: by project id; boards: ``{"id", "name", "type"}``; sprints: by board id. Ids of the latter two are numbers.
    - worklogs: ``{"id", "issueId", "updated", ...}``; deleted_worklogs: when each was deleted, by its id.
    - archived: ids of issues that are in no search, but open by themselves, also where their project is listed no more.

    The server reads all of it anew for each request, so a test or a simulation may edit it between pulls.
    """

    issues: list[JsonObject] = field(default_factory=list)
    changelogs: dict[str, list[JsonObject]] = field(default_factory=dict)
    statuses: list[JsonObject] = field(default_factory=list)
    fields: list[JsonObject] = field(default_factory=list)
    projects: list[JsonObject] = field(default_factory=list)
    versions: dict[str, list[JsonObject]] = field(default_factory=dict)
    boards: list[JsonObject] = field(default_factory=list)
    sprints: dict[int, list[JsonObject]] = field(default_factory=dict)
    worklogs: list[JsonObject] = field(default_factory=list)
    deleted_worklogs: dict[str, str] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)

    def searched(self) -> Iterator[JsonObject]:
        """The issues that a search looks through."""
        return (issue for issue in self.issues if issue["id"] not in self.archived)

    def opened(self, issue_id: str) -> JsonObject | None:
        """An issue as it opens by itself; None where there is none to be seen."""
        projects = {project["id"] for project in self.projects}
        for issue in self.issues:
            if issue["id"] == issue_id:
                seen = issue_id in self.archived or issue["fields"]["project"]["id"] in projects
                return issue if seen else None
        return None


Route = Callable[..., Answer]


class AnyJira(LoopbackServer):
    """What both editions serve of a site, below ``root``, to whoever sends ``authorization``.

    ``page_size`` is the most that a page of anything holds; a client may ask for less.
    """

    root: ClassVar[str]
    edition: ClassVar[str]
    account: ClassVar[JsonObject]

    def __init__(
        self, site: JiraSite, authorization: str, page_size: int, faults: Iterable[Fault] | None
    ) -> None:
        super().__init__(faults)
        self.site = site
        self._authorization = authorization
        self._page_size = page_size
        agile = "/rest/agile/1.0"
        # The groups of a path are arguments of its route.
        self._routes: list[tuple[str, str, Route]] = [
            ("GET", f"{self.root}/myself", lambda _: Answer(self.account)),
            ("GET", f"{self.root}/serverInfo", self._server_info),
            ("GET", f"{self.root}/field", lambda _: Answer(self.site.fields)),
            ("GET", f"{self.root}/status", lambda _: Answer(self.site.statuses)),
            ("GET", f"{self.root}/project/(\\d+)/versions", self._versions),
            ("GET", f"{self.root}/worklog/(updated|deleted)", self._worklog_changes),
            ("POST", f"{self.root}/worklog/list", self._worklogs),
            ("GET", f"{self.root}/issue/(\\d+)", self._one_issue),
            ("GET", f"{agile}/board", lambda request: self._paged(request, self.site.boards)),
            ("GET", f"{agile}/board/(\\d+)/sprint", self._sprints),
        ]

    def answer(self, request: Request) -> Answer:
        """The answer of Jira to one request."""
        if request.headers.get("Authorization") != self._authorization:
            refused = "Client must be authenticated to access this resource."
            return Answer({"message": refused, "status-code": 401}, 401)
        for method, path, route in self._routes:
            if request.method in method.split("|") and (found := re.fullmatch(path, request.path)):
                return route(request, *found.groups())
        return Answer({"message": f"null for uri: {request.path}", "status-code": 404}, 404)

    def _server_info(self, _: Request) -> Answer:
        # A simulated site may be ahead of this machine's clock, but never behind its own last change.
        changes = [jql.instant(issue["fields"]["updated"]) for issue in self.site.issues]
        now = datetime.fromtimestamp(max([datetime.now(UTC).timestamp(), *changes]), UTC)
        return Answer(
            {
                "baseUrl": ADDRESS,
                "deploymentType": self.edition,
                "serverTime": now.isoformat(timespec="milliseconds"),
            }
        )

    def _paged(self, request: Request, records: Sequence[JsonObject]) -> Answer:
        start = int(request.query.get("startAt", 0))
        size = min(int(request.query.get("maxResults", 50)), 100, self._page_size)
        page = records[start : start + size]
        total = len(records)
        last = start + len(page) >= total
        return Answer(
            {"maxResults": size, "startAt": start, "total": total, "isLast": last, "values": page}
            | ({} if last else {"nextPage": f"{self.url}{request.path}?startAt={start + size}"})
        )

    def _versions(self, _: Request, project: str) -> Answer:
        if not any(known["id"] == project for known in self.site.projects):
            return missing(f"No project could be found with id '{project}'.")
        return Answer(self.site.versions.get(project, []))

    def _sprints(self, request: Request, board: str) -> Answer:
        if not any(known["id"] == int(board) for known in self.site.boards):
            return missing("The requested board cannot be viewed because it either does not exist.")
        if int(board) not in self.site.sprints:
            return bad("The board does not support sprints")
        answer = self._paged(request, self.site.sprints[int(board)])
        # As the real service: a list of sprints does not say how many there are.
        return Answer({name: value for name, value in answer.body.items() if name != "total"})

    def _worklog_changes(self, request: Request, kind: str) -> Answer:
        since = int(request.query.get("since", 0))
        written = {worklog["id"]: worklog["updated"] for worklog in self.site.worklogs}
        times = written if kind == "updated" else self.site.deleted_worklogs
        changes = sorted((round(jql.instant(text) * 1000), int(id_)) for id_, text in times.items())
        left = [change for change in changes if change[0] > since]
        page = left[: min(1000, self._page_size)]
        return Answer(
            {
                "values": [{"worklogId": id_, "updatedTime": time, "properties": []} for time, id_ in page],
                "since": since,
                "until": page[-1][0] if page else since,
                "lastPage": len(page) == len(left),
            }
        )

    def _worklogs(self, request: Request) -> Answer:
        wanted = {str(id_) for id_ in asked(request).get("ids") or ()}
        if len(wanted) > 1000:
            return bad("Cannot request more than 1000 worklogs.")
        return Answer([worklog for worklog in self.site.worklogs if worklog["id"] in wanted])

    def _one_issue(self, request: Request, issue_id: str) -> Answer:
        issue = self.site.opened(issue_id)
        if issue is None:
            return missing("Issue does not exist or you do not have permission to see it.")
        return Answer(self._issue(issue, request.query.get("fields", "*all").split(",")))

    def _query(self, text: str, unit: float) -> jql.Query:
        known = {name for project in self.site.projects for name in jql.names_of(project)}
        return jql.parse(text, known, unit)

    def _issue(self, issue: JsonObject, fields: Sequence[str]) -> JsonObject:
        shown = {
            "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
            "id": issue["id"],
            "self": f"{ADDRESS}{self.root}/issue/{issue['id']}",
            "key": issue["key"],
        } | issue
        if "*all" in fields:
            return shown
        kept = {name: value for name, value in issue["fields"].items() if name in fields}
        if kept:
            return shown | {"fields": kept}
        return {name: value for name, value in shown.items() if name != "fields"}


class JiraServer(AnyJira):
    """Serves ``site`` as Jira Cloud's REST API v3 to the one account with ``email`` and ``api_token``.

    A context manager with ``url`` and ``log``. A page of histories holds ten times as many as one of anything else.
    """

    root = "/rest/api/3"
    edition = "Cloud"
    account: ClassVar[JsonObject] = {
        "accountId": "demo",
        "accountType": "atlassian",
        "active": True,
        "timeZone": "Etc/UTC",
        "displayName": "Plumbline",
    }

    def __init__(
        self,
        site: JiraSite,
        email: str,
        api_token: str,
        page_size: int = 100,
        faults: Iterable[Fault] | None = None,
    ) -> None:
        super().__init__(site, basic(email, api_token), page_size, faults)
        self._routes += [
            ("GET", f"{self.root}/project/search", lambda request: self._paged(request, self.site.projects)),
            ("GET|POST", f"{self.root}/search/jql", self._search),
            ("POST", f"{self.root}/changelog/bulkfetch", self._bulk_changelogs),
        ]

    def _search(self, request: Request) -> Answer:
        asked_ = asked(request)
        try:
            query = self._query(str(asked_.get("jql") or ""), 0.001)
            after = _after(asked_.get("nextPageToken"))
        except ValueError as error:
            return bad(str(error))
        fields = asked_.get("fields") or ["id"]
        most = 5000 if set(fields) <= {"id", "key"} else 100
        size = min(int(asked_.get("maxResults") or 50), most, self._page_size)
        # The token names the last issue's place in the order, so an edit between two pages shows as it would there.
        places = ((query.place(issue), issue) for issue in self.site.searched())
        left = (p for p in places if (after is None or p[0] > after) and query.matches(p[1]))
        page = heapq.nsmallest(size + 1, left, key=lambda p: p[0])
        more = len(page) > size
        answer = {"issues": [self._issue(issue, fields) for _, issue in page[:size]], "isLast": not more}
        if more:
            answer["nextPageToken"] = _token(page[size - 1][0])
        return Answer(answer)

    def _bulk_changelogs(self, request: Request) -> Answer:
        asked_ = asked(request)
        wanted = asked_.get("issueIdsOrKeys") or []
        if not 0 < len(wanted) <= 1000:
            return bad("You may only load changelogs for a maximum of 1,000 issues by ID or key at a time.")
        try:
            after = _after(asked_.get("nextPageToken"))
        except ValueError as error:
            return bad(str(error))
        ids = {issue["key"]: issue["id"] for issue in self.site.issues}
        size = min(int(asked_.get("maxResults") or 1000), 10_000, self._page_size * 10)
        rest = sorted(
            (
                (place, issue_id, history)
                for issue_id in {ids.get(name, name) for name in wanted}
                for history in self.site.changelogs.get(issue_id, ())
                if (place := _history_place(issue_id, history)) and (after is None or place > after)
            ),
            key=lambda entry: entry[0],
        )
        logs: dict[str, list[JsonObject]] = {}
        for _, issue_id, history in rest[:size]:
            logs.setdefault(issue_id, []).append(self._history(history))
        answer: JsonObject = {
            "issueChangeLogs": [
                {"issueId": issue_id, "changeHistories": histories} for issue_id, histories in logs.items()
            ],
            "nextPageToken": _token(rest[size - 1][0]) if len(rest) > size else None,
        }
        return Answer(answer)

    @staticmethod
    def _history(history: JsonObject) -> JsonObject:
        # The real service sends bulk-fetched times in milliseconds, unlike those of a single issue's changelog.
        return history | {"created": round(jql.instant(history["created"]) * 1000)}


def asked(request: Request) -> JsonObject:
    """What a search or bulk fetch asks for, whether in the query or in the body."""
    if request.method == "GET":
        return dict(request.query) | {"fields": [n for n in request.query.get("fields", "").split(",") if n]}
    return request.body if isinstance(request.body, dict) else {}


def _history_place(issue_id: str, history: JsonObject) -> tuple[float, int, int]:
    return jql.instant(history["created"]), int(issue_id), int(history["id"])


def _token(place: tuple[float, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _after(token: Json) -> tuple[float, ...] | None:
    """The place that a page token names; raises ValueError for a token that is none of ours."""
    if not token:
        return None
    try:
        return tuple(json.loads(base64.urlsafe_b64decode(token)))
    except (ValueError, TypeError):
        raise ValueError("The provided next page token is invalid or expired.") from None


def bad(message: str) -> Answer:
    return Answer({"errorMessages": [message], "errors": {}}, 400)


def missing(message: str) -> Answer:
    return Answer({"errorMessages": [message], "errors": {}}, 404)


def basic(user: str, password: str) -> str:
    """The header of basic authentication."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
