"""How a landed file becomes part of a raw table: a few set-based statements inside the caller's transaction.

Table names cannot be parameters of a statement; those put in here have been checked to be plain names.
"""

# ruff: noqa: S608

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from connectors.landing import Manifest
from warehouse.vanished import is_at_once, note

# Records compressed by zstd are written in a third less time than by DuckDB's own choice, and take a quarter of the space.
_COLUMNS = """
    _source VARCHAR NOT NULL,
    _stream VARCHAR NOT NULL,
    _key VARCHAR NOT NULL,
    _updated_at TIMESTAMPTZ NOT NULL,
    _landed_at TIMESTAMPTZ NOT NULL,
    _landed_file VARCHAR NOT NULL,
    _deleted BOOLEAN NOT NULL,
    record JSON USING COMPRESSION zstd NOT NULL
"""


# Packed; it is some 40,000 records. Loading less takes little memory anyway, and more time where it is held down.
_LONG_BYTES = 4 << 20


@dataclass(frozen=True)
class Batch:
    """One landed file on its way into ``raw.<table>``.

    ``later`` names the files of the same stream that landed after this one and are loaded already, each with the
    time it landed; normally there is none.
    """

    table: str
    manifest: Manifest
    landing_root: Path
    later: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True)
class LoadResult:
    """What loading one file did, in rows.

    ``inserted`` keys are new, ``updated`` ones got a newer version, ``unchanged`` rows made no difference to the
    current table; ``superseded`` versions are new in the history; ``deleted`` keys are missing from a snapshot.
    ``undated`` rows have no readable time of update where the stream has one: the time of landing stands for it.
    ``late`` says that a file which landed afterwards had been loaded before.
    """

    rows: int
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    deleted: int = 0
    undated: int = 0
    late: bool = False


def is_long(manifest: Manifest) -> bool:
    """Whether a file is so long that memory counts for more than time."""
    return manifest.bytes >= _LONG_BYTES


