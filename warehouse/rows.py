"""Rows of this process into a table of the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb


def append_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, each with a value for every column of ``table``, which is a name of our own.

    One statement for all of them, a list per column: row by row costs DuckDB about a millisecond each.
    """
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    unnested = ", ".join(["unnest(?)"] * len(columns))
    con.execute(f"INSERT INTO {table} SELECT {unnested}", columns)
