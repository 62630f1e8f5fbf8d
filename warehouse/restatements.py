"""`control.restated_days`: past days that read differently now, the line that first told each, and the values that split them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import duckdb


@dataclass(frozen=True)
class RestatedDay:
    """A day whose value differs. `known_at`: everything landed by then was known to the run that `first_value` was told by.

    `happened_by`: what happened later that run could not know. `same_definition`: today's answer is computed in the same way.
    """

    kr_id: str
    date: date
    known_at: datetime
    happened_by: datetime
    first_value: Decimal
    value: Decimal
    same_definition: bool


@dataclass(frozen=True)
class Split:
    """A day's values by today's definition, from the records known then and with the late ones; or why they are not known."""

    kr_id: str
    date: date
    value_then: Decimal | None
    value_with_late: Decimal | None
    unsplit_reason: str | None


def restated_days(
    con: duckdb.DuckDBPyConnection, definitions: Mapping[str, str], timezone: str, *, simulated: bool
) -> list[RestatedDay]:
    """Find the days that read differently now, and give those whose value has to be split, the longest waiting first.

    A day is first told by the first run that stands on it or on a later day when it is over in `timezone`; a run of a
    simulation stands at the end of its day, whatever the clock says. `definitions` maps the id of each key result to its hash.
    A split stays until the day's value changes again; when a run has time it is computed anew.
    """
    _find(con, timezone, simulated)
    _keep(con, definitions)
    rows = con.execute(
        """
        SELECT
            found.kr_id, found.date, found.known_at, found.happened_by, found.first_value, found.value,
            found.definition = days.definition
        FROM found
        INNER JOIN days ON days.kr_id = found.kr_id AND days.date = found.date
        WHERE found.first_value <> found.value
        ORDER BY days.split_at NULLS FIRST, found.known_at DESC, found.kr_id, found.date
        """
    ).fetchall()
    con.execute("DROP TABLE found")
    con.execute("DROP TABLE days")
    return [RestatedDay(*row) for row in rows]


def _find(con: duckdb.DuckDBPyConnection, timezone: str, simulated: bool) -> None:
    """The temporary table `found`: the days that read differently, beside the line of the ledger that first told each."""
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE found AS
        WITH runs AS (
            SELECT DISTINCT run, reported_at, as_of, timezone($timezone, CAST(as_of + 1 AS TIMESTAMP)) AS evening
            FROM control.ledger
        ),
        begun AS (
            SELECT kr_id, date, min(run) AS run FROM control.ledger GROUP BY kr_id, date
        ),
        over AS (
            SELECT days.date, min(runs.run) AS run
            FROM (SELECT DISTINCT date FROM control.ledger) AS days
            INNER JOIN runs ON runs.as_of >= days.date
                AND ($simulated OR runs.reported_at >= timezone($timezone, CAST(days.date + 1 AS TIMESTAMP)))
            GROUP BY days.date
        ),
        told AS (
            SELECT begun.kr_id, begun.date, greatest(begun.run, over.run) AS run
            FROM begun INNER JOIN over ON over.date = begun.date
        ),
        first_told AS (
            SELECT lines.* EXCLUDE (run, reported_at, as_of), runs.reported_at AS known_at,
                CASE WHEN $simulated THEN runs.evening ELSE least(runs.evening, runs.reported_at) END AS happened_by
            FROM told
            INNER JOIN runs ON runs.run = told.run
            INNER JOIN control.ledger AS lines
                ON lines.kr_id = told.kr_id AND lines.date = told.date AND lines.run <= told.run
            QUALIFY row_number() OVER (PARTITION BY lines.kr_id, lines.date ORDER BY lines.number DESC) = 1
        )
        SELECT
            first_told.kr_id, first_told.date, first_told.number, first_told.known_at, first_told.happened_by,
            first_told.value AS first_value, first_told.definition, days.value
        FROM first_told
        INNER JOIN scorecard.kr_daily AS days ON days.kr_id = first_told.kr_id AND days.date = first_told.date
        WHERE (days.value, days.progress, days.status)
            IS DISTINCT FROM (first_told.value, first_told.progress, first_told.status)
        """,
        {"timezone": timezone, "simulated": simulated},
    )


def _keep(con: duckdb.DuckDBPyConnection, definitions: Mapping[str, str]) -> None:
    """Make `control.restated_days` hold the days found, with the splits that still stand; also as the temporary table `days`."""
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE days AS
        SELECT
            found.kr_id, found.date, found.number, found.value, definitions.definition,
            before.value_then, before.value_with_late, before.unsplit_reason, before.split_at
        FROM found
        INNER JOIN (SELECT unnest($kr_ids) AS kr_id, unnest($definitions) AS definition) AS definitions
            ON definitions.kr_id = found.kr_id
        LEFT JOIN control.restated_days AS before
            ON before.kr_id = found.kr_id AND before.date = found.date AND before.number = found.number
            AND before.definition = definitions.definition AND before.value IS NOT DISTINCT FROM found.value
        """,
        {"kr_ids": list(definitions), "definitions": list(definitions.values())},
    )
    con.begin()
    con.execute("DELETE FROM control.restated_days")
    con.execute("INSERT INTO control.restated_days SELECT * FROM days")
    con.commit()


def record_splits(con: duckdb.DuckDBPyConnection, splits: Sequence[Split], split_at: datetime) -> None:
    """Put the splits beside their days; one that was not found has a reason and is tried again."""
    if not splits:
        return
    names = ("kr_id", "date", "value_then", "value_with_late", "unsplit_reason")
    con.execute(
        """
        UPDATE control.restated_days AS days
        SET value_then = found.value_then, value_with_late = found.value_with_late,
            unsplit_reason = found.unsplit_reason, split_at = found.split_at
        FROM (
            SELECT
                unnest($kr_id) AS kr_id, unnest($date) AS date, unnest($value_then) AS value_then,
                unnest($value_with_late) AS value_with_late, unnest($unsplit_reason) AS unsplit_reason,
                CAST($split_at AS TIMESTAMPTZ) AS split_at
        ) AS found
        WHERE days.kr_id = found.kr_id AND days.date = found.date
        """,
        {**{name: [getattr(split, name) for split in splits] for name in names}, "split_at": split_at},
    )
