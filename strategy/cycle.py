"""cycle.yml: the period that key results are for, its holidays, and the limits of the rules."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationInfo, field_validator

from strategy.field_types import Day, Number, Part, Text
from strategy.problems import nearest
from strategy.yaml_source import rule_broken


class Cycle(Part):
    """The period that the key results are for."""

    id: Text = Field(description="the cycle's short name, for example 2026-Q4")
    name: Text = Field(description="the cycle's name for people")
    start: Day = Field(description="the first day, as 2026-10-05")
    end: Day = Field(description="the last day, as 2027-01-03")
    timezone: str = Field(description="the zone in which the company's days begin, for example Europe/Berlin")
    currency: str = Field(description="the company's currency, for example EUR")
    history_start: Day = Field(description="the first day from which records are used, as 2025-10-06")

    @field_validator("end")
    @classmethod
    def _ends_after_start(cls, end: date, info: ValidationInfo) -> date:
        if "start" in info.data and end <= info.data["start"]:
            raise rule_broken("the cycle ends before it starts", "Set `end` to a day after `start`.")
        return end

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (ValueError, KeyError, OSError):
            close = nearest(timezone, available_timezones())
            mend = f"Did you mean `{close}`?" if close else "Use a name such as Europe/Berlin."
            raise rule_broken(f"`{timezone[:60]}` is not a time zone", mend) from None
        return timezone

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


class PaceThresholds(Part):
    """Below which pace a key result turns red and amber."""

    red: Number = Field(default=Decimal("0.7"), gt=0, description="a share, for example 0.7")
    amber: Number = Field(default=Decimal("0.9"), gt=0, description="a share, for example 0.9")

    @field_validator("amber")
    @classmethod
    def _amber_comes_first(cls, amber: Decimal, info: ValidationInfo) -> Decimal:
        if "red" in info.data and amber < info.data["red"]:
            raise rule_broken("amber lies below red", "Set `amber` to at least `red`.")
        return amber


class StalledThreshold(Part):
    """After how many days without movement a key result turns amber."""

    days: Annotated[int, Field(strict=True, gt=0)] = Field(
        default=14, description="a number of days, for example 14"
    )


class Thresholds(Part):
    """The limits of the rules."""

    pace: PaceThresholds = Field(default=PaceThresholds(), description="{red: 0.7, amber: 0.9}")
    stalled: StalledThreshold = Field(default=StalledThreshold(), description="{days: 14}")


class CycleFile(Part):
    """cycle.yml"""

    cycle: Cycle = Field(description="{id, name, start, end, timezone, currency, history_start}")
    holidays: list[Holiday] = Field(default=[], description="a list of {date, name}")
    thresholds: Thresholds = Field(default=Thresholds(), description="{pace: {red, amber}, stalled: {days}}")
