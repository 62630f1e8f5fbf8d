"""The plain rows of a long text export, made into landed lines by DuckDB, a block of whole lines at a time.

What a posting is, is said once, row by row, in postings.py. A row is plain when each of its cells is text, blank, an
amount in the usual form of its file, or a text that the same readers have read: each distinct text of a block is read once.
Any other row, and any block that is not certain to be split into rows and cells as Python's csv does it, is left to be judged
row by row.
"""

# ruff: noqa: S608 - names of columns are our own, texts are quoted

from __future__ import annotations

import codecs
import csv
import io
import json
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import duckdb

from connectors.errors import InputError
from connectors.finance.forms import Reader
from connectors.finance.layouts import AMOUNTS, Header, Layout
from connectors.finance.tables import DELIMITERS, Row, Table
from connectors.finance.values import CellError, usual_amount
from connectors.landing import pack

# Large enough that a statement costs little beside its rows, small enough that two of them in hand stay below 100 MB.
_BLOCK_BYTES = 2 << 20
_MEMORY = "128MB"
_AT_ONCE = 2
# Below it the row by row way is done before DuckDB has started.
_LEAST_BYTES = 256 << 10
# In these a line ends where a byte says so, and nowhere else.
_ENCODINGS = frozenset({"utf-8", "utf-8-sig", "ascii", "cp1252", "iso8859-1"})
# White space for Python that SQL's trim leaves, but for control characters, and those.
_SPACES = tuple(space.encode() for space in "\u0085\u2028\u2029")
_CONTROL = bytes({*range(32)} - {*b"\t\r\n"})
# As many decimals are summed up in SQL; what has more is not plain.
_DECIMALS = 9
# A row longer than this may hold a cell that csv refuses.
_LONGEST_ROW = 100_000
# Where one row in so many is not plain, reading each by itself is the shorter way.
_ODD_ONE_IN = 4


@dataclass(frozen=True)
class Plain:
    """Rows that follow each other: ``sums`` are those of the summed columns, ``packed`` their records as landing takes them.

    ``days`` are the first and the last of them. ``keys`` of the records are there where they were asked for.
    """

    rows: int
    days: tuple[str | None, str | None]
    sums: tuple[Decimal, ...]
    packed: bytes
    keys: Sequence[str]


Part = Plain | Iterator[Row]


@dataclass(frozen=True)
class Sought:
    """What the rows of a table are read into: ``fields`` as (name, 0-based column, whether it must hold something).

    ``readers`` are of dates and amounts, all other fields are text; ``summed`` names the amounts to add up.
    """

    name: str
    layout: Layout
    header: Header
    decimal_mark: str
    readers: Mapping[str, Reader]
    fields: Sequence[tuple[str, int, bool]]
    summed: Sequence[str]
    with_keys: bool


def plain_parts(table: Table, sought: Sought) -> Iterator[Part] | None:
    """The rows under the header in their order, plain ones together; None where the whole table is to be read row by row."""
    if not table.is_text or codecs.lookup(table.encoding).name not in _ENCODINGS:
        return None
    if table.delimiter not in DELIMITERS or sought.header.columns.keys() & {"side", "contra_account"}:
        return None
    size = table.content.seek(0, io.SEEK_END)
    table.content.seek(0)
    above = [table.content.readline(_LONGEST_ROW) for _ in range(sought.header.line)]
    if size < _LEAST_BYTES or any(not _is_one_line(line) for line in above):
        return None
    columns = len(next(csv.reader([above[-1].decode(table.encoding)], delimiter=table.delimiter)))
    return _Bulk(table, sought, columns).parts(table.content.tell())


def _is_one_line(line: bytes) -> bool:
    return line.endswith(b"\n") and b"\r" not in line.rstrip(b"\r\n") and line.count(b'"') % 2 == 0


