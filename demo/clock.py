"""Time in the simulated company: Berlin office days, positions on a working-time axis, and the texts the systems print."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")

HISTORY_START = date(2025, 10, 6)
CYCLE_START = date(2026, 10, 5)
CYCLE_END = date(2027, 1, 3)

HOLIDAYS: dict[date, str] = {
    date(2025, 12, 25): "Christmas Day",
    date(2025, 12, 26): "Boxing Day",
    date(2026, 1, 1): "New Year",
    date(2026, 4, 3): "Good Friday",
    date(2026, 4, 6): "Easter Monday",
    date(2026, 5, 1): "Labour Day",
    date(2026, 5, 14): "Ascension Day",
    date(2026, 5, 25): "Whit Monday",
    date(2026, 12, 25): "Christmas Day",
    date(2026, 12, 26): "Boxing Day",
    date(2027, 1, 1): "New Year",
}

_OPENING_HOUR = 8.5
_OFFICE_HOURS = 9.0
# Plans reach past the last simulated day, so that queues and the sales pipeline do not run dry towards it.
_FIRST_PLANNED_DAY = date(2025, 1, 1)
_LAST_PLANNED_DAY = date(2028, 3, 31)


def is_working_day(day: date) -> bool:
    """Whether the offices are open: Monday to Friday without public holidays."""
    return day.weekday() < 5 and day not in HOLIDAYS


def _working_days() -> list[date]:
    span = (_LAST_PLANNED_DAY - _FIRST_PLANNED_DAY).days
    days = (_FIRST_PLANNED_DAY + timedelta(days=offset) for offset in range(span + 1))
    return [day for day in days if is_working_day(day)]


_WORKING_DAYS = _working_days()


def position(day: date) -> int:
    """Index on the working-time axis of the first working day on or after `day`."""
    return bisect_left(_WORKING_DAYS, day)


def moment(place: float) -> datetime:
    """UTC instant of a position on the working-time axis; the fraction runs from 08:30 to 17:30 Berlin time."""
    return local(_WORKING_DAYS[int(place)], _OPENING_HOUR + _OFFICE_HOURS * (place - int(place)))


def day_at(place: float) -> date:
    """The working day in which a position lies."""
    return _WORKING_DAYS[int(place)]


@dataclass(frozen=True)
class Axis:
    """A way to count time in days of work: `position` of a day, the `moment` of a position, and the day it is in."""

    position: Callable[[date], int]
    moment: Callable[[float], datetime]
    day_at: Callable[[float], date]


OFFICE = Axis(position, moment, day_at)
"""Working days from 08:30 to 17:30."""

ON_CALL = Axis(
    position=lambda day: (day - _FIRST_PLANNED_DAY).days,
    moment=lambda place: local(_FIRST_PLANNED_DAY + timedelta(days=int(place)), 24 * (place - int(place))),
    day_at=lambda place: _FIRST_PLANNED_DAY + timedelta(days=int(place)),
)
"""Every day around the clock."""


def local(day: date, hour: float) -> datetime:
    """UTC instant of a Berlin wall-clock hour (0 to 24, fractional) of `day`, to the millisecond."""
    naive = datetime.combine(day, time()) + timedelta(milliseconds=round(hour * 3_600_000))
    return naive.replace(tzinfo=BERLIN).astimezone(UTC)


def end_of(day: date) -> datetime:
    """First UTC instant after `day` in Berlin; what happened on `day` lies before it."""
    return local(day + timedelta(days=1), 0)


def mondays(first: date, last: date) -> list[date]:
    """Each Monday from the week of `first` to the week of `last`."""
    start = first - timedelta(days=first.weekday())
    return [start + timedelta(weeks=week) for week in range((last - start).days // 7 + 1)]


def jira_text(instant: datetime) -> str:
    """As Jira Cloud prints it for a Berlin site: `2026-10-30T12:00:00.000+0100`."""
    shown = instant.astimezone(BERLIN)
    return f"{shown.replace(tzinfo=None).isoformat(timespec='milliseconds')}{shown:%z}"


def utc_text(instant: datetime) -> str:
    """As HubSpot and Jira's sprint field print it: `2026-10-30T11:00:00.000Z`."""
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
