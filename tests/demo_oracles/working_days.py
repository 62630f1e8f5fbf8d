"""The days on which the demo's company works."""

from datetime import date
from functools import cache

import yaml

from tests.command_line import DEMO_WORKSPACE
from tests.demo_oracles.known import days_between


@cache
def holidays() -> frozenset[date]:
    """As cycle.yml has them."""
    cycle = yaml.safe_load((DEMO_WORKSPACE / "strategy" / "cycle.yml").read_text("utf-8"))
    return frozenset(holiday["date"] for holiday in cycle["holidays"])


def is_working_day(day: date) -> bool:
    """Monday to Friday, and no holiday."""
    return day.weekday() < 5 and day not in holidays()


@cache
def working_days(first: date, last: date) -> list[date]:
    """Each working day from the first to the last; none when the last comes before."""
    return [day for day in days_between(first, last) if is_working_day(day)]
