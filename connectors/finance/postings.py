"""Postings and budget lines out of the rows of one finance export, and an account of every row."""

from __future__ import annotations

import itertools
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from connectors.errors import InputError
from connectors.finance.bulk import Plain, Sought, plain_parts
from connectors.finance.copies import Copy
from connectors.finance.datev import Batch
from connectors.finance.forms import Forms, decide_forms
from connectors.finance.layouts import Header, Layout
from connectors.finance.tables import Row, Table, tables
from connectors.finance.values import Cell, CellError, cell_text
from connectors.landing import SLICE_BYTES, line_of, pack

# A header is looked for under a title, a period, a company, filters: nobody puts more above it.
_HEADER_WITHIN = 50
_LONGEST_QUOTE = 40
# A file with more unreadable rows than both of these is not what its layout says; with more than the last, nobody mends them.
_FEW_ROWS = 20
_FEW_PERCENT = 5
_MOST_IN_QUARANTINE = 10_000

_TOTAL = re.compile(
    r"((sub|grand|report|overall|net)[ -]?)?(total|sum)s?\b.*|((gesamt|zwischen|end)?summe|gesamt)\b.*|\*{1,3}",
    re.IGNORECASE,
)
_BALANCE = re.compile(
    r"((beginning|opening|closing|ending|starting)[ -]balance|balance (brought|carried)|saldo|anfangs|end(saldo|bestand)|"
    r"übertrag|vortrag|net movement).*",
    re.IGNORECASE,
)
_RULE = re.compile(r"[-=_+|*. ]*")
_DEBIT = frozenset({"s", "soll", "d", "dr", "debit"})
_CREDIT = frozenset({"h", "haben", "c", "cr", "credit"})

Record = dict[str, Any]


@dataclass
class Account:
    """What became of the rows of a file: ``rows`` = ``loaded`` + those in quarantine + those that are no data.

    ``no_data`` counts these by kind. ``first`` and ``last`` are the ISO days of the postings, of budgets the months.
    ``quarantine`` holds ``{row, field, column, reason, cells}`` for each unreadable row.
    """

    rows: int = 0
    loaded: int = 0
    postings: int = 0
    first: str | None = None
    last: str | None = None
    no_data: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("above", "header", "blank", "total", "note"), 0)
    )
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    forms: dict[str, str] = field(default_factory=dict)

    def cover(self, first: str | None, last: str | None) -> None:
        """Take in the days of some more postings."""
        if first is not None and last is not None:
            self.first = min(first, self.first or first)
            self.last = max(last, self.last or last)


class _NoPosting(Exception):  # noqa: N818 - it says what happened
    """A row that cannot be read as a posting: the field, its 0-based column if it has one, and why."""

    def __init__(self, name: str, column: int | None, reason: str) -> None:
        self.name, self.column, self.reason = name, column, reason
        super().__init__(reason)


