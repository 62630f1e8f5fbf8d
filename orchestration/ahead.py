"""What only chance can say, drawn between the two builds of a refresh: when hand-offs end, and where key results will stand."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import scorecard
from orchestration.workspace import Workspace
from scorecard.handoffs import HandoffDay, handoff_finish
from scorecard.outlook import Aim, BackTest, Forecast, Growth, Series, back_tests, forecasts, lead
from strategy import KeyResult, Measure, MetricMeasure, Strategy, code_hash
from warehouse.forecasts import kept_forecasts, replace_forecasts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_INDICATORS = "key_results.indicator_values"


@dataclass(frozen=True)
class LeadingIndicator:
    """What the history says of an indicator that a key result declares, counted from 1 (`scorecard.forecast.leading`)."""

    kr_id: str
    indicator_no: int
    verdict: str
    lead_weeks: int | None
    correlation: float | None
    p_value: float


def look_ahead(con: "DuckDBPyConnection", workspace: Workspace) -> None:
    """Fill the schema `forecast` for every reported day of the cycle; what was drawn before from the same is kept."""
    _look_at_handoffs(con, workspace.strategy)
    _look_at_key_results(con, workspace.strategy)


def _look_at_handoffs(con: "DuckDBPyConnection", strategy: Strategy) -> None:
    holidays = [holiday.date for holiday in strategy.holidays]
    columns = ", ".join(field.name for field in fields(HandoffDay))
    table = "handoffs.handoff_days"
    days = con.execute(f"select {columns} from {table}").fetchall() if table in _built(con) else []  # noqa: S608
    confidence = float(strategy.thresholds.handoff.confidence)
    finishes = [handoff_finish(HandoffDay(*day), holidays, confidence) for day in days]
    replace_forecasts(con, "handoff_finish", finishes)


def _look_at_key_results(con: "DuckDBPyConnection", strategy: Strategy) -> None:
    # Forecasts made by other code are not kept.
    method, built = code_hash(Path(scorecard.__file__).parent), _built(con)
    tested: defaultdict[str, list[BackTest]] = defaultdict(list)
    for test in kept_forecasts(con, "back_test", BackTest):
        tested[test.kr_id].append(test)
    drawn: defaultdict[str, dict[tuple[date, str], Forecast]] = defaultdict(dict)
    for forecast in kept_forecasts(con, "key_result", Forecast):
        drawn[forecast.kr_id][forecast.date, forecast.horizon] = forecast
    tests: list[BackTest] = []
    ahead: list[Forecast] = []
    indicators: list[LeadingIndicator] = []
    for key_result in strategy.key_results:
        table = f"key_results.{key_result.model}"
        if table not in built:
            continue
        values = con.execute(f"select date, value from {table} where value is not null").fetchall()  # noqa: S608
        heard = list(_indicators(con, strategy, key_result)) if _INDICATORS in built else []
        series = replace(_series(strategy, key_result, key_result.measure, values), indicators=heard)
        own_tests = back_tests(series, method, tested[key_result.id])
        tests += own_tests
        ahead += forecasts(series, own_tests, method, drawn[key_result.id])
        indicators += _leads(series)
    replace_forecasts(con, "back_test", tests)
    replace_forecasts(con, "key_result", ahead)
    replace_forecasts(con, "leading_indicator", indicators)


def _indicators(con: "DuckDBPyConnection", strategy: Strategy, key_result: KeyResult) -> Iterator[Series]:
    """The series of the leading indicators that a key result declares."""
    for number, indicator in enumerate(key_result.definition.leading_indicators, start=1):
        values = con.execute(
            f"select date, value from {_INDICATORS} where kr_id = ? and indicator_no = ? and value is not null",  # noqa: S608
            [key_result.id, number],
        ).fetchall()
        yield _series(strategy, key_result, indicator.compared, values)


def _leads(series: Series) -> Iterator[LeadingIndicator]:
    last = max(series.values, default=series.start)
    for number, indicator in enumerate(series.indicators, start=1):
        found = lead(series, indicator, last)
        yield LeadingIndicator(
            series.kr_id, number, found.verdict, found.weeks, found.correlation, found.p_value
        )


def _series(
    strategy: Strategy, key_result: KeyResult, measure: Measure, values: list[tuple[date, object]]
) -> Series:
    cycle = strategy.cycle
    return Series(
        kr_id=key_result.id,
        growth=_growth(key_result, measure),
        aim=_aim(key_result),
        start=cycle.start,
        cycle_days=(cycle.end - cycle.start).days + 1,
        soon=7 * strategy.thresholds.band.weeks,
        values={day: float(str(value)) for day, value in values},
    )


def _growth(key_result: KeyResult, measure: Measure) -> Growth:
    if isinstance(measure, MetricMeasure):
        return "total" if key_result.definition.kind == "accumulate" else "level"
    if measure.window != "cycle":
        return "level"
    return "total" if measure.aggregate in ("count", "sum") else "average"


def _aim(key_result: KeyResult) -> Aim:
    said = key_result.definition
    if said.band is not None:
        low, high = said.band.low, said.band.high
    else:
        rises = said.target is not None and said.baseline is not None and said.target > said.baseline
        low, high = (said.target, None) if rises else (None, said.target)
    return Aim(*(None if side is None else float(side) for side in (low, high)))


def _built(con: "DuckDBPyConnection") -> set[str]:
    """The tables that are there, as schema.name; that of a model which failed is not."""
    return {
        row[0]
        for row in con.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    }
