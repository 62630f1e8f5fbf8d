"""Key results in plain Python: which records a window holds on a day, and what they come to.

Nothing of the program is used here, and all arithmetic is exact.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

Value = Fraction | None
Window = Literal["cycle", "as_of"] | int


@dataclass(frozen=True)
class Entry:
    """A record that counts from a day on, for ratios on one side or both; `until`: the day from which it no longer does."""

    record: str
    day: date
    amount: Fraction = Fraction(1)
    part: str = "value"
    until: date | None = None


@dataclass(frozen=True)
class Oracle:
    """One key result: its records, its window (a number is that of rolling days) and how they become its value."""

    entries: tuple[Entry, ...]
    window: Window
    value_of: Callable[[list[Entry]], Value]
    cycle_start: date

    def held(self, day: date) -> list[Entry]:
        """The records that the window of a day holds."""
        if self.window == "as_of":
            return [e for e in self.entries if e.day <= day and (e.until is None or e.until > day)]
        first = self.cycle_start if self.window == "cycle" else day - timedelta(days=int(self.window) - 1)
        return [e for e in self.entries if first <= e.day <= day]

    def on(self, day: date) -> Value:
        """The value on a day."""
        return self.value_of(self.held(day))

    def series(self, last: date) -> dict[date, Value]:
        """The value on every day of the cycle up to the last."""
        moves = {e.day for e in self.entries} | {e.until for e in self.entries}
        found: dict[date, Value] = {}
        value = self.on(self.cycle_start)
        for number in range((last - self.cycle_start).days + 1):
            day = self.cycle_start + timedelta(days=number)
            if isinstance(self.window, int) or day in moves:
                value = self.on(day)
            found[day] = value
        return found


def total(entries: Iterable[Entry]) -> Value:
    return sum((e.amount for e in entries), Fraction(0))


def mean(entries: list[Entry]) -> Value:
    return sum((e.amount for e in entries), Fraction(0)) / len(entries) if entries else None


def share(entries: list[Entry]) -> Value:
    """How many of a hundred records are in the numerator."""
    return Fraction(100 * sum(e.part == "numerator" for e in entries), len(entries)) if entries else None


def total_over_total(entries: list[Entry]) -> Value:
    """The sum of one table over that of another, per cent."""
    above, below = (
        sum((e.amount for e in entries if e.part == part), Fraction(0))
        for part in ("numerator", "denominator")
    )
    return 100 * above / below if below else None


def percentile(place: Fraction) -> Callable[[list[Entry]], Value]:
    """The value below which a share of all values lie, with linear interpolation between neighbours."""

    def value(entries: list[Entry]) -> Value:
        if not entries:
            return None
        amounts = sorted(e.amount for e in entries)
        at = place * (len(amounts) - 1)
        lower = int(at)
        upper = min(lower + 1, len(amounts) - 1)
        return amounts[lower] + (amounts[upper] - amounts[lower]) * (at - lower)

    return value


median, p85 = percentile(Fraction(1, 2)), percentile(Fraction(85, 100))


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def days_between(earlier: datetime, later: datetime) -> Fraction:
    """Days with six decimals, as a flow table holds them."""
    exact = Fraction((later - earlier) // timedelta(microseconds=1), 86_400 * 10**6)
    return Fraction(round(exact * 10**6), 10**6)
