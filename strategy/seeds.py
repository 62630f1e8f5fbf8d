"""The strategy as tables: the CSV seeds that dbt loads into the schema `strategy`.

Text that people wrote goes into the warehouse this way only, so that none of it is ever read as SQL or Jinja.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from strategy.alignment import led_to
from strategy.measure_text import measure_text
from strategy.measures import TableMeasure
from strategy.strategy import KeyResult, Strategy

Cell = str | int | Decimal | date | None

_TEXT = "varchar"
_NUMBER = "decimal(28, 6)"
_DAY = "date"


@dataclass(frozen=True)
class Seed:
    """One table: its columns with their SQL types, and its rows."""

    columns: Mapping[str, str]
    rows: Callable[[Strategy], Iterable[Sequence[Cell]]]

    def csv(self, strategy: Strategy) -> str:
        """The rows as CSV; what is not known is empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_cell(value) for value in row] for row in self.rows(strategy))
        return text.getvalue()


def _cell(value: Cell) -> str:
    return "" if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)


def _text(*columns: str) -> dict[str, str]:
    return dict.fromkeys(columns, _TEXT)


def _functions(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    return ((one.id, one.name, one.head.name, one.head.email) for one in strategy.functions)


def _members(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    for one in strategy.functions:
        for kind, values in (
            ("project", one.projects),
            ("cost_centre", one.cost_centres),
            ("pipeline", one.pipelines),
        ):
            yield from ((one.id, kind, value) for value in values)


def _objectives(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    for one in strategy.objectives:
        sponsor = one.sponsor
        yield (
            one.id,
            one.name,
            one.level,
            one.function,
            one.perspective,
            sponsor.name,
            sponsor.email,
            ",".join(one.supports),
            ",".join(one.drives),
        )


def _objective_trees(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    supports = {one.id: one.supports for one in strategy.objectives}
    for one in strategy.objectives:
        yield from ((above, one.id) for above in sorted({one.id} | led_to(one.id, supports)))


def _key_results(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    for position, key_result in enumerate(strategy.key_results, start=1):
        yield _key_result(position, key_result)


def _key_result(position: int, key_result: KeyResult) -> Sequence[Cell]:
    said = key_result.definition
    return (
        said.id,
        said.name,
        key_result.objective.id,
        key_result.function,
        said.owner.name,
        said.owner.email,
        key_result.perspective,
        said.kind,
        said.unit,
        said.baseline,
        said.target,
        said.band.low if said.band else None,
        said.band.high if said.band else None,
        said.pace,
        measure_text(said.measure),
        key_result.model,
        ",".join(said.handoffs),
        position,
    )


def _measures(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    for key_result in strategy.key_results:
        measure = key_result.measure
        if isinstance(measure, TableMeasure):
            scale = 100 if measure.aggregate == "ratio" and key_result.definition.unit == "%" else 1
            yield (key_result.id, measure.aggregate, _divisor(measure), scale, -1 if measure.negate else 1)


def _divisor(measure: TableMeasure) -> str | None:
    if measure.aggregate != "ratio":
        return None
    return "against" if measure.against else "amounts" if measure.column else "records"


def _steps(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    for key_result in strategy.key_results:
        yield from ((key_result.id, step.date, step.value) for step in key_result.definition.steps)


def _leading_indicators(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    for key_result in strategy.key_results:
        for number, one in enumerate(key_result.definition.leading_indicators, start=1):
            yield (key_result.id, number, one.name, measure_text(one.measure))


def _resources(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    for key_result in strategy.key_results:
        budget, capacity = key_result.definition.budget, key_result.definition.capacity
        if budget or capacity:
            yield (
                key_result.id,
                budget.amount if budget else None,
                capacity.people if capacity else None,
            )


def _spenders(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    for key_result in strategy.key_results:
        budget = key_result.definition.budget
        yield from ((key_result.id, cost_centre) for cost_centre in (budget.cost_centres if budget else ()))


def _handoffs(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    return (
        (one.id, one.name, one.giver, one.receiver, one.needed_by, one.scope) for one in strategy.handoffs
    )


def _kr_handoffs(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    for key_result in strategy.key_results:
        yield from ((key_result.id, handoff) for handoff in key_result.definition.handoffs)


def _thresholds(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    limits = strategy.thresholds
    return [
        ("pace", limits.pace.red, limits.pace.amber),
        ("forecast", limits.forecast.red, limits.forecast.amber),
        ("stalled", None, limits.stalled.days),
        ("handoff", None, limits.handoff.confidence),
        ("starved", None, limits.starved.ratio),
        ("resources", None, limits.resources.lead_points),
        ("resources_idle", None, limits.resources.idle_weeks),
        ("band", None, limits.band.weeks),
        ("hysteresis", None, limits.hysteresis.days),
    ]


def _holidays(strategy: Strategy) -> Iterable[Sequence[Cell]]:
    return ((one.date, one.name) for one in strategy.holidays)


_KEY_RESULT_COLUMNS = {
    **_text(
        "kr_id",
        "name",
        "objective_id",
        "function_id",
        "owner_name",
        "owner_email",
        "perspective",
        "kind",
        "unit",
    ),
    **dict.fromkeys(("baseline", "target", "band_low", "band_high"), _NUMBER),
    **_text("pace", "measure_text", "model", "handoffs"),
    "sort_order": "integer",
}

SEEDS: Mapping[str, Seed] = {
    "strategy_functions": Seed(_text("function_id", "name", "head_name", "head_email"), _functions),
    "strategy_function_members": Seed(_text("function_id", "kind", "value"), _members),
    "strategy_objectives": Seed(
        _text(
            "objective_id",
            "name",
            "level",
            "function_id",
            "perspective",
            "sponsor_name",
            "sponsor_email",
            "supports",
            "drives",
        ),
        _objectives,
    ),
    "strategy_objective_trees": Seed(_text("objective_id", "member_id"), _objective_trees),
    "strategy_key_results": Seed(_KEY_RESULT_COLUMNS, _key_results),
    "strategy_measures": Seed(
        {**_text("kr_id", "aggregate", "divisor"), "scale": "integer", "sign": "integer"}, _measures
    ),
    "strategy_steps": Seed({"kr_id": _TEXT, "on_date": _DAY, "expected_value": _NUMBER}, _steps),
    "strategy_leading_indicators": Seed(
        {"kr_id": _TEXT, "indicator_no": "integer", **_text("name", "measure_text")}, _leading_indicators
    ),
    "strategy_handoffs": Seed(
        {
            **_text("handoff_id", "name", "giver_function", "receiver_function"),
            "needed_by": _DAY,
            "scope_filter": _TEXT,
        },
        _handoffs,
    ),
    "strategy_kr_handoffs": Seed(_text("kr_id", "handoff_id"), _kr_handoffs),
    "strategy_resources": Seed({"kr_id": _TEXT, "budget": _NUMBER, "people": _NUMBER}, _resources),
    "strategy_spenders": Seed(_text("kr_id", "cost_centre"), _spenders),
    "strategy_thresholds": Seed({"rule": _TEXT, "red": _NUMBER, "amber": _NUMBER}, _thresholds),
    "strategy_holidays": Seed({"on_date": _DAY, "name": _TEXT}, _holidays),
}
"""Seed name -> columns and rows. dbt, the compiler and the scorecard's SQL know the tables by these names."""
