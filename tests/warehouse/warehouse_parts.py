"""Real parts for the warehouse's tests: landing files written by the real writer, a real DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from connectors.landing import Landing, Manifest
from connectors.stream import Stream
from warehouse.control import create_control_tables
from warehouse.raw import create_raw_tables

ISSUES = Stream("issues", key=(("id",),), updated_at=("fields", "updated"))
STATUSES = Stream("statuses", key=(("id",),), updated_at=None, mode="snapshot")


def prepared(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute("SET TimeZone = 'UTC'")
    create_raw_tables(con)
    create_control_tables(con)
    return con


def memory_warehouse() -> duckdb.DuckDBPyConnection:
    return prepared(duckdb.connect())


def land(
    root: Path,
    stream: Stream,
    records: Iterable[Mapping[str, Any]],
    *,
    source: str = "acme",
    system: str = "jira",
    cursor_to: str | None = None,
) -> Manifest:
    with Landing(root).open(source, system, stream, None, "3") as writer:
        writer.write(records)
        writer.cursor_to = cursor_to
    return writer.manifest


def issue(key: str, updated: str | int | None, **fields: Any) -> dict[str, Any]:
    return {"id": key, "fields": {"updated": updated, **fields}}


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def current(con: duckdb.DuckDBPyConnection, table: str = "jira_issues") -> set[tuple[str, str, bool]]:
    return set(rows(con, f"SELECT _key, record::VARCHAR, _deleted FROM raw.{table}"))


def versions(con: duckdb.DuckDBPyConnection, table: str = "jira_issues") -> set[tuple[str, str]]:
    return set(
        rows(
            con,
            f"SELECT _key, record::VARCHAR FROM raw.{table} "
            f"UNION ALL SELECT _key, record::VARCHAR FROM raw.{table}__superseded",
        )
    )


def everything(con: duckdb.DuckDBPyConnection, table: str = "jira_issues") -> list[list[tuple[Any, ...]]]:
    """All that a load may touch, in a fixed order."""
    names = (f"raw.{table}", f"raw.{table}__superseded", "control.cursors", "control.loads")
    return [rows(con, f"SELECT * FROM {name} ORDER BY ALL") for name in names]
