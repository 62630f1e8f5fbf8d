"""The strategy as its files say it: functions, objectives with their key results, hand-offs.

Each file has its model (`FunctionsFile`, `ObjectiveFile`, `HandoffsFile`; `CycleFile` is in `strategy.cycle`).
Days are days in the cycle's time zone, money is in the company's currency, all numbers are `Decimal`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from strategy.field_types import Day, Id, Number, Part, Person, Text, Unit, known, require_known
from strategy.measures import (
    Measure,
    RollingWindow,
    TableMeasure,
    checked_filter,
    is_total_of_cycle,
    work_filter,
)
from strategy.yaml_source import rule_broken

Perspective = Literal["financial", "customer", "internal_process", "learning_growth"]
KeyResultKind = Literal["reach", "accumulate", "maintain"]
Level = Literal["company", "function"]
Pace = Literal["linear", "working_days", "steps", "seasonal"]

_PERSPECTIVE = "financial, customer, internal_process or learning_growth"
_ID = "lower-case letters, digits and hyphens"


class Function(Part):
    """A part of the company, its head, and where its work, money and deals are found."""

    id: Id = Field(description=_ID)
    name: Text = Field(description="the function's name")
    head: Person = Field(description="the one person who leads it, as {name, email}")
    projects: list[Text] = Field(default=[], description="a list of project keys of the tracker")
    cost_centres: list[Text] = Field(
        default=[], description="a list of cost centres of the ledger, in quotes"
    )
    pipelines: list[Text] = Field(default=[], description="a list of pipeline ids of the CRM, in quotes")


class FunctionsFile(Part):
    """functions.yml"""

    functions: list[Function] = Field(
        min_length=1, description="a list of {id, name, head, projects, cost_centres, pipelines}"
    )


class Objective(Part):
    """What the company or one function wants to achieve in the cycle."""

    id: Id = Field(description=_ID)
    name: Text = Field(description="the objective in a sentence")
    level: Level = Field(description="company or function")
    function: str | None = Field(
        default=None, validate_default=True, description="the id of a function in functions.yml"
    )
    perspective: Perspective = Field(description=_PERSPECTIVE)
    supports: list[str] = Field(default=[], description="a list of ids of the objectives it leads up to")
    drives: list[str] = Field(
        default=[], description="a list of ids of the objectives that it makes possible"
    )
    sponsor: Person = Field(description="the one person who stands behind it, as {name, email}")

    @field_validator("function")
    @classmethod
    def _function_fits_level(cls, function: str | None, info: ValidationInfo) -> str | None:
        if function is None and info.data.get("level") == "function":
            raise rule_broken(
                "`function` is missing", "Add `function`: the id of a function in functions.yml."
            )
        if function is not None and info.data.get("level") == "company":
            raise rule_broken(
                "a company objective belongs to no function", "Remove `function`, or set `level: function`."
            )
        return _known_function(function, info)

    @field_validator("supports", "drives")
    @classmethod
    def _others_exist(cls, others: list[str], info: ValidationInfo) -> list[str]:
        strategy = known(info)
        for position, objective in enumerate(others if strategy else ()):
            require_known(objective, strategy.objectives if strategy else (), "objective", position)
        return others


class Band(Part):
    """Between which values a maintained key result stays; either side may be open."""

    low: Number | None = Field(default=None, description="the lowest value that is fine")
    high: Number | None = Field(
        default=None, validate_default=True, description="the highest value that is fine"
    )

    @field_validator("high")
    @classmethod
    def _holds_something(cls, high: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if "low" not in info.data:
            return high
        low = info.data["low"]
        if low is None and high is None:
            raise rule_broken("the band has no side", "Add `low` or `high`.")
        if low is not None and high is not None and high <= low:
            raise rule_broken("`high` is not above `low`", "Set `high` to a value above `low`.")
        return high


class Step(Part):
    """A dated milestone: the value expected by that day."""

    date: Day = Field(description="the day, as 2026-11-02")
    value: Number = Field(description="the value expected by then, in the key result's unit")


class LeadingIndicator(Part):
    """A measure that is expected to move before the key result does."""

    name: Text = Field(description="the indicator's name")
    measure: Measure = Field(description="{table, aggregate, column, at, filter, window} or {metric}")

    @property
    def compared(self) -> Measure:
        """The measure whose weeks are compared with those of the key result.

        Of a count or sum over a rolling window, what comes in counts when it comes: the window also moves by what leaves it.
        """
        said = self.measure
        if (
            isinstance(said, TableMeasure)
            and isinstance(said.window, RollingWindow)
            and said.aggregate in ("count", "sum")
        ):
            return said.model_copy(update={"window": "cycle"})
        return said


class Budget(Part):
    """Money meant for a key result."""

    amount: Number = Field(ge=0, description="an amount in the company's currency")
    cost_centres: list[Text] = Field(
        min_length=1, description="a list of cost centres that spend it, in quotes"
    )


class Capacity(Part):
    """People meant for a key result, and how the work that they do for it is found."""

    people: Number = Field(gt=0, description="a number of people")
    work: str | None = Field(
        default=None,
        description="a SQL condition over work_items that finds their work, for example epic_key = 'PLAT-7'; "
        "default: the filter of a measure over work_items",
    )

    @field_validator("work")
    @classmethod
    def _work_holds(cls, work: str | None) -> str | None:
        return work and checked_filter(work, "work_items")


class KeyResultDefinition(Part):
    """A key result as an objective's file writes it."""

    id: Id = Field(description=_ID)
    name: Text = Field(description="the key result in a sentence")
    owner: Person = Field(description="the one person who answers for it, as {name, email}")
    function: str | None = Field(default=None, description="the id of a function in functions.yml")
    perspective: Perspective | None = Field(default=None, description=_PERSPECTIVE)
    kind: KeyResultKind = Field(description="reach, accumulate or maintain")
    baseline: Number | None = Field(
        default=None,
        validate_default=True,
        description="where the value stands at the start of the cycle, a number",
    )
    target: Number | None = Field(
        default=None,
        validate_default=True,
        description="where the value should stand at the end of the cycle, a number",
    )
    unit: Unit = Field(description="what the value counts: %, days, EUR, points or count")
    band: Band | None = Field(
        default=None, validate_default=True, description="{low, high}, for the kind maintain"
    )
    pace: Pace = Field(default="linear", description="linear, working_days, steps or seasonal")
    steps: list[Step] = Field(
        default=[], validate_default=True, description="a list of {date, value}, for the pace steps"
    )
    measure: Measure = Field(description="{table, aggregate, column, at, filter, window} or {metric}")
    leading_indicators: list[LeadingIndicator] = Field(default=[], description="a list of {name, measure}")
    handoffs: list[str] = Field(default=[], description="a list of ids of hand-offs in handoffs.yml")
    budget: Budget | None = Field(default=None, description="{amount, cost_centres}")
    capacity: Capacity | None = Field(default=None, description="{people, work}")

    @field_validator("function")
    @classmethod
    def _function_exists(cls, function: str | None, info: ValidationInfo) -> str | None:
        return _known_function(function, info)

    @field_validator("baseline", "target")
    @classmethod
    def _goes_somewhere(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if info.data.get("kind", "maintain") == "maintain":
            return value
        if value is None:
            field = cls.model_fields[info.field_name or ""]
            raise rule_broken(
                f"`{info.field_name}` is missing", f"Add `{info.field_name}`: {field.description}."
            )
        if info.field_name == "target" and value == info.data.get("baseline"):
            raise rule_broken(
                "the target equals the baseline", "Set a target that differs, or use the kind maintain."
            )
        return value

    @field_validator("band")
    @classmethod
    def _band_fits_kind(cls, band: Band | None, info: ValidationInfo) -> Band | None:
        kind = info.data.get("kind")
        if band is None and kind == "maintain":
            raise rule_broken(
                "`band` is missing", "Add `band`: {low: .., high: ..}, either side may be left out."
            )
        if band is not None and kind in ("reach", "accumulate"):
            raise rule_broken(
                f"a band does not go with the kind {kind}", "Remove `band`, or use the kind maintain."
            )
        return band

    @field_validator("pace")
    @classmethod
    def _pace_fits_kind(cls, pace: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        if pace == "steps" and kind == "maintain":
            raise rule_broken("steps do not go with the kind maintain", "Remove `pace`.")
        if pace == "seasonal" and kind in ("reach", "maintain"):
            raise rule_broken(
                f"a season does not go with the kind {kind}", "Remove `pace`, or use the kind accumulate."
            )
        return pace

    @field_validator("steps")
    @classmethod
    def _steps_lead_to_target(cls, steps: list[Step], info: ValidationInfo) -> list[Step]:
        pace = info.data.get("pace")
        if pace == "steps" and not steps:
            raise rule_broken("`steps` is missing", "Add `steps`: a list of {date, value}.")
        if pace is not None and pace != "steps" and steps:
            raise rule_broken(
                f"steps do not go with the pace {pace}", "Write `pace: steps`, or remove `steps`."
            )
        strategy = known(info)
        _check_steps(
            steps, info.data.get("baseline"), info.data.get("target"), strategy.cycle if strategy else None
        )
        return steps

    @field_validator("measure")
    @classmethod
    def _measure_has_a_past(cls, measure: Measure, info: ValidationInfo) -> Measure:
        if info.data.get("pace") == "seasonal" and not is_total_of_cycle(measure):
            raise rule_broken(
                "the pace seasonal needs a total that earlier periods have as well",
                "Measure a count or a sum of a flow table with `window: cycle`, or take another pace.",
            )
        return measure

    @field_validator("capacity")
    @classmethod
    def _capacity_is_found(cls, capacity: Capacity | None, info: ValidationInfo) -> Capacity | None:
        measure = info.data.get("measure")
        if capacity and capacity.work is None and measure and work_filter(measure) is None:
            raise rule_broken(
                "`work` is missing, as the measure does not look at work_items",
                "Add `work`: a SQL condition over work_items that finds the work for this key result.",
                "work",
            )
        return capacity

    @field_validator("handoffs")
    @classmethod
    def _handoffs_exist(cls, handoffs: list[str], info: ValidationInfo) -> list[str]:
        strategy = known(info)
        for position, handoff in enumerate(handoffs):
            if strategy:
                require_known(handoff, strategy.handoffs, "hand-off", position)
            if handoff in handoffs[:position]:
                raise rule_broken(
                    f"the hand-off `{handoff}` is listed twice", "Keep one of the two.", position
                )
        return handoffs


class ObjectiveFile(Part):
    """objectives/<name>.yml"""

    objective: Objective = Field(description="{id, name, level, function, perspective, supports, sponsor}")
    key_results: list[KeyResultDefinition] = Field(default=[], description="a list of key results")


class Handoff(Part):
    """Work that one function gives and another needs."""

    id: Id = Field(description=_ID)
    name: Text = Field(description="what is handed over")
    giver: str = Field(alias="from", description="the id of the function that gives")
    receiver: str = Field(alias="to", description="the id of the function that receives")
    needed_by: Day = Field(description="the day by which the receiver needs it, as 2026-11-30")
    scope: str = Field(
        description="a SQL condition over work_items that finds its work, for example epic_key = 'PLAT-7'"
    )

    @field_validator("giver", "receiver")
    @classmethod
    def _functions_exist(cls, function: str, info: ValidationInfo) -> str:
        _known_function(function, info)
        if info.field_name == "receiver" and function == info.data.get("giver"):
            raise rule_broken("a hand-off from a function to itself", "Name the function that receives it.")
        return function

    @field_validator("receiver")
    @classmethod
    def _heads_differ(cls, receiver: str, info: ValidationInfo) -> str:
        strategy, giver = known(info), info.data.get("giver")
        head = strategy.heads.get(receiver) if strategy else None
        if strategy and head is not None and giver is not None and head == strategy.heads.get(giver):
            what = f"{head} heads both `{giver}` and `{receiver}`, so there are no two people to talk"
            raise rule_broken(what, "Give one of the two functions another head, or remove the hand-off.")
        return receiver

    @field_validator("scope")
    @classmethod
    def _scope_holds(cls, scope: str) -> str:
        return checked_filter(scope, "work_items")


class HandoffsFile(Part):
    """handoffs.yml"""

    handoffs: list[Handoff] = Field(description="a list of {id, name, from, to, needed_by, scope}")


def _known_function(function: str | None, info: ValidationInfo) -> str | None:
    strategy = known(info)
    if function is None or strategy is None:
        return function
    return require_known(function, strategy.functions, "function")


def _check_steps(
    steps: list[Step], baseline: Decimal | None, target: Decimal | None, cycle: tuple[date, date] | None
) -> None:
    for position, step in enumerate(steps):
        if cycle is not None and not cycle[0] <= step.date <= cycle[1]:
            raise rule_broken(
                f"the step of {step.date} lies outside the cycle",
                f"Use days from {cycle[0]} to {cycle[1]}.",
                position,
                "date",
            )
        if position and step.date <= steps[position - 1].date:
            raise rule_broken(
                f"the step of {step.date} is not after the one before it",
                "Order the steps by date.",
                position,
                "date",
            )
        if baseline is None or target is None:
            continue
        before = steps[position - 1].value if position else baseline
        if not min(before, target) <= step.value <= max(before, target):
            raise rule_broken(
                f"the step to {step.value} does not lead from {before} to {target}",
                "Set values that move from the baseline towards the target.",
                position,
                "value",
            )
