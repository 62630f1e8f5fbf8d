"""A loopback server that speaks the wire shapes of Jira Cloud's REST API v3."""

from __future__ import annotations

import base64
import heapq
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from demo.servers import jql
from demo.servers.loopback import Answer, Fault, Json, JsonObject, LoopbackServer, Request

# What the site calls itself: the port changes from start to start, and records must not change with it.
ADDRESS = "https://jira.example"


@dataclass
class JiraSite:
    """What one Jira Cloud site holds, as plain JSON objects in Jira's own shapes.

    - issues: ``{"id", "key", "self"?, "fields": {...}}`` as a search returns them with all fields; ``fields`` must
      hold ``project`` with id and key, ``created`` and ``updated``. Ids are texts of digits. Times are written
      ``2026-10-30T18:00:00.000+0200``; sprints are a list under their custom field.
    - changelogs: by issue id, its histories ``{"id", "author", "created", "items": [{"field", "fieldtype", "fieldId",
      "from", "fromString", "to", "toString"}]}``, with ``created`` written like the times of issues.
    - statuses, fields, projects: as ``/status``, ``/field`` and ``/project/search`` list them.

    The server reads all of it anew for each request, so a test or a simulation may edit it between pulls.
    """

    issues: list[JsonObject] = field(default_factory=list)
    changelogs: dict[str, list[JsonObject]] = field(default_factory=dict)
    statuses: list[JsonObject] = field(default_factory=list)
    fields: list[JsonObject] = field(default_factory=list)
    projects: list[JsonObject] = field(default_factory=list)


class JiraServer(LoopbackServer):
    """Serves ``site`` to the one account with ``email`` and ``api_token``; a context manager with ``url`` and ``log``.

    ``page_size`` is the most a page of issues or projects holds; a page of histories holds ten times as many. A
    client may ask for less.
    """

    def __init__(
        self,
        site: JiraSite,
        email: str,
        api_token: str,
        page_size: int = 100,
        faults: Iterable[Fault] | None = None,
    ) -> None:
        super().__init__(faults)
        self.site = site
        self._email = email
        self._credential = "Basic " + base64.b64encode(f"{email}:{api_token}".encode()).decode()
        self._page_size = page_size
        self._routes: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", "/rest/api/3/myself"): self._myself,
            ("GET", "/rest/api/3/serverInfo"): self._server_info,
            ("GET", "/rest/api/3/field"): lambda _: Answer(self.site.fields),
            ("GET", "/rest/api/3/status"): lambda _: Answer(self.site.statuses),
            ("GET", "/rest/api/3/project/search"): self._projects,
            ("GET", "/rest/api/3/search/jql"): self._search,
            ("POST", "/rest/api/3/search/jql"): self._search,
            ("POST", "/rest/api/3/changelog/bulkfetch"): self._bulk_changelogs,
        }

    def answer(self, request: Request) -> Answer:
        """The answer of Jira Cloud to one request."""
        if request.headers.get("Authorization") != self._credential:
            refused = "Client must be authenticated to access this resource."
            return Answer({"message": refused, "status-code": 401}, 401)
        route = self._routes.get((request.method, request.path))
        if route is None:
            return Answer({"message": f"null for uri: {request.path}", "status-code": 404}, 404)
        return route(request)

    def _myself(self, _: Request) -> Answer:
        account = {"accountId": "demo", "accountType": "atlassian", "active": True, "timeZone": "Etc/UTC"}
        return Answer(account | {"emailAddress": self._email, "displayName": "Plumbline"})

    def _server_info(self, _: Request) -> Answer:
        # A simulated site may be ahead of this machine's clock, but never behind its own last change.
        changes = [jql.instant(issue["fields"]["updated"]) for issue in self.site.issues]
        now = datetime.fromtimestamp(max([datetime.now(UTC).timestamp(), *changes]), UTC)
        return Answer(
            {
                "baseUrl": ADDRESS,
                "deploymentType": "Cloud",
                "serverTime": now.isoformat(timespec="milliseconds"),
            }
        )

    def _projects(self, request: Request) -> Answer:
        start = int(request.query.get("startAt", 0))
        size = min(int(request.query.get("maxResults", 50)), 100, self._page_size)
        page = self.site.projects[start : start + size]
        total = len(self.site.projects)
        last = start + len(page) >= total
        return Answer(
            {"maxResults": size, "startAt": start, "total": total, "isLast": last, "values": page}
            | ({} if last else {"nextPage": f"{self.url}/rest/api/3/project/search?startAt={start + size}"})
        )

    def _search(self, request: Request) -> Answer:
        asked = _asked(request)
        try:
            query = jql.parse(str(asked.get("jql") or ""), self._project_names())
            after = _after(asked.get("nextPageToken"))
        except ValueError as error:
            return _bad(str(error))
        fields = asked.get("fields") or ["id"]
        most = 5000 if set(fields) <= {"id", "key"} else 100
        size = min(int(asked.get("maxResults") or 50), most, self._page_size)
        # The token names the last issue's place in the order, so an edit between two pages shows as it would there.
        places = ((query.place(issue), issue) for issue in self.site.issues)
        left = (p for p in places if (after is None or p[0] > after) and query.matches(p[1]))
        page = heapq.nsmallest(size + 1, left, key=lambda p: p[0])
        more = len(page) > size
        answer = {"issues": [self._issue(issue, fields) for _, issue in page[:size]], "isLast": not more}
        if more:
            answer["nextPageToken"] = _token(page[size - 1][0])
        return Answer(answer)

    def _project_names(self) -> set[str]:
        return {name for project in self.site.projects for name in jql.names_of(project)}

    def _issue(self, issue: JsonObject, fields: Sequence[str]) -> JsonObject:
        shown = {
            "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
            "id": issue["id"],
            "self": f"{ADDRESS}/rest/api/3/issue/{issue['id']}",
            "key": issue["key"],
        } | issue
        if "*all" in fields:
            return shown
        kept = {name: value for name, value in issue["fields"].items() if name in fields}
        if kept:
            return shown | {"fields": kept}
        return {name: value for name, value in shown.items() if name != "fields"}

    def _bulk_changelogs(self, request: Request) -> Answer:
        asked = _asked(request)
        wanted = asked.get("issueIdsOrKeys") or []
        if not 0 < len(wanted) <= 1000:
            return _bad("You may only load changelogs for a maximum of 1,000 issues by ID or key at a time.")
        try:
            after = _after(asked.get("nextPageToken"))
        except ValueError as error:
            return _bad(str(error))
        ids = {issue["key"]: issue["id"] for issue in self.site.issues}
        size = min(int(asked.get("maxResults") or 1000), 10_000, self._page_size * 10)
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


def _asked(request: Request) -> JsonObject:
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


def _bad(message: str) -> Answer:
    return Answer({"errorMessages": [message], "errors": {}}, 400)
