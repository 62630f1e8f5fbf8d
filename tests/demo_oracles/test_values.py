"""What the scorecard publishes is what the company's records say, worked out another way."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from publish import Published
from tests.demo_oracles.evenings import RUNS
from tests.demo_oracles.key_results import ORACLES
from tests.demo_oracles.known import Known
from tests.demo_oracles.verdicts import (
    RolledUp,
    Verdict,
    by_function,
    by_objective,
    by_tree,
    judged,
    key_results,
    rolled_up,
    rounded,
    since,
)
from tests.demo_runs import DemoRuns

# The last of six decimals may differ where a percentile or a share was computed in binary.
CLOSE = Decimal("0.000001")

pytestmark = pytest.mark.timeout(1500)


class Evening:
    """What is published on an evening, and what the oracles find of the same evening."""

    def __init__(self, workspace: Path, known: Known) -> None:
        published = Published(workspace / ".plumbline" / "published")
        assert published.run["as_of"] == str(known.today)
        self.current = {row["kr_id"]: row for row in published.table("kr_current")}
        self.objectives = {row["objective_id"]: row for row in published.table("objective_current")}
        self.functions = {row["function_id"]: row for row in published.table("function_current")}
        self.daily: dict[str, dict[date, dict[str, Any]]] = {}
        for row in published.table("kr_daily"):
            self.daily.setdefault(row["kr_id"], {})[date.fromisoformat(row["date"])] = row
        self.series = {kr_id: oracle(known) for kr_id, oracle in ORACLES.items()}
        self.forecasts: dict[str, dict[tuple[date, str], dict[str, Any]]] = {kr_id: {} for kr_id in ORACLES}
        for row in published.table("forecasts"):
            self.forecasts[row["kr_id"]][date.fromisoformat(row["date"]), row["horizon"]] = row
        self.verdicts = {
            kr_id: judged(
                kr_id, series, known, {at: row["p_met"] for at, row in self.forecasts[kr_id].items()}
            )
            for kr_id, series in self.series.items()
        }
        self.last = {kr_id: verdicts[known.today] for kr_id, verdicts in self.verdicts.items()}


@pytest.fixture(scope="session")
def evening(demo_run: DemoRuns, known: Callable[[date], Known]) -> Callable[[date], Evening]:
    return cache(lambda day: Evening(demo_run(*RUNS[day]), known(day)))


def assert_close(published: Decimal | int | None, found: Decimal | Fraction | None, what: object) -> None:
    if found is None or published is None:
        assert published is found, what
    else:
        assert abs(Decimal(published) - rounded(found)) <= CLOSE, what


def test_every_key_result_has_an_oracle() -> None:
    assert set(ORACLES) == set(key_results())


@pytest.mark.parametrize("day", RUNS, ids=str)
@pytest.mark.parametrize("kr_id", sorted(ORACLES))
def test_the_value_of_every_day_is_what_the_records_say(
    evening: Callable[[date], Evening], day: date, kr_id: str
) -> None:
    series, published = evening(day).series[kr_id], evening(day).daily[kr_id]
    assert set(published) == set(series)
    added_up = key_results()[kr_id]["measure"].get("aggregate") in {"count", "sum", "level"}
    for on, value in series.items():
        if added_up:
            assert published[on]["value"] == value, on
        assert_close(published[on]["value"], value, on)


@pytest.mark.parametrize("day", RUNS, ids=str)
@pytest.mark.parametrize("kr_id", sorted(ORACLES))
def test_the_verdict_of_every_day_follows_from_the_rules(
    evening: Callable[[date], Evening], day: date, kr_id: str
) -> None:
    for on, verdict in evening(day).verdicts[kr_id].items():
        assert_same_verdict(evening(day).daily[kr_id][on], verdict, on)


@pytest.mark.parametrize("day", RUNS, ids=str)
def test_the_current_key_results_are_the_last_day_of_their_series(
    evening: Callable[[date], Evening], day: date
) -> None:
    current = evening(day).current
    assert set(current) == set(ORACLES)
    for kr_id, verdict in evening(day).last.items():
        assert current[kr_id]["as_of"] == str(day)
        assert_close(current[kr_id]["value"], verdict.value, kr_id)
        assert_same_verdict(current[kr_id], verdict, kr_id)
        assert current[kr_id]["since"] == str(since(evening(day).verdicts[kr_id])), kr_id


@pytest.mark.parametrize("day", RUNS, ids=str)
@pytest.mark.parametrize("kind", ["objectives", "functions"])
def test_objectives_and_functions_stand_as_their_weakest_key_result(
    evening: Callable[[date], Evening], day: date, kind: str
) -> None:
    published: dict[str, dict[str, Any]] = getattr(evening(day), kind)
    expected = rolled_up(evening(day).last, by_objective() if kind == "objectives" else by_function())
    assert set(published) == set(expected)
    for group, together in expected.items():
        assert_rolled_up(published[group], together, group)
        counted = {status: published[group][status] for status in ("green", "amber", "red")}
        assert counted == {status: together.statuses.count(status) for status in counted}, group


@pytest.mark.parametrize("day", RUNS, ids=str)
def test_an_objective_takes_in_all_that_lead_up_to_it(evening: Callable[[date], Evening], day: date) -> None:
    expected = rolled_up(evening(day).last, by_tree())
    assert len(expected["profitable-growth"].statuses) > len(by_objective()["profitable-growth"])
    for objective_id, together in expected.items():
        assert_rolled_up(evening(day).objectives[objective_id], together, objective_id, "tree_")


@pytest.mark.parametrize("day", RUNS, ids=str)
def test_the_forecasts_of_the_last_day_are_those_of_the_current_key_results(
    evening: Callable[[date], Evening], day: date
) -> None:
    told = 0
    for kr_id, row in evening(day).current.items():
        for horizon in ("soon", "end"):
            forecast = evening(day).forecasts[kr_id].get((day, horizon), {})
            for column in ("p10", "p50", "p90", "p_met"):
                assert row[f"{horizon}_{column}"] == forecast.get(column), (kr_id, horizon, column)
            assert row[f"{horizon}_on"] == forecast.get("for_date")
            told += bool(forecast)
    # Two measure work that there was none of before.
    assert told >= 2 * (len(ORACLES) - 2)


def assert_rolled_up(row: dict[str, Any], together: RolledUp, what: str, prefix: str = "") -> None:
    assert row[f"{prefix}status"] == together.status, what
    assert row[f"{prefix}weakest_kr_id"] == together.weakest, what
    assert_close(row[f"{prefix}progress"], together.progress, what)
    assert row[f"{prefix}key_results"] == len(together.statuses), what


def assert_same_verdict(row: dict[str, Any], verdict: Verdict, what: object) -> None:
    for column in ("progress", "expected_progress", "expected_value", "pace"):
        assert_close(row[column], getattr(verdict, column), (what, column))
    assert (row["status"], row["rule"]) == (verdict.status, verdict.rule), what
