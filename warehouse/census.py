"""What a census says of the records that are known: which were deleted or archived, which are there again or cannot be seen.

Table names cannot be parameters of a statement; those put in here have been checked to be plain names.
"""

# ruff: noqa: S608

from __future__ import annotations

import duckdb

from warehouse.merge import Batch, LoadResult, count, json_path, literal, records_of, require_rows
from warehouse.vanished import is_at_once, note

# The members by which records of HubSpot and Salesforce say themselves that they are put away, and will be purged in time.
_PUT_AWAY = ("archived", "IsDeleted")


def take(con: duckdb.DuckDBPyConnection, batch: Batch) -> LoadResult:
    """Judge the known records by a census; raises ValueError or duckdb.Error when the file does not hold what its manifest says.

    Records that landed after the census began are not in it, and nothing is said of them. Those that were put away before
    may vanish, as many as they are. An older census that is loaded after a newer one says nothing at all.
    """
    manifest = batch.manifest
    rows = count(
        con,
        f"""
        CREATE OR REPLACE TEMP TABLE counted AS
        SELECT
            json_extract_string(json, '$.id') AS _key,
            coalesce(json_extract_string(json, '$.scope'), '') AS scope,
            coalesce(json_extract_string(json, '$.archived') = 'true', false) AS is_archived
        FROM {records_of(batch.landing_root / manifest.file)}
        """,
    )
    require_rows(rows, manifest)
    if batch.later:
        return LoadResult(rows=rows, unchanged=rows, late=True)
    put_away = " OR ".join(f"coalesce(record->>'$.{name}' = 'true', false)" for name in _PUT_AWAY)
    scope = f"json_extract_string(record, {literal(json_path(manifest.scope))})" if manifest.scope else "''"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE known AS
        SELECT
            rowid AS current_row,
            coalesce({scope}, '') AS scope,
            _deleted,
            {put_away} AS was_put_away,
            _key IN (SELECT _key FROM counted WHERE _key IS NOT NULL) AS is_there
        FROM raw.{batch.table}
        WHERE _source = ? AND _landed_at < ?
        """,
        [manifest.source, manifest.started_at],
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scopes AS
        SELECT
            scope,
            count(*) FILTER (NOT is_there) AS missing,
            count(*) AS known,
            CASE
                WHEN scope NOT IN (SELECT scope FROM counted) THEN 'access lost'
                WHEN {is_at_once("count(*) FILTER (NOT is_there)", "count(*)")} THEN 'unobserved'
                ELSE 'deleted'
            END AS state
        FROM known WHERE NOT _deleted AND NOT was_put_away
        GROUP BY scope
        HAVING count(*) FILTER (NOT is_there) > 0
        """
    )
    deleted = _turn(
        con,
        batch,
        """NOT _deleted AND NOT is_there
            AND (was_put_away OR scope IN (SELECT scope FROM scopes WHERE state = 'deleted'))""",
    )
    back = _turn(con, batch, "_deleted AND is_there")
    con.execute(
        """
        INSERT INTO scopes
        SELECT scope, count(*) FILTER (is_archived), count(*), 'archived' FROM counted WHERE _key IS NOT NULL
        GROUP BY scope HAVING bool_or(is_archived)
        """
    )
    note(con, manifest, "SELECT scope, state, missing, known FROM scopes WHERE state <> 'deleted'")
    for table in ("counted", "known", "scopes"):
        con.execute(f"DROP TABLE temp.{table}")
    return LoadResult(rows=rows, unchanged=rows, updated=back, superseded=deleted + back, deleted=deleted)


def _turn(con: duckdb.DuckDBPyConnection, batch: Batch, which: str) -> int:
    """Give these of the known rows a new version that is deleted where it was not, and the other way round."""
    rows = f"rowid IN (SELECT current_row FROM known WHERE {which})"
    landed_at, file = batch.manifest.finished_at, batch.manifest.file
    con.execute(
        f"INSERT INTO raw.{batch.table}__superseded SELECT *, ? FROM raw.{batch.table} WHERE {rows}",
        [landed_at],
    )
    return count(
        con,
        f"UPDATE raw.{batch.table} SET _deleted = NOT _deleted, _landed_at = ?, _landed_file = ? WHERE {rows}",
        [landed_at, file],
    )
