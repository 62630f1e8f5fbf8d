"""Connections to the warehouse, one DuckDB file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

# By itself DuckDB takes four fifths of the memory, to keep pages that a run reads once.
_MEMORY = "25%"
# What one thread needs to compress a row group of records while it fills the next one.
_LITTLE_MEMORY = "160MB"


class WarehouseBusyError(Exception):
    """Another process holds the warehouse."""


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-write connection to the warehouse at ``path``, which is created when it is not there.

    The session's time zone is UTC, and DuckDB keeps to a quarter of the machine's memory: what does not fit is spilled
    beside the file. Raises WarehouseBusyError when another process has the file open: DuckDB gives a file to one
    process, and within it all connections must be opened with the same configuration. So none is given here, and
    settings are made by SET on the open connection.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        con = duckdb.connect(str(path))
    except duckdb.IOException as error:
        if "lock" not in str(error).lower():
            raise
        raise WarehouseBusyError(
            f"The warehouse {path} is open in another process. Wait until that process has finished, or end it. ({error})"
        ) from error
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"SET memory_limit = '{_MEMORY}'")
    return con


@contextmanager
def little_memory(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Within it DuckDB keeps to 160 MB and to one thread, as each more would want as much; what does not fit is spilled."""
    con.execute(f"SET memory_limit = '{_LITTLE_MEMORY}'")
    con.execute("SET threads = 1")
    try:
        yield
    finally:
        con.execute(f"SET memory_limit = '{_MEMORY}'")
        con.execute("RESET threads")
