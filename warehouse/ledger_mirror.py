"""`control.ledger`: the ledger's lines again, where SQL can read them, and what a run has to add to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from warehouse.rows import append_rows

LEDGER_COLUMNS = (
    "number", "run", "run_id", "reported_at", "as_of", "strategy", "computation", "version", "kr_id", "date", "value",
    "value_strict", "baseline", "target", "band_low", "band_high", "progress", "status", "rule", "reason", "definition",
    "soon_on", "soon_p10", "soon_p90", "soon_p_met", "end_on", "end_p10", "end_p90", "end_p_met", "previous", "hash",
)  # fmt: skip
"""The columns of `control.ledger`, in order."""

ANSWER_COLUMNS = LEDGER_COLUMNS[LEDGER_COLUMNS.index("kr_id") : LEDGER_COLUMNS.index("previous")]
"""Those of them that are the answer; the others say who gave it when."""

Row = Mapping[str, Any]

# Only given for the last day: the value without suspect records, and the forecasts.
_OF_THE_LAST_DAY = (
    "value_strict",
    *(column for column in ANSWER_COLUMNS if column.startswith(("soon_", "end_"))),
)
# Another wording of the same status is no other answer.
_TOLD = tuple(
    column for column in ANSWER_COLUMNS if column not in {"kr_id", "date", "reason", *_OF_THE_LAST_DAY}
)


def unreported(con: duckdb.DuckDBPyConnection, definitions: Mapping[str, str]) -> list[Row]:
    """The answers that a run adds to the ledger: those of its last day, and those to earlier days that were not given before.

    `definitions` maps each key result's id to the hash of its definition. Gives rows of ANSWER_COLUMNS, by key result and day.
    """
    now, before = (", ".join(f"{table}.{column}" for column in _TOLD) for table in ("answers", "last_told"))
    last_days = ", ".join(f"last_days.{column}" for column in _OF_THE_LAST_DAY)
    all_columns = ", ".join(f"answers.{column}" for column in ANSWER_COLUMNS)
    found = con.execute(
        f"""
        with definitions as (
            select unnest($kr_ids) as kr_id, unnest($definitions) as definition
        ),
        answers as (
            select
                days.kr_id, days.date, days.value,
                goals.baseline, goals.target, goals.band_low, goals.band_high,
                days.progress, days.status, days.rule, days.reason, definitions.definition,
                {last_days}
            from scorecard.kr_daily as days
            inner join strategy.strategy_key_results as goals on goals.kr_id = days.kr_id
            inner join definitions on definitions.kr_id = days.kr_id
            left join scorecard.kr_current as last_days on last_days.kr_id = days.kr_id and last_days.as_of = days.date
        ),
        last_told as (
            select * from control.ledger
            qualify row_number() over (partition by kr_id, date order by number desc) = 1
        )
        select {all_columns} from answers
        left join last_told on last_told.kr_id = answers.kr_id and last_told.date = answers.date
        where answers.date = (select max(date) from answers)
            or ({now}) is distinct from ({before})
        order by answers.kr_id, answers.date
        """,  # noqa: S608 - the names are this module's own
        {"kr_ids": list(definitions), "definitions": list(definitions.values())},
    ).fetchall()
    return [dict(zip(ANSWER_COLUMNS, row, strict=True)) for row in found]


def mirror(con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
    """Add those of the ledger's rows (LEDGER_COLUMNS) that `control.ledger` lacks."""
    _stage(con, rows)
    con.execute(
        "INSERT INTO control.ledger SELECT * FROM staged_ledger WHERE number NOT IN (SELECT number FROM control.ledger)"
    )
    con.execute("DROP TABLE staged_ledger")


def strayed(con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> list[int]:
    """Numbers of the rows of `control.ledger` that are not among `rows`, the ledger's, as they stand."""
    _stage(con, rows)
    found = con.execute(
        "SELECT number FROM (SELECT * FROM control.ledger EXCEPT SELECT * FROM staged_ledger) ORDER BY number"
    ).fetchall()
    con.execute("DROP TABLE staged_ledger")
    return [number for (number,) in found]


def ledger_head(con: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
    """`number` and `hash` of the newest line that the warehouse knows; None when it knows none."""
    row = con.execute("SELECT number, hash FROM control.ledger ORDER BY number DESC LIMIT 1").fetchone()
    return None if row is None else {"number": row[0], "hash": row[1]}


def _stage(con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
    """The rows in a temporary table."""
    con.execute("CREATE OR REPLACE TEMP TABLE staged_ledger AS SELECT * FROM control.ledger LIMIT 0")
    append_rows(con, "staged_ledger", [[row[column] for column in LEDGER_COLUMNS] for row in rows])
