"""What must hold, as data: suites of Great Expectations checks over the tables of the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

STATUSES = ["green", "amber", "red"]
# No system that can be pulled holds records from before; a date before is a typing error or a default.
FIRST_DAY = date(1990, 1, 1)

Severity = Literal["warn", "error"]
Argument = str | date | datetime | list[str]


@dataclass(frozen=True)
class Check:
    """One expectation and what it means when it is not met.

    ``expectation`` is the name of a Great Expectations class, ``arguments`` what it takes. ``fault`` names the rows
    that fail it in plain words ("issues without a status") and begins the sentence that people read.
    """

    name: str
    expectation: str
    fault: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    severity: Severity = "error"


@dataclass(frozen=True)
class Suite:
    """The checks of one table.

    ``key`` are the columns by which a row is named to people; ``where`` limits the rows that are looked at.
    """

    schema: str
    table: str
    key: tuple[str, ...]
    checks: tuple[Check, ...]
    where: str = "true"

    @property
    def subject(self) -> str:
        """``schema.table``, as results name it."""
        return f"{self.schema}.{self.table}"


def present(column: str, fault: str) -> Check:
    """No row without a value in ``column``."""
    return Check(f"{column}_present", "ExpectColumnValuesToNotBeNull", fault, {"column": column})


def absent(column: str, fault: str) -> Check:
    """No row with a value in ``column``."""
    return Check(f"{column}_absent", "ExpectColumnValuesToBeNull", fault, {"column": column})


def unique(column: str, fault: str) -> Check:
    """No value of ``column`` twice."""
    return Check(f"{column}_unique", "ExpectColumnValuesToBeUnique", fault, {"column": column})


def unique_together(name: str, columns: list[str], fault: str) -> Check:
    """No combination of ``columns`` twice; ``name`` says what they name."""
    return Check(f"{name}_unique", "ExpectCompoundColumnsToBeUnique", fault, {"column_list": columns})


def one_of(column: str, values: list[str], fault: str) -> Check:
    """Nothing but ``values`` in ``column``; null is let through."""
    return Check(
        f"{column}_known", "ExpectColumnValuesToBeInSet", fault, {"column": column, "value_set": values}
    )


def between(column: str, earliest: date, latest: date, fault: str) -> Check:
    """Every value of ``column`` in the range, both ends included; null is let through.

    The bounds are of the column's kind: dates for a date, instants with a time zone for a timestamp.
    """
    return Check(
        f"{column}_plausible",
        "ExpectColumnValuesToBeBetween",
        fault,
        {"column": column, "min_value": earliest, "max_value": latest},
    )


def all_of(column: str, values: list[str], fault: str) -> Check:
    """Each of ``values`` at least once in ``column``."""
    return Check(
        f"{column}_complete",
        "ExpectColumnDistinctValuesToContainSet",
        fault,
        {"column": column, "value_set": values},
    )


def no_rows(name: str, condition: str, fault: str) -> Check:
    """No row of the table, called ``checked``, that meets an SQL condition; for what has no expectation."""
    # Great Expectations names the batch itself, so the name that the condition may use is given one level up; and
    # it reads braces as places to fill in.
    escaped = condition.replace("{", "{{").replace("}", "}}")
    query = f"SELECT * FROM (SELECT * FROM {{batch}}) AS checked WHERE {escaped}"  # noqa: S608
    return Check(name, "UnexpectedRowsExpectation", fault, {"unexpected_rows_query": query})
