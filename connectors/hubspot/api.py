"""The part of HubSpot's CRM API v3 that is pulled, page by page.

An answer without the member it must have is a failure, never an empty page.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from connectors.errors import PullFailed, SourceError
from connectors.http import HttpClient, Json, Params, Patience, Reply
from connectors.resume import Page

log = logging.getLogger(__name__)

_ACCOUNT = "/account-info/v3/details"
_OBJECTS = "/crm/v3/objects"
_DEALS = f"{_OBJECTS}/deals"
_COMPANIES_OF_DEALS = "/crm/v4/associations/deals/companies/batch/read"
_PIPELINES = "/crm/v3/pipelines/deals"
_OWNERS = "/crm/v3/owners/"
_PROPERTIES = "/crm/v3/properties/deals"
# HubSpot's bounds: deals per request, deals with their history, results of a search per page, owners per page.
_PAGE = 100
_WITH_HISTORY = 50
_SEARCH_PAGE = 200
_OWNERS_PAGE = 500
# The bound is 5 a second; a little under it, since requests bunch on their way.
_SEARCHES_PER_SECOND = 4.8
# How many of all other requests the account may make is said with each answer: so many within so many milliseconds.
_MOST, _WITHIN = "X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Interval-Milliseconds"
_OF_WHAT_IS_ALLOWED = 0.95
# Batches that are read at a time.
_AT_ONCE = 4

JsonObject = dict[str, Any]
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Objects:
    """One kind of record, by its name in addresses, and what is asked of it: properties, and those with their history."""

    name: str
    properties: Sequence[str]
    histories: Sequence[str] = ()

    @property
    def path(self) -> str:
        return f"{_OBJECTS}/{self.name}"


class Found(BaseModel):
    """What every record carries; what is landed is the whole answer, not this."""

    id: str = Field(pattern=r"^[0-9]+$")
    updated_at: AwareDatetime = Field(alias="updatedAt")


class Account(BaseModel):
    """The account's number, and the host on which people open it: accounts in other regions have another one."""

    portal_id: int = Field(alias="portalId", gt=0)
    ui_domain: str = Field(alias="uiDomain", pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")


class _Next(BaseModel):
    after: str


def _whole(reads: Sequence[Future[list[JsonObject]]], go_on: str | None) -> Page:
    return Page([record for read in reads for record in read.result()], go_on)


def _merged(record: JsonObject) -> list[str]:
    """The ids of the records that became part of this one."""
    return str(record.get("properties", {}).get("hs_merged_object_ids") or "").split(";")


class _Paging(BaseModel):
    next: _Next | None = None


class _Page(BaseModel):
    results: list[JsonObject]
    paging: _Paging | None = None

    @property
    def after(self) -> str | None:
        return self.paging.next.after if self.paging and self.paging.next else None


class _Failure(BaseModel):
    category: str
    context: dict[str, list[str]] = {}


class _Batch(BaseModel):
    started_at: AwareDatetime = Field(alias="startedAt")
    results: list[JsonObject]
    errors: list[_Failure] = []


class _From(BaseModel):
    id: str


class _Association(BaseModel):
    source: _From = Field(alias="from")
    to: list[JsonObject]
    paging: _Paging | None = None

    @property
    def after(self) -> str | None:
        return self.paging.next.after if self.paging and self.paging.next else None


class _Associations(BaseModel):
    results: list[_Association]


class HubSpotApi:
    """Typed access to one account; every method raises SourceError."""

    def __init__(self, source: str, base_url: str, token: str, patience: Patience | None = None) -> None:
        self._source = source

        def client(requests_per_second: float | None) -> HttpClient:
            return HttpClient(
                source,
                base_url,
                headers={"Authorization": f"Bearer {token}"},
                credential_field="access_token",
                requests_per_second=requests_per_second,
                patience=patience,
            )

        self._client = client(None)
        self._search_client = client(_SEARCHES_PER_SECOND)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._search_client.close()

    def account(self) -> Account:
        """Which account this is."""
        return self._get(_ACCOUNT, Account)

    def service_time(self) -> datetime:
        """HubSpot's clock, which this machine's may not agree with; a batch read is the only answer that tells it."""
        first = self._get(_DEALS, _Page, {"limit": 1}).results
        if not first:
            return datetime.now(UTC)
        read = {"inputs": [{"id": self.found(first[0]).id}]}
        return self._post(f"{_DEALS}/batch/read", _Batch, read).started_at

    def property_names(self) -> set[str]:
        """The internal names of all properties that deals have."""
        return {str(found.get("name")) for found in self._get(_PROPERTIES, _Page).results}

    def pipelines(self) -> list[JsonObject]:
        """All pipelines of deals, each with its stages."""
        return self._get(_PIPELINES, _Page).results

    def owners(self) -> Iterator[list[JsonObject]]:
        """All owners that are not archived, in pages."""
        for page in self._pages(_OWNERS, {"limit": _OWNERS_PAGE}):
            yield page.records

    def listed(self, of: Objects, go_on: str | None = None, *, archived: bool = False) -> Iterator[Page]:
        """All records that are archived or are not, with their histories, in pages; from ``go_on`` of an earlier page on.

        A page with histories is a short one, and pages come one after another. So what has histories is listed without
        them, and read in batches, which need not wait for each other.
        """
        if of.histories:
            yield from self._read_beside(of, self._ids(of, go_on, archived=archived), archived=archived)
            return
        properties = ",".join(of.properties)
        params: Params = {"limit": _PAGE, "properties": properties, "archived": str(archived).lower()}
        yield from self._pages(of.path, params, go_on)

    def ids(self, of: Objects, *, archived: bool = False) -> Iterator[list[str]]:
        """The ids of all records that are archived or are not, in pages."""
        for page in self._ids(of, archived=archived):
            yield [self.found(record).id for record in page.records]

    def modified(self, of: Objects, since: datetime, go_on: str | None = None) -> Iterator[Page]:
        """The records modified at or after ``since``, with their histories, in pages; from ``go_on`` of an earlier page on.

        A search gives no histories and ends at 10,000 results. So it only finds ids, each time those above the last
        one found, and batch reads fetch the records: no search is paged, whatever their number.
        """
        yield from self._read_beside(of, self._modified(of, since, go_on or "0"))

    def companies_of(self, deal_ids: Sequence[str]) -> list[JsonObject]:
        """For each of at most 1,000 deals ``{"id", "companies"}``: what HubSpot says of each association, or none."""
        companies: dict[str, list[JsonObject]] = {one: [] for one in deal_ids}
        asked: list[dict[str, str]] = [{"id": one} for one in deal_ids]
        while asked:
            body = {"inputs": asked}
            answer = self._post(_COMPANIES_OF_DEALS, _Associations, body)
            for one in answer.results:
                companies[one.source.id] += one.to
            further = [
                {"id": one.source.id, "after": after} for one in answer.results if (after := one.after)
            ]
            if further and further == asked:
                raise self._failed(_COMPANIES_OF_DEALS, "led to the same page twice, which would never end")
            asked = further
        return [{"id": one, "companies": found} for one, found in companies.items()]

    def found(self, record: Json) -> Found:
        """What every record carries, checked."""
        return self._parsed(Found, record, _OBJECTS)

    def _ids(self, of: Objects, go_on: str | None = None, *, archived: bool = False) -> Iterator[Page]:
        params: Params = {"limit": _PAGE, "properties": "hs_object_id", "archived": str(archived).lower()}
        yield from self._pages(of.path, params, go_on)

    def _modified(self, of: Objects, since: datetime, last: str) -> Iterator[Page]:
        while True:
            page = self._modified_above(of, since, last)
            ids = [self.found(record).id for record in page.results]
            if any(int(later) <= int(earlier) for earlier, later in itertools.pairwise([last, *ids])):
                raise self._failed(f"{of.path}/search", f"did not find {of.name} in the order of their ids")
            if ids:
                last = ids[-1]
                yield Page(page.results, last)
            # Both must say so: pages have been seen that were short but not the last.
            if not ids or (page.after is None and len(ids) < _SEARCH_PAGE):
                return

    def _read_beside(self, of: Objects, found: Iterable[Page], *, archived: bool = False) -> Iterator[Page]:
        """The records that these pages name, whole: they are read while the next page is asked for."""
        under_way: deque[tuple[list[Future[list[JsonObject]]], str | None]] = deque()
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hubspot") as pool:
            try:
                for page in found:
                    ids = [self.found(record).id for record in page.records]
                    batches = [ids[n : n + _WITH_HISTORY] for n in range(0, len(ids), _WITH_HISTORY)]
                    reads = [pool.submit(self._read, of, batch, archived=archived) for batch in batches]
                    under_way.append((reads, page.go_on))
                    if len(under_way) > 1:
                        yield _whole(*under_way.popleft())
                for each in under_way:
                    yield _whole(*each)
            except SourceError:
                # What else is under way would be tried again and again before anybody heard of it.
                self.close()
                raise

    def _modified_above(self, of: Objects, since: datetime, above: str) -> _Page:
        filters = [
            {
                "propertyName": "hs_lastmodifieddate",
                "operator": "GTE",
                "value": str(int(since.timestamp() * 1000)),
            },
            {"propertyName": "hs_object_id", "operator": "GT", "value": above},
        ]
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": ["hs_lastmodifieddate"],
            "limit": _SEARCH_PAGE,
        }
        path = f"{of.path}/search"
        return self._parsed(_Page, self._search_client.post(path, body), path)

    def _read(self, of: Objects, ids: Sequence[str], *, archived: bool) -> list[JsonObject]:
        """The records of these ids with their histories; one that was deleted since the search is left out, and said.

        One that was merged since answers as the one that it became part of, by that one's id.
        """
        path = f"{of.path}/batch/read" + ("?archived=true" if archived else "")
        body = {
            "inputs": [{"id": one} for one in ids],
            "properties": list(of.properties),
            "propertiesWithHistory": list(of.histories),
        }
        batch = self._post(path, _Batch, body)
        not_found = [failure for failure in batch.errors if failure.category == "OBJECT_NOT_FOUND"]
        gone = {one for failure in not_found for one in failure.context.get("ids", [])}
        if gone:
            log.warning(
                "%s: deleted while %s were pulled: %s", self._source, of.name, ", ".join(sorted(gone))
            )
        found = {self.found(one).id for one in batch.results}
        merged = {old for one in batch.results for old in _merged(one)}
        if lost := set(ids) - gone - found - merged:
            raise self._failed(path, f"left out {len(lost)} of {len(ids)} {of.name} without a word")
        return batch.results

    def _pages(self, path: str, params: Params, after: str | None = None) -> Iterator[Page]:
        used: set[str] = set()
        while True:
            page = self._get(path, _Page, params if after is None else {**params, "after": after})
            after = page.after
            yield Page(page.results, after)
            if after is None:
                return
            if after in used:
                raise self._failed(path, "led to the same page for the second time, which would never end")
            used.add(after)

    def _get(self, path: str, model: type[_Model], params: Params | None = None) -> _Model:
        return self._parsed(model, self._client.exchange("GET", path, self._paced, params=params), path)

    def _post(self, path: str, model: type[_Model], body: Mapping[str, Json]) -> _Model:
        sent = json.dumps(body).encode()
        return self._parsed(model, self._client.exchange("POST", path, self._paced, body=sent), path)

    def _paced(self, reply: Reply) -> Json:
        """The answer, and from now on as many requests a second as it allows."""
        most, within = reply.headers.get(_MOST, ""), reply.headers.get(_WITHIN, "")
        if most.isdecimal() and within.isdecimal() and int(most) and int(within):
            self._client.pace(_OF_WHAT_IS_ALLOWED * int(most) * 1000 / int(within))
        return reply.json()

    def _parsed(self, model: type[_Model], answer: Json, path: str) -> _Model:
        try:
            return model.model_validate(answer)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the answer"
            raise self._failed(path, f"answered what HubSpot would not ({where}: {first['msg']})") from None

    def _failed(self, path: str, what: str) -> PullFailed:
        return PullFailed(
            f"{self._source}: {path} {what}",
            "Run again later; if it stays so, the service has changed and this connector must follow.",
        )