class _Bulk:
    def __init__(self, table: Table, sought: Sought, columns: int) -> None:
        self._table, self._sought, self._columns = table, sought, columns
        self._encoding = codecs.lookup(table.encoding).name.removesuffix("-sig")
        self._usual, *self._marks = usual_amount(sought.decimal_mark)

    def parts(self, begin: int) -> Iterator[Part]:
        waiting: deque[tuple[int, int, bytes, Future[list[Part] | None]]] = deque()
        with (
            tempfile.TemporaryDirectory() as folder,
            # Each block is one thread's work; its rows stay in order as long as the few texts are what is looked up.
            duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY, "temp_directory": folder}) as con,
            ThreadPoolExecutor(_AT_ONCE) as pool,
        ):
            con.execute("SET disabled_optimizers = 'build_side_probe_side'")
            blocks = self._blocks(begin)
            while True:
                while len(waiting) < _AT_ONCE + 1 and (block := next(blocks, None)) is not None:
                    waiting.append((*block, pool.submit(self._read, con.cursor(), Path(folder), *block)))
                if not waiting:
                    return
                offset, line, content, future = waiting.popleft()
                found = future.result()
                if found is None:
                    rows = self._split_by_csv(offset, line, content)
                    if rows is None:
                        # Cut within a row, or broken: a reader that goes on to the end of the file tells which.
                        yield self._table.rows(offset, line)
                        return
                    found = [iter(rows)]
                yield from found

    def _split_by_csv(self, offset: int, line: int, content: bytes) -> list[Row] | None:
        if not content.endswith(b"\n") and offset + len(content) < self._table.content.seek(0, io.SEEK_END):
            return None
        try:
            return list(replace(self._table, content=io.BytesIO(content)).rows(0, line))
        except InputError:
            return None

    def _blocks(self, offset: int) -> Iterator[tuple[int, int, bytes]]:
        """The rest of the file from ``offset`` on as (offset, 1-based line, content), each of whole lines."""
        content, line, rest, is_more = self._table.content, self._sought.header.line + 1, b"", True
        while is_more:
            content.seek(offset + len(rest))
            block = rest + content.read(_BLOCK_BYTES)
            is_more = len(block) - len(rest) == _BLOCK_BYTES
            end = _whole_lines(block) if is_more else len(block)
            # A block in which no end of a line is seen to be one is cut within a line, which shows.
            block, rest = block[: end or len(block)], block[end:] if end else b""
            if block:
                yield offset, line, block
            offset += len(block)
            line += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")

    def _read(
        self, con: duckdb.DuckDBPyConnection, folder: Path, offset: int, line: int, block: bytes
    ) -> list[Part] | None:
        """The parts of a block; None where it is not sure to be split as Python's csv does."""
        path = folder / str(offset)
        try:
            with con:
                content = block.decode(self._encoding).encode()
                path.write_bytes(content)
                escape = self._split(con, path, content)
                if escape is None:
                    return None
                self._read_texts(con)
                con.execute(self._judge(line, escape))
                return self._parts(con, line, content, path)
        except (UnicodeDecodeError, duckdb.Error):
            return None
        finally:
            path.unlink(missing_ok=True)

    def _split(self, con: duckdb.DuckDBPyConnection, path: Path, content: bytes) -> bool | None:
        """The table ``cells``, and whether any of them needs escapes in JSON; None when it may not be what csv would split."""
        rows, returns = content.count(b"\n"), content.count(b"\r")
        if (
            not content.endswith(b"\n")
            or returns not in (0, rows)
            or returns != content.count(b"\r\n")
            or content.count(b"\t") != rows * (self._columns - 1) * (self._table.delimiter == "\t")
            # Text after the end of a quoted cell, which csv refuses.
            or b'" ' in content
            or len(content.translate(None, _CONTROL)) != len(content)
            or any(space in content for space in _SPACES)
        ):
            return None
        columns = ", ".join(f"c{n}: 'VARCHAR'" for n in range(self._columns))
        cells = ", ".join(f"c{n}" for n in range(self._columns))
        ends = r"'\r\n'" if returns else r"'\n'"
        con.execute(
            f"""
            CREATE TEMP TABLE cells AS FROM read_csv(
                {_quoted(str(path))}, columns = {{{columns}}}, auto_detect = false, header = false, strict_mode = true,
                delim = '{self._table.delimiter}', quote = '"', escape = '"', new_line = {ends},
                max_line_size = {_LONGEST_ROW}, buffer_size = {_BLOCK_BYTES}
            )
            """
        )
        found = con.execute(
            f"""
            SELECT count(*), coalesce(sum(strlen(text)), 0), coalesce(sum(strlen(replace(text, '"', ''))), 0)
            FROM (SELECT concat({cells}) AS text FROM cells)
            """
        ).fetchall()
        ((split, length, unquoted),) = found
        # As many rows as lines: none is blank, none goes over two. And every byte is in a cell, or parts two of them.
        between = rows * (self._columns - 1 + len(b"\r\n" if returns else b"\n")) + content.count(b'"')
        if split != rows or unquoted + between != len(content):
            return None
        return bool(length != unquoted or b"\\" in content)

    def _read_texts(self, con: duckdb.DuckDBPyConnection) -> None:
        """The table ``texts``: what the readers make of each distinct text that is not a usual amount."""
        unread = " UNION ALL ".join(
            f"SELECT DISTINCT {_quoted(field)}, c{column} FROM cells WHERE c{column} IS NOT NULL"
            + (f" AND NOT {self._is_usual(column)}" if field in AMOUNTS else "")
            for field, column, _ in self._sought.fields
            if field in self._sought.readers
        )
        fields, texts, values = [], [], []
        for field, text in con.execute(unread).fetchall():
            try:
                value = self._sought.readers[field](text)
            except CellError:
                continue
            if field not in AMOUNTS or len(value.partition(".")[2]) <= _DECIMALS:
                fields.append(field)
                texts.append(text)
                values.append(value)
        con.execute(
            """
            CREATE TEMP TABLE texts AS
            SELECT unnest(?::VARCHAR[]) AS field, unnest(?::VARCHAR[]) AS text, unnest(?::VARCHAR[]) AS value
            """,
            [fields, texts, values],
        )

    def _judge(self, first: int, escape: bool) -> str:
        """The statement for the table ``judged``: per row its record, which holds where it is plain, and what is summed up."""
        sought = self._sought
        values, read, sound = self._values()
        joins = "".join(
            f" LEFT JOIN texts AS t_{field} ON t_{field}.field = '{field}' AND t_{field}.text = c{column}"
            for field, column, _ in sought.fields
            if field in sought.readers
        )
        known_by = f"concat({_quoted(sought.name)}, ':', line)"
        if sought.layout.key:
            parts = [f"coalesce({values.get(each, 'NULL')}, '')" for each in sought.layout.key]
            sound.append(f"concat({', '.join(parts)}) <> ''")
            known_by = f"concat_ws('/', {', '.join(parts)})"
        sums = "".join(f", p_{each}::DECIMAL(38, {_DECIMALS}) AS s_{each}" for each in sought.summed)
        return f"""
            CREATE TEMP TABLE judged AS
            WITH posting AS (
                SELECT cells.rowid + {first} AS line, cells.*, {", ".join(read)} FROM cells{joins}
            ),
            keyed AS (
                SELECT *, {" AND ".join(sound)} AS is_plain, {known_by} AS key FROM posting
            )
            SELECT line, key, p_{sought.layout.day} AS day, record, is_plain AND strlen(record) < {_LONGEST_ROW} AS is_plain{sums}
            FROM (SELECT *, {self._record(values, escape)} AS record FROM keyed)
        """

    def _values(self) -> tuple[dict[str, str], list[str], list[str]]:
        """SQL for the value of each field of a posting in its order, for the columns it is made of, and for when it holds."""
        sought = self._sought
        values: dict[str, str] = {name: _quoted(text) for name, text in sought.layout.constants.items()}
        read: list[str] = []
        sound = [f"coalesce(c{n}, '') = ''" for n in range(len(sought.header.names), self._columns)]
        for field, column, required in sought.fields:
            value = text = f"nullif(trim(c{column}), '')"
            if field in sought.readers:
                value = f"t_{field}.value"
            if field in AMOUNTS:
                marks = ", ".join(map(_quoted, self._marks))
                value = (
                    f"CASE WHEN {self._is_usual(column)} THEN translate(c{column}, {marks}) ELSE {value} END"
                )
            read.append(f"{value} AS p_{field}")
            values[field] = f"p_{field}"
            if required:
                sound.append(f"p_{field} IS NOT NULL")
            elif field in sought.readers:
                read.append(f"{text} IS NULL AS b_{field}")
                sound.append(f"(p_{field} IS NOT NULL OR b_{field})")
        if "debit" in values:
            del values["debit"], values["credit"]
            values["amount"] = "p_amount"
            read.append(f"{_NET} AS p_amount")
            sound.append("p_amount IS NOT NULL")
        if sought.layout.into == "ledger":
            entered = values.get("posted_at")
            values["posted_at"] = f"coalesce({entered}, p_date)" if entered else "p_date"
        return values, read, sound

    def _record(self, values: Mapping[str, str], escape: bool) -> str:
        """SQL for the line that lands, letter for letter what :func:`connectors.landing.line_of` makes of the record."""
        sought, constants = self._sought, self._sought.layout.constants
        there = {field for field, _, required in sought.fields if required} | {"amount", "posted_at"}
        pieces = [_quoted('{"key":"'), _in_json("key", escape=True)]
        pieces += [_quoted(f'","file":{_json(sought.name)},"row":'), "line", _quoted(',"cells":{')]
        for n, name in enumerate(sought.header.names):
            pieces += [_quoted(f'{"," * (n > 0)}{_json(name)}:"'), _in_json(f"c{n}", escape), "'\"'"]
        pieces.append(_quoted('},"posting":{'))
        for n, (field, value) in enumerate(values.items()):
            pieces.append(_quoted(f"{',' * (n > 0)}{_json(field)}:"))
            text = f"concat('\"', {_in_json(value, escape)}, '\"')"
            if field in constants:
                pieces.append(_quoted(_json(constants[field])))
            else:
                pieces.append(
                    text if field in there else f"CASE WHEN {value} IS NULL THEN 'null' ELSE {text} END"
                )
        return f"concat({', '.join(pieces)}, '}}}}')"

    def _is_usual(self, column: int) -> str:
        return f"regexp_full_match(c{column}, {_quoted(self._usual)})"

    def _parts(
        self, con: duckdb.DuckDBPyConnection, first: int, content: bytes, out: Path
    ) -> list[Part] | None:
        """Plain rows up to each one that is not, and that one."""
        sums = "".join(f", coalesce(sum(s_{each}) FILTER (is_plain), 0)" for each in self._sought.summed)
        segments = con.execute(
            f"""
            SELECT min(line), count(*), count(*) FILTER (is_plain),
                min(day) FILTER (is_plain), max(day) FILTER (is_plain){sums}
            FROM (
                SELECT
                    * EXCLUDE (record, key),
                    count(*) FILTER (NOT is_plain) OVER (ROWS UNBOUNDED PRECEDING) AS segment
                FROM judged
            )
            GROUP BY segment ORDER BY segment
            """
        ).fetchall()
        if (len(segments) - 2) * _ODD_ONE_IN > content.count(b"\n"):
            return None
        lines = content.decode().split("\n") if len(segments) > 1 else []
        parts: list[Part] = []
        for line, rows, plain, first_day, last_day, *summed in segments:
            if plain < rows:
                cells = next(csv.reader([lines[line - first]], delimiter=self._table.delimiter, strict=True))
                parts.append(iter([(line, cells)]))
            if plain:
                these = f"FROM judged WHERE is_plain AND line BETWEEN {line} AND {line + rows - 1}"
                con.execute(
                    f"""
                    COPY (SELECT record {these}) TO {_quoted(str(out))}
                    (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '')
                    """
                )
                keys = (
                    [key for (key,) in con.execute(f"SELECT key {these}").fetchall()]
                    if self._sought.with_keys
                    else []
                )
                parts.append(Plain(plain, (first_day, last_day), tuple(summed), pack(out.read_bytes()), keys))
        return parts


