"""The part of Salesforce's REST API that is pulled: what an object's fields are, and its records, page by page.

An answer without the member it must have is a failure, never an empty page.
"""

# ruff: noqa: S608 - queries are made of this code's own names, of described fields and of checked ids

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, Field, ValidationError

from connectors.errors import InputError, PullFailed
from connectors.http import Json, Params, Reply
from connectors.salesforce_faults import NotThere
from connectors.salesforce_records import Record, from_json, instant
from connectors.salesforce_session import SalesforceSession

log = logging.getLogger(__name__)

# Salesforce's bound of records in an answer.
_PAGE = 2_000
# Its bound of an address is 16 KiB; a query beyond this goes as a bulk job, in a body.
_LONGEST_QUERY = 12_000
# What cannot be asked for in a bulk job, or is text without end.
_LEFT_OUT = {"address", "location", "base64", "complexvalue", "encryptedstring"}
_LONG_TEXT = 255
# Only orgs with several currencies, or with record types, have these; the last came with version 52.0.
_NOT_EVERYWHERE = {"CurrencyIsoCode", "RecordTypeId", "LastStageChangeDate"}

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class SObject:
    """One kind of record: its API name, the fields to ask for, and the time of change by which it is paged.

    A pull cannot do without ``needed``; what else of ``fields`` the user cannot read is left out. With ``custom`` all
    custom fields come too. An ``optional`` object may be missing.
    """

    name: str
    needed: tuple[str, ...]
    fields: tuple[str, ...] = ()
    changed_at: str = "SystemModstamp"
    custom: bool = False
    optional: bool = False


class FieldType(BaseModel):
    """A field as described: its API name and Salesforce's name of its type."""

    name: str
    type: str
    length: int = 0
    custom: bool = False

    @property
    def is_short(self) -> bool:
        """Whether it is asked for: no long text, and none of the types that come in parts."""
        return self.type not in _LEFT_OUT and not (self.type == "textarea" and self.length > _LONG_TEXT)


class _Description(BaseModel):
    fields: list[FieldType] = Field(min_length=1)


class _Page(BaseModel):
    total: int = Field(alias="totalSize")
    done: bool
    records: list[dict[str, Any]]


class SalesforceApi:
    """Typed access to one org; every method raises SourceError. ``version`` is that of the API, such as "66.0"."""

    def __init__(self, source: str, session: SalesforceSession, version: str) -> None:
        self._source = source
        self._session = session
        self._root = f"/services/data/v{version}"

    def fields(self, wanted: SObject) -> list[FieldType]:
        """The fields to ask for, those that the user can read; [] where an optional object is not there."""
        path = f"{self._root}/sobjects/{wanted.name}/describe"
        try:
            described = self._get(path, _Description).fields
        except NotThere:
            if not wanted.optional:
                raise
            log.warning("%s: this user sees no %s; it is left out", self._source, wanted.name)
            return []
        readable = {field.name: field for field in described}
        if missing := [name for name in wanted.needed if name not in readable]:
            raise InputError(
                f"{self._source}: {wanted.name} shows no {', '.join(missing)}",
                "Give the user that the connected app runs as Read on these fields.",
            )
        if unread := [name for name in wanted.fields if name not in readable and name not in _NOT_EVERYWHERE]:
            log.warning(
                "%s: left out of %s, where there is nothing to read: %s",
                self._source,
                wanted.name,
                ", ".join(unread),
            )
        names = dict.fromkeys((*wanted.needed, *(name for name in wanted.fields if name in readable)))
        if wanted.custom:
            names |= dict.fromkeys(field.name for field in described if field.custom and field.is_short)
        return [readable[name] for name in names]

    def count(self, wanted: SObject, since: datetime | None) -> int:
        """How many records changed at or after ``since``, deleted ones too."""
        where = f" WHERE {since_condition(wanted, since)}" if since else ""
        return self._query(f"SELECT count() FROM {wanted.name}{where}").total

    def pages(
        self, wanted: SObject, fields: list[FieldType], since: datetime | None
    ) -> Iterator[list[Record]]:
        """The records that changed at or after ``since``, deleted ones too, in the order of change.

        Each page begins behind the last record of the one before, by time and id, and so needs no locator of
        Salesforce's, which expire. A record that changes meanwhile comes again at the end.
        """
        where = since_condition(wanted, since) if since else ""
        at_newest: set[str] = set()
        newest: datetime | None = None
        while True:
            page = self._query(
                f"{self.query(wanted, fields, where)} ORDER BY {wanted.changed_at}, Id LIMIT {_PAGE}"
            )
            if page.done and page.total != len(page.records):
                raise self._failed(
                    wanted, f"gave {len(page.records)} of {page.total} records and called that all"
                )
            records = self._records(wanted, fields, page)
            for record in records:
                changed = instant(record[wanted.changed_at])
                if newest is None or changed > newest:
                    newest, at_newest = changed, set()
                if changed < newest or record["Id"] in at_newest:
                    raise self._failed(
                        wanted, "came in another order than asked for, in which records can be lost"
                    )
                at_newest.add(record["Id"])
            if records:
                yield records
            if page.done and len(records) < _PAGE:
                return
            if not records:
                raise self._failed(wanted, "gave an empty page that was not the last")
            last = records[-1]
            where = _behind(wanted, instant(last[wanted.changed_at]), last["Id"])

    @staticmethod
    def query(wanted: SObject, fields: list[FieldType], where: str) -> str:
        """The query for all fields, in no order."""
        named = ", ".join(field.name for field in fields)
        return f"SELECT {named} FROM {wanted.name}" + (f" WHERE {where}" if where else "")

    def is_too_long(self, wanted: SObject, fields: list[FieldType]) -> bool:
        """Whether a query for these fields fits into no address."""
        return len(quote(self.query(wanted, fields, ""))) > _LONGEST_QUERY

    def _records(self, wanted: SObject, fields: list[FieldType], page: _Page) -> list[Record]:
        try:
            return [from_json(fields, record) for record in page.records]
        except ValueError as error:
            raise self._failed(wanted, f"answered with {error}") from None

    def _query(self, soql: str) -> _Page:
        return self._get(f"{self._root}/queryAll", _Page, {"q": soql})

    def _get(self, path: str, model: type[_Model], params: Params | None = None) -> _Model:
        return parsed(
            self._source, path, model, self._session.exchange("GET", path, Reply.json, params=params)
        )

    def _failed(self, wanted: SObject, what: str) -> PullFailed:
        return changed_service(self._source, wanted.name, what)


def since_condition(wanted: SObject, since: datetime) -> str:
    """The condition for what changed at or after ``since``."""
    return f"{wanted.changed_at} >= {literal(since)}"


def literal(moment: datetime) -> str:
    """An instant as a query writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parsed(source: str, path: str, model: type[_Model], answer: Json) -> _Model:
    """The answer as ``model``; raises PullFailed."""
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise changed_service(
            source, path, f"answered what Salesforce would not ({where}: {first['msg']})"
        ) from None


def changed_service(source: str, subject: str, what: str) -> PullFailed:
    """The error of an answer in which records could be lost."""
    return PullFailed(
        f"{source}: {subject} {what}",
        "Run again later; if it stays so, the service has changed and this connector must follow.",
    )


def _behind(wanted: SObject, changed: datetime, record_id: str) -> str:
    """The condition for what comes behind a record by time and id; its first half alone uses the index on the time."""
    at = literal(changed)
    return f"{wanted.changed_at} >= {at} AND ({wanted.changed_at} > {at} OR Id > '{record_id}')"
