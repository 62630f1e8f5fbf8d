"""Publish a run: all of its tables in a folder of their own, then one atomic switch of `current`.

    published/
      20261030T180000.123456Z-1f3a5c7e/   one folder per run, never changed afterwards
        run.json                          run id, as-of day, versions, inputs
        tables/<table>.parquet            every public table
        json/<table>.json                 the tables that grow with the strategy
        sql/<kr>.sql                      the compiled SQL of every key result
        exports/key-results.xlsx          to take away: workbook, CSV, JSON, and exceptions.atom
        site/index.html                   the pages that leaders read, made from the above
      current -> 20261030T180000.123456Z-1f3a5c7e

A reader opens `current` and never sees half a run; a run that dies leaves only a `.part` folder, which the next one removes.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from publish.exports import write_exports
from publish.reading import Published
from publish.site import build_site
from publish.tables import PUBLIC_TABLES, PublicTable

KEPT_RUNS = 30
"""Older published runs are removed: each is a full copy, and the warehouse can compute any past day again."""


@dataclass(frozen=True)
class Publication:
    """A run as published: its folder and the number of rows of each table."""

    folder: Path
    rows: dict[str, int]


def publish(
    con: duckdb.DuckDBPyConnection,
    root: Path,
    run: Mapping[str, Any],
    compiled_sql: Mapping[str, str],
) -> Publication:
    """Write the public tables of the run under `root` and make it the current one.

    `run` is what goes into `run.json` and must hold `run_id`; `compiled_sql` maps a KR's id to its SQL.
    Raises `duckdb.Error` or `OSError`, in both cases before anything a reader sees has changed.
    """
    # Named by the moment and not by the run alone: a step that is run again must not touch what readers have open.
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{str(run['run_id'])[:8]}"
    root.mkdir(parents=True, exist_ok=True)
    for left_over in root.glob("*.part"):
        shutil.rmtree(left_over)
    part = root / f"{name}.part"
    for folder in ("tables", "json", "sql"):
        (part / folder).mkdir(parents=True)
    rows = {
        table.name: write_table(con, table, f"select * from scorecard.{table.name}", part)  # noqa: S608
        for table in PUBLIC_TABLES
    }
    for kr_id, sql in compiled_sql.items():
        (part / "sql" / f"{kr_id}.sql").write_text(sql, encoding="utf-8")
    (part / "run.json").write_text(
        json.dumps({**run, "rows": rows}, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    write_pages(part)
    _flush(part)
    final = root / name
    part.rename(final)
    _switch(root, name)
    _remove_old_runs(root, keep=name)
    return Publication(final, rows)


def write_pages(folder: Path) -> None:
    """Write into the folder of a run all that is made from its tables alone, so that a narrowed copy has nothing else in it."""
    published = Published(folder.parent, folder.name)
    write_exports(published, folder / "exports")
    build_site(published, folder / "site")


def write_table(con: duckdb.DuckDBPyConnection, table: PublicTable, query: str, folder: Path) -> int:
    """Write the rows of a query as a public table below the folder of a run; returns how many there were."""
    # Names of our own, from PUBLIC_TABLES.
    order = ", ".join(f'"{column}"' for column in table.grain)
    ordered = f"select * from ({query}) order by {order}"  # noqa: S608
    parquet = folder / "tables" / f"{table.name}.parquet"
    written = con.execute(
        f"copy ({ordered}) to {_literal(parquet)} (format parquet, compression zstd)"
    ).fetchone()
    if table.as_json:
        con.execute(
            f"copy ({ordered}) to {_literal(folder / 'json' / f'{table.name}.json')} (format json, array true)"
        )
    return int(written[0]) if written else 0


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _flush(folder: Path) -> None:
    """Force the folder's files to disk: the switch must not become durable before what it points to."""
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _switch(root: Path, name: str) -> None:
    link = root / f".current-{name}"
    link.symlink_to(name)
    link.replace(root / "current")


def _remove_old_runs(root: Path, keep: str) -> None:
    runs = sorted(
        (p for p in root.iterdir() if p.is_dir() and not p.is_symlink()), key=lambda p: p.stat().st_mtime
    )
    for old in runs[:-KEPT_RUNS]:
        if old.name != keep:
            shutil.rmtree(old)
