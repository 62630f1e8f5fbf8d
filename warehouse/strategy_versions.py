"""Which version of the strategy each run stood on: only what changed from one run to the next is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import duckdb

from warehouse.control import current_run
from warehouse.rows import append_rows

Fact = tuple[str, str, str, str | None]
"""Kind, subject, field and value of one fact that a strategy declares."""

VersionRow = tuple[str, date, datetime, date, date, str, str, str, str | None]
"""A row of `control.strategy_versions`: run, its day, its start (UTC), the cycle's first and last day, and the fact."""

_APPEND_CHANGES = """
INSERT INTO control.strategy_versions
WITH run AS (
    SELECT run_id, as_of, started_at FROM control.run
),
facts AS (
    SELECT unnest($kinds) AS kind, unnest($subjects) AS subject, unnest($fields) AS field, unnest($values) AS value
),
latest AS (
    SELECT kind, subject, field, value FROM control.strategy_versions
    WHERE cycle_end >= $cycle_start AND cycle_start <= $cycle_end
    QUALIFY row_number() OVER (PARTITION BY kind, subject, field ORDER BY seen_at DESC, rowid DESC) = 1
),
gone AS (
    SELECT kind, subject, field, CAST(NULL AS VARCHAR) AS value FROM latest
    WHERE field = 'declared' AND value IS NOT NULL
        AND NOT EXISTS (FROM facts WHERE facts.kind = latest.kind AND facts.subject = latest.subject)
),
changes AS (
    SELECT facts.* FROM facts
    LEFT JOIN latest USING (kind, subject, field)
    WHERE latest.kind IS NULL OR latest.value IS DISTINCT FROM facts.value
    UNION ALL
    FROM gone
)
SELECT run.run_id, run.as_of, run.started_at, $cycle_start, $cycle_end, changes.*
FROM changes CROSS JOIN run
"""


def record_strategy(con: duckdb.DuckDBPyConnection, facts: Iterable[Fact], cycle: tuple[date, date]) -> None:
    """Append what the strategy of the current run says otherwise than the one before it, or for the first time.

    `cycle` is its first and last day. What was said of another cycle, one that shares no day with this, is not compared.
    Raises RuntimeError when no run has begun.
    """
    if current_run(con) is None:
        raise RuntimeError("no run has begun: call begin_run before recording its strategy")
    kinds, subjects, fields, values = (list(column) for column in zip(*facts, strict=True))
    con.execute(
        _APPEND_CHANGES,
        {
            "kinds": kinds, "subjects": subjects, "fields": fields, "values": values,
            "cycle_start": cycle[0], "cycle_end": cycle[1],
        },
    )  # fmt: skip


def kept_versions(con: duckdb.DuckDBPyConnection) -> list[VersionRow]:
    """Everything that is kept, in the order in which it was seen."""
    return con.execute("FROM control.strategy_versions ORDER BY seen_at, rowid").fetchall()


def restore_versions(con: duckdb.DuckDBPyConnection, rows: Sequence[VersionRow]) -> None:
    """Put back those of the rows that are not kept any more."""
    kept = set(kept_versions(con))
    append_rows(con, "control.strategy_versions", [row for row in rows if row not in kept])
