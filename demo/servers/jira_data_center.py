"""A loopback server that speaks the wire shapes of Jira Data Center's REST API v2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from demo.servers.jira import AnyJira, JiraSite, asked, bad, missing
from demo.servers.loopback import Answer, Fault, JsonObject, Request


class JiraDataCenterServer(AnyJira):
    """Serves ``site`` to whoever sends ``authorization``; a context manager with ``url`` and ``log``.

    ``history_limit`` is the most histories that come with an issue, the newest ones; the real service knows none, or one that
    its administrator has set. ``pages_histories``: whether this version has a resource for the histories of one issue.
    """

    root = "/rest/api/2"
    edition = "Server"
    account: ClassVar[JsonObject] = {
        "key": "JIRAUSER10100",
        "name": "plumbline",
        "active": True,
        "timeZone": "Etc/UTC",
        "displayName": "Plumbline",
    }

    def __init__(  # noqa: PLR0913 - the last ones say how the site misbehaves
        self,
        site: JiraSite,
        authorization: str,
        page_size: int = 1000,
        faults: Iterable[Fault] | None = None,
        *,
        history_limit: int | None = None,
        pages_histories: bool = False,
    ) -> None:
        super().__init__(site, authorization, page_size, faults)
        self._history_limit = history_limit
        self._routes += [
            ("GET", f"{self.root}/project", lambda _: Answer(self.site.projects)),
            ("POST", f"{self.root}/search", self._search),
        ]
        if pages_histories:
            self._routes.append(("GET", f"{self.root}/issue/(\\d+)/changelog", self._histories))

    def _search(self, request: Request) -> Answer:
        wanted = asked(request)
        try:
            # Its index keeps times in whole seconds.
            query = self._query(str(wanted.get("jql") or ""), 1.0)
        except ValueError as error:
            return bad(str(error))
        start = int(wanted.get("startAt") or 0)
        size = min(int(wanted.get("maxResults") or 50), self._page_size)
        found = sorted(filter(query.matches, self.site.searched()), key=query.place)
        page = [self._shown(issue, wanted) for issue in found[start : start + size]]
        return Answer({"startAt": start, "maxResults": size, "total": len(found), "issues": page})

    def _one_issue(self, request: Request, issue_id: str) -> Answer:
        issue = self.site.opened(issue_id)
        if issue is None:
            return missing("Issue Does Not Exist")
        wanted = {name: request.query.get(name, "").split(",") for name in ("fields", "expand")}
        return Answer(self._shown(issue, wanted, as_search=False))

    def _histories(self, request: Request, issue_id: str) -> Answer:
        if not any(issue["id"] == issue_id for issue in self.site.issues):
            return missing("Issue Does Not Exist")
        return self._paged(request, self.site.changelogs.get(issue_id, []))

    def _shown(self, issue: JsonObject, wanted: JsonObject, *, as_search: bool = True) -> JsonObject:
        shown = self._issue(issue, wanted.get("fields") or ["*all"])
        if "changelog" not in (wanted.get("expand") or ()):
            return shown
        log = self.site.changelogs.get(issue["id"], [])
        # An issue that is asked for by itself shows twice as much.
        most = len(log) if self._history_limit is None else self._history_limit * (1 if as_search else 2)
        kept = log[max(0, len(log) - most) :]
        head = {"startAt": 0, "maxResults": len(kept), "total": len(log)}
        return shown | {"changelog": {**head, "histories": kept}}
