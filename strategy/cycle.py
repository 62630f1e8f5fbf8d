"""cycle.yml: the period that key results are for, its holidays, and the limits of the rules."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from strategy.field_types import Day, Number, Part, Text, Timezone
from strategy.yaml_source import rule_broken

Share = Annotated[Number, Field(gt=0, lt=1)]
Count = Annotated[int, Field(strict=True, gt=0, le=1000)]


class Cycle(Part):
    """The period that the key results are for."""

    id: Text = Field(description="the cycle's short name, for example 2026-Q4")
    name: Text = Field(description="the cycle's name for people")
    start: Day = Field(description="the first day, as 2026-10-05")
    end: Day = Field(description="the last day, as 2027-01-03")
    timezone: Timezone = Field(
        description="the zone in which the company's days begin, for example Europe/Berlin"
    )
    currency: str = Field(description="the company's currency, for example EUR")
    history_start: Day = Field(description="the first day from which records are used, as 2025-10-06")

    @field_validator("end")
    @classmethod
    def _ends_after_start(cls, end: date, info: ValidationInfo) -> date:
        if "start" in info.data and end <= info.data["start"]:
            raise rule_broken("the cycle ends before it starts", "Set `end` to a day after `start`.")
        return end

    @field_validator("currency")
    @classmethod
    def _currency_is_a_code(cls, currency: str) -> str:
        if not re.fullmatch("[A-Z]{3}", currency):
            raise rule_broken(
                f"`{currency[:60]}` is not a currency code", "Use three capitals, for example EUR."
            )
        return currency

    @field_validator("history_start")
    @classmethod
    def _history_comes_first(cls, history_start: date, info: ValidationInfo) -> date:
        if "start" in info.data and history_start > info.data["start"]:
            raise rule_broken(
                "the history starts after the cycle", "Set `history_start` to a day before `start`."
            )
        return history_start


class Holiday(Part):
    """A day on which nobody works."""

    date: Day = Field(description="the day, as 2026-12-25")
    name: Text = Field(description="the holiday's name")


def _at_least_red(amber: Decimal, info: ValidationInfo) -> Decimal:
    if "red" in info.data and amber < info.data["red"]:
        raise rule_broken("amber lies below red", "Set `amber` to at least `red`.")
    return amber


class PaceThresholds(Part):
    """Below which pace a key result turns red and amber."""

    red: Number = Field(default=Decimal("0.7"), gt=0, description="a share, for example 0.7")
    amber: Number = Field(
        default=Decimal("0.9"), validate_default=True, gt=0, description="a share, for example 0.9"
    )

    @field_validator("amber")
    @classmethod
    def _amber_comes_first(cls, amber: Decimal, info: ValidationInfo) -> Decimal:
        return _at_least_red(amber, info)


class ForecastThresholds(Part):
    """Below which probability of its target a key result turns red and amber."""

    red: Share = Field(default=Decimal("0.2"), description="a share, for example 0.2")
    amber: Share = Field(
        default=Decimal("0.5"), validate_default=True, description="a share, for example 0.5"
    )

    @field_validator("amber")
    @classmethod
    def _amber_comes_first(cls, amber: Decimal, info: ValidationInfo) -> Decimal:
        return _at_least_red(amber, info)


class StalledThreshold(Part):
    """After how many days without movement a key result turns amber."""

    days: Count = Field(default=14, description="a number of days, for example 14")


class HandoffThreshold(Part):
    """With which certainty a hand-off must be done by the day it is needed."""

    confidence: Share = Field(default=Decimal("0.85"), description="a share, for example 0.85")


class StarvedThreshold(Part):
    """How many times as long as the giver's own work the work for others may wait in the giver's queue."""

    ratio: Number = Field(default=Decimal(2), ge=1, description="a number of times, for example 2")


class ResourcesThresholds(Part):
    """How far spending may run ahead of progress, and how long a key result may go without work."""

    lead_points: Number = Field(
        default=Decimal(25), gt=0, description="a number of percentage points, for example 25"
    )
    idle_weeks: Count = Field(default=3, description="a number of weeks, for example 3")


class BandThreshold(Part):
    """How far ahead a forecast outside the band turns a maintained key result amber."""

    weeks: Count = Field(default=3, description="a number of weeks, for example 3")


class HysteresisThreshold(Part):
    """On how many days in a row the rules must say better before the status gets better."""

    days: Count = Field(
        default=3, description="a number of days, for example 3; 1 lets it get better at once"
    )


class Thresholds(Part):
    """The limits of the rules. `integrity` and `untrusted` have none: any doubt that matters counts."""

    pace: PaceThresholds = Field(default=PaceThresholds(), description="{red: 0.7, amber: 0.9}")
    forecast: ForecastThresholds = Field(default=ForecastThresholds(), description="{red: 0.2, amber: 0.5}")
    stalled: StalledThreshold = Field(default=StalledThreshold(), description="{days: 14}")
    handoff: HandoffThreshold = Field(default=HandoffThreshold(), description="{confidence: 0.85}")
    starved: StarvedThreshold = Field(default=StarvedThreshold(), description="{ratio: 2}")
    resources: ResourcesThresholds = Field(
        default=ResourcesThresholds(), description="{lead_points: 25, idle_weeks: 3}"
    )
    band: BandThreshold = Field(default=BandThreshold(), description="{weeks: 3}")
    hysteresis: HysteresisThreshold = Field(default=HysteresisThreshold(), description="{days: 3}")


class CycleFile(Part):
    """cycle.yml"""

    cycle: Cycle = Field(description="{id, name, start, end, timezone, currency, history_start}")
    holidays: list[Holiday] = Field(default=[], description="a list of {date, name}")
    thresholds: Thresholds = Field(
        default=Thresholds(),
        description="the limits of the rules, for example {pace: {red: 0.7, amber: 0.9}}",
    )
