"""What is drawn between the two builds: an indicator that leads is found, enters the forecast, and is kept with it."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from orchestration.ahead import look_ahead
from orchestration.workspace import Workspace
from warehouse.forecasts import create_forecast_tables

EXAMPLE = Path(__file__).parents[1] / "strategy" / "example"
START, CYCLE, AS_OF = date(2026, 10, 5), 91, date(2026, 11, 15)
PLUMBLINE = """
company: Example
sources:
  jira: {type: jira_cloud, base_url: "https://jira.example", email: "${EMAIL}", api_token: "${TOKEN}"}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "plumbline.yml").write_text(PLUMBLINE, encoding="utf-8")
    return Workspace(tmp_path)


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """A warehouse in which contracts are won three weeks after deals were opened, as many of them; its weeks are unlike."""
    dice = np.random.default_rng(3)
    days = [START + timedelta(days=number) for number in range(-4 * CYCLE, (AS_OF - START).days + 1)]
    opened = np.repeat(dice.poisson(40, len(days) // 7 + 5), 7)[: len(days) + 21]
    cycle = [(day - START).days // CYCLE for day in days]
    values = {
        name: pd.Series(counts, dtype=float).groupby(cycle).cumsum()
        for name, counts in (("opened", opened[21:]), ("won", opened[:-21] + dice.poisson(4, len(days))))
    }
    con = duckdb.connect()
    create_forecast_tables(con)
    con.execute("create schema key_results")
    won = pd.DataFrame({"kr_id": "revenue-won", "date": days, "value": values["won"]})
    deals = pd.DataFrame({"kr_id": "revenue-won", "indicator_no": 1, "date": days, "value": values["opened"]})
    for table, rows in (("kr_revenue_won", won), ("indicator_values", deals)):
        con.register("given", rows)
        con.execute(f"create table key_results.{table} as select * replace (date::date as date) from given")
    return con


def test_an_indicator_that_leads_enters_the_forecast_of_its_key_result(
    workspace: Workspace, con: duckdb.DuckDBPyConnection
) -> None:
    look_ahead(con, workspace)
    found = con.execute(
        "select kr_id, indicator_no, verdict, lead_weeks from forecast.leading_indicator"
    ).fetchall()
    assert found == [("revenue-won", 1, "leads", 3)]
    last = con.execute(
        "select indicator_no, indicator_weight from forecast.key_result where date = ? and horizon = 'end'",
        [AS_OF],
    ).fetchall()
    assert [number for number, _ in last] == [1]
    assert last[0][1] > 0.3
    tested = con.execute("from forecast.back_test order by all").fetchall()
    con.execute("update forecast.key_result set p50 = -1")
    look_ahead(con, workspace)
    assert con.execute("select distinct p50 from forecast.key_result").fetchall() == [(-1.0,)]
    con.execute("update key_results.indicator_values set value = value + 1 where date = ?", [AS_OF])
    look_ahead(con, workspace)
    anew = con.execute("select distinct date from forecast.key_result where p50 <> -1").fetchall()
    assert anew == [(AS_OF,)]
    assert con.execute("from forecast.back_test order by all").fetchall() == tested


def test_without_the_series_of_indicators_there_are_forecasts(
    workspace: Workspace, con: duckdb.DuckDBPyConnection
) -> None:
    con.execute("drop table key_results.indicator_values")
    look_ahead(con, workspace)
    assert con.execute("select count(*) from forecast.leading_indicator").fetchall() == [(0,)]
    weights = con.execute(
        "select distinct indicator_no, indicator_weight from forecast.key_result"
    ).fetchall()
    assert weights == [(None, 0.0)]