class Reading:
    """One file (one sheet of a workbook) read once through one layout.

    ``name`` is the file's path relative to the folder, with its sheet, which records name; ``account`` is complete
    when the records are. ``hashes`` of the keys that landed are kept where the layout has a key, or when ``is_resend``.
    """

    def __init__(self, file: str, layout: Layout, copy: Copy, *, is_resend: bool = False) -> None:
        self.file = file
        self.layout = layout
        self.account = Account()
        self.name = f"{file}#{layout.sheet}" if layout.sheet else file
        # Eight bytes a record instead of the keys themselves, so that memory stays flat over millions of rows.
        self.hashes = array("q")
        self._copy = copy
        self._key = layout.key or ()
        self._is_hashed = is_resend or bool(self._key)

    def records(self) -> Iterator[Record]:
        """The records to land, in the order of the file.

        One is ``{"key", "file", "row", "cells": {header: text as it came}, "posting": {field: text or None}}``,
        with ISO dates and plain decimal amounts; ``row`` is the 1-based line of a text or row of a sheet.
        A ledger posting always has ``posted_at`` (else its date); ``amount_company`` only where the file has it, as what an
        amount is worth in the company's currency is not for the file's reader to guess.
        Raises InputError for a file that is not what the layout says, or of which too many rows cannot be read.
        """
        rows = self._open()
        yield from rows.records()
        rows.refuse_too_many()

    def packed(self) -> Iterator[tuple[bytes, int]]:
        """The same records as landing takes them: their lines, packed, and how many they are.

        Raises InputError as :meth:`records` does, and for a file in which a key comes twice.
        """
        rows = self._open()
        for packed, records, keys in rows.packed(with_keys=self._is_hashed):
            self.hashes.extend(map(hash, keys))
            yield packed, records
        rows.refuse_too_many()
        if self._key:
            self._refuse_twice()

    def refuse_if_any(self) -> None:
        """Raise InputError for the first row that could not be read, if there is one."""
        if self.account.quarantine:
            raise _refusal(self.file, self.account, "")

    def _open(self) -> _Rows:
        layout = self.layout
        table, header = _find_header(tables(self._copy, layout, self.file), layout, self.file)
        rows = _Rows(self.file, self.name, layout, table, header)
        self.account = rows.account
        return rows

    def _refuse_twice(self) -> None:
        """Raise for a key that two rows share; the file is read again only when two hashes are equal."""
        ordered = (
            np.sort(np.frombuffer(self.hashes, dtype=np.int64)) if self.hashes else np.empty(0, np.int64)
        )
        suspects = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
        if not suspects:
            return
        seen: dict[str, int] = {}
        for record in self.records():
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


def _find_header(found: Sequence[Table], layout: Layout, file: str) -> tuple[Table, Header]:
    """The way to read the file, and the row in it, under which the layout's columns are there."""
    nearest: tuple[int, InputError] | None = None
    broken: InputError | None = None
    for table in found:
        above: list[tuple[str, ...]] = []
        try:
            for line, cells in itertools.islice(table.rows(), _HEADER_WITHIN):
                texts = tuple(map(cell_text, cells))
                while texts and not texts[-1].strip():
                    texts = texts[:-1]
                if texts:
                    fit = Header.fit(texts, layout)
                    if nearest is None or fit > nearest[0]:
                        try:
                            return table, Header.read(texts, layout, file, line, above)
                        except InputError as error:
                            nearest = (fit, error)
                above.append(texts)
        except InputError as error:
            # What is broken under one delimiter may be whole under another.
            broken = broken or error
    if nearest is not None and (broken is None or nearest[0]):
        raise nearest[1]
    raise broken or InputError(
        f"{file}, line 1: the file is empty",
        "Export it anew with its header, or take it away.",
        file=file,
        line=1,
    )


