"""The part of Salesforce's query language that the loopback server understands; anything else is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Record = Mapping[str, Any]
Test = Callable[[Record], bool]

_QUERY = re.compile(
    r"SELECT (?P<fields>.+?) FROM (?P<name>\w+)(?: WHERE (?P<where>.+?))?"
    r"(?: ORDER BY (?P<order>[\w, ]+?))?(?: LIMIT (?P<limit>\d+))?"
)
_TOKEN = re.compile(r"\s*(?:(AND|OR)\b|([()])|(\w+)\s*(>=|>|=)\s*(?:'([^']*)'|([\dT:.Z-]+)))")
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": lambda left, right: bool(left >= right),
    ">": lambda left, right: bool(left > right),
    "=": lambda left, right: bool(left == right),
}


class SoqlError(ValueError):
    """A query that is not understood; ``code`` is Salesforce's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Query:
    """A parsed query; without ``fields`` it asks for the number of records."""

    name: str
    fields: tuple[str, ...]
    test: Test
    order: tuple[str, ...]
    limit: int | None


def parse(soql: str, types: Mapping[str, Mapping[str, str]]) -> Query:
    """The query of a text; ``types`` are the fields of each object with their types. Raises SoqlError."""
    found = _QUERY.fullmatch(soql)
    if found is None:
        raise SoqlError("MALFORMED_QUERY", f"unexpected token in {soql[:80]}")
    name = found["name"]
    if name not in types:
        raise SoqlError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    fields = () if found["fields"] == "count()" else tuple(found["fields"].split(", "))
    order = tuple(found["order"].split(", ")) if found["order"] else ()
    for field in (*fields, *order):
        _known(field, name, types)
    test = _Conditions(found["where"] or "", name, types).parsed() if found["where"] else lambda _: True
    return Query(name, fields, test, order, int(found["limit"]) if found["limit"] else None)


def comparable(value: Any, kind: str) -> Any:
    """A value as it is compared and put in order."""
    return datetime.fromisoformat(value) if kind == "datetime" else value


class _Conditions:
    """Comparisons joined by AND, OR and brackets; the two may not be mixed without brackets, as in Salesforce."""

    def __init__(self, text: str, name: str, types: Mapping[str, Mapping[str, str]]) -> None:
        self._tokens = list(_TOKEN.finditer(text))
        if "".join(token[0] for token in self._tokens) != text:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token in {text[:80]}")
        self._name = name
        self._types = types

    def parsed(self) -> Test:
        test = self._joined()
        if self._tokens:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: {self._tokens[0][0]}")
        return test

    def _joined(self) -> Test:
        tests, words = [self._one()], set()
        while self._tokens and self._tokens[0][1]:
            words.add(self._tokens.pop(0)[1])
            tests.append(self._one())
        if len(words) > 1:
            raise SoqlError("MALFORMED_QUERY", "unexpected token: mixed AND and OR")
        held = any if words == {"OR"} else all
        return lambda record: held(test(record) for test in tests)

    def _one(self) -> Test:
        if not self._tokens:
            raise SoqlError("MALFORMED_QUERY", "unexpected end")
        token = self._tokens.pop(0)
        if token[2] == "(":
            test = self._joined()
            if not self._tokens or self._tokens.pop(0)[2] != ")":
                raise SoqlError("MALFORMED_QUERY", "a bracket that is not closed")
            return test
        if not token[3]:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: {token[0]}")
        field, compare = token[3], _COMPARISONS[token[4]]
        kind = _known(field, self._name, self._types)
        value = comparable(token[6] if token[5] is None else token[5], kind)
        return lambda record: compare(comparable(record[field], kind), value)


def _known(field: str, name: str, types: Mapping[str, Mapping[str, str]]) -> str:
    if field not in types[name]:
        raise SoqlError("INVALID_FIELD", f"No such column '{field}' on entity '{name}'.")
    return types[name][field]
