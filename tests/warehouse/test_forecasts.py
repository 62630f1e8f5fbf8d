"""The kept forecasts: they stay from run to run, and give way to the tables of a newer version."""

from pathlib import Path

from orchestration.ahead import LeadingIndicator
from warehouse.connection import connect
from warehouse.forecasts import create_forecast_tables, kept_forecasts, replace_forecasts


def test_forecasts_of_the_same_version_stay(tmp_path: Path) -> None:
    with connect(tmp_path / "warehouse.duckdb") as con:
        create_forecast_tables(con)
        con.execute(
            "INSERT INTO forecast.key_result SELECT 'a', DATE '2026-10-05', 'end', * FROM"
            " (VALUES (DATE '2027-01-03', 1, 2, 3, 0.5, 0, 0, NULL, 4, 'made of'))"
        )
        create_forecast_tables(con)
        assert con.execute("SELECT kr_id FROM forecast.key_result").fetchall() == [("a",)]


def test_tables_of_another_version_give_way(tmp_path: Path) -> None:
    with connect(tmp_path / "warehouse.duckdb") as con:
        con.execute("CREATE SCHEMA forecast; CREATE TABLE forecast.leading_indicator AS SELECT 'a' AS kr_id")
        create_forecast_tables(con)
        row = LeadingIndicator("b", 1, "leads", 4, 0.5, 0.01)
        replace_forecasts(con, "leading_indicator", [row])
        assert kept_forecasts(con, "leading_indicator", LeadingIndicator) == [row]