class _Rows:
    """The rows of one table under one header."""

    def __init__(self, file: str, name: str, layout: Layout, table: Table, header: Header) -> None:
        self.account = Account()
        self._file, self._name, self._layout, self._table, self._header = file, name, layout, table, header
        self._forms = decide_forms(table, header, layout, file)
        self._batch = Batch.read(header.above, file) if layout.profile == "datev" else None
        self._fields = _fields(layout, header, self._forms, self._batch, is_text=table.is_text)
        self._summed = [each for each in ("amount", "debit", "credit") if each in header.columns]
        self._sums = [Decimal(0)] * len(self._summed)
        # What the rows summed up to where a total stood: a total is of all rows since one of these.
        self._totals_at = [{Decimal(0)} for _ in self._summed]
        self._heading: str | None = None
        self.account.forms = {
            "encoding": table.encoding,
            "delimiter": table.delimiter,
            "decimal_mark": self._forms.decimal_mark,
            "date_format": self._forms.dates.get("date") or self._forms.dates.get("month") or "",
        }

    def records(self) -> Iterator[Record]:
        """The records of all rows, read one by one."""
        rows = self._table.rows()
        above = sum(1 for _ in itertools.takewhile(lambda row: row[0] < self._header.line, rows))
        self._count_down_to_header(above + 1)
        return self._judged(rows)

    def packed(self, *, with_keys: bool) -> Iterator[tuple[bytes, int, Sequence[str]]]:
        """The records of all rows packed for landing, how many, and their keys; plain rows are read many at once."""
        parts = None if self._batch else plain_parts(self._table, self._sought(with_keys=with_keys))
        if parts is None:
            yield from _packed(self.records())
            return
        self._count_down_to_header(self._header.line)
        for part in parts:
            if not isinstance(part, Plain):
                yield from _packed(self._judged(part))
                continue
            self._sums = [before + more for before, more in zip(self._sums, part.sums, strict=True)]
            self.account.rows += part.rows
            self.account.loaded += part.rows
            self.account.postings += part.rows
            self.account.cover(*part.days)
            yield part.packed, part.rows, part.keys

    def _sought(self, *, with_keys: bool) -> Sought:
        return Sought(
            name=self._name,
            layout=self._layout,
            header=self._header,
            decimal_mark=self._forms.decimal_mark,
            readers=self._forms.readers,
            # A row that takes its account from a heading is none of those that can be read without the others.
            fields=[
                (each, column, required or each == self._layout.headings)
                for each, column, _, required in self._fields
            ],
            summed=self._summed,
            with_keys=with_keys,
        )

    def _count_down_to_header(self, rows: int) -> None:
        self.account.rows += rows
        self.account.no_data["above"] += rows - 1
        self.account.no_data["header"] += 1

    def _judged(self, rows: Iterable[Row]) -> Iterator[Record]:
        header, account, layout, name = self._header, self.account, self._layout, self._name
        names, width, text_only = header.names, len(header.names), self._table.is_text
        fields, summed, sums, key = self._fields, self._summed, self._sums, layout.key or ()
        constants: dict[str, str | None] = dict(layout.constants)
        is_ledger, day = layout.into == "ledger", layout.day
        is_plain = not (
            layout.headings
            or self._batch
            or header.columns.keys() & {"debit", "credit", "side", "contra_account"}
        )
        for row, cells in rows:
            account.rows += 1
            posting = constants.copy()
            try:
                if len(cells) != width:
                    cells = _fitted(cells, width)  # noqa: PLW2901 - the same row
                for each, column, read, required in fields:
                    cell = cells[column]
                    if cell is None or cell == "" or (isinstance(cell, str) and cell.isspace()):
                        if required:
                            raise _NoPosting(each, column, "is blank")  # noqa: TRY301
                        posting[each] = None
                        continue
                    try:
                        posting[each] = read(cell)
                    except CellError as error:
                        raise _NoPosting(each, column, f"is unreadable, expected {error}") from None
                read_amounts = [posting[each] for each in summed]
                contra = None if is_plain else self._made_whole(posting)
                if is_ledger:
                    posting["posted_at"] = posting.get("posted_at") or posting["date"]
                known_by = f"{name}:{row}" if not key else _key_of(posting, key)
            except _NoPosting as problem:
                self._set_aside(row, cells, problem)
                continue
            for place, amount in enumerate(read_amounts):
                if amount is not None:
                    sums[place] += Decimal(amount)
            account.loaded += 1
            account.postings += 1
            account.cover(posting[day], posting[day])
            record = {
                "key": known_by,
                "file": name,
                "row": row,
                "cells": dict(zip(names, cells if text_only else map(cell_text, cells), strict=True)),
                "posting": posting,
            }
            yield record
            if contra is not None:
                account.postings += 1
                yield record | {"key": f"{known_by}/contra", "posting": contra}

    def refuse_too_many(self) -> None:
        account = self.account
        broken, rows = len(account.quarantine), account.loaded + len(account.quarantine)
        if broken > _FEW_ROWS and broken * 100 > rows * _FEW_PERCENT:
            raise _refusal(self._file, account, f"{broken} of {rows} rows cannot be read, the first because ")

    def _made_whole(self, posting: dict[str, str | None]) -> dict[str, str | None] | None:
        """Put together what the file tells in parts; gives the posting on the other side, where the file has both in a row."""
        if self._batch:
            posting["currency"] = posting.get("currency") or self._batch.currency
        if self._layout.headings and not posting.get("account"):
            if self._heading is None:
                raise _NoPosting("account", None, "is named by no row above")
            posting["account"] = self._heading
        if "debit" in self._header.columns:
            debit, credit = posting.pop("debit"), posting.pop("credit")
            if debit is None and credit is None:
                raise _NoPosting("amount", self._header.columns["debit"], "is blank, in debit as in credit")
            posting["amount"] = format(Decimal(debit or 0) - Decimal(credit or 0), "f")
        side = (posting.pop("side", None) or "").casefold()
        if "side" in self._header.columns:
            if side not in _DEBIT and side not in _CREDIT:
                raise _NoPosting("side", self._header.columns["side"], "is neither debit nor credit")
            if side in _CREDIT:
                posting.update(_opposite(posting))
        contra = posting.pop("contra_account", None)
        if contra is None:
            return None
        other = {**posting, "account": contra, **_opposite(posting)}
        other["posted_at"] = other.get("posted_at") or other["date"]
        return other

    def _set_aside(self, row: int, cells: Sequence[Cell], problem: _NoPosting) -> None:
        """Count a row that is no posting as what it is, or put it in quarantine."""
        kind = self._no_data(cells, problem)
        if kind is not None:
            self.account.no_data[kind] += 1
            return
        self._refuse_mixed_dates(row, cells, problem)
        names = self._header.names
        column = names[problem.column] if problem.column is not None else ""
        label = f'column "{column.strip()}": ' if column.strip() else ""
        padded = itertools.chain(names, (f"cell {n}" for n in itertools.count(len(names) + 1)))
        self.account.quarantine.append(
            {
                "row": row,
                "field": problem.name,
                "column": column,
                "reason": f"{label}the {problem.name} {problem.reason}",
                "cells": dict(zip(padded, map(cell_text, cells), strict=False)),
            }
        )
        if len(self.account.quarantine) > _MOST_IN_QUARANTINE:
            raise _refusal(
                self._file,
                self.account,
                f"more than {_MOST_IN_QUARANTINE} rows cannot be read, the first because ",
            )

    def _no_data(self, cells: Sequence[Cell], problem: _NoPosting) -> str | None:  # noqa: PLR0911 - a kind each
        """What a row is that holds no posting; None when it may be one that is broken."""
        texts = [cell_text(cell).strip() for cell in cells]
        filled = [text for text in texts if text]
        if not filled:
            return "blank"
        if all(map(_RULE.fullmatch, filled)) and any(len(text) > 3 for text in filled):
            return "note"
        if tuple(texts[: len(self._header.names)]) == tuple(map(str.strip, self._header.names)):
            return "header"
        amounts = [self._amount(cells, each) for each in self._summed]
        is_dated = self._is_read(cells, "date") or self._is_read(cells, "month")
        has_amount = any(amount is not None for amount in amounts)
        if not is_dated or not has_amount:
            if any(map(_BALANCE.fullmatch, filled)):
                return "total"
            if any(map(_TOTAL.fullmatch, filled)):
                self._check_total(amounts, problem)
                return None if problem.name == "total" else "total"
        if (
            len(filled) == 1
            and texts[0]
            and not is_dated
            and not has_amount
            and (self._layout.headings or re.search(r"[^\W\d]", texts[0]))
        ):
            self._heading = texts[0]
            return "note"
        return None

    def _check_total(self, amounts: Sequence[Decimal | None], problem: _NoPosting) -> None:
        """Compare a total with the rows above it; one that does not add up becomes the problem of its row."""
        for place, (name, said) in enumerate(zip(self._summed, amounts, strict=True)):
            if said is None:
                continue
            now, before = self._sums[place], self._totals_at[place]
            if now - said not in before and now + said not in before:
                problem.name, problem.column = "total", self._header.columns[name]
                problem.reason = "is not what the rows above it add up to" + (
                    " (without those in quarantine)" if self.account.quarantine else ""
                )
            before.add(now)

    def _amount(self, cells: Sequence[Cell], name: str) -> Decimal | None:
        column = self._header.columns[name]
        try:
            return Decimal(self._forms.readers[name](cells[column])) if column < len(cells) else None
        except CellError:
            return None

    def _is_read(self, cells: Sequence[Cell], name: str) -> bool:
        for each, column, read, _ in self._fields:
            if each == name and column < len(cells):
                try:
                    read(cells[column])
                except CellError:
                    return False
                return True
        return False

    def _refuse_mixed_dates(self, row: int, cells: Sequence[Cell], problem: _NoPosting) -> None:
        """Raise for a date in the other order: then nothing says which of the two the rest of the file is in."""
        opposite = self._forms.opposite.get(problem.name)
        if opposite is None or problem.column is None or problem.column >= len(cells):
            return
        try:
            opposite(cells[problem.column])
        except CellError:
            return
        column = self._header.names[problem.column].strip()
        raise InputError(
            f'{self._file}, line {row}, column "{column}": {_quoted(cells[problem.column])} has day and month the other way '
            f"round than dates above it, which are in {self._forms.dates[problem.name]}",
            "Export it with one order of dates, or set date_format of the layout to have such rows put in quarantine.",
            field="layouts",
            file=self._file,
            line=row,
            column_name=column,
        )


