"""The rows of a finance export, CSV or XLSX, one after the other and with their place in the file."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

from connectors.errors import InputError
from connectors.finance_layouts import Layout
from connectors.finance_values import Cell

_WORKBOOK_ENDINGS = (".xlsx", ".xlsm")
_ZIP = b"PK\x03\x04"
# What old workbooks start with, and new ones that are protected by a password.
_OLE = b"\xd0\xcf\x11\xe0"

Row = tuple[int, Sequence[Cell]]


def is_workbook(file: str) -> bool:
    """Whether a file is read as a workbook; by its name, as people and finance systems tell them apart."""
    return file.lower().endswith(_WORKBOOK_ENDINGS)


def rows(content: BinaryIO, layout: Layout, file: str) -> Iterator[Row]:
    """The rows of a file as (line or row number, 1-based; cells), blank ones left out, the header first.

    ``file`` is the name to use in errors. Raises InputError when the content is not what the layout says.
    """
    start = content.read(4)
    content.seek(0)
    if is_workbook(file):
        if start != _ZIP:
            raise InputError(
                f"{file}, line 1: this is no XLSX workbook"
                + (" but an old or a password-protected one" if start == _OLE else ""),
                "Save it as XLSX without a password, or give it the ending of what it is.",
                file=file,
                line=1,
            )
        return _workbook_rows(content, layout.sheet, file)
    if layout.sheet is not None:
        raise InputError(
            f"{file}, line 1: the layout asks for sheet {layout.sheet!r}, but this is no workbook",
            "Take sheet out of the layout, or match only .xlsx files.",
            field="layouts",
            file=file,
            line=1,
        )
    if start in (_ZIP, _OLE):
        raise InputError(
            f"{file}, line 1: this is a workbook or an archive, not text",
            "Give it the ending .xlsx, or export it as CSV.",
            file=file,
            line=1,
        )
    return _text_rows(content, layout, file)


def _text_rows(content: BinaryIO, layout: Layout, file: str) -> Iterator[Row]:
    text = io.TextIOWrapper(content, encoding=layout.encoding, newline="")
    reader = csv.reader(text, delimiter=layout.delimiter, strict=True)
    width = 0
    line = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                width = width or len(cells)
                yield line, cells if len(cells) == width else _fitted(cells, width, file, line)
            line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise _wrong_encoding(content, layout, file, line, error) from None
    except UnicodeError:
        # UTF-16 without its byte order mark says only this.
        raise _not_encoded(file, line, layout.encoding) from None
    except csv.Error as error:
        raise InputError(
            f"{file}, line {line}: the quotes or the text around them are broken ({error})",
            f"Check the quotes from this line on, and that the delimiter {layout.delimiter!r} of the layout is right.",
            field="layouts",
            file=file,
            line=line,
        ) from None


def _fitted(cells: list[str], width: int, file: str, line: int) -> list[str]:
    # Rows may end in a delimiter which the header has not; anything else is a row out of step with the header.
    if len(cells) < width or any(map(str.strip, cells[width:])):
        raise _wrong_width(file, line, len(cells), width)
    return cells[:width]


def _wrong_width(file: str, line: int, cells: int, width: int) -> InputError:
    return InputError(
        f"{file}, line {line}: this row has {cells} cells, the header has {width}",
        "Check the delimiter of the layout and the quotes of this row; a short last row is a file cut off in writing.",
        field="layouts",
        file=file,
        line=line,
    )


def _wrong_encoding(
    content: BinaryIO, layout: Layout, file: str, line: int, error: UnicodeDecodeError
) -> InputError:
    """Text is decoded in blocks, so the line is found again by decoding line by line."""
    content.seek(0)
    if error.object[:2] in (b"\xff\xfe", b"\xfe\xff") and line == 1:
        return _not_encoded(file, 1, layout.encoding, " but looks like utf-16")
    if "16" not in layout.encoding and "32" not in layout.encoding:
        for number, raw in enumerate(content, start=1):
            try:
                raw.decode(layout.encoding)
            except UnicodeDecodeError:
                return _not_encoded(file, number, layout.encoding)
    return _not_encoded(file, line, layout.encoding)


def _not_encoded(file: str, line: int, encoding: str, hint: str = "") -> InputError:
    return InputError(
        f"{file}, line {line}: the text is not in {encoding}{hint}",
        "Set encoding of the layout to what the file is written in (cp1252 for many Windows exports).",
        field="layouts",
        file=file,
        line=line,
    )


def _workbook_rows(content: BinaryIO, sheet: str | None, file: str) -> Iterator[Row]:
    # A third of a second and 20 MB that a company without workbooks does not pay.
    from openpyxl import load_workbook

    try:
        book = load_workbook(content, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # openpyxl lets errors of zip, XML and its own schema through as they come
        raise _broken_workbook(file, 1, error) from None
    try:
        found = cast(Any, book[_sheet(book.sheetnames, sheet, file)])
        # Some programs write a wrong size of the sheet, by which rows would be cut off.
        found.reset_dimensions()
        width = 0
        number = 0
        table: Iterator[tuple[Cell, ...]] = found.iter_rows(values_only=True)
        while True:
            try:
                cells = next(table, None)
            except Exception as error:
                raise _broken_workbook(file, number + 1, error) from None
            if cells is None:
                return
            number += 1
            filled = _filled(cells)
            if filled == 0:
                continue
            if not width:
                width = filled
            elif filled > width:
                raise _wrong_width(file, number, filled, width)
            yield number, tuple(itertools.islice(itertools.chain(cells, itertools.repeat(None)), width))
    finally:
        book.close()


def _sheet(names: Sequence[str], wanted: str | None, file: str) -> str:
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is not None and wanted in names:
        return wanted
    problem = (
        f"there is no sheet {wanted!r}" if wanted else "there are several sheets and the layout names none"
    )
    raise InputError(
        f"{file}: {problem}; it has {', '.join(map(repr, names))}",
        "Set sheet of the layout to the one that holds the rows.",
        field="layouts",
        file=file,
    )


def _filled(cells: Sequence[Cell]) -> int:
    """How many cells there are up to the last one that holds something."""
    for count in range(len(cells), 0, -1):
        cell = cells[count - 1]
        if cell is not None and not (isinstance(cell, str) and not cell.strip()):
            return count
    return 0


def _broken_workbook(file: str, row: int, error: Exception) -> InputError:
    return InputError(
        f"{file}, line {row}: the workbook cannot be read ({type(error).__name__}: {error})",
        "Open it in a spreadsheet program and save it again as XLSX.",
        file=file,
        line=row,
    )