def create_tables(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Create ``raw.<table>`` and ``raw.<table>__superseded`` where they are missing."""
    con.execute("CREATE SCHEMA IF NOT EXISTS raw")
    con.execute(f"CREATE TABLE IF NOT EXISTS raw.{table} ({_COLUMNS})")
    con.execute(
        f"CREATE TABLE IF NOT EXISTS raw.{table}__superseded ({_COLUMNS}, _superseded_at TIMESTAMPTZ NOT NULL)"
    )


def merge(con: duckdb.DuckDBPyConnection, batch: Batch) -> LoadResult:
    """Merge the batch; raises ValueError or duckdb.Error when the file does not hold what its manifest says."""
    known = con.execute(f"SELECT 1 FROM raw.{batch.table} WHERE _source = ? LIMIT 1", [batch.manifest.source])
    if known.fetchone() is None and not batch.later:
        if batch.manifest.mode == "snapshot":
            note(con, batch.manifest)
        return _fill(con, batch)
    return _merge_into(con, batch)


def _fill(con: duckdb.DuckDBPyConnection, batch: Batch) -> LoadResult:
    """The first load of a source goes straight into the table, so that the bulk of all data is written once."""
    table = f"raw.{batch.table}"
    rows = count(con, f"INSERT INTO {table} {_select(batch)}")
    require_rows(rows, batch.manifest)
    undated = _undated(con, table, batch.manifest)
    repeated = _set_older_aside(con, table, batch.manifest.source)
    superseded = _keep_as_history(con, batch)
    _drop(con, "older")
    return LoadResult(
        rows=rows,
        inserted=rows - repeated,
        unchanged=repeated,
        superseded=superseded,
        undated=undated,
    )


def _merge_into(con: duckdb.DuckDBPyConnection, batch: Batch) -> LoadResult:
    manifest = batch.manifest
    rows, undated = _take_in(con, batch)
    _set_older_aside(con, "landed", manifest.source)
    _meet_current(con, batch)
    superseded = _supersede(con, batch)
    deleted = _mark_deleted(con, batch)
    updated = count(
        con,
        f"DELETE FROM raw.{batch.table} WHERE rowid IN (SELECT current_row FROM met WHERE verdict = 'newer')",
    )
    # What a late snapshot still adds is in none of the later ones.
    gone = manifest.mode == "snapshot" and bool(batch.later)
    written = count(
        con,
        f"""
        INSERT INTO raw.{batch.table} SELECT * REPLACE ({gone} AS _deleted) FROM landed
        WHERE rowid NOT IN (SELECT landed_row FROM met WHERE verdict <> 'newer')
        """,
    )
    arrived_old = _keep_as_history(con, batch)
    _drop(con, "landed", "older", "met")
    return LoadResult(
        rows=rows,
        inserted=written - updated,
        updated=updated,
        unchanged=rows - written,
        superseded=superseded + deleted + arrived_old,
        deleted=deleted,
        undated=undated,
        late=bool(batch.later),
    )


def _take_in(con: duckdb.DuckDBPyConnection, batch: Batch) -> tuple[int, int]:
    """The temporary table ``landed`` of the records in the file; returns how many those are, and how many are undated.

    Of a long file only those that may change something: one that comes again as a whole is mostly as it was. It is
    read twice then, so that the others need no room. Alike are records of one hash (64 bits) of their key and themselves.
    """
    manifest = batch.manifest
    if not is_long(manifest) or manifest.mode == "snapshot":
        rows = count(con, f"CREATE OR REPLACE TEMP TABLE landed AS {_select(batch)}")
        require_rows(rows, manifest)
        return rows, _undated(con, "landed", manifest)
    rows = count(
        con,
        f"""
        CREATE OR REPLACE TEMP TABLE seen AS
        SELECT _key, hash(_key, record) AS hash, _updated_at = _landed_at AS is_undated FROM ({_select(batch)})
        """,
    )
    require_rows(rows, manifest)
    undated = count(con, "SELECT count(*) FROM seen WHERE is_undated") if manifest.updated_at else 0
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE unlike AS
        SELECT _key FROM seen WHERE hash NOT IN (
            SELECT hash(_key, record) FROM raw.{batch.table}
            WHERE _source = $source AND NOT (_deleted AND {_in_order(batch)})
        )
        """,
        {"source": manifest.source},
    )
    # Or DuckDB takes the file for the smaller side, and holds all of it.
    con.execute("SET disabled_optimizers = 'build_side_probe_side'")
    try:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE landed AS FROM ({_select(batch)}) WHERE _key IN (SELECT _key FROM unlike)"
        )
    finally:
        con.execute("RESET disabled_optimizers")
    _drop(con, "seen", "unlike")
    return rows, undated


def _set_older_aside(con: duckdb.DuckDBPyConnection, table: str, source: str) -> int:
    """Leave the newest row per key in ``table``, move the others to the temporary table ``older``; returns how many.

    Of two that were updated at the same time the later one in the file is the newer.

    Keys are narrow: finding the repeated ones first spares sorting whole records.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE surplus AS
        SELECT rowid AS landed_row FROM {table}
        WHERE _source = $source
            AND _key IN (SELECT _key FROM {table} WHERE _source = $source GROUP BY _key HAVING count(*) > 1)
        QUALIFY row_number() OVER (PARTITION BY _key ORDER BY _updated_at DESC, rowid DESC) > 1
        """,
        {"source": source},
    )
    surplus = "WHERE rowid IN (SELECT landed_row FROM surplus)"
    con.execute(f"CREATE OR REPLACE TEMP TABLE older AS SELECT * FROM {table} {surplus}")
    moved = count(con, f"DELETE FROM {table} {surplus}")
    _drop(con, "surplus")
    return moved


def _meet_current(con: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """The temporary table ``met``: a row per landed key that is known already, and which of the two is newer."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE met AS
        SELECT
            landed.rowid AS landed_row,
            known.rowid AS current_row,
            CASE
                WHEN landed.record = known.record AND NOT (known._deleted AND {_in_order(batch)}) THEN 'same'
                WHEN {_newer(batch)} THEN 'newer'
                ELSE 'older'
            END AS verdict
        FROM landed
        JOIN raw.{batch.table} AS known ON known._key = landed._key AND known._source = landed._source
        """
    )
    if batch.later:
        _defer_to_later(con, batch)


