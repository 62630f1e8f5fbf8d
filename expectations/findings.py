"""Puts what Great Expectations found into a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expectations.suites import Check

_EXAMPLES = 3
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Finding:
    """A failed check in one sentence, with the number of rows that fail it where it is about rows."""

    sentence: str
    failing_rows: int | None = None


def finding(check: Check, key: Sequence[str], validated: Mapping[str, Any]) -> Finding:
    """What a validation of ``check`` found, as ``ExpectationValidationResult.to_raw_dict`` gives it.

    Up to three failing rows are named by their ``key`` columns.
    """
    problem = _exception(validated.get("exception_info") or {})
    if problem is not None:
        return Finding(f"Could not be checked: {problem}.")
    result = validated["result"]
    if "unexpected_rows" in result.get("details", {}):
        return _rows(check, result["observed_value"], result["details"]["unexpected_rows"], key)
    if "unexpected_count" in result:
        # Of several columns together it names the values, of one column the rows.
        rows = result.get("partial_unexpected_index_list") or result["partial_unexpected_list"]
        return _rows(check, result["unexpected_count"], rows, key)
    missing = [str(value) for value in result["partial_missing_list"][:_EXAMPLES]]
    more = result["missing_count"] - len(missing)
    return Finding(f"{check.fault}: {_listed([*missing, *([f'{more:,} more'] if more else [])])}.")


def reason(error: BaseException) -> str:
    """The first line of an error, without its full stop."""
    return _first_line(str(error) or type(error).__name__)


def _exception(info: Mapping[str, Any]) -> str | None:
    """Great Expectations gives one exception, or one per metric that could not be computed."""
    for each in (info, *(value for value in info.values() if isinstance(value, Mapping))):
        if each.get("raised_exception"):
            return _first_line(str(each.get("exception_message") or "it gives no reason"))
    return None


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), text)
    return line.rstrip(".")[:_LONGEST_REASON]


def _rows(check: Check, count: int, rows: Sequence[Any], key: Sequence[str]) -> Finding:
    names = (_name(row, key) for row in rows[:_EXAMPLES] if isinstance(row, Mapping))
    named = [name for name in names if name]
    such_as = f", such as {_listed(named)}" if named else ""
    return Finding(f"{check.fault}: {count:,}{such_as}.", count)


def _name(row: Mapping[str, Any], key: Sequence[str]) -> str:
    """A row by its key, with the value that is wrong where there is a single one; empty when all of it is null."""
    named = "/".join(str(row[column]) for column in key if row.get(column) is not None)
    values = [str(value) for column, value in row.items() if column not in key and value is not None]
    if not named:
        return "/".join(values)
    return f"{named} ({values[0]})" if len(values) == 1 else named


def _listed(texts: Sequence[str]) -> str:
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"
