"""How the demo's hand-offs stand on every day, worked out from the systems' own records.

Whose work each is is written down here a second time, by label; the quantiles of the finish are exact where Plumbline draws.
"""

import statistics
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from scipy import stats

from tests.demo_oracles.known import CYCLE, Issue, Known, berlin_day
from tests.demo_oracles.working_days import working_days

GIVERS = {"engineering": {"PLAT", "APP", "INT"}, "product": {"PROD"}, "operations": {"OPS"}, "sales": {"SAL"}}
FOUR_WEEKS = timedelta(days=27)
HABIT_ITEMS = 2
SURE_OF = 25


@dataclass(frozen=True)
class Promise:
    """A hand-off: who gives, by when it is needed, the label of its items."""

    giver: str
    needed_by: date
    label: str


PROMISES = {
    "fleetlink-apis": Promise("engineering", date(2026, 11, 27), "fleetlink-api"),
    "design-specs": Promise("product", date(2026, 12, 4), "design-specs-2026q4"),
    "scanner-services": Promise("engineering", date(2026, 12, 11), "scanner-services-2026q4"),
    "billing-data": Promise("operations", date(2026, 12, 18), "billing-data-2026q4"),
    "customer-onboarding": Promise("sales", date(2026, 12, 18), "onboarding-2026q4"),
}


@dataclass(frozen=True)
class Standing:
    """A hand-off on one day. `working_days_left` is the exact 85 % quantile, None when nothing is open."""

    state: str
    items: int
    done: int
    waiting: int
    starved: bool
    working_days_left: float | None
    at_stake: Decimal


def standing(handoff: str, known: Known) -> dict[date, Standing]:
    """The hand-off on every day of the cycle so far."""
    promise = PROMISES[handoff]
    giver = _done_by(known, GIVERS[promise.giver])
    items = [issue for issue in giver if promise.label in issue.labels and issue.type != "Epic"]
    return {day: _on(day, promise, items, giver, known) for day in known.days}


def _on(day: date, promise: Promise, items: list[Issue], giver: list[Issue], known: Known) -> Standing:
    asked = [issue for issue in items if berlin_day(issue.created) <= day]
    done = [issue for issue in asked if _by(issue.done_on, day)]
    waiting = [issue for issue in asked if not _by(issue.started_on, day)]
    before = [
        issue
        for issue in giver
        if issue.done_on and timedelta(0) < CYCLE[0] - issue.done_on <= timedelta(days=91)
    ]
    usual_cycle = statistics.median(issue.cycle_days for issue in before)
    window_start = max(_counted_from(day, items, before, usual_cycle), day - FOUR_WEEKS)
    seen = len(working_days(window_start, day))
    in_window = [issue.done_on for issue in done if issue.done_on and window_start <= issue.done_on]
    under_way = [
        issue for issue in asked if issue not in done
        and issue.started_on and timedelta(0) <= day - issue.started_on <= timedelta(days=2 * usual_cycle)
    ]  # fmt: skip
    giver_done = sum(day - FOUR_WEEKS <= issue.done_on <= day for issue in giver if issue.done_on)
    giver_open = sum(berlin_day(issue.created) <= day and not _by(issue.done_on, day) for issue in giver)
    returns = sum(back <= day for issue in items for back in issue.reopened)
    open_items = len(asked) - len(done)
    batch = max((_days_by_chance(len(in_window)) + 2) / (len(set(in_window)) + 2), 1)
    left = _working_days_left(
        open_items / (1 - returns / (len(done) + returns + 2)) / batch,
        (len(in_window) + len(under_way)) / batch,
        seen,
        giver_done / 20 * len(asked) / max(giver_open + len(done), 1) / batch,
    )
    if not asked:
        state = "empty"
    elif not open_items:
        state = "delivered"
    elif day > promise.needed_by:
        state = "late"
    else:
        state = (
            "at_risk"
            if left is None or left > len(working_days(day + timedelta(days=1), promise.needed_by))
            else "on_track"
        )
    names = {issue.key for issue in items} | {issue.epic for issue in items}
    stake = [
        deal.amount for deal in known.deals
        if deal.waits_for in names - {None} and deal.expected <= CYCLE[1]
        and berlin_day(deal.created) <= day and not (deal.closed and berlin_day(deal.closed) <= day)
    ]  # fmt: skip
    starved = _is_starved(day, asked, waiting, before) and giver_done > len(in_window)
    return Standing(state, len(asked), len(done), len(waiting), starved, left, sum(stake, Decimal(0)))


def _counted_from(day: date, items: list[Issue], before: list[Issue], usual_cycle: float) -> date:
    """The day from which items could have been done: the usual time after the first was taken up, or after it was asked for."""
    taken_up = min((issue.started_on for issue in items if issue.started_on), default=date.max)
    if taken_up <= day:
        could_be_done = taken_up + timedelta(days=_half_up(usual_cycle))
        return min([could_be_done, *(issue.done_on for issue in items if issue.done_on)])
    usual = statistics.median(issue.lead_days for issue in before)
    return min(berlin_day(issue.created) for issue in items) + timedelta(days=_half_up(usual))


def _days_by_chance(items: int) -> float:
    """On how many of the 20 working days of four weeks at least one of so many items falls."""
    return sum(1 - (19 / 20) ** items for _ in range(20))


def _half_up(days: float | Decimal) -> int:
    """Whole days as the warehouse rounds them."""
    return int(float(days) + 0.5)


def _is_starved(day: date, asked: list[Issue], waiting: list[Issue], before: list[Issue]) -> bool:
    if not waiting or any(
        issue.started_on and day - FOUR_WEEKS <= issue.started_on <= day for issue in asked
    ):
        return False
    average = statistics.mean((day - berlin_day(issue.created)).days for issue in waiting)
    waits = [(issue.started - issue.created).total_seconds() / 86400 for issue in before if issue.started]
    return average > 14 and average > 2 * statistics.median(waits)


@cache
def _working_days_left(deliveries: float, done: float, seen: int, habit: float) -> float | None:
    """The exact quantile of a gamma time at a gamma rate: a beta prime distribution."""
    if not deliveries or not (done or habit):
        return None
    proofs = done + HABIT_ITEMS
    # As sure as of a rate seen in the harmonic sum of the deliveries and of so many.
    shape = 1 / (1 / proofs + 1 / SURE_OF)
    quantile = stats.betaprime.ppf(0.85, max(deliveries, 1), shape)
    return float(quantile * (seen + HABIT_ITEMS / habit) * shape / proofs)


def _by(on: date | None, day: date) -> bool:
    return on is not None and on <= day


def _done_by(known: Known, projects: set[str]) -> list[Issue]:
    return [issue for issue in known.issues if issue.project in projects]
