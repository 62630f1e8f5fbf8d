"""Postings and budget lines out of the rows of one finance export."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from connectors.errors import InputError
from connectors.finance_layouts import AMOUNTS, REQUIRED, Header, Layout
from connectors.finance_tables import is_workbook, rows
from connectors.finance_values import (
    Cell,
    CellError,
    amount_reader,
    cell_text,
    day_reader,
    moment_reader,
    month_reader,
)

_LONGEST_QUOTE = 40

Record = dict[str, Any]


class _Place(NamedTuple):
    row: int
    field: str
    column: str


class Export:
    """One file (one sheet of a workbook) read through one layout.

    ``file`` is its path relative to the folder, which errors and records name. ``opened`` opens its content anew.
    """

    def __init__(self, file: str, layout: Layout, opened: Callable[[], BinaryIO]) -> None:
        self.file = file
        self.layout = layout
        self.opened = opened
        self._key = layout.key or ()
        # The sheet belongs to the name: one workbook may hold ledger and budget, or a sheet per month.
        self.name = f"{file}#{layout.sheet}" if layout.sheet else file

    def records(self) -> Iterator[Record]:
        """The records to land, in the order of the file, blank rows left out.

        One is ``{"key", "file", "row", "cells": {header: text as it came}, "posting": {field: text or None}}``,
        with ISO dates and plain decimal amounts; ``row`` is the 1-based line of a CSV file or row of a sheet.
        A ledger posting always has ``posted_at`` (else its date); ``amount_company`` only where the file has it, as what an
        amount is worth in the company's currency is not for the file's reader to guess.
        Raises InputError for content that is not what the layout says, and for a key that comes twice.
        """
        if not self._key:
            yield from self._read()
            return
        # Eight bytes a row instead of the keys themselves, so that memory stays flat over millions of rows.
        hashes = array("q")
        for record in self._read():
            hashes.append(hash(record["key"]))
            yield record
        self._refuse_twice(hashes)

    def _read(self) -> Iterator[Record]:
        with self.opened() as content:
            table = rows(content, self.layout, self.file)
            line, first = next(table, (0, ()))
            if not line:
                raise InputError(
                    f"{self.file}, line 1: the file is empty",
                    "Export it anew with its header, or take it away.",
                    file=self.file,
                    line=1,
                )
            header = Header.read([cell_text(cell) for cell in first], self.layout, self.file, line)
            yield from self._postings(header, table)

    def _postings(self, header: Header, table: Iterator[tuple[int, Sequence[Cell]]]) -> Iterator[Record]:
        layout, file, name = self.layout, self.file, self.name
        names = header.names
        constants: dict[str, str | None] = dict(layout.constants)
        fields = _fields(header, layout)
        text_only = not is_workbook(file)
        is_ledger = layout.into == "ledger"
        for row, cells in table:
            posting = constants.copy()
            for field, column, read, required in fields:
                cell = cells[column]
                if cell is None or (isinstance(cell, str) and not cell.strip()):
                    if required:
                        raise self._blank(_Place(row, field, names[column]))
                    posting[field] = None
                    continue
                try:
                    posting[field] = read(cell)
                except CellError as error:
                    raise self._unreadable(_Place(row, field, names[column]), cell, str(error)) from None
            if is_ledger:
                posting["posted_at"] = posting.get("posted_at") or posting["date"]
            yield {
                "key": f"{name}:{row}" if not self._key else self._key_of(posting, row),
                "file": name,
                "row": row,
                "cells": dict(zip(names, cells if text_only else map(cell_text, cells), strict=True)),
                "posting": posting,
            }

    def _key_of(self, posting: dict[str, str | None], row: int) -> str:
        parts = [posting[field] or "" for field in self._key]
        if not any(parts):
            raise InputError(
                f"{self.file}, line {row}: {' and '.join(self._key)} are blank, so the row has no key",
                "Fill them in, or leave key out of the layout to know rows by file and line.",
                field="layouts",
                file=self.file,
                line=row,
                column_name=self._key[0],
            )
        return "/".join(parts)

    def _unreadable(self, place: _Place, cell: Cell, expected: str) -> InputError:
        text = cell_text(cell)
        shown = repr(text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "...")
        if place.field in AMOUNTS:
            mend = f"Correct the cell, or set decimal_mark of the layout (now {self.layout.decimal_mark!r})."
        else:
            mend = f"Correct the cell, or set date_format of the layout (now {self.layout.date_format!r})."
        return self._refused(place, f"holds {shown}, expected {expected}", mend)

    def _blank(self, place: _Place) -> InputError:
        return self._refused(place, "is blank", "Fill in the cell, or take the row out if it is no posting.")

    def _refused(self, place: _Place, problem: str, mend: str) -> InputError:
        row, field, column = place
        return InputError(
            f'{self.file}, line {row}, column "{column.strip()}": the {field} {problem}',
            mend,
            file=self.file,
            line=row,
            column_name=column,
        )

    def _refuse_twice(self, hashes: array[int]) -> None:
        """Raise for a key that two rows share; the file is read again only when two hashes are equal."""
        ordered = np.sort(np.frombuffer(hashes, dtype=np.int64)) if hashes else np.empty(0, np.int64)
        suspects = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
        if not suspects:
            return
        seen: dict[str, int] = {}
        for record in self._read():
            key = record["key"]
            if hash(key) not in suspects:
                continue
            if key in seen:
                raise InputError(
                    f"{self.file}, lines {seen[key]} and {record['row']}: both rows have the key {key!r} "
                    f"({', '.join(self._key)})",
                    "Remove the row that is there twice, or add the field that tells them apart to key of the layout.",
                    field="layouts",
                    file=self.file,
                    line=record["row"],
                    column_name=self._key[0],
                )
            seen[key] = record["row"]


def _fields(header: Header, layout: Layout) -> list[tuple[str, int, Callable[[Cell], str], bool]]:
    """For each field: its name, its 0-based column, how its cell is read, and whether it must hold something."""
    amount = amount_reader(layout.decimal_mark)
    readers: dict[str, Callable[[Cell], str]] = {
        "date": day_reader(layout.date_format),
        "month": month_reader(layout.date_format),
        "posted_at": moment_reader(layout.date_format),
        "amount": amount,
        "amount_company": amount,
    }
    required = REQUIRED[layout.into]
    return [
        (field, column, readers.get(field, _text), field in required)
        for field, column in header.columns.items()
    ]


def _text(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else cell_text(cell)
