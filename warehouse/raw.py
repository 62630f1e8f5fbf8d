"""The schema ``raw``: every record as it came, the newest version per natural key and, beside it, the older ones."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from connectors.landing import Landing, Manifest
from warehouse import census
from warehouse.connection import little_memory
from warehouse.merge import Batch, LoadResult, create_tables, is_long, merge

RAW_TABLES = (
    "jira_issues",
    "jira_changelogs",
    "jira_statuses",
    "jira_projects",
    "jira_fields",
    "jira_versions",
    "jira_boards",
    "jira_sprints",
    "jira_worklogs",
    "jira_worklog_deletions",
    "hubspot_deals",
    "hubspot_pipelines",
    "hubspot_owners",
    "hubspot_companies",
    "hubspot_deal_companies",
    "salesforce_opportunities",
    "salesforce_opportunity_history",
    "salesforce_field_history",
    "salesforce_stages",
    "salesforce_accounts",
    "salesforce_users",
    "finance_ledger",
    "finance_budgets",
    "finance_rates",
    "finance_files",
)

_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]*")


class LoadError(Exception):
    """A landed file could not be loaded; nothing of it was."""


def create_raw_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing of the raw tables; all are there even when nothing was ever landed for them."""
    for table in RAW_TABLES:
        create_tables(con, table)


def load(con: duckdb.DuckDBPyConnection, landing_root: Path, manifest: Manifest) -> LoadResult:
    """Merge one landed file into its raw table, and commit its cursor, in one transaction.

    The newest version of a key is the one updated last; of two with the same time the one landed last. So the
    current table is the same whatever the order in which files are loaded and however often; a file loaded
    before changes nothing. Needs the tables of ``create_control_tables``. Raises LoadError; then nothing changed.
    """
    done = con.execute("SELECT rows FROM control.loads WHERE file = ?", [manifest.file]).fetchone()
    if done is not None:
        return LoadResult(rows=done[0], unchanged=done[0])
    _verify(landing_root / manifest.file, manifest)
    if is_long(manifest) or _is_first(con, manifest):
        try:
            with little_memory(con):
                return _load(con, landing_root, manifest)
        except LoadError as error:
            if not isinstance(error.__cause__, duckdb.OutOfMemoryException):
                raise
            # Records of an unusual size: better with more memory than not at all.
    return _load(con, landing_root, manifest)


def _is_first(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> bool:
    known = con.execute(
        "SELECT 1 FROM control.loads WHERE source = ? AND stream = ? LIMIT 1",
        [manifest.source, manifest.cursor],
    )
    return known.fetchone() is None


def _load(con: duckdb.DuckDBPyConnection, landing_root: Path, manifest: Manifest) -> LoadResult:
    con.begin()
    try:
        create_tables(con, _table(manifest))
        batch = _batch(con, landing_root, manifest)
        result = census.take(con, batch) if manifest.mode == "census" else merge(con, batch)
        _commit_control(con, manifest, result)
        con.commit()
    except BaseException as error:
        con.rollback()
        if isinstance(error, duckdb.Error | ValueError):
            raise LoadError(f"The landed file {manifest.file} cannot be loaded: {error}") from error
        raise
    return result


def cursors(con: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """How far each stream of a source got: stream name to cursor, as committed together with the data."""
    rows = con.execute("SELECT stream, cursor FROM control.cursors WHERE source = ?", [source]).fetchall()
    return dict(rows)


def pending(con: duckdb.DuckDBPyConnection, landing: Landing) -> list[Manifest]:
    """Files landed but not loaded, in order of finishing: what a crash between the two left."""
    loaded = {row[0] for row in con.execute("SELECT file FROM control.loads").fetchall()}
    return [manifest for manifest in landing.manifests() if manifest.file not in loaded]


def loaded_rows(con: duckdb.DuckDBPyConnection, since: datetime) -> list[dict[str, str | int]]:
    """What was loaded from a moment on, by stream: source, stream, and rows inserted, updated, unchanged and deleted."""
    found = con.execute(
        """
        SELECT source, stream, sum(inserted)::BIGINT, sum(updated)::BIGINT, sum(unchanged)::BIGINT, sum(deleted)::BIGINT
        FROM control.loads WHERE loaded_at >= ? GROUP BY source, stream ORDER BY source, stream
        """,
        [since],
    ).fetchall()
    names = ("source", "stream", "inserted", "updated", "unchanged", "deleted")
    return [dict(zip(names, row, strict=True)) for row in found]


def _verify(path: Path, manifest: Manifest) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise LoadError(
            f"The landed file {manifest.file} is gone though its manifest is there. "
            f"Restore the file, or delete its manifest so that the stream is pulled again."
        ) from error
    if digest != manifest.sha256:
        raise LoadError(
            f"The landed file {manifest.file} is not what was landed: its sha256 is {digest}, its manifest says "
            f"{manifest.sha256}. Restore it, or delete it with its manifest so that the stream is pulled again."
        )


def _table(manifest: Manifest) -> str:
    # The name becomes part of SQL text, and a manifest is a file that anybody may have edited.
    name = f"{manifest.system}_{manifest.stream}"
    if not _PLAIN_NAME.fullmatch(name):
        raise LoadError(f"The manifest of {manifest.file} names no raw table: {name!r}.")
    return name


def _batch(con: duckdb.DuckDBPyConnection, landing_root: Path, manifest: Manifest) -> Batch:
    later = con.execute(
        """
        SELECT file, landed_at FROM control.loads
        WHERE source = ? AND stream = ? AND (landed_at, file) > (?, ?) ORDER BY landed_at, file
        """,
        [manifest.source, manifest.cursor, manifest.finished_at, manifest.file],
    ).fetchall()
    return Batch(
        table=_table(manifest),
        manifest=manifest,
        landing_root=landing_root,
        later=tuple(later),
    )


def _commit_control(con: duckdb.DuckDBPyConnection, manifest: Manifest, result: LoadResult) -> None:
    now = datetime.now(UTC)
    if manifest.cursor_to is not None and not result.late:
        con.execute(
            "INSERT OR REPLACE INTO control.cursors VALUES (?, ?, ?, ?, ?)",
            [manifest.source, manifest.cursor, manifest.cursor_to, manifest.file, now],
        )
    con.execute(
        "INSERT INTO control.loads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        [
            manifest.file,
            manifest.source,
            manifest.cursor,
            manifest.sha256,
            result.rows,
            result.inserted,
            result.updated,
            result.unchanged,
            result.superseded,
            result.deleted,
            result.undated,
            manifest.finished_at,
            now,
        ],
    )
