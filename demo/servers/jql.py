"""The part of Jira's query language that the demo's server understands; anything else is refused, as Jira would."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from demo.servers.loopback import JsonObject

Test = Callable[[JsonObject], bool]

_TOKEN = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(>=|<=|!=|[(),=<>])|([^\s(),=<>!"']+))"""
)
_TIMES = ("updated", "created")
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda left, right: left >= right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    "<": lambda left, right: left < right,
}


class JqlError(ValueError):
    """A query that is not understood; the text is what Jira puts in ``errorMessages``."""


@dataclass(frozen=True)
class Query:
    """A parsed query: what an issue must meet, and by what the result is ordered; times are known to ``unit`` seconds."""

    tests: tuple[Test, ...]
    order_by: str
    descending: bool
    unit: float

    def matches(self, issue: JsonObject) -> bool:
        """Whether an issue is part of the result."""
        return all(test(issue) for test in self.tests)

    def place(self, issue: JsonObject) -> tuple[float, int]:
        """The place of an issue in the order; no two share one, since the issue's number breaks ties."""
        number = int(issue["id"])
        value = number if self.order_by == "id" else _units(_instant(issue, self.order_by), self.unit)
        return (-value, -number) if self.descending else (value, number)


def parse(jql: str, projects: Collection[str], unit: float = 0.001) -> Query:
    """The query of a text; ``projects`` are the ids, keys and names that exist. Raises JqlError.

    Times are compared as whole ``unit`` seconds, as the index of a site keeps them.
    """
    tokens = _Tokens(jql)
    tests: list[Test] = []
    while not tokens.at_end() and not tokens.take("order"):
        if tests and not tokens.take("and"):
            raise tokens.error("AND")
        tests.append(_clause(tokens, projects, unit))
    if not tests:
        raise JqlError(
            "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
        )
    return Query(tuple(tests), *_order(tokens), unit)


@lru_cache(maxsize=1 << 16)
def instant(text: str) -> float:
    """Seconds since 1970 of a time as Jira writes it, ``2026-10-30T18:00:00.000+0200``."""
    return datetime.fromisoformat(text).timestamp()


def _clause(tokens: _Tokens, projects: Collection[str], unit: float) -> Test:
    field = tokens.next().lower()
    if field == "project":
        return _project_test(tokens, projects)
    if field in _TIMES:
        compare = _COMPARISONS.get(tokens.next())
        if compare is None:
            raise tokens.error("a comparison")
        bound = _units(_bound(tokens.next(), field), unit)
        return lambda issue: compare(_units(_instant(issue, field), unit), bound)
    raise JqlError(f"Field '{field}' does not exist or you do not have permission to view it.")


def _project_test(tokens: _Tokens, projects: Collection[str]) -> Test:
    operator = tokens.next().lower()
    if operator == "=":
        wanted = {tokens.next()}
    elif operator == "in" and tokens.take("("):
        wanted = {tokens.next()}
        while tokens.take(","):
            wanted.add(tokens.next())
        if not tokens.take(")"):
            raise tokens.error(")")
    else:
        raise tokens.error("'=' or 'in (...)'")
    for value in sorted(wanted - set(projects)):
        raise JqlError(f"The value '{value}' does not exist for the field 'project'.")
    return lambda issue: not wanted.isdisjoint(names_of(issue["fields"]["project"]))


def names_of(project: JsonObject) -> set[str]:
    """What a query may call a project."""
    return {str(project[part]) for part in ("id", "key", "name") if project.get(part)}


def _order(tokens: _Tokens) -> tuple[str, bool]:
    if tokens.at_end():
        return "created", True
    if not tokens.take("by"):
        raise tokens.error("BY")
    field = tokens.next().lower()
    if field not in (*_TIMES, "id"):
        raise JqlError(f"Not able to sort using field '{field}'.")
    descending = tokens.take("desc")
    if not descending:
        tokens.take("asc")
    if tokens.take(","):
        # No two issues of the same time have the same key, and their numbers tell them apart already.
        if tokens.next().lower() != "key":
            raise tokens.error("key")
        tokens.take("asc")
    if not tokens.at_end():
        raise tokens.error("the end of the query")
    return field, descending


def _bound(text: str, field: str) -> float:
    if text.isdigit():
        return int(text) / 1000
    for pattern in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
        try:
            # Jira takes the account's time zone; the demo's account lives in UTC.
            return datetime.strptime(text, pattern).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise JqlError(f"Date value '{text}' for field '{field}' is invalid.")


def _units(seconds: float, unit: float) -> int:
    return math.floor(round(seconds * 1000) / round(unit * 1000))


def _instant(issue: JsonObject, field: str) -> float:
    return instant(issue["fields"][field])


class _Tokens:
    """The words of a query, read from left to right."""

    def __init__(self, jql: str) -> None:
        self._words = list(_split(jql))
        self._at = 0

    def at_end(self) -> bool:
        return self._at == len(self._words)

    def next(self) -> str:
        if self.at_end():
            raise self.error("more")
        self._at += 1
        return self._words[self._at - 1]

    def take(self, word: str) -> bool:
        found = not self.at_end() and self._words[self._at].lower() == word
        self._at += found
        return found

    def error(self, expected: str) -> JqlError:
        return JqlError(f"Error in the JQL Query: Expecting {expected} at word {self._at + 1}.")


def _split(jql: str) -> Iterator[str]:
    at, end = 0, len(jql.rstrip())
    while at < end:
        found = _TOKEN.match(jql, at)
        if found is None:
            raise JqlError(f"Error in the JQL Query: The character '{jql[at]}' is not understood.")
        yield next(group for group in found.groups() if group is not None)
        at = found.end()
