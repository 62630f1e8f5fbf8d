"""The rows of a finance export, text or XLSX, one after the other and with their place in the file."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from connectors.errors import InputError
from connectors.finance.copies import Copy
from connectors.finance.layouts import Layout
from connectors.finance.values import Cell

DELIMITERS = (",", ";", "\t", "|")
_WORKBOOK_ENDINGS = (".xlsx", ".xlsm")
_ZIP = b"PK\x03\x04"
# What old workbooks start with, and new ones that are protected by a password.
_OLE = b"\xd0\xcf\x11\xe0"
_BLOCK_BYTES = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Of four bytes first: the mark of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Row = tuple[int, Sequence[Cell]]


def is_workbook(name: str) -> bool:
    """Whether a file is read as a workbook; by its name, as people and finance systems tell them apart."""
    return name.lower().endswith(_WORKBOOK_ENDINGS)


@dataclass(frozen=True)
class Table:
    """One way to read a file: a sheet of a workbook, or text in an encoding with a delimiter.

    ``file`` is the name to use in errors. A declared form that does not fit is refused by :meth:`rows`.
    """

    file: str
    content: BinaryIO
    sheet: str | None = None
    encoding: str = ""
    delimiter: str = ""

    @property
    def is_text(self) -> bool:
        return bool(self.encoding)

    def rows(self, offset: int = 0, line: int = 1) -> Iterator[Row]:
        """Every row as (line or row number, 1-based; cells), blank ones too; raises InputError with the line it stops at.

        Of a text the rows may be those from an ``offset`` in bytes on, at which ``line`` begins.
        """
        self.content.seek(offset)
        return _text_rows(self, line) if self.is_text else _workbook_rows(self.content, self.sheet, self.file)


def tables(copy: Copy, layout: Layout, file: str) -> list[Table]:
    """The ways to read a file, most likely first: several only where the layout leaves the delimiter open.

    ``file`` is the name to use in errors. Raises InputError when the content is not what its name says.
    """
    content, sheet = copy.content, layout.sheet
    start = content.read(4)
    content.seek(0)
    if is_workbook(copy.name):
        if start != _ZIP:
            raise InputError(
                f"{file}, line 1: this is no XLSX workbook"
                + (" but an old or a password-protected one" if start == _OLE else ""),
                "Save it as XLSX without a password, or give it the ending of what it is.",
                file=file,
                line=1,
            )
        return [Table(file, content, sheet)]
    if sheet is not None:
        raise InputError(
            f"{file}, line 1: the layout asks for sheet {sheet!r}, but this is no workbook",
            "Take sheet out of the layout, or match only .xlsx files.",
            field="layouts",
            file=file,
            line=1,
        )
    if start in (_ZIP, _OLE):
        raise InputError(
            f"{file}, line 1: this is a workbook or an archive, not text",
            "Give it the ending .xlsx or .zip, or export it as CSV.",
            file=file,
            line=1,
        )
    encoding = layout.encoding or encoding_of(content)
    marks = [layout.delimiter] if layout.delimiter else DELIMITERS
    return [Table(file, content, None, encoding, mark) for mark in marks]


def encoding_of(content: BinaryIO) -> str:
    """What text is written in: what its byte order mark says, else UTF-8 where every byte of it is, else CP1252.

    UTF-16 without a mark is told by the zero bytes beside its letters.
    """
    content.seek(0)
    start = content.read(4096)
    content.seek(0)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if start[1::2].count(0) * 2 > len(start[1::2]):
        return "utf-16-le"
    if start[::2].count(0) * 2 > len(start[::2]):
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := content.read(_BLOCK_BYTES):
            decoder.decode(block)
    except UnicodeDecodeError:
        return "cp1252"
    finally:
        content.seek(0)
    return "utf-8"


def _text_rows(table: Table, first: int) -> Iterator[Row]:
    file = table.file
    # A byte order mark further down is none.
    encoding = table.encoding if first == 1 else codecs.lookup(table.encoding).name.removesuffix("-sig")
    text = io.TextIOWrapper(io.BufferedReader(_Unclosed(table.content)), encoding=encoding, newline="")
    reader = csv.reader(text, delimiter=table.delimiter, strict=True)
    line = first
    try:
        for cells in reader:
            yield line, cells
            line = first + reader.line_num
    except UnicodeDecodeError as error:
        raise _wrong_encoding(table, line, error) from None
    except UnicodeError:
        # UTF-16 without its byte order mark says only this.
        raise _not_encoded(file, line, table.encoding) from None
    except csv.Error as error:
        raise InputError(
            f"{file}, line {line}: the quotes or the text around them are broken ({error})",
            f"Check the quotes from this line on, and that the delimiter {table.delimiter!r} is right.",
            field="layouts",
            file=file,
            line=line,
        ) from None


class _Unclosed(io.RawIOBase):
    """Passes reads on, and leaves the file open when the reader of its text goes."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return cast(int, cast(Any, self._content).readinto(buffer))


def _wrong_encoding(table: Table, line: int, error: UnicodeDecodeError) -> InputError:
    """Text is decoded in blocks, so the line is found again by decoding line by line."""
    content, encoding = table.content, table.encoding
    content.seek(0)
    if error.object[:2] in (b"\xff\xfe", b"\xfe\xff") and line == 1:
        return _not_encoded(table.file, 1, encoding, " but looks like utf-16")
    if "16" not in encoding and "32" not in encoding:
        for number, raw in enumerate(content, start=1):
            try:
                raw.decode(encoding)
            except UnicodeDecodeError:
                return _not_encoded(table.file, number, encoding)
    return _not_encoded(table.file, line, encoding)


def _not_encoded(file: str, line: int, encoding: str, hint: str = "") -> InputError:
    return InputError(
        f"{file}, line {line}: the text is not in {encoding}{hint}",
        "Set encoding of the layout to what the file is written in, or leave it out to have it found.",
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
            yield number, cells
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


def _broken_workbook(file: str, row: int, error: Exception) -> InputError:
    return InputError(
        f"{file}, line {row}: the workbook cannot be read ({type(error).__name__}: {error})",
        "Open it in a spreadsheet program and save it again as XLSX.",
        file=file,
        line=row,
    )
