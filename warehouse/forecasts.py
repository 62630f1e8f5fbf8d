"""The schema ``forecast``: what was computed by chance, outside SQL, for the scorecard's models to read."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pandas as pd

_TABLES = """
CREATE SCHEMA IF NOT EXISTS forecast;

CREATE TABLE IF NOT EXISTS forecast.handoff_finish (
    handoff_id VARCHAR NOT NULL,
    date DATE NOT NULL,
    p50_on DATE,
    p85_on DATE,
    items_per_week DOUBLE NOT NULL
);
"""


def create_forecast_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing of the schema ``forecast``."""
    con.execute(_TABLES)


def replace_forecasts(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[object]) -> None:
    """Replace the rows of ``forecast.<table>`` by these dataclasses, whose fields are its columns in order."""
    con.begin()
    con.execute(f"DELETE FROM forecast.{table}")  # noqa: S608 - the names are our own
    if rows:
        con.register("forecast_rows", pd.DataFrame(rows))
        con.execute(f"INSERT INTO forecast.{table} BY NAME SELECT * FROM forecast_rows")  # noqa: S608
        con.unregister("forecast_rows")
    con.commit()
