"""The schema ``forecast``: what was computed by chance, outside SQL, for the scorecard's models to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import duckdb
import pandas as pd

Row = TypeVar("Row")

_TABLES = """
CREATE SCHEMA IF NOT EXISTS forecast;

CREATE OR REPLACE TABLE forecast.handoff_finish (
    handoff_id VARCHAR NOT NULL,
    date DATE NOT NULL,
    p50_on DATE,
    p85_on DATE,
    sure_on DATE,
    items_per_week DOUBLE NOT NULL
);

CREATE TABLE IF NOT EXISTS forecast.key_result (
    kr_id VARCHAR NOT NULL,
    date DATE NOT NULL,
    horizon VARCHAR NOT NULL,
    for_date DATE NOT NULL,
    p10 DOUBLE NOT NULL,
    p50 DOUBLE NOT NULL,
    p90 DOUBLE NOT NULL,
    p_met DOUBLE NOT NULL,
    reference_weight DOUBLE NOT NULL,
    indicator_weight DOUBLE NOT NULL,
    indicator_no INTEGER,
    earlier_cycles INTEGER NOT NULL,
    made_of VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS forecast.back_test (
    kr_id VARCHAR NOT NULL,
    date DATE NOT NULL,
    for_date DATE NOT NULL,
    p10 DOUBLE NOT NULL,
    p50 DOUBLE NOT NULL,
    p90 DOUBLE NOT NULL,
    p_met DOUBLE NOT NULL,
    own_score DOUBLE,
    reference_score DOUBLE,
    indicator_score DOUBLE,
    value DOUBLE NOT NULL,
    met BOOLEAN NOT NULL,
    made_of VARCHAR NOT NULL
);

CREATE OR REPLACE TABLE forecast.leading_indicator (
    kr_id VARCHAR NOT NULL,
    indicator_no INTEGER NOT NULL,
    verdict VARCHAR NOT NULL,
    lead_weeks INTEGER,
    correlation DOUBLE,
    p_value DOUBLE NOT NULL
);
"""


def create_forecast_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the schema ``forecast``; of an earlier run only what is not drawn again when nothing has changed is kept.

    Tables that another version of Plumbline made are dropped: everything in them can be drawn again.
    """
    with duckdb.connect() as empty:
        empty.execute(_TABLES)
        if _columns(con) != _columns(empty):
            con.execute("DROP SCHEMA IF EXISTS forecast CASCADE")
    con.execute(_TABLES)


def _columns(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    return con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'forecast' ORDER BY ALL"
    ).fetchall()


def kept_forecasts(con: duckdb.DuckDBPyConnection, table: str, row: type[Row]) -> list[Row]:
    """The rows of ``forecast.<table>`` as an earlier run left them, as dataclasses whose fields are its columns in order."""
    return [row(*values) for values in con.execute(f"SELECT * FROM forecast.{table}").fetchall()]  # noqa: S608


def replace_forecasts(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[object]) -> None:
    """Replace the rows of ``forecast.<table>`` by these dataclasses, whose fields are its columns in order."""
    con.begin()
    con.execute(f"DELETE FROM forecast.{table}")  # noqa: S608 - the names are our own
    if rows:
        con.register("forecast_rows", pd.DataFrame(rows))
        con.execute(f"INSERT INTO forecast.{table} BY NAME SELECT * FROM forecast_rows")  # noqa: S608
        con.unregister("forecast_rows")
    con.commit()
