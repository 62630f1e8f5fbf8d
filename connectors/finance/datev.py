"""What the first line of a DATEV batch says of all its postings: the financial year and the currency."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from connectors.errors import InputError
from connectors.finance.values import Cell, CellError

_FORMATS = ("EXTF", "DTVF")
# Places in the line, as DATEV's format description numbers them from 1.
_YEAR_BEGINS, _CURRENCY = 13, 22
_DAY_AND_MONTH = re.compile(r"(\d{1,2})(\d{2})")


@dataclass(frozen=True)
class Batch:
    """``begins`` is the first day of the financial year in which the batch lies."""

    begins: date
    currency: str

    @classmethod
    def read(cls, lines: Sequence[Sequence[str]], file: str) -> Batch:
        """The batch by the lines above its header; raises InputError when none is such a line."""
        for cells in lines:
            if cells and cells[0].strip() in _FORMATS and len(cells) >= _CURRENCY:
                try:
                    begins = datetime.strptime(cells[_YEAR_BEGINS - 1], "%Y%m%d").date()  # noqa: DTZ007 (a day)
                except ValueError:
                    break
                return cls(begins, cells[_CURRENCY - 1].strip() or "EUR")
        raise InputError(
            f"{file}, line 1: there is no first line of a DATEV batch with the begin of its financial year",
            "Export it in DATEV's format (EXTF), or set another profile.",
            field="layouts",
            file=file,
            line=1,
        )

    def day(self, cell: Cell) -> str:
        """The ISO date of day and month ("2102", "102") in the financial year; raises CellError."""
        found = _DAY_AND_MONTH.fullmatch(cell.strip() if isinstance(cell, str) else str(cell))
        for year in (self.begins.year, self.begins.year + 1):
            try:
                day = date(year, int(found[2]), int(found[1])) if found else date.min
            except ValueError:
                continue
            if day >= self.begins and (day.year == self.begins.year or day < _a_year_after(self.begins)):
                return day.isoformat()
        raise CellError(f"a day and month such as 3110, in the financial year from {self.begins}")


def _a_year_after(day: date) -> date:
    # The year of a company that begins it on 29 February ends on the same day as others' of 1 March.
    return date(day.year + 1, 3, 1) if (day.month, day.day) == (2, 29) else day.replace(year=day.year + 1)