def _packed(records: Iterator[Record]) -> Iterator[tuple[bytes, int, Sequence[str]]]:
    lines, keys = bytearray(), []
    for record in records:
        lines += line_of(record)
        keys.append(record["key"])
        if len(lines) >= SLICE_BYTES:
            yield pack(lines), len(keys), keys
            lines, keys = bytearray(), []
    if keys:
        yield pack(lines), len(keys), keys


def _refusal(file: str, account: Account, many: str) -> InputError:
    first = account.quarantine[0]
    return InputError(
        f"{file}, line {first['row']}: {many}{first['reason']}",
        "Set the date_format, decimal_mark, delimiter or encoding of the layout to what the file is in, or export it anew.",
        field="layouts",
        file=file,
        line=first["row"],
        column_name=first["column"] or None,
    )


def _fields(
    layout: Layout, header: Header, forms: Forms, batch: Batch | None, *, is_text: bool
) -> list[tuple[str, int, Callable[[Cell], str], bool]]:
    """For each field: its name, its 0-based column, how its cell is read, and whether it must hold something."""
    readers = {**forms.readers, **({"date": batch.day} if batch else {})}
    as_text: Callable[[Any], str] = str.strip if is_text else _text
    required = {*layout.required} - ({layout.headings} if layout.headings else set())
    return [
        (each, column, readers.get(each, as_text), each in required)
        for each, column in header.columns.items()
    ]


