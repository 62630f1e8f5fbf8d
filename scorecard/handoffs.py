"""When the open work of a hand-off will be finished, by chance: Monte Carlo on the giver's throughput on this work."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Day  # noqa: N812 - a field of the dataclasses is called date

import numpy as np
from numpy.typing import NDArray

PRIOR_ITEMS = 2.0
"""What is usual (the giver's habit, no batches, none returned) counts for as much as the observation of so many."""
KNOWN_AT_MOST = 25.0
"""However many deliveries were seen, they prove no more than so many of a steady giver would: weeks are uneven."""
DRAWS = 10_000
HORIZON_DAYS = 520
"""Working days, two years: what takes longer is not in sight."""


@dataclass(frozen=True)
class HandoffDay:
    """A hand-off at the end of one day.

    ``done`` of its items are done and ``open`` are not; ``under_way`` of the open ones have been in progress for no longer than
    twice what is usual. ``returned`` times one was opened again after it had been done. ``done_in_window`` were done on
    ``delivery_days_in_window`` different days in the last ``working_days_in_window`` working days on which they could have been.
    The giver finished ``giver_done_in_4_weeks`` items of whatever kind in the last four weeks and has ``giver_open`` on its
    list, those of this hand-off included.
    """

    handoff_id: str
    date: Day
    done: int
    open: int
    under_way: int
    returned: int
    done_in_window: int
    delivery_days_in_window: int
    working_days_in_window: int
    giver_done_in_4_weeks: int
    giver_open: int


@dataclass(frozen=True)
class HandoffFinish:
    """When all items that are open now will be done: the day by which half, and 85 %, of the draws are through.

    ``sure_on`` is the day by which the asked confidence is reached. None where it is not within two years, and where nothing is
    open. ``items_per_week`` is the expected throughput.
    """

    handoff_id: str
    date: Day
    p50_on: Day | None
    p85_on: Day | None
    sure_on: Day | None
    items_per_week: float


def handoff_finish(day: HandoffDay, holidays: Sequence[Day], confidence: float = 0.85) -> HandoffFinish:
    """Say when the open items of one hand-off will be finished; the same input gives the same answer."""
    per_week = 5 * _throughput(day).items_per_day
    draws = working_days_left(day)
    if not len(draws):
        return HandoffFinish(day.handoff_id, day.date, None, None, None, per_week)
    half, most, sure = np.quantile(draws, (0.5, 0.85, confidence))
    return HandoffFinish(
        day.handoff_id,
        day.date,
        _day_after(day.date, half, holidays),
        _day_after(day.date, most, holidays),
        _day_after(day.date, sure, holidays),
        per_week,
    )


def working_days_left(day: HandoffDay) -> NDArray[np.float64]:
    """Draw in how many working days the open items of one hand-off are finished: `DRAWS` numbers.

    None where nothing is open or nothing speaks of a throughput. Deliveries come as a Poisson process. Its rate per working
    day is not known but drawn from a gamma distribution, and the time for n deliveries at a rate is gamma distributed with shape
    n. So with little observed the band is wide, and with none delivered for long it moves out of sight. What is to come is not
    quite what was: of k deliveries the shape is k / (1 + k / `KNOWN_AT_MOST`), at the same expected rate.
    Source: Gelman et al., Bayesian Data Analysis, section 2.6 (the gamma-Poisson model).

    A share of what is delivered comes back: returns by deliveries so far, with `PRIOR_ITEMS` deliveries that stayed, so that more
    than the open items must be delivered.
    """
    seen = _throughput(day)
    if day.open == 0 or seen.deliveries == 0:
        return np.empty(0)
    returning = day.returned / (day.done + day.returned + PRIOR_ITEMS)
    left = max(day.open / (1 - returning) / seen.batch, 1.0)
    chance = np.random.default_rng(_seed(day))
    known = 1 + seen.deliveries / KNOWN_AT_MOST
    rates = chance.gamma(seen.deliveries / known, known / seen.working_days, DRAWS)
    with np.errstate(divide="ignore", over="ignore"):
        return chance.gamma(left, 1.0, DRAWS) / rates


@dataclass(frozen=True)
class _Throughput:
    """So many deliveries, of `batch` items on average, in so many working days: shape and rate of the gamma distribution."""

    deliveries: float
    working_days: float
    batch: float

    @property
    def items_per_day(self) -> float:
        return self.batch * self.deliveries / self.working_days if self.working_days else 0.0


def _throughput(day: HandoffDay) -> _Throughput:
    """What was seen of the giver's throughput on this work, and its habit with the weight of `PRIOR_ITEMS` deliveries.

    - Items that come in batches are one delivery: twelve at the end of a sprint are no twelve proofs of steadiness. How many make
      a batch is told by the days on which they were done, against those on which so many fall by chance in four weeks: two
      of a busy giver on one day are no batch.
    - An item under way counts as delivered. Work that has just begun has delivered nothing yet, and would else look slow.
    - The habit is this work's share of all that the giver finishes in a day, if its list were worked off evenly. What is done
      of this work belongs to its share: work must not look slower to come for being nearly finished.
    """
    days_by_chance = 20 * (1 - (1 - 1 / 20) ** day.done_in_window)
    batch = max((days_by_chance + PRIOR_ITEMS) / (day.delivery_days_in_window + PRIOR_ITEMS), 1.0)
    # Work done on a week-end was seen for a day, too.
    seen = max(day.working_days_in_window, min(day.done_in_window, 1))
    observed = (day.done_in_window + day.under_way) / batch
    share = (day.done + day.open) / max(day.giver_open + day.done, day.done + day.open, 1)
    habit = day.giver_done_in_4_weeks / 20 * share / batch
    if not habit:
        return _Throughput(observed, seen, batch)
    return _Throughput(observed + PRIOR_ITEMS, seen + PRIOR_ITEMS / habit, batch)


def _day_after(start: Day, working_days: float, holidays: Sequence[Day]) -> Day | None:
    if working_days > HORIZON_DAYS:
        return None
    begin = np.busday_offset(start, 0, roll="backward", holidays=list(holidays))
    found: Day = np.busday_offset(begin, int(np.ceil(working_days)), holidays=list(holidays)).astype(Day)
    return found


def _seed(day: HandoffDay) -> int:
    return int.from_bytes(hashlib.sha256(f"{day.handoff_id}/{day.date}".encode()).digest()[:8], "big")
