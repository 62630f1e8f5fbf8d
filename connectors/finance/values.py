"""Amounts and dates as finance exports write them, read without ever passing through a float."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

# What a cell can hold: text in a CSV file, any of these in a workbook.
Cell = str | int | float | bool | date | datetime | time | timedelta | None

# DECIMAL(18,2) holds sixteen digits before the mark; a longer one is an account or document number.
_MOST_DIGITS = 16
_SPACES = " \u00a0\u202f\u2009"
_APOSTROPHES = "'\u2019"
_MINUS = re.compile("[\u2212\u2013]")
_CURRENCY_SIGNS = re.compile("[$\u20ac\u00a3\u00a5]")
# The time of day that some exports write after each date.
_TIME_OF_DAY = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?$")
SERIAL = "excel"
_DAYS_KEPT = 100_000
# Excel's day numbers for 1954 to 2119: a number outside them is not a date somebody forgot to format.
_SERIAL_DAYS = range(20_000, 80_000)


class CellError(ValueError):
    """A cell does not hold what its column must hold; the text says what was expected."""


def usual_amount(decimal_mark: str) -> tuple[str, str, str]:
    """The pattern of amounts as most are written, in Python as in SQL, and the marks to translate in them, from and to."""
    if decimal_mark == ".":
        return r"-?(?:0|[1-9][0-9]{0,15}|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,4})(?:\.[0-9]{1,9})?", ",", ""
    return r"(?:0|-?[1-9][0-9]{0,15}|-?[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,4})(?:,[0-9]{1,9})?", ",.", "."


def amount_reader(decimal_mark: Literal[".", ","]) -> Callable[[Cell], str]:
    """A reader of amounts into plain decimal texts such as ``-1234.50``, keeping every digit; raises CellError.

    It takes thousands marks (the other mark, spaces, apostrophes) in groups of three, a sign on either side, and
    accounting's parentheses for a negative amount; signs of currencies are passed over. Numbers of a workbook are
    taken by their shortest exact text.
    """
    thousands = ("," if decimal_mark == "." else ".") + _SPACES + _APOSTROPHES
    mark = re.escape(decimal_mark)
    written = re.compile(
        rf"(?P<open>\()?(?P<lead>[-+])?[{_SPACES}]*"
        rf"(?P<whole>[0-9]{{1,3}}(?:(?P<by>[{thousands}])[0-9]{{3}}(?:(?P=by)[0-9]{{3}})*)|[0-9]*)"
        rf"(?:{mark}(?P<part>[0-9]*))?"
        rf"[{_SPACES}]*(?P<trail>-)?(?P<close>\))?"
    )
    expected = "an amount such as " + ("-1,234.50" if decimal_mark == "." else "-1.234,50")
    pattern, marks, instead = usual_amount(decimal_mark)
    is_usual = re.compile(pattern).fullmatch
    # As SQL's translate: marks that nothing stands for are left out.
    without = str.maketrans(dict(itertools.zip_longest(marks, instead, fillvalue="")))

    def read(cell: Cell) -> str:
        if isinstance(cell, str):
            if is_usual(cell):
                return cell.translate(without)
            text = _CURRENCY_SIGNS.sub("", _MINUS.sub("-", cell)).strip()
            found = written.fullmatch(text)
            if found is None:
                raise CellError(expected)
            return _plain_amount(found, expected)
        if isinstance(cell, bool) or not isinstance(cell, int | float):
            raise CellError(expected)
        return _bounded(_number_text(cell), expected)

    return read


def day_reader(date_format: str) -> Callable[[Cell], str]:
    """A reader of days into ISO texts ``2026-10-05``; takes what ``date_format`` says and a workbook's own dates.

    A time of day after the date is passed over. ``SERIAL`` instead of a format reads Excel's day numbers.
    """
    known: dict[Cell, str] = {}
    shown = "46326" if date_format == SERIAL else date(2026, 10, 31).strftime(date_format)
    expected = f"a date such as {shown}"

    def read(cell: Cell) -> str:
        day = known.get(cell)
        if day is None:
            # A ledger of millions of rows has few different days; the bound is for columns that hold times.
            if len(known) >= _DAYS_KEPT:
                known.clear()
            day = known[cell] = _day(cell, date_format, expected).isoformat()
        return day

    return read


def month_reader(date_format: str) -> Callable[[Cell], str]:
    """A reader of months into the ISO text of their first day; takes any day of the month, or ``2026-10``."""
    day = day_reader(date_format)

    def read(cell: Cell) -> str:
        if isinstance(cell, str) and re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", cell.strip()):
            return f"{cell.strip()}-01"
        return f"{day(cell)[:7]}-01"

    return read


def moment_reader(date_format: str) -> Callable[[Cell], str]:
    """A reader of when something was posted: a day as :func:`day_reader`, or an ISO time, in UTC if it says its zone."""
    day = day_reader(date_format)

    def read(cell: Cell) -> str:
        if isinstance(cell, str) and ":" in cell:
            try:
                moment = datetime.fromisoformat(re.sub(r"\s*(UTC|Z)$", "+00:00", cell.strip()))
            except ValueError:
                return day(cell)
            return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()
        return day(cell)

    return read


def cell_text(cell: Cell) -> str:
    """A cell as text: a number without a float's tail, a date in ISO form, nothing as the empty text."""
    if isinstance(cell, datetime) and cell.time() == time.min:
        return cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        return _number_text(cell)
    return "" if cell is None else str(cell)


def _plain_amount(found: re.Match[str], expected: str) -> str:
    signs = [found["lead"] == "-", found["trail"] == "-", found["open"] is not None]
    if (
        (found["open"] is None) != (found["close"] is None)
        or sum(signs) > 1
        or (found["lead"] and found["trail"])
    ):
        raise CellError(expected)
    whole = re.sub("[^0-9]", "", found["whole"]).lstrip("0")
    part = found["part"] or ""
    if not re.search("[0-9]", found[0]):
        raise CellError(expected)
    digits = (whole or "0") + ("." + part if part else "")
    return _bounded("-" + digits if any(signs) and digits.strip("0.") else digits, expected)


def _number_text(number: int | float) -> str:
    # repr is the shortest text that reads back as the same double: what the workbook's author typed.
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bounded(text: str, expected: str) -> str:
    if len(text.lstrip("-").partition(".")[0]) > _MOST_DIGITS:
        raise CellError(f"{expected}, with at most {_MOST_DIGITS} digits before the decimal mark")
    return text


def _day(cell: Cell, date_format: str, expected: str) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if date_format == SERIAL and isinstance(cell, str) and re.fullmatch(r"\s*\d{5}(\.\d+)?\s*", cell):
        return _day(int(cell.partition(".")[0]), date_format, expected)
    if isinstance(cell, str) or (isinstance(cell, int) and not isinstance(cell, bool)):
        text = _TIME_OF_DAY.sub("", str(cell).strip()) if "%H" not in date_format else str(cell).strip()
        try:
            return datetime.strptime(text, date_format).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            pass
    if isinstance(cell, int | float) and not isinstance(cell, bool) and int(cell) in _SERIAL_DAYS:
        return date(1899, 12, 30) + timedelta(days=int(cell))
    raise CellError(expected)
