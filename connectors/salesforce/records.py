"""Records as they are landed: the same whether they came as JSON or, by a bulk job, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

Record = dict[str, Any]

_NUMBERS = {"double", "currency", "percent"}
_WHOLE_NUMBERS = {"int", "long"}


class Typed(Protocol):
    """A field with Salesforce's name of its type."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str: ...


def from_json(fields: Sequence[Typed], answered: Mapping[str, Any]) -> Record:
    """The record of an answer, without its envelope; raises ValueError when a field that was asked for is missing."""
    missing = [field.name for field in fields if field.name not in answered]
    if missing:
        raise ValueError(f"a record without {', '.join(missing)}")
    return {field.name: _from_json(field.type, answered[field.name]) for field in fields}


def from_csv(fields: Sequence[Typed], body: bytes) -> list[Record]:
    """The records of a page of a bulk result; raises ValueError when it does not hold the fields that were asked for."""
    rows = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
    try:
        header = next(rows, [])
        types = {field.name: field.type for field in fields}
        if header and set(header) != set(types):
            raise ValueError("its columns are not the fields that were asked for")
        return [
            {name: _from_text(types[name], text) for name, text in zip(header, row, strict=True)}
            for row in rows
        ]
    except csv.Error as error:
        raise ValueError(str(error)) from None


def instant(text: str) -> datetime:
    """The instant of a text such as 2026-02-23T20:55:00.000+0000, in UTC; raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _from_json(kind: str, value: Any) -> Any:
    if kind in _NUMBERS and value is not None:
        return float(value)
    # The values of a field's history have the type of that field, which CSV cannot tell.
    if kind == "anyType" and value is not None and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _from_text(kind: str, text: str) -> Any:
    if text == "":  # Salesforce has no empty texts
        return None
    if kind == "boolean":
        return text.lower() == "true"
    if kind in _WHOLE_NUMBERS:
        return int(text)
    if kind in _NUMBERS:
        return float(text)
    if kind == "datetime":
        return text.removesuffix("Z") + "+0000" if text.endswith("Z") else text
    return text
