"""The part of Jira Cloud's REST API v3 that is pulled, page by page.

An answer without the member it must have is a failure, never an empty page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.address import service_address
from connectors.errors import PullFailed
from connectors.http import HttpClient, Json

JsonObject = dict[str, Any]

_ROOT = "/rest/api/3"
# Beyond 100 the service answers with 100 as soon as more than ids is asked for.
_ISSUES_A_PAGE = 100
_PROJECTS_A_PAGE = 50
# Ten times as many are allowed, but a history can hold two versions of a whole description.
_HISTORIES_A_PAGE = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A time since 1970 above this is in milliseconds: as seconds it would be in the year 5138.
_LAST_SECONDS = 100_000_000_000


class JiraApi:
    """Typed access to one site; every method raises SourceError."""

    def __init__(self, source: str, client: HttpClient) -> None:
        self._source = source
        self._client = client

    def account_name(self) -> str:
        """The display name of the account in use; refused where the credential is wrong.

        A search is not: to a stranger Jira may answer with an empty page, as if there were no issues.
        """
        account = self._object(self._client.get(f"{_ROOT}/myself"), "myself")
        return str(account.get("displayName") or account.get("accountId") or "an account without a name")

    def server_time(self) -> datetime:
        """The site's clock, which this machine's may not agree with."""
        told = self._object(self._client.get(f"{_ROOT}/serverInfo"), "serverInfo").get("serverTime")
        return self._moment(told, "serverInfo")

    def site_address(self) -> str:
        """Where people open the site, which for some kinds of token is not where its API answers."""
        told = self._object(self._client.get(f"{_ROOT}/serverInfo"), "serverInfo").get("baseUrl")
        try:
            return service_address(str(told))
        except ValueError as error:
            raise self._failure(
                "serverInfo", f"sent a baseUrl that no link can be made of: {error}"
            ) from None

    def fields(self) -> list[JsonObject]:
        """All fields, system and custom."""
        return self._objects(self._client.get(f"{_ROOT}/field"), "field", "id")

    def statuses(self) -> list[JsonObject]:
        """All statuses in use, each with its category."""
        return self._objects(self._client.get(f"{_ROOT}/status"), "status", "id")

    def projects(self) -> list[JsonObject]:
        """All projects the account can see."""
        found: dict[str, JsonObject] = {}
        while True:
            params: dict[str, str | int] = {
                "startAt": len(found),
                "maxResults": _PROJECTS_A_PAGE,
                "orderBy": "key",
            }
            answer = self._object(self._client.get(f"{_ROOT}/project/search", params), "project/search")
            page = self._objects(answer.get("values"), "project/search", "id")
            known = len(found)
            found |= {project["id"]: project for project in page}
            if page and len(found) == known:
                raise self._failure("project/search", "sent the same page twice")
            if not page or len(found) >= int(answer.get("total") or len(found) + 1):
                return list(found.values())

    def issues(self, jql: str, fields: Sequence[str]) -> Iterator[list[JsonObject]]:
        """Pages of the issues a query finds, with the named fields."""
        body = {"jql": jql, "fields": list(fields), "maxResults": _ISSUES_A_PAGE}
        for answer in self._pages("search/jql", body):
            yield self._objects(answer.get("issues"), "search/jql", "id")

    def changelogs(self, issue_ids: Sequence[str]) -> Iterator[list[JsonObject]]:
        """Pages of the histories of at most 1,000 issues, complete whatever their length.

        A history carries its ``issueId``; its ``created`` is ISO text. Where the service sent a number of
        milliseconds or seconds since 1970, that number is kept as ``createdEpoch``.
        """
        body = {"issueIdsOrKeys": list(issue_ids), "maxResults": _HISTORIES_A_PAGE}
        for answer in self._pages("changelog/bulkfetch", body):
            logs = self._objects(answer.get("issueChangeLogs"), "changelog/bulkfetch", "issueId")
            yield [
                self._history(log, history)
                for log in logs
                for history in self._objects(log.get("changeHistories"), "changelog/bulkfetch", "id")
            ]

    def updated(self, issue: JsonObject) -> datetime:
        """When an issue was last updated; raises PullFailed where it does not say."""
        return self._moment(issue.get("fields", {}).get("updated"), "search/jql")

    def close(self) -> None:
        """End what is under way, also in other threads."""
        self._client.close()

    def _pages(self, path: str, body: Mapping[str, Json]) -> Iterator[JsonObject]:
        token: str | None = None
        used: set[str] = set()
        while True:
            asked = body if token is None else {**body, "nextPageToken": token}
            answer = self._object(self._client.post(f"{_ROOT}/{path}", asked), path)
            yield answer
            # A missing token is the end. "isLast" is not asked: it has been seen true, and false, on the same page.
            token = answer.get("nextPageToken")
            if not token:
                return
            if token in used:
                raise self._failure(path, "sent a page token for the second time, which would never end")
            used.add(token)

    def _history(self, log: JsonObject, history: JsonObject) -> JsonObject:
        created = history.get("created")
        if isinstance(created, int):
            unit = "milliseconds" if abs(created) > _LAST_SECONDS else "seconds"
            moment = _EPOCH + timedelta(**{unit: created})
            times = {"created": moment.isoformat(timespec="milliseconds"), "createdEpoch": created}
            return {"issueId": log["issueId"]} | history | times
        return {"issueId": log["issueId"]} | history

    def _moment(self, text: Json, path: str) -> datetime:
        try:
            found = datetime.fromisoformat(text)
        except (TypeError, ValueError):
            raise self._failure(path, f"sent {text!r} for a point in time") from None
        if found.tzinfo is None:
            raise self._failure(path, f"sent {text!r}, a point in time without a time zone")
        return found

    def _object(self, answer: Json, path: str) -> JsonObject:
        if isinstance(answer, dict):
            return answer
        raise self._failure(path, "answered with something else than a JSON object")

    def _objects(self, answer: Json, path: str, key: str) -> list[JsonObject]:
        if isinstance(answer, list) and all(
            isinstance(e, dict) and isinstance(e.get(key), str) for e in answer
        ):
            return answer
        raise self._failure(path, f'answered without a list of objects that each have "{key}"')

    def _failure(self, path: str, what: str) -> PullFailed:
        return PullFailed(
            f"{self._source}: {_ROOT}/{path} {what}",
            "Run again later; if it stays so, the service has changed and this connector must follow.",
        )
