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

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from connectors.errors import InputError, PullFailed
from connectors.http import Json, Params, Reply
from connectors.resume import Page
from connectors.salesforce.faults import NotThere
from connectors.salesforce.records import Record, from_json, instant
from connectors.salesforce.session import SalesforceSession

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


# What every record has, and a census asks for.
ID = FieldType(name="Id", type="id")


class Behind(BaseModel):
    """The last record of a page, by time and id: what comes behind it is the rest."""

    changed: AwareDatetime
    id: str = Field(pattern=r"^[A-Za-z0-9]+$")


# From where on: what changed at or after a moment, what comes behind a record, or everything.
Start = datetime | Behind | None


class _Description(BaseModel):
    fields: list[FieldType] = Field(min_length=1)


class _Answer(BaseModel):
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

    def count(self, wanted: SObject, start: Start) -> int:
        """How many records there are from ``start`` on, deleted ones too."""
        return self._query(f"SELECT count() FROM {wanted.name}{_where(wanted, start)}").total

    def pages(self, wanted: SObject, fields: list[FieldType], start: Start) -> Iterator[Page]:
        """The records from ``start`` on, deleted ones too, in the order of change.

        Each page begins behind the last record of the one before, by time and id, and so needs no locator of
        Salesforce's, which expire. A record that changes meanwhile comes again at the end.
        """
        at_newest: set[str] = set()
        newest: datetime | None = None
        is_last = False
        while not is_last:
            order = f"ORDER BY {wanted.changed_at}, Id"
            records, is_last = self._page(wanted, fields, f"{self.query(wanted, fields, start)} {order}")
            for record in records:
                changed = instant(record[wanted.changed_at])
                if newest is None or changed > newest:
                    newest, at_newest = changed, set()
                if changed < newest or record["Id"] in at_newest:
                    raise self._disordered(wanted)
                at_newest.add(record["Id"])
            if records and newest:
                start = self._behind(wanted, newest, records[-1]["Id"])
                yield Page(records, None if is_last else start.model_dump_json())

    def ids(self, wanted: SObject) -> Iterator[list[str]]:
        """The ids of all records, deleted ones too, in pages, each behind the last id of the one before.

        Raises PullFailed where they are fewer than there were records, before as after: they would be taken for deleted.
        """
        where, before = "", set[str]()
        least, found = self.count(wanted, None), 0
        is_last = False
        while not is_last:
            records, is_last = self._page(wanted, [ID], f"SELECT Id FROM {wanted.name}{where} ORDER BY Id")
            ids = [record["Id"] for record in records]
            if not before.isdisjoint(ids):
                raise self._disordered(wanted)
            before, found = set(ids), found + len(ids)
            yield ids
            where = f" WHERE Id > '{ids[-1]}'" if ids else ""
        least = min(least, self.count(wanted, None))
        if found < least:
            raise self._failed(wanted, f"gave {found} ids of {least} records and called that all")

    @staticmethod
    def query(wanted: SObject, fields: list[FieldType], start: Start) -> str:
        """The query for all fields of the records from ``start`` on, in no order."""
        named = ", ".join(field.name for field in fields)
        return f"SELECT {named} FROM {wanted.name}{_where(wanted, start)}"

    def is_too_long(self, wanted: SObject, fields: list[FieldType]) -> bool:
        """Whether a query for these fields fits into no address."""
        return len(quote(self.query(wanted, fields, None))) > _LONGEST_QUERY

    def _page(self, wanted: SObject, fields: list[FieldType], soql: str) -> tuple[list[Record], bool]:
        """A page of the records of a query, and whether it is the last."""
        answer = self._query(f"{soql} LIMIT {_PAGE}")
        got = len(answer.records)
        if answer.done and answer.total != got:
            raise self._failed(wanted, f"gave {got} of {answer.total} records and called that all")
        is_last = answer.done and got < _PAGE
        if not got and not is_last:
            raise self._failed(wanted, "gave an empty page that was not the last")
        try:
            return [from_json(fields, record) for record in answer.records], is_last
        except ValueError as error:
            raise self._failed(wanted, f"answered with {error}") from None

    def _behind(self, wanted: SObject, changed: datetime, record_id: str) -> Behind:
        try:
            return Behind(changed=changed, id=record_id)
        except ValidationError:
            raise self._failed(wanted, "answered with an id that is none") from None

    def _query(self, soql: str) -> _Answer:
        return self._get(f"{self._root}/queryAll", _Answer, {"q": soql})

    def _get(self, path: str, model: type[_Model], params: Params | None = None) -> _Model:
        return parsed(
            self._source, path, model, self._session.exchange("GET", path, Reply.json, params=params)
        )

    def _disordered(self, wanted: SObject) -> PullFailed:
        return self._failed(wanted, "came in another order than asked for, in which records can be lost")

    def _failed(self, wanted: SObject, what: str) -> PullFailed:
        return changed_service(self._source, wanted.name, what)


def _where(wanted: SObject, start: Start) -> str:
    if start is None:
        return ""
    if isinstance(start, datetime):
        return f" WHERE {wanted.changed_at} >= {_literal(start)}"
    at = _literal(start.changed)
    # Its first half alone uses the index on the time.
    return f" WHERE {wanted.changed_at} >= {at} AND ({wanted.changed_at} > {at} OR Id > '{start.id}')"


def _literal(moment: datetime) -> str:
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
