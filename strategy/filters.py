"""Filters of measures: SQL boolean expressions over the columns of one flow table.

Only what reads the same in DuckDB, PostgreSQL and Spark passes: comparisons, AND, OR, NOT, IN, BETWEEN, LIKE,
IS NULL, plain arithmetic and a few functions. Types are checked as well, so that a filter that passes here does not
fail in the warehouse.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from strategy.flow_tables import FLOW_TABLES, FlowTable, Kind
from strategy.problems import nearest

# An unknown statement is reported as a problem of the file; sqlglot would also log it.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())
logging.getLogger("sqlglot").propagate = False

# Functions of one argument: the type they take, the type they give.
_FUNCTIONS: Mapping[type[exp.Func], tuple[Kind, Kind]] = {
    exp.Lower: ("text", "text"),
    exp.Upper: ("text", "text"),
    exp.Trim: ("text", "text"),
    exp.Length: ("text", "number"),
    exp.Abs: ("number", "number"),
}
ALLOWED_FUNCTIONS = ("lower", "upper", "trim", "length", "abs", "coalesce", "nullif")

# Columns of flow tables that are a keyword of a database.
_RESERVED = frozenset({"at"})

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul)


class FilterError(Exception):
    """A filter that cannot be used: `what` is wrong with it and how to `mend` it."""

    def __init__(self, what: str, mend: str) -> None:
        self.what = what
        self.mend = mend
        super().__init__(f"{what}. {mend}")


@dataclass(frozen=True)
class Filter:
    """A checked filter: its SQL in one spelling, without comments, and the columns it reads."""

    sql: str
    columns: frozenset[str]


@lru_cache(maxsize=4096)
def parse_filter(text: str, table: FlowTable) -> Filter:
    """The filter that `text` says over `table`. Raises `FilterError`."""
    try:
        tree = sqlglot.parse_one(text, into=exp.Condition)
        if tree.find(exp.Query) is not None:
            raise FilterError(
                "a sub-query has no place in a filter", f"Compare columns of {table} with values."
            )
        columns = _columns(tree, table)
        if _Typing(table).kind(tree) != "boolean":
            raise FilterError(
                f"`{_shorten(text)}` is not a condition",
                "Write a comparison that is true or false for each row.",
            )
        return Filter(tree.sql(comments=False), columns)
    except ParseError as error:
        raise FilterError(_parse_fault(error), "Write one boolean SQL expression.") from error
    except SqlglotError as error:
        raise FilterError("not readable as SQL", "Check quotes and brackets.") from error
    except RecursionError as error:
        raise FilterError(
            "nested too deeply to be read", "Split it up, or write a metric in metrics/."
        ) from error


def _columns(tree: exp.Expr, table: FlowTable) -> frozenset[str]:
    known = FLOW_TABLES[table]
    used: set[str] = set()
    unknown: list[exp.Column] = []
    for column in tree.find_all(exp.Column):
        name = column.name.lower()
        if len(column.parts) == 1 and name in known:
            column.this.replace(exp.to_identifier(name, quoted=name in _RESERVED))
            used.add(name)
        else:
            unknown.append(column)
    if unknown:
        names = ", ".join(f"`{column.sql()}`" for column in unknown)
        raise FilterError(
            f"{table} has no column {names}", " ".join(_mend_column(column, known) for column in unknown)
        )
    return frozenset(used)


def _mend_column(column: exp.Column, known: Mapping[str, Kind]) -> str:
    if len(column.parts) > 1:
        return f"Write `{column.name}` without a table before it."
    if column.this.quoted:
        return f"Text stands in single quotes: '{column.name}'."
    close = nearest(column.name, known)
    return f"Did you mean `{close}`?" if close else f"Known are {', '.join(known)}."


class _Typing:
    """Finds the type of each part of a filter and rejects whatever it does not know."""

    def __init__(self, table: FlowTable) -> None:
        self._known = FLOW_TABLES[table]

    def kind(self, node: exp.Expr) -> Kind | Literal["null"]:
        if isinstance(node, exp.Paren):
            return self.kind(node.this)
        if isinstance(node, exp.And | exp.Or | exp.Not):
            return self._all(node, "boolean")
        if isinstance(node, (*_COMPARISONS, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike)):
            self._check_predicate(node)
            return "boolean"
        if isinstance(node, (*_ARITHMETIC, exp.Neg)):
            return self._all(node, "number")
        if isinstance(node, exp.Func) and not isinstance(node, exp.Cast):
            return self._function(node)
        return self._value(node)

    def _value(self, node: exp.Expr) -> Kind | Literal["null"]:
        if isinstance(node, exp.Column):
            return self._known[node.name]
        if isinstance(node, exp.Literal):
            if node.is_string and "\\" in node.name:
                raise FilterError(
                    f"`{_shorten(node.sql())}` has a backslash, which databases read differently",
                    "Match around it, for example with LIKE and `_`.",
                )
            return "text" if node.is_string else "number"
        if isinstance(node, exp.Boolean):
            return "boolean"
        if isinstance(node, exp.Null):
            return "null"
        if isinstance(node, exp.Cast) and node.to.is_type("date") and _is_text(node.this):
            _check_day(node.this)
            return "date"
        raise FilterError(
            f"`{_shorten(node.sql(comments=False))}` cannot be used in a filter",
            "Use comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL and plain values.",
        )

    def _check_predicate(self, node: exp.Expr) -> None:
        if isinstance(node, exp.Like | exp.ILike):
            self._require(node.this, "text")
            self._require(node.expression, "text")
        elif isinstance(node, exp.Is):
            self.kind(node.this)
            if not isinstance(node.expression, exp.Null | exp.Boolean):
                raise FilterError(f"`{_shorten(node.sql())}` compares with IS", "Use `=`; IS is for NULL.")
        elif isinstance(node, exp.In):
            if not node.expressions:
                raise FilterError("IN needs a list of values", "Write IN ('a', 'b').")
            for value in node.expressions:
                self._check_comparable(node.this, value)
        elif isinstance(node, exp.Between):
            self._check_comparable(node.this, node.args["low"])
            self._check_comparable(node.this, node.args["high"])
        else:
            self._check_comparable(node.this, node.expression)

    def _function(self, node: exp.Func) -> Kind | Literal["null"]:
        if isinstance(node, exp.Coalesce | exp.Nullif):
            parts = list(node.iter_expressions())
            for part in parts[1:]:
                self._check_comparable(parts[0], part)
            return self.kind(parts[0])
        if type(node) in _FUNCTIONS and sum(1 for value in node.args.values() if value) == 1:
            takes, gives = _FUNCTIONS[type(node)]
            self._require(node.this, takes)
            return gives
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        if isinstance(node, exp.AggFunc):
            raise FilterError(
                f"{name.upper()} counts over rows, a filter looks at one", "Use the measure's aggregate."
            )
        raise FilterError(
            f"the function {name.upper()} is not among those a filter may use",
            f"Use {', '.join(ALLOWED_FUNCTIONS)}, or write a metric in metrics/.",
        )

    def _all(self, node: exp.Expr, wanted: Kind) -> Kind:
        for part in node.iter_expressions():
            self._require(part, wanted)
        return wanted

    def _require(self, node: exp.Expr, wanted: Kind) -> None:
        found = self.kind(node)
        if found not in (wanted, "null"):
            raise FilterError(
                f"`{_shorten(node.sql(comments=False))}` is a {found} where a {wanted} belongs",
                f"Give a {wanted}.",
            )

    def _check_comparable(self, left: exp.Expr, right: exp.Expr) -> None:
        one, other = self.kind(left), self.kind(right)
        if one == other or "null" in (one, other):
            return
        for this, kind, that in ((one, other, right), (other, one, left)):
            if this == "date" and kind == "text" and _is_text(that):
                return _check_day(that)
            if this == "timestamp" and kind == "text" and _is_text(that):
                return _check_moment(that)
        parts = " and ".join(f"`{_shorten(node.sql(comments=False))}`" for node in (left, right))
        raise FilterError(f"{parts} cannot be compared: {one} and {other}", _mend_comparison(one, other))


def _mend_comparison(one: str, other: str) -> str:
    if {one, other} == {"text", "number"}:
        return "Text values stand in single quotes, numbers without."
    if "timestamp" in (one, other):
        return "Give the moment with its offset: '2026-10-05T00:00:00+02:00'."
    return "Compare values of the same type."


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _check_day(node: exp.Expr) -> None:
    try:
        date.fromisoformat(node.name)
    except ValueError:
        raise FilterError(f"'{_shorten(node.name)}' is not a day", "Write it as '2026-10-05'.") from None


def _check_moment(node: exp.Expr) -> None:
    # Without an offset the warehouse would take UTC, which is not the day that people in the cycle's time zone mean.
    try:
        if datetime.fromisoformat(node.name).tzinfo is not None:
            return
    except ValueError:
        pass
    raise FilterError(
        f"'{_shorten(node.name)}' is not a moment with its offset", "Write it as '2026-10-05T00:00:00+02:00'."
    )


def _parse_fault(error: ParseError) -> str:
    if not error.errors:
        return "the filter is empty"
    found = error.errors[0]
    return f"not a boolean expression, at `{found.get('highlight')}` (character {found.get('col')})"


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
