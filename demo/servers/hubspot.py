"""A loopback server that speaks the wire shapes of HubSpot's CRM API for deals, companies, pipelines and owners."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from demo.servers.loopback import Answer, Fault, LoopbackServer, RateLimit, Request


@dataclass
class CrmAccount:
    """What one CRM account holds, as plain JSON objects in HubSpot's own shapes.

    - deals: `{"id", "properties": {name: text | None}, "propertiesWithHistory": {name: [{"value", "timestamp",
      "sourceType", ...}, ...newest first]}, "createdAt", "updatedAt", "archived"}`. Times are ISO 8601 texts in UTC
      with milliseconds and "Z"; `properties` carries `hs_object_id` (= id), `createdate` (= createdAt) and
      `hs_lastmodifieddate` (= updatedAt); ids are texts of digits; amounts are texts.
    - pipelines: `{"id", "label", "displayOrder", "archived", "createdAt", "updatedAt", "stages": [{"id", "label",
      "displayOrder", "metadata": {"isClosed": "true"|"false", "probability": "0.2"}, ...}]}`.
    - companies: as deals, mostly without histories; companies_of: by the id of a deal, the ids of its companies.
    - owners: `{"id", "email", "firstName", "lastName", "userId", "archived", "createdAt", "updatedAt"}`.

    The server reads the lists anew for each request, so a test or a simulation may edit them between pulls.
    """

    deals: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    owners: list[dict[str, Any]] = field(default_factory=list)
    companies: list[dict[str, Any]] = field(default_factory=list)
    companies_of: dict[str, list[str]] = field(default_factory=dict)


Record = dict[str, Any]

# HubSpot's own limits: records a page, records a page when their history is asked for too, results of one search.
PAGE = 100
PAGE_WITH_HISTORY = 50
SEARCH_PAGE = 200
SEARCH_CAP = 10_000
SEARCH_LIMIT = RateLimit("/search", requests=5, seconds=1.0)

# The account lives at an address that is nobody's: a record's link must not lead into a real account.
PORTAL = 4711
UI_DOMAIN = "app.hubspot.example"
_DETAILS = {
    "portalId": PORTAL,
    "accountType": "STANDARD",
    "timeZone": "Europe/Berlin",
    "companyCurrency": "EUR",
    "additionalCurrencies": [],
    "utcOffset": "+01:00",
    "utcOffsetMilliseconds": 3_600_000,
    "uiDomain": UI_DOMAIN,
    "dataHostingLocation": "eu1",
}

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": operator.eq,
    "GT": operator.gt,
    "GTE": operator.ge,
    "LT": operator.lt,
    "LTE": operator.le,
}
_ALWAYS = ("createdate", "hs_lastmodifieddate", "hs_object_id")
_UNLESS_ASKED = ("amount", "closedate", "dealname", "dealstage", "pipeline")


class HubSpotServer(LoopbackServer):
    """Serves ``account`` to whoever sends ``token`` as bearer; a context manager, its address is ``url``.

    ``limits`` are rate limits answered with 429; ``search_cap`` is how far one search can be paged.
    """

    def __init__(
        self,
        account: CrmAccount,
        token: str,
        faults: Iterable[Fault] | None = None,
        *,
        limits: Iterable[RateLimit] = (SEARCH_LIMIT,),
        search_cap: int = SEARCH_CAP,
    ) -> None:
        super().__init__(faults, limits)
        self.account = account
        self._token = token
        self._search_cap = search_cap

    def answer(self, request: Request) -> Answer:
        """The answer of the account's present content."""
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return _refused(
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find "
                "more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            )
        routes: dict[tuple[str, str], Callable[[Request], Answer]] = {
            **{
                (method, f"/crm/v3/objects/{kind}{path}"): partial(answer, held)
                for kind, held in (("deals", self.account.deals), ("companies", self.account.companies))
                for method, path, answer in (
                    ("GET", "", self._list),
                    ("POST", "/search", self._search),
                    ("POST", "/batch/read", self._batch_read),
                )
            },
            ("POST", "/crm/v4/associations/deals/companies/batch/read"): self._companies_of,
            ("GET", "/crm/v3/pipelines/deals"): lambda _: Answer({"results": self.account.pipelines}),
            ("GET", "/crm/v3/properties/deals"): lambda _: Answer({"results": list(self._properties())}),
            ("GET", "/crm/v3/owners"): self._owners,
            ("GET", "/account-info/v3/details"): lambda _: Answer(_DETAILS),
        }
        route = routes.get((request.method, request.path.rstrip("/")))
        if route is None:
            return _refused(404, "OBJECT_NOT_FOUND", f"No API answers {request.method} {request.path}.")
        try:
            return route(request)
        except _BadRequestError as error:
            return _refused(400, "VALIDATION_ERROR", str(error))

    def too_many(self, limit: RateLimit) -> Answer:
        """HubSpot's words for a request beyond a rate limit."""
        body = {
            "status": "error",
            "message": "You have reached your secondly limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": str(uuid.uuid4()),
            "policyName": "SECONDLY",
        }
        return Answer(body, 429, {"Retry-After": str(max(1, round(limit.seconds)))})

    def _list(self, held: list[Record], request: Request) -> Answer:
        asked = _Asked(_names(request, "properties"), _names(request, "propertiesWithHistory"))
        most = PAGE_WITH_HISTORY if asked.histories else PAGE
        limit = _limit(request.query.get("limit", "10"), most)
        after = int(request.query.get("after") or 0)
        archived = request.query.get("archived") == "true"
        later = sorted(
            (one for one in held if one.get("archived", False) == archived and int(one["id"]) > after),
            key=lambda one: int(one["id"]),
        )
        page = later[:limit]
        body: Record = {"results": [asked.shape(deal) for deal in page]}
        if len(later) > limit:
            body["paging"] = {"next": {"after": page[-1]["id"], "link": f"{self.url}{request.path}"}}
        return Answer(body)

    def _search(self, held: list[Record], request: Request) -> Answer:
        body = request.body
        limit = _limit(body.get("limit", 10), SEARCH_PAGE)
        after = int(body.get("after") or 0)
        if after + limit > self._search_cap:
            raise _BadRequestError(
                f"Paging through more than {self._search_cap} results of a search is not possible."
            )
        groups = [group["filters"] for group in body.get("filterGroups", [])]
        found = [
            deal
            for deal in held
            if not deal.get("archived", False)
            and (not groups or any(all(_fits(deal, one) for one in group) for group in groups))
        ]
        for sort in reversed(body.get("sorts", [])):
            found.sort(
                key=lambda deal: _comparable(deal["properties"].get(sort["propertyName"])),
                reverse=sort.get("direction") == "DESCENDING",
            )
        asked = _Asked(tuple(body.get("properties", ())), ())
        answer: Record = {
            "total": len(found),
            "results": [asked.shape(deal) for deal in found[after : after + limit]],
        }
        if after + limit < len(found):
            answer["paging"] = {"next": {"after": str(after + limit)}}
        return Answer(answer)

    def _batch_read(self, held: list[Record], request: Request) -> Answer:
        body = request.body
        asked = _Asked(tuple(body.get("properties", ())), tuple(body.get("propertiesWithHistory", ())))
        ids = [one["id"] for one in body["inputs"]]
        most = PAGE_WITH_HISTORY if asked.histories else PAGE
        if len(ids) > most:
            raise _BadRequestError(f"The maximum number of inputs supported in a batch request is {most}.")
        archived = request.query.get("archived") == "true"
        deals = {d["id"]: d for d in held if d.get("archived", False) == archived}
        missing = [one for one in ids if one not in deals]
        answer: Record = {
            "status": "COMPLETE",
            "startedAt": self._now(),
            "completedAt": self._now(),
            "results": [asked.shape(deals[one]) for one in dict.fromkeys(ids) if one in deals],
        }
        if missing:
            answer["numErrors"] = 1
            answer["errors"] = [
                {
                    "status": "error",
                    "category": "OBJECT_NOT_FOUND",
                    "message": "Could not get some DEAL objects, they may be deleted or not exist.",
                    "context": {"ids": missing},
                }
            ]
        return Answer(answer, 207 if missing else 200)

    def _companies_of(self, request: Request) -> Answer:
        """Two companies a page, so that deals with more have another one."""
        results = []
        for asked in request.body["inputs"]:
            after = int(asked.get("after") or 0)
            companies = self.account.companies_of.get(asked["id"], [])
            kind = {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None}
            to = [
                {"toObjectId": int(one), "associationTypes": [kind]} for one in companies[after : after + 2]
            ]
            if to:
                more = {"paging": {"next": {"after": str(after + 2)}}} if after + 2 < len(companies) else {}
                results.append({"from": {"id": asked["id"]}, "to": to, **more})
        return Answer({"status": "COMPLETE", "results": results})

    def _owners(self, request: Request) -> Answer:
        limit = _limit(request.query.get("limit", "100"), 500)
        after = int(request.query.get("after") or 0)
        archived = request.query.get("archived") == "true"
        owners = [owner for owner in self.account.owners if owner.get("archived", False) == archived]
        body: Record = {"results": owners[after : after + limit]}
        if after + limit < len(owners):
            body["paging"] = {"next": {"after": str(after + limit)}}
        return Answer(body)

    def _now(self) -> str:
        # A simulated account may be ahead of this machine's clock, but never behind its own last change.
        changes = [datetime.fromisoformat(deal["updatedAt"]) for deal in self.account.deals]
        return max([datetime.now(UTC), *changes]).isoformat(timespec="milliseconds")

    def _properties(self) -> Iterator[Record]:
        used = {name for deal in self.account.deals for name in deal["properties"]}
        for name in sorted(used.union(_ALWAYS, _UNLESS_ASKED)):
            yield {"name": name, "label": name.replace("_", " ").title(), "groupName": "dealinformation"}


class _BadRequestError(Exception):
    """A request that HubSpot answers with 400; the text is its message."""


@dataclass(frozen=True)
class _Asked:
    """Which properties of a deal were asked for, and of which the history."""

    properties: tuple[str, ...]
    histories: tuple[str, ...]

    def shape(self, deal: Record) -> Record:
        asked = (*(self.properties or _UNLESS_ASKED), *self.histories, *_ALWAYS)
        shaped = {name: value for name, value in deal.items() if name != "propertiesWithHistory"}
        shaped["properties"] = {name: deal["properties"].get(name) for name in dict.fromkeys(asked)}
        if self.histories:
            histories = deal.get("propertiesWithHistory", {})
            shaped["propertiesWithHistory"] = {
                name: histories[name] for name in self.histories if name in histories
            }
        return shaped


def _names(request: Request, parameter: str) -> tuple[str, ...]:
    return tuple(name for name in request.query.get(parameter, "").split(",") if name)


def _limit(asked: str | int, most: int) -> int:
    limit = int(asked)
    if not 1 <= limit <= most:
        raise _BadRequestError(f"The limit must be between 1 and {most}; it was {limit}.")
    return limit


def _fits(deal: Record, one: Record) -> bool:
    value = deal["properties"].get(one["propertyName"])
    if value is None:
        return False
    mine, theirs = _comparable(value), _comparable(one["value"])
    if one["operator"] == "BETWEEN":
        return theirs <= mine <= _comparable(one["highValue"])
    if one["operator"] not in _COMPARISONS:
        raise _BadRequestError(f"{one['operator']} is not a valid filter operator.")
    return _COMPARISONS[one["operator"]](mine, theirs)


def _comparable(value: str | None) -> tuple[int, Decimal, str]:
    """Values in HubSpot's order: none, then numbers and times (as milliseconds since 1970), then texts."""
    if value is None:
        return 0, Decimal(0), ""
    try:
        return 1, Decimal(value), ""
    except InvalidOperation:
        pass
    try:
        return 1, Decimal(round(datetime.fromisoformat(value).timestamp() * 1000)), ""
    except ValueError:
        return 2, Decimal(0), value.lower()


def _refused(status: int, category: str, message: str) -> Answer:
    body = {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), "category": category}
    return Answer(body, status)