def _fitted(cells: Sequence[Cell], width: int) -> Sequence[Cell]:
    # A row may end in a delimiter which the header has not, a sheet is as wide as its widest row; anything else is a row
    # out of step with the header.
    filled = len(cells)
    while filled and (
        cells[filled - 1] is None or cells[filled - 1] == "" or str(cells[filled - 1]).isspace()
    ):
        filled -= 1
    if filled > width:
        raise _NoPosting("row", None, f"has {len(cells)} cells, the header has {width}")
    if len(cells) < width:
        if all(isinstance(cell, str) for cell in cells):
            raise _NoPosting("row", None, f"has {len(cells)} cells, the header has {width}")
        return (*cells, *[None] * (width - len(cells)))
    return cells[:width]


def _key_of(posting: dict[str, str | None], key: Sequence[str]) -> str:
    parts = [posting.get(each) or "" for each in key]
    if not any(parts):
        raise _NoPosting(key[0], None, f"has no key, {' and '.join(key)} being blank")
    return "/".join(parts)


def _opposite(posting: dict[str, str | None]) -> dict[str, str | None]:
    amounts = {each: posting[each] for each in ("amount", "amount_company") if posting.get(each)}
    return {each: format(-Decimal(amount), "f") for each, amount in amounts.items() if amount is not None}


def _quoted(cell: Cell) -> str:
    text = cell_text(cell)
    return repr(text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "...")


def _text(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else cell_text(cell)
