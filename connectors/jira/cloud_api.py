"""The part of Jira Cloud's REST API v3 that Jira Data Center does not have: searches and histories by page token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from connectors.http import Json
from connectors.jira.api import EPOCH, IssuePage, JiraApi, JsonObject

# Beyond 100 the service answers with 100 as soon as more than ids is asked for.
_ISSUES_A_PAGE = 100
_IDS_A_PAGE = 5000
_PROJECTS_A_PAGE = 50
# Ten times as many are allowed, but a history can hold two versions of a whole description.
_HISTORIES_A_PAGE = 1000
# A time since 1970 above this is in milliseconds: as seconds it would be in the year 5138.
_LAST_SECONDS = 100_000_000_000


class JiraCloudApi(JiraApi):
    """Typed access to one site of Jira Cloud; every method raises SourceError."""

    root = "/rest/api/3"
    search = f"{root}/search/jql"

    def projects(self) -> list[JsonObject]:
        """All projects the account can see."""
        path = f"{self.root}/project/search"
        return self._by_offset_whole(path, "values", maxResults=_PROJECTS_A_PAGE, orderBy="key")

    def issues(self, since: datetime, projects: Sequence[str], fields: Sequence[str]) -> Iterator[IssuePage]:
        """Issues updated since a moment; their histories are all still to come."""
        jql = self._jql(since, projects, "updated ASC")
        body = {"jql": jql, "fields": list(fields), "maxResults": _ISSUES_A_PAGE}
        for answer in self._by_token(self.search, body):
            page = self._objects(answer.get("issues"), self.search)
            yield IssuePage(page, [], [issue["id"] for issue in page])

    def issue_ids(self, since: datetime, project: str) -> Iterator[list[str]]:
        """Ids of all issues of a project that were updated since a moment."""
        body = {
            "jql": self._jql(since, [project], "updated ASC"),
            "fields": ["id"],
            "maxResults": _IDS_A_PAGE,
        }
        for answer in self._by_token(self.search, body):
            yield [issue["id"] for issue in self._objects(answer.get("issues"), self.search)]

    def changelogs(self, issue_ids: Sequence[str]) -> Iterator[list[JsonObject]]:
        """Pages of the histories of at most 1,000 issues.

        The ``created`` of a history is ISO text. Where the service sent a number of milliseconds or seconds since
        1970, that number is kept as ``createdEpoch``.
        """
        path = f"{self.root}/changelog/bulkfetch"
        body = {"issueIdsOrKeys": list(issue_ids), "maxResults": _HISTORIES_A_PAGE}
        for answer in self._by_token(path, body):
            logs = self._objects(answer.get("issueChangeLogs"), path, "issueId")
            yield [
                _history(log, history)
                for log in logs
                for history in self._objects(log.get("changeHistories"), path)
            ]

    def _by_token(self, path: str, body: Mapping[str, Json]) -> Iterator[JsonObject]:
        token: str | None = None
        used: set[str] = set()
        while True:
            asked = body if token is None else {**body, "nextPageToken": token}
            answer = self._object(self._client.post(path, asked), path)
            yield answer
            # A missing token is the end. "isLast" is not asked: it has been seen true, and false, on the same page.
            token = answer.get("nextPageToken")
            if not token:
                return
            if token in used:
                raise self._failure(path, "sent a page token for the second time, which would never end")
            used.add(token)


def _history(log: JsonObject, history: JsonObject) -> JsonObject:
    created = history.get("created")
    if isinstance(created, int):
        unit = "milliseconds" if abs(created) > _LAST_SECONDS else "seconds"
        moment = EPOCH + timedelta(**{unit: created})
        times = {"created": moment.isoformat(timespec="milliseconds"), "createdEpoch": created}
        return {"issueId": log["issueId"]} | history | times
    return {"issueId": log["issueId"]} | history