def _in_order(batch: Batch) -> bool:
    return not batch.later


def _newer(batch: Batch) -> str:
    """The condition under which a landed row replaces the one that is known."""
    if _in_order(batch):
        return """
            (landed._updated_at, landed._landed_at, landed._landed_file, landed.record)
            > (known._updated_at, known._landed_at, known._landed_file, known.record)
        """
    # Which of two was landed last is then asked of the later files: the known row does not tell, as one that was seen
    # again unchanged keeps the time it was landed first, and a deleted one has the time of its deletion.
    return "true" if batch.manifest.updated_at is None else "landed._updated_at >= known._updated_at"


def _defer_to_later(con: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Let nothing win that a file which landed later has overruled."""
    later = " UNION ALL ".join(
        _select_file(batch.manifest, batch.landing_root, file, landed_at) for file, landed_at in batch.later
    )
    con.execute(
        f"""
        UPDATE met SET verdict = 'older' WHERE verdict = 'newer' AND landed_row IN (
            SELECT landed.rowid FROM landed JOIN ({later}) AS later
            ON later._key = landed._key AND later._updated_at >= landed._updated_at
        )
        """
    )


def _supersede(con: duckdb.DuckDBPyConnection, batch: Batch) -> int:
    """Copy current rows that lose to a landed one into the history, and set landed ones that lose aside."""
    con.execute(
        """
        INSERT INTO older SELECT * FROM landed
        WHERE rowid IN (SELECT landed_row FROM met WHERE verdict = 'older')
        """
    )
    return count(
        con,
        f"""
        INSERT INTO raw.{batch.table}__superseded
        SELECT *, greatest(_landed_at, ?) FROM raw.{batch.table}
        WHERE rowid IN (SELECT current_row FROM met WHERE verdict = 'newer')
        """,
        [batch.manifest.finished_at],
    )


def _mark_deleted(con: duckdb.DuckDBPyConnection, batch: Batch) -> int:
    """Give keys that are missing from a snapshot a new version that says so; the one before goes to the history.

    Unless they are missing all at once, or the snapshot is empty: then they stay as they are, and that is noted.
    """
    manifest = batch.manifest
    if manifest.mode != "snapshot" or batch.later:
        return 0
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE missing AS SELECT rowid AS current_row FROM raw.{batch.table}
        WHERE _source = ? AND NOT _deleted AND _key NOT IN (SELECT _key FROM landed)
        """,
        [manifest.source],
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE vanished AS
        SELECT '' AS scope, 'unobserved' AS state, (SELECT count(*) FROM missing) AS missing, count(*) AS known
        FROM raw.{batch.table} WHERE _source = ? AND NOT _deleted
        HAVING (SELECT count(*) FROM missing) > 0
            AND ({manifest.rows} = 0 OR {is_at_once("(SELECT count(*) FROM missing)", "count(*)")})
        """,
        [manifest.source],
    )
    note(con, manifest, "FROM vanished")
    con.execute("DELETE FROM missing WHERE EXISTS (FROM vanished)")
    con.execute(
        f"""
        INSERT INTO raw.{batch.table}__superseded
        SELECT *, ? FROM raw.{batch.table} WHERE rowid IN (SELECT current_row FROM missing)
        """,
        [manifest.finished_at],
    )
    marked = count(
        con,
        f"""
        UPDATE raw.{batch.table}
        SET _deleted = true, _landed_at = $landed_at, _landed_file = $file,
            _updated_at = CASE WHEN $dated THEN _updated_at ELSE $landed_at END
        WHERE rowid IN (SELECT current_row FROM missing)
        """,
        {
            "landed_at": manifest.finished_at,
            "file": manifest.file,
            "dated": manifest.updated_at is not None,
        },
    )
    _drop(con, "missing", "vanished")
    return marked


def _keep_as_history(con: duckdb.DuckDBPyConnection, batch: Batch) -> int:
    """Add what is in ``older`` to the history, each version once; they never were current."""
    table = f"raw.{batch.table}"
    return count(
        con,
        f"""
        INSERT INTO {table}__superseded
        SELECT DISTINCT *, _landed_at FROM older
        WHERE NOT EXISTS (
            FROM {table} AS known
            WHERE known._key = older._key AND known._source = older._source AND known.record = older.record
        ) AND NOT EXISTS (
            FROM {table}__superseded AS known
            WHERE known._key = older._key AND known._source = older._source AND known.record = older.record
        )
        """,
    )


def _select(batch: Batch) -> str:
    manifest = batch.manifest
    return _select_file(manifest, batch.landing_root, manifest.file, manifest.finished_at)


def _select_file(manifest: Manifest, landing_root: Path, file: str, landed_at: datetime) -> str:
    """The query that reads a landed file of the stream as rows of its raw table.

    A time of update is ISO text with any offset, or epoch milliseconds; text without an offset is read as UTC.
    """
    paths = [*manifest.key, *([manifest.updated_at] if manifest.updated_at else [])]
    picked = ", ".join(literal(json_path(path)) for path in paths)
    key = " || '/' || ".join(f"picked[{place}]" for place in range(1, len(manifest.key) + 1))
    no_key = f"a record has no natural key at {' and '.join('.'.join(path) for path in manifest.key)}: "
    landed = f"{literal(landed_at.isoformat())}::TIMESTAMPTZ"
    updated = f"picked[{len(paths)}]" if manifest.updated_at else "NULL"
    return f"""
        SELECT
            {literal(manifest.source)} AS _source,
            {literal(manifest.stream)} AS _stream,
            CASE WHEN {key} IS NULL THEN error({literal(no_key)} || left(json, 200)) ELSE {key} END AS _key,
            coalesce(
                try_cast({updated} AS TIMESTAMPTZ),
                try(make_timestamp(try_cast({updated} AS BIGINT) * 1000)) AT TIME ZONE 'UTC',
                {landed}
            ) AS _updated_at,
            {landed} AS _landed_at,
            {literal(file)} AS _landed_file,
            false AS _deleted,
            json AS record
        FROM (
            SELECT json, json_extract_string(json, [{picked}]) AS picked
            FROM {records_of(landing_root / file)}
        )
    """


def records_of(path: Path) -> str:
    """The table function that reads a landed file: a row for each record, in the column ``json``."""
    return f"read_ndjson_objects({literal(no_pattern(path))}, compression = 'gzip')"


def no_pattern(path: Path) -> str:
    """DuckDB reads a path as a pattern; a workspace folder may well be named with a star or a bracket."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def json_path(path: Sequence[str]) -> str:
    """A path in DuckDB's notation, whatever the names are made of."""
    return "$" + "".join('."' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in path)


def literal(value: str) -> str:
    """A text as it stands in a statement."""
    return "'" + value.replace("'", "''") + "'"


def require_rows(rows: int, manifest: Manifest) -> None:
    """Raises ValueError where a file holds another number of records than its manifest says."""
    if rows != manifest.rows:
        raise ValueError(f"it holds {rows} records where its manifest says {manifest.rows}")


def _undated(con: duckdb.DuckDBPyConnection, table: str, manifest: Manifest) -> int:
    if manifest.updated_at is None:
        return 0
    return count(
        con,
        f"SELECT count(*) FROM {table} WHERE _landed_file = ? AND _updated_at = _landed_at",
        [manifest.file],
    )


def count(
    con: duckdb.DuckDBPyConnection, statement: str, parameters: list[object] | dict[str, object] | None = None
) -> int:
    """The single number a statement answers: for one that writes, how many rows it wrote."""
    row = con.execute(statement, parameters).fetchone()
    if row is None:
        raise RuntimeError(f"DuckDB gave no number for: {statement}")
    return int(row[0])


def _drop(con: duckdb.DuckDBPyConnection, *tables: str) -> None:
    for table in tables:
        con.execute(f"DROP TABLE temp.{table}")