_IS_NOTHING = "regexp_full_match({}, '0([.]0+)?')".format
_DECIMALS_OF = "strlen(split_part({}, '.', 2))".format
# Debit less credit, where at most one of them is more than nothing, with as many decimals as subtraction gives.
_NET = f"""
    CASE
        WHEN p_debit LIKE '-%' OR p_credit LIKE '-%' THEN NULL
        WHEN p_credit IS NULL THEN p_debit
        WHEN {_IS_NOTHING("p_credit")} AND {_DECIMALS_OF("p_credit")} <= {_DECIMALS_OF("p_debit")} THEN p_debit
        WHEN p_debit IS NULL OR {_IS_NOTHING("p_debit")} AND {_DECIMALS_OF("p_debit")} <= {_DECIMALS_OF("p_credit")}
            THEN CASE WHEN {_IS_NOTHING("p_credit")} THEN p_credit ELSE concat('-', p_credit) END
    END
"""


def _whole_lines(block: bytes) -> int:
    """Up to where a block holds whole lines, none of them ending within a quoted cell; 0 when it is not seen to."""
    end = block.rfind(b"\n") + 1
    is_open = block.count(b'"', 0, end) % 2
    while end and is_open:
        before = block.rfind(b"\n", 0, end - 1) + 1
        is_open ^= block.count(b'"', before, end) % 2
        end = before
    return end


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _in_json(value: str, escape: bool) -> str:
    return f"""replace(replace({value}, '\\', '\\\\'), '"', '\\"')""" if escape else value


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
