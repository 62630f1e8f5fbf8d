"""The part of Jira Data Center's REST API v2 that Jira Cloud does not have: searches by place, histories with the issues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from connectors.errors import InputError, PullFailed
from connectors.jira.api import IssuePage, JiraApi, JsonObject

# A page brings the whole histories of its issues, which the site holds in memory while it writes them.
_ISSUES_A_PAGE = 50
_IDS_A_PAGE = 1000
_HISTORIES_A_PAGE = 1000
_INDEX_LAG = timedelta(minutes=5)


class JiraDataCenterApi(JiraApi):
    """Typed access to one site of Jira Data Center or Server; every method raises SourceError."""

    root = "/rest/api/2"
    search = f"{root}/search"

    def projects(self) -> list[JsonObject]:
        """All projects the account can see."""
        return self._list(f"{self.root}/project")

    def issues(self, since: datetime, projects: Sequence[str], fields: Sequence[str]) -> Iterator[IssuePage]:
        """Issues updated since a moment, with their histories where these came whole."""
        asked: JsonObject = {
            "fields": list(fields),
            "expand": ["changelog"],
            "maxResults": _ISSUES_A_PAGE,
        }
        for page in self._by_time(since, projects, asked):
            yield self._with_histories(page)

    def issue_ids(self, since: datetime, project: str) -> Iterator[list[str]]:
        """Ids of all issues of a project that were updated since a moment."""
        for page in self._by_time(since, [project], {"fields": ["updated"], "maxResults": _IDS_A_PAGE}):
            yield [issue["id"] for issue in page]

    def changelogs(self, issue_ids: Sequence[str]) -> Iterator[list[JsonObject]]:
        """The histories of one issue after the other."""
        yield from self._at_once(self._whole_history, issue_ids)

    def _by_time(
        self, since: datetime, projects: Sequence[str], asked: JsonObject
    ) -> Iterator[list[JsonObject]]:
        """Pages of the issues updated since a moment.

        A search is asked for by a place in a list that changes while it is read: an edited issue goes to its end, and
        all behind it move up. So each page is asked for by the second in which the page before ended, and by a place
        only among the issues of one second, which is how exactly the search knows times. The time of an issue that was
        edited after it was found says nothing of its place, nor does one that the search's index may not know yet.
        """
        told: dict[str, datetime] = {}
        settled = self.server_time() - _INDEX_LAG
        while True:
            for page in self._search(since, projects, asked):
                updated = {issue["id"]: self.updated(issue) for issue in page}
                if news := [issue for issue in page if told.get(issue["id"]) != updated[issue["id"]]]:
                    yield news
                # Not the newest one: by it alone a single issue that the index has wrong would pass over all others.
                surely = sorted(moment for moment in updated.values() if moment < settled)[:-1]
                if surely and (second := surely[-1].replace(microsecond=0)) > since:
                    since, told = second, updated
                    break
                told |= updated
            else:
                return

    def _search(
        self, since: datetime, projects: Sequence[str], asked: JsonObject
    ) -> Iterator[list[JsonObject]]:
        body = {"jql": self._jql(since, projects, "updated ASC, key ASC"), **asked}
        return self._by_offset(
            self.search, "issues", lambda start: self._client.post(self.search, {**body, "startAt": start})
        )

    def _with_histories(self, issues: list[JsonObject]) -> IssuePage:
        logs = {issue["id"]: issue.pop("changelog", None) for issue in issues}
        whole = {id_: found for id_, log in logs.items() if (found := self._if_whole(id_, log)) is not None}
        histories = [history for found in whole.values() for history in found]
        return IssuePage(issues, histories, [id_ for id_ in logs if id_ not in whole])

    def _if_whole(self, issue_id: str, log: JsonObject | None) -> list[JsonObject] | None:
        """The histories that came with an issue; None where they were left out or cut."""
        if not isinstance(log, dict) or not isinstance(log.get("total"), int):
            return None
        histories = self._objects(log.get("histories"), self.search)
        return _of(issue_id, histories) if len(histories) >= log["total"] else None

    def _whole_history(self, issue_id: str) -> list[JsonObject]:
        path = f"{self.root}/issue/{issue_id}/changelog"
        try:
            return _of(issue_id, self._by_offset_whole(path, "values", maxResults=_HISTORIES_A_PAGE))
        except InputError as error:
            if error.status != 404:
                raise
        # Many versions do not have that resource, and the issue may be gone by now.
        return self._history_of_issue(issue_id)

    def _history_of_issue(self, issue_id: str) -> list[JsonObject]:
        path = f"{self.root}/issue/{issue_id}"
        try:
            answer = self._client.get(path, {"fields": "updated", "expand": "changelog"})
        except InputError as error:
            if error.status != 404:
                raise
            return []
        histories = self._if_whole(issue_id, self._object(answer, path).get("changelog"))
        if histories is None:
            raise PullFailed(
                f"{self._source}: {path} cuts the history of the issue short, and this version of Jira has no other way to it",
                "Raise the site's limit on histories, or leave the issue's project out.",
            )
        return histories


def _of(issue_id: str, histories: list[JsonObject]) -> list[JsonObject]:
    return [{"issueId": issue_id} | history for history in histories]
