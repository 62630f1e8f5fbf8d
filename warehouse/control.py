"""The schema ``control``: what was loaded, which run this is, and what every check said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import duckdb

from warehouse.rows import append_rows

Kind = Literal[
    "gate", "test", "pull", "run", "model", "sensor", "freshness", "volume", "schema", "census", "delivery", "quarantine",
]  # fmt: skip
Severity = Literal["warn", "error"]

_TABLES = """
CREATE SCHEMA IF NOT EXISTS control;

CREATE TABLE IF NOT EXISTS control.counted (
    source VARCHAR NOT NULL,
    stream VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    missing BIGINT NOT NULL,
    known BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS control.cursors (
    source VARCHAR NOT NULL,
    stream VARCHAR NOT NULL,
    cursor VARCHAR NOT NULL,
    landed_file VARCHAR NOT NULL,
    committed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source, stream)
);

CREATE TABLE IF NOT EXISTS control.loads (
    file VARCHAR PRIMARY KEY,
    source VARCHAR NOT NULL,
    stream VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    inserted BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    superseded BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    undated BIGINT NOT NULL,
    landed_at TIMESTAMPTZ NOT NULL,
    loaded_at TIMESTAMPTZ NOT NULL,
    built_at TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS control.fields (
    source VARCHAR NOT NULL,
    stream VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    types VARCHAR NOT NULL,
    records BIGINT NOT NULL,
    present BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS control.build (
    definition VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS control.run (
    run_id VARCHAR NOT NULL,
    as_of DATE NOT NULL,
    as_of_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE IF NOT EXISTS control.streams (
    source VARCHAR NOT NULL,
    system VARCHAR NOT NULL,
    stream VARCHAR NOT NULL,
    business_lag_days INTEGER
);

CREATE TABLE IF NOT EXISTS control.addresses (
    source VARCHAR NOT NULL,
    stream VARCHAR NOT NULL,
    address VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS control.kr_inputs (
    kr_id VARCHAR NOT NULL,
    node VARCHAR NOT NULL,
    source VARCHAR,
    stream VARCHAR
);

CREATE TABLE IF NOT EXISTS control.check_results (
    run_id VARCHAR NOT NULL,
    checked_at TIMESTAMPTZ NOT NULL,
    as_of DATE NOT NULL,
    kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    check_name VARCHAR NOT NULL,
    passed BOOLEAN NOT NULL,
    severity VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    failing_rows BIGINT,
    caused_by VARCHAR
);
ALTER TABLE control.check_results ADD COLUMN IF NOT EXISTS caused_by VARCHAR;

CREATE TABLE IF NOT EXISTS control.strategy_versions (
    run_id VARCHAR NOT NULL,
    as_of DATE NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    cycle_start DATE NOT NULL,
    cycle_end DATE NOT NULL,
    kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    value VARCHAR
);

CREATE TABLE IF NOT EXISTS control.ledger (
    number BIGINT NOT NULL,
    run BIGINT NOT NULL,
    run_id VARCHAR NOT NULL,
    reported_at TIMESTAMPTZ NOT NULL,
    as_of DATE NOT NULL,
    strategy VARCHAR NOT NULL,
    computation VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    kr_id VARCHAR NOT NULL,
    date DATE NOT NULL,
    value DECIMAL(28, 6),
    value_strict DECIMAL(28, 6),
    baseline DECIMAL(28, 6),
    target DECIMAL(28, 6),
    band_low DECIMAL(28, 6),
    band_high DECIMAL(28, 6),
    progress DECIMAL(18, 6),
    status VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    definition VARCHAR NOT NULL,
    soon_on DATE,
    soon_p10 DECIMAL(28, 6),
    soon_p90 DECIMAL(28, 6),
    soon_p_met DECIMAL(9, 6),
    end_on DATE,
    end_p10 DECIMAL(28, 6),
    end_p90 DECIMAL(28, 6),
    end_p_met DECIMAL(9, 6),
    previous VARCHAR NOT NULL,
    hash VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS control.restated_days (
    kr_id VARCHAR NOT NULL,
    date DATE NOT NULL,
    number BIGINT NOT NULL,
    value DECIMAL(28, 6),
    definition VARCHAR NOT NULL,
    value_then DECIMAL(28, 6),
    value_with_late DECIMAL(28, 6),
    unsplit_reason VARCHAR,
    split_at TIMESTAMPTZ
);
"""


@dataclass(frozen=True)
class Run:
    """The current run. ``as_of_at`` is the first instant after the as-of day in the cycle's time zone, in UTC."""

    run_id: str
    as_of: date
    as_of_at: datetime
    started_at: datetime


@dataclass(frozen=True)
class ConfiguredStream:
    """A stream that ``plumbline.yml`` asks for. ``business_lag_days``: how many days behind its data may be."""

    source: str
    system: str
    stream: str
    business_lag_days: int | None


@dataclass(frozen=True)
class KeyResultInput:
    """One relation (``schema.table``) a key result descends from; raw tables also name their source and stream."""

    kr_id: str
    node: str
    source: str | None
    stream: str | None


@dataclass(frozen=True)
class CheckResult:
    """What one check said about ``subject`` (``schema.table`` or ``source.stream``).

    ``caused_by``: the relation whose failure kept this one from being made; None when the cause is its own.
    """

    kind: Kind
    subject: str
    check_name: str
    passed: bool
    severity: Severity
    message: str
    failing_rows: int | None = None
    caused_by: str | None = None


def create_control_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing of the schema ``control``.

    The copy of the ledger is filled from its files: one of an older shape is made anew.
    """
    found = con.execute(
        "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'control' AND table_name = 'ledger'"
    ).fetchall()
    if found and ("end_p_met",) not in found:
        con.execute("DROP TABLE control.ledger")
    con.execute(_TABLES)


def begin_run(con: duckdb.DuckDBPyConnection, run_id: str, as_of: date, timezone: str) -> Run:
    """Make this the current run, the only row of ``control.run``; ``timezone`` is the cycle's."""
    day_after = datetime.combine(as_of + timedelta(days=1), time(), ZoneInfo(timezone))
    run = Run(run_id, as_of, day_after.astimezone(UTC), datetime.now(UTC))
    _replace(con, "control.run", [(run.run_id, run.as_of, run.as_of_at, run.started_at)])
    return run


def current_run(con: duckdb.DuckDBPyConnection) -> Run | None:
    """The current run, or None before the first one."""
    row = con.execute("SELECT run_id, as_of, as_of_at, started_at FROM control.run").fetchone()
    if row is None:
        return None
    return Run(row[0], row[1], row[2].astimezone(UTC), row[3].astimezone(UTC))


def built_by(con: duckdb.DuckDBPyConnection) -> str | None:
    """The definition that staging and flow were last built by, None before the first build."""
    row = con.execute("SELECT definition FROM control.build").fetchone()
    return None if row is None else str(row[0])


def mark_built(con: duckdb.DuckDBPyConnection, definition: str) -> None:
    """Say that staging and flow hold everything that was loaded, built by ``definition``."""
    _replace(con, "control.build", [(definition,)])
    con.execute("UPDATE control.loads SET built_at = ? WHERE built_at IS NULL", [datetime.now(UTC)])


def set_streams(con: duckdb.DuckDBPyConnection, streams: Iterable[ConfiguredStream]) -> None:
    """Replace the list of configured streams."""
    rows = [(each.source, each.system, each.stream, each.business_lag_days) for each in streams]
    _replace(con, "control.streams", rows)


def set_addresses(con: duckdb.DuckDBPyConnection, addresses: Mapping[str, Mapping[str, str]]) -> None:
    """Replace where the records of these sources are opened (source to stream to address); others keep theirs."""
    kept = con.execute("SELECT source, stream, address FROM control.addresses").fetchall()
    rows = [(source, stream, told) for source, each in addresses.items() for stream, told in each.items()]
    _replace(con, "control.addresses", [*(row for row in kept if row[0] not in addresses), *rows])


def set_kr_inputs(con: duckdb.DuckDBPyConnection, inputs: Iterable[KeyResultInput]) -> None:
    """Replace what each key result descends from."""
    rows = [(each.kr_id, each.node, each.source, each.stream) for each in inputs]
    _replace(con, "control.kr_inputs", rows)


def record_checks(con: duckdb.DuckDBPyConnection, results: Sequence[CheckResult]) -> None:
    """Append results of the current run; raises RuntimeError when no run has begun."""
    run = current_run(con)
    if run is None:
        raise RuntimeError("no run has begun: call begin_run before recording checks")
    checked_at = datetime.now(UTC)
    append_rows(
        con,
        "control.check_results",
        [
            (
                run.run_id,
                checked_at,
                run.as_of,
                each.kind,
                each.subject,
                each.check_name,
                each.passed,
                each.severity,
                each.message,
                each.failing_rows,
                each.caused_by,
            )
            for each in results
        ],
    )


def latest_checks(con: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """The last result of every check (kind, subject, name) over all runs, ordered by these three."""
    rows = con.execute(
        """
        SELECT kind, subject, check_name, passed, severity, message, failing_rows, caused_by
        FROM control.check_results
        QUALIFY row_number() OVER (PARTITION BY kind, subject, check_name ORDER BY checked_at DESC, rowid DESC) = 1
        ORDER BY kind, subject, check_name
        """
    ).fetchall()
    return [CheckResult(*row) for row in rows]


def run_checks(con: duckdb.DuckDBPyConnection, run_id: str) -> list[CheckResult]:
    """Everything the checks of one run said, in the order of recording."""
    rows = con.execute(
        """
        SELECT kind, subject, check_name, passed, severity, message, failing_rows, caused_by
        FROM control.check_results WHERE run_id = ? ORDER BY rowid
        """,
        [run_id],
    ).fetchall()
    return [CheckResult(*row) for row in rows]


Row = tuple[str | int | bool | date | datetime | None, ...]


def _replace(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> None:
    con.begin()
    try:
        con.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are this module's own
        append_rows(con, table, rows)
    except BaseException:
        con.rollback()
        raise
    con.commit()
