"""How one file writes its dates and amounts, decided on what stands in it: proved, or refused as ambiguous."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from connectors.errors import InputError
from connectors.finance.layouts import AMOUNTS, DATES, Header, Layout
from connectors.finance.tables import Table
from connectors.finance.values import (
    SERIAL,
    Cell,
    CellError,
    amount_reader,
    day_reader,
    moment_reader,
    month_reader,
)

Reader = Callable[[Cell], str]
DecimalMark = Literal[".", ","]

_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d-%m-%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y")
_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", *_DAY_FIRST, *_MONTH_FIRST, "%d.%m.%Y", "%d.%m.%y",
    "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", SERIAL,
)  # fmt: skip
_MONTHS = ("%Y-%m", "%m/%Y", "%m.%Y", "%b %Y", "%B %Y", "%b-%y", *_DATES)
_OPPOSITE = dict(zip((*_DAY_FIRST, *_MONTH_FIRST), (*_MONTH_FIRST, *_DAY_FIRST), strict=True))
# So many different texts tell apart what a file writes from what somebody mistyped in it.
_ENOUGH = 20
_ENOUGH_ROWS = 1_000
_TEXTS_KEPT = 5_000


@dataclass(frozen=True)
class Forms:
    """``dates`` gives the format of each date column; ``opposite`` reads what would contradict a format that was found."""

    dates: Mapping[str, str]
    decimal_mark: str
    readers: Mapping[str, Reader]
    opposite: Mapping[str, Reader]


def decide_forms(table: Table, header: Header, layout: Layout, file: str) -> Forms:
    """The forms of a file; raises InputError where two readings of it differ and nothing in it says which is meant.

    What the layout declares is taken as it is. The rest is read until it is proved.
    """
    dates = {field: layout.date_format for field in DATES & header.columns.keys() if layout.date_format}
    open_dates = [field for field in sorted(DATES & header.columns.keys()) if field not in dates]
    amounts = [] if layout.decimal_mark else sorted(AMOUNTS & header.columns.keys())
    evidence = {field: _Evidence(_date_readers(field)) for field in open_dates}
    marks = _Evidence({".": amount_reader("."), ",": amount_reader(",")})
    if evidence or amounts:
        places = [(header.columns[field], evidence[field]) for field in open_dates]
        places += [(header.columns[field], marks) for field in amounts]
        for number, cells in enumerate(_after(table, header.line)):
            for column, seen in places:
                seen.add(cells[column] if column < len(cells) else None)
            if number % 100 == 0 and all(seen.is_proved(number) for _, seen in places):
                break
    for field in open_dates:
        dates[field] = _date_format(field, evidence, file, header)
    mark: DecimalMark = layout.decimal_mark or _decimal_mark(marks, file)
    readers: dict[str, Reader] = {field: amount_reader(mark) for field in AMOUNTS}
    for field, form in dates.items():
        readers[field] = _BY_FIELD[field](form)
    opposite = {
        field: _BY_FIELD[field](_OPPOSITE[dates[field]]) for field in open_dates if dates[field] in _OPPOSITE
    }
    return Forms(dates, mark, readers, opposite)


_BY_FIELD: Mapping[str, Callable[[str], Reader]] = {
    "date": day_reader,
    "posted_at": moment_reader,
    "month": month_reader,
}


def _date_readers(field: str) -> dict[str, Reader]:
    return {form: _BY_FIELD[field](form) for form in (_MONTHS if field == "month" else _DATES)}


def _after(table: Table, line: int) -> Iterator[Sequence[Cell]]:
    for number, cells in table.rows():
        if number > line:
            yield cells


class _Evidence:
    """What the texts of a column say about the forms they could be in; texts that none can read say nothing."""

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        self._readers = readers
        self._read: dict[str, dict[str, str]] = {}
        self._counts: dict[str, int] = dict.fromkeys(readers, 0)

    def add(self, cell: Cell) -> None:
        # The cells of a workbook that are dates and numbers are in no form.
        if not isinstance(cell, str) or cell in self._read or len(self._read) >= _TEXTS_KEPT:
            return
        found = {}
        for form, read in self._readers.items():
            try:
                found[form] = read(cell)
            except CellError:
                continue
            self._counts[form] += 1
        if found:
            self._read[cell] = found

    def best(self) -> list[str]:
        """The forms that read the most texts; none where nothing could be read."""
        most = max(self._counts.values())
        return [form for form, count in self._counts.items() if count == most and most]

    def doubt(self) -> str | None:
        """A text that two of the best forms read differently."""
        best = self.best()
        for text, found in self._read.items():
            if len({found[form] for form in best if form in found}) > 1:
                return text
        return None

    def is_proved(self, rows: int) -> bool:
        return (len(self._read) >= _ENOUGH or rows >= _ENOUGH_ROWS) and self.doubt() is None


def _date_format(field: str, evidence: Mapping[str, _Evidence], file: str, header: Header) -> str:
    seen = evidence[field]
    if (text := seen.doubt()) is None:
        return next(iter(seen.best()), _DATES[0])
    # Another date of the same file may prove what this column leaves open.
    for other in evidence.values():
        if (
            other is not seen
            and other.doubt() is None
            and (shared := [each for each in other.best() if each in seen.best()])
        ):
            return shared[0]
    name = header.names[header.columns[field]].strip()
    first, second = (date(2026, 10, 31).strftime(form) for form in seen.best()[:2])
    raise InputError(
        f'{file}, line {header.line}, column "{name}": {text!r} could be a date such as {first} or {second}, '
        "and no other date of the file says which",
        "Set date_format of the layout, such as %d/%m/%Y.",
        field="layouts",
        file=file,
        line=header.line,
        column_name=name,
    )


def _decimal_mark(marks: _Evidence, file: str) -> DecimalMark:
    if (text := marks.doubt()) is None:
        return "," if marks.best() == [","] else "."
    raise InputError(
        f"{file}, line 1: an amount such as {re.sub('[0-9]', '9', text)} could have a decimal mark or a thousands mark, "
        "and no other amount of the file says which",
        'Set decimal_mark of the layout, "." or ",".',
        field="layouts",
        file=file,
        line=1,
    )
