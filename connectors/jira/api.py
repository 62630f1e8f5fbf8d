"""What the REST APIs of Jira Cloud and Jira Data Center have in common, page by page.

An answer without the member it must have is a failure, never an empty page.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, TypeVar

from connectors.address import service_address
from connectors.errors import InputError, PullFailed
from connectors.http import HttpClient, Json

JsonObject = dict[str, Any]
WorklogChange = Literal["updated", "deleted"]
Asked = TypeVar("Asked")
Got = TypeVar("Got")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGILE = "/rest/agile/1.0"
_BOARDS_A_PAGE = 50
# Requests for one thing each go out so many at a time.
_AT_ONCE = 4
# A list that is another one each time it is looked at is not read for ever.
_MOST_TIMES_ANEW = 20


@dataclass(frozen=True)
class IssuePage:
    """Issues, the complete histories that came with some of them, and the ids of those whose histories are still to come."""

    issues: list[JsonObject]
    histories: list[JsonObject]
    without_histories: list[str]


class JiraApi(ABC):
    """Typed access to one site; every method raises SourceError."""

    root: ClassVar[str]
    search: ClassVar[str]

    def __init__(self, source: str, client: HttpClient) -> None:
        self._source = source
        self._client = client

    @abstractmethod
    def projects(self) -> list[JsonObject]:
        """All projects the account can see."""

    @abstractmethod
    def issues(self, since: datetime, projects: Sequence[str], fields: Sequence[str]) -> Iterator[IssuePage]:
        """Issues updated since a moment, oldest update first, with the named fields; no projects: of all.

        An issue that is edited while the pages are read is in none, one or two of them; in none only when it has been
        updated after the first page was asked for.
        """

    @abstractmethod
    def issue_ids(self, since: datetime, project: str) -> Iterator[list[str]]:
        """Ids of all issues of a project that were updated since a moment, whatever is edited while they are read."""

    @abstractmethod
    def changelogs(self, issue_ids: Sequence[str]) -> Iterator[list[JsonObject]]:
        """Pages of the histories of these issues, complete whatever their length; a history carries its ``issueId``."""

    def open_by_id(self, issue_ids: Iterable[str]) -> Iterator[str]:
        """Those of the issues that are there, if only for others to see, whether a search finds them or not."""
        ids = list(issue_ids)
        return (each for each, opens in zip(ids, self._at_once(self._opens, ids), strict=True) if opens)

    def account_name(self) -> str:
        """The display name of the account in use; refused where the credential is wrong.

        A search is not: to a stranger Jira may answer with an empty page, as if there were no issues.
        """
        path = f"{self.root}/myself"
        account = self._object(self._client.get(path), path)
        return str(
            account.get("displayName")
            or account.get("accountId")
            or account.get("name")
            or "an account without a name"
        )

    def server_time(self) -> datetime:
        """The site's clock, which this machine's may not agree with."""
        return self._moment(self._server_info().get("serverTime"), f"{self.root}/serverInfo")

    def site_address(self) -> str:
        """Where people open the site, which for some kinds of token is not where its API answers."""
        try:
            return service_address(str(self._server_info().get("baseUrl")))
        except ValueError as error:
            what = f"sent a baseUrl that no link can be made of: {error}"
            raise self._failure(f"{self.root}/serverInfo", what) from None

    def fields(self) -> list[JsonObject]:
        """All fields, system and custom."""
        return self._list(f"{self.root}/field")

    def statuses(self) -> list[JsonObject]:
        """All statuses in use, each with its category."""
        return self._list(f"{self.root}/status")

    def versions(self, projects: Iterable[JsonObject]) -> list[JsonObject]:
        """The versions of these projects."""
        return [version for found in self._at_once(self._versions_of, projects) for version in found]

    def boards(self) -> list[JsonObject]:
        """All boards the account can see."""
        try:
            return self._by_offset_whole(f"{_AGILE}/board", "values", maxResults=_BOARDS_A_PAGE)
        except InputError as error:
            if error.status != 404:
                raise
            raise InputError(
                error.message,
                "Set fields.sprints to null if the site has no Jira Software, and so no boards.",
                field="fields.sprints",
            ) from None

    def sprints(self, boards: Iterable[JsonObject]) -> list[JsonObject]:
        """The sprints of these boards, each once: boards show those of others, too."""
        with_sprints = [board for board in boards if board.get("type") != "kanban"]
        found = self._at_once(self._sprints_of, with_sprints)
        return list({sprint["id"]: sprint for page in found for sprint in page}.values())

    def worklog_changes(self, kind: WorklogChange, since: datetime) -> Iterator[list[JsonObject]]:
        """Pages of ``worklogId`` and ``updatedTime`` (milliseconds since 1970) of worklogs written or deleted since a moment."""
        path = f"{self.root}/worklog/{kind}"
        start = _milliseconds(since)
        while True:
            answer = self._object(self._client.get(path, {"since": start}), path)
            page = self._objects(answer.get("values"), path, "worklogId")
            yield page
            until = answer.get("until")
            if not page or answer.get("lastPage") is True:
                return
            # Those of one millisecond may stand on two pages, and where they fill a page there is no way to the others.
            if not isinstance(until, int) or until - 1 <= start:
                raise self._failure(
                    path, f"goes on at {until!r} after {start}, which passes over some or never ends"
                )
            start = until - 1

    def worklogs(self, changes: Iterable[JsonObject]) -> list[JsonObject]:
        """The worklogs that at most 1,000 changes speak of, without those that are gone by now."""
        path = f"{self.root}/worklog/list"
        ids = [change["worklogId"] for change in changes]
        return self._objects(self._client.post(path, {"ids": ids}), path) if ids else []

    def updated(self, issue: JsonObject) -> datetime:
        """When an issue was last updated; raises PullFailed where it does not say."""
        return self._moment((issue.get("fields") or {}).get("updated"), self.search)

    def close(self) -> None:
        """End what is under way, also in other threads."""
        self._client.close()

    @staticmethod
    def _jql(since: datetime, projects: Sequence[str], order: str) -> str:
        # Milliseconds since 1970: a date would be read in the account's time zone.
        names = ", ".join(json.dumps(name, ensure_ascii=False) for name in projects)
        within = f"project in ({names}) AND " if names else ""
        return f"{within}updated >= {_milliseconds(since)} ORDER BY {order}"

    def _by_offset(self, path: str, member: str, ask: Callable[[int], Json]) -> Iterator[list[JsonObject]]:
        """Pages of a list that is asked for by the place to start at.

        Each page is asked for from the last record of the page before. Where that is another one by now, the list has
        moved and is read anew: records may come twice, and none is passed over.
        """
        start, last, overlap, times_anew = 0, None, 0, 0
        while True:
            answer = self._object(ask(start - overlap), path)
            page = self._objects(answer.get(member), path)
            if overlap and [record["id"] for record in page[:1]] != [last]:
                start, overlap, times_anew = 0, 0, times_anew + 1
                if times_anew > _MOST_TIMES_ANEW:
                    raise self._failure(path, "never sent two pages that fit together")
                continue
            if news := page[overlap:]:
                yield news
                start, last = start + len(news), news[-1]["id"]
            if _is_all(answer, start, len(page)):
                return
            if not page:
                if isinstance(total := answer.get("total"), int):
                    raise self._failure(path, f"says that there are {total} and sends {start}")
                return
            # A page that holds no more than one record is all overlap.
            overlap = 1 if news else 0

    def _by_offset_whole(self, path: str, member: str, **params: str | int) -> list[JsonObject]:
        """All records of a list that is asked for by GET, each once."""
        pages = self._by_offset(
            path, member, lambda start: self._client.get(path, {**params, "startAt": start})
        )
        return list({record["id"]: record for page in pages for record in page}.values())

    def _at_once(self, ask: Callable[[Asked], Got], each: Iterable[Asked]) -> Iterator[Got]:
        """The answers for each, in order, some requests at a time."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="jira") as pool:
            yield from pool.map(ask, each)

    def _versions_of(self, project: JsonObject) -> list[JsonObject]:
        return self._list(f"{self.root}/project/{project['id']}/versions")

    def _sprints_of(self, board: JsonObject) -> list[JsonObject]:
        path = f"{_AGILE}/board/{board['id']}/sprint"
        try:
            return self._by_offset_whole(path, "values", maxResults=_BOARDS_A_PAGE)
        except InputError as error:
            # Deleted since, or the board of a team that works without sprints.
            if error.status == 404 or (error.status == 400 and board.get("type") != "scrum"):
                return []
            raise

    def _opens(self, issue_id: str) -> bool:
        path = f"{self.root}/issue/{issue_id}"
        try:
            self._object(self._client.get(path, {"fields": "updated"}), path)
        except InputError as error:
            if error.status not in (403, 404):
                raise
            return error.status == 403
        return True

    def _server_info(self) -> JsonObject:
        path = f"{self.root}/serverInfo"
        return self._object(self._client.get(path), path)

    def _list(self, path: str) -> list[JsonObject]:
        return self._objects(self._client.get(path), path)

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

    def _objects(self, answer: Json, path: str, key: str = "id") -> list[JsonObject]:
        if isinstance(answer, list) and all(
            isinstance(e, dict) and isinstance(e.get(key), str | int) for e in answer
        ):
            return answer
        raise self._failure(path, f'answered without a list of objects that each have "{key}"')

    def _failure(self, path: str, what: str) -> PullFailed:
        return PullFailed(
            f"{self._source}: {path} {what}",
            "Run again later; if it stays so, the service has changed and this connector must follow.",
        )


def _is_all(answer: JsonObject, seen: int, on_page: int) -> bool:
    """Whether a page says that nothing follows; "isLast" is believed only of a page that has room for more."""
    total, room = answer.get("total"), answer.get("maxResults")
    if isinstance(total, int):
        return seen >= total
    return answer.get("isLast") is True and isinstance(room, int) and on_page < room


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
