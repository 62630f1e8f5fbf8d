"""A made-up company in which one function needs work from another: played to the end, whatever that is.

A company is a giver with a team, a backlog of its own and weeks of uneven strength; a receiver with launch items, some of which
wait for the giver's; and a fate for the work between them. The fate only sets the rates: whether the hand-off comes in time is
what the play shows. Times are working days after the start of the cycle, as numbers; negative ones lie before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import numpy as np

CYCLE_START = date(2026, 10, 5)
CYCLE_END = date(2027, 1, 3)
HISTORY_DAYS = 80
CYCLE_DAYS = 65
# Half a year after the cycle: what is not done by then is counted as never done.
LAST_DAY = CYCLE_DAYS + 130

TODO, IN_PROGRESS, DONE = "todo", "in_progress", "done"
HANDOFF_LABEL, LAUNCH_LABEL = "needed", "launch"


class Fate(StrEnum):
    """What becomes of the work that the receiver needs."""

    NEVER_PLANNED = "never planned"
    PLANNED_LATE = "planned late"
    TOO_SLOW = "too slow"
    GROWING = "grows faster than it is delivered"
    RETURNED = "delivered and returned"
    STEADY = "steady"
    LUMPY = "in batches"
    LATE_WITH_SLACK = "starts late, with slack"
    EARLY = "early"


_FATES = {
    Fate.NEVER_PLANNED: 0.15,
    Fate.PLANNED_LATE: 0.10,
    Fate.TOO_SLOW: 0.10,
    Fate.GROWING: 0.08,
    Fate.RETURNED: 0.07,
    Fate.STEADY: 0.18,
    Fate.LUMPY: 0.12,
    Fate.LATE_WITH_SLACK: 0.08,
    Fate.EARLY: 0.12,
}


@dataclass
class Item:
    """An item of work: when it was created, what it holds up, and its moves to a status, in order of time."""

    project: str
    created: float
    labels: tuple[str, ...] = ()
    blocks: list[Item] = field(default_factory=list)
    moves: list[tuple[float, str]] = field(default_factory=list)
    key: str = ""
    id: str = ""

    @property
    def done(self) -> float:
        """When it was done for good; infinite when it never is."""
        return self.moves[-1][0] if self.moves and self.moves[-1][1] == DONE else float("inf")


@dataclass(frozen=True)
class Company:
    """What was played. ``fate``, ``gamed`` and what follows from the future belong to the truth, never to the landing."""

    number: int
    fate: Fate
    gamed: bool
    needed_by: date
    items: list[Item]
    needed: list[Item]
    launch: list[Item]

    @property
    def id(self) -> str:
        return company_id(self.number)


@dataclass(frozen=True)
class _Plan:
    """How the giver works on the hand-off: from a day on, so many items a day, each ``batch_days`` days; the scope's growth."""

    start: float
    per_day: float
    share_returned: float
    grows: tuple[float, float, float]
    batch_days: int = 1


def company_id(number: int) -> str:
    """The id that stands in the company's functions, projects and key results."""
    return f"c{number:03d}"


def moment(position: float) -> datetime:
    """The instant (UTC) of a working day after the start of the cycle; its part is the time from seven to four."""
    days, part = divmod(position, 1)
    weeks, weekday = divmod(int(days), 5)
    day = datetime.combine(CYCLE_START + timedelta(days=7 * weeks + weekday), datetime.min.time(), UTC)
    return day + timedelta(hours=7 + 9 * part)


def day_of(position: float) -> date | None:
    """The day on which it falls; none for what never happens."""
    return moment(position).date() if position < float("inf") else None


def position_of(day: date) -> float:
    """The start of the day as a position."""
    weeks, weekday = divmod((day - CYCLE_START).days, 7)
    return float(5 * weeks + min(weekday, 5))


def play(seed: int, number: int) -> Company:
    """Play one company; the same seed and number give the same company."""
    rng = np.random.default_rng((seed, number))
    fate = Fate(rng.choice(list(_FATES), p=list(_FATES.values())))
    first_week = 8 if fate is Fate.LATE_WITH_SLACK else 6
    needed_day = float(5 * rng.integers(first_week, 13) - rng.integers(1, 6))
    team, speed = rng.integers(3, 13), rng.uniform(0.6, 1.6)
    per_day = team * speed / 5
    asked = int(np.clip(per_day * needed_day * rng.uniform(0.12, 0.45), 5, 45))
    plan = _plan(fate, asked, needed_day, rng)
    giver, receiver = (f"{company_id(number).upper()}{side}" for side in "EP")
    weeks = rng.lognormal(0, rng.uniform(0.1, 0.5), (HISTORY_DAYS + LAST_DAY) // 5 + 1)
    needed = _hand_off(giver, asked, plan, weeks, rng)
    if fate is Fate.NEVER_PLANNED:
        _rescue(needed, needed_day, rng)
    own = _own_work(giver, per_day, needed, weeks, rng)
    gamed = bool(rng.random() < 0.6)
    launch = _launch(receiver, needed, gamed, rng)
    items = [*own, *needed, *launch]
    _number(items, number)
    return Company(number, fate, gamed, moment(needed_day).date(), items, needed, launch)


def _plan(fate: Fate, asked: int, needed_day: float, rng: np.random.Generator) -> _Plan:
    start = {
        Fate.PLANNED_LATE: rng.uniform(20, 40),
        Fate.LATE_WITH_SLACK: rng.uniform(10, 25),
        Fate.EARLY: rng.uniform(-20, -5),
    }.get(fate, rng.uniform(-15, 5))
    left = needed_day - start
    returned = rng.uniform(0, 0.08)
    stop = needed_day - 15
    grows = (0.0, stop, asked * rng.uniform(0, 0.15) / stop)
    expected = asked + grows[2] * stop
    batch_days = 1
    match fate:
        case Fate.NEVER_PLANNED:
            # Signs of life at the most.
            per_day = rng.choice((0, 0, 0.03))
        case Fate.PLANNED_LATE:
            per_day = expected / (max(left, 0) + rng.uniform(5, 30))
        case Fate.TOO_SLOW:
            per_day = expected / left * rng.uniform(0.3, 0.75)
        case Fate.GROWING:
            began, stop = rng.uniform(0, 10), needed_day - 5
            grows = (began, stop, asked * rng.uniform(0.6, 1.5) / (stop - began))
            per_day = asked / left * rng.uniform(1.1, 1.6)
        case Fate.RETURNED:
            returned = rng.uniform(0.4, 0.7)
            per_day = expected / left * rng.uniform(1.1, 1.5)
        case Fate.STEADY:
            per_day = expected / (left * rng.uniform(0.45, 0.8))
        case Fate.LUMPY:
            batch_days = int(rng.choice((10, 10, 15)))
            per_day = expected / (left * rng.uniform(0.5, 0.8))
        case Fate.LATE_WITH_SLACK:
            per_day = expected / (left * rng.uniform(0.35, 0.75))
        case Fate.EARLY:
            per_day = expected / (left * rng.uniform(0.25, 0.45))
    return _Plan(start, per_day, returned, grows, batch_days)


def _hand_off(giver: str, asked: int, plan: _Plan, weeks: np.ndarray, rng: np.random.Generator) -> list[Item]:
    """The items of the hand-off, delivered by the plan in weeks of uneven strength."""
    labels = (HANDOFF_LABEL,)
    items = [Item(giver, created, labels) for created in rng.uniform(-40, -2, asked)]
    began, stop, per_day = plan.grows
    for day in range(int(began), int(max(stop, began))):
        items += [Item(giver, day + rng.random(), labels) for _ in range(rng.poisson(per_day))]
    items.sort(key=lambda item: item.created)
    queue = list(items)
    returning: list[tuple[float, Item]] = []
    cycle = rng.uniform(1.5, 6)
    for day in range(int(np.ceil(plan.start)), LAST_DAY):
        back = [each for each in returning if each[0] <= day]
        returning = [each for each in returning if each[0] > day]
        queue = [item for _, item in back] + queue
        if (day + HISTORY_DAYS) % plan.batch_days != plan.batch_days - 1:
            continue
        strength = plan.per_day * plan.batch_days * weeks[(day + HISTORY_DAYS) // 5]
        for delivered_at in np.sort(day + rng.random(rng.poisson(strength))):
            if not queue or queue[0].created >= day:
                break
            item = queue.pop(0)
            _finish(item, delivered_at, rng.gamma(3, cycle / 3))
            if rng.random() < plan.share_returned:
                returned_at = delivered_at + rng.uniform(0.5, 6)
                item.moves.append((returned_at, IN_PROGRESS))
                returning.append((returned_at + 1, item))
    return items


def _rescue(items: list[Item], needed_day: float, rng: np.random.Generator) -> None:
    """Some time after the day it was needed somebody finds out, and it is taken up at last."""
    discovered = needed_day + rng.uniform(5, 15)
    span = rng.uniform(20, 60)
    left = [item for item in items if item.done == float("inf")]
    for item in left:
        item.moves = [move for move in item.moves if move[0] < discovered]
        if not item.moves or item.moves[-1][1] != DONE:
            _finish(item, discovered + 1 + rng.uniform(2, span), rng.uniform(1, 2))


def _finish(item: Item, done: float, cycle: float) -> None:
    """Take it up so many days before it is done, or when it came into being, and finish it."""
    if not item.moves or item.moves[-1][1] == TODO:
        last = item.moves[-1][0] if item.moves else item.created
        item.moves.append((max(done - cycle, last + 0.01 * (done - last)), IN_PROGRESS))
    item.moves.append((done, DONE))


def _own_work(
    giver: str, per_day: float, needed: list[Item], weeks: np.ndarray, rng: np.random.Generator
) -> list[Item]:
    """The giver's own backlog, which gets the strength that the hand-off leaves; about as much arrives as is done."""
    served = [at for item in needed for at, status in item.moves if status == DONE]
    delivered = np.histogram(served, bins=np.arange(-HISTORY_DAYS, LAST_DAY + 1))[0]
    arriving, cycle = per_day * rng.uniform(0.85, 1.1), rng.uniform(1.5, 6)
    backlog = int(5 * per_day * rng.uniform(1, 8))
    queue = [
        Item(giver, created) for created in np.sort(rng.uniform(-HISTORY_DAYS - 20, -HISTORY_DAYS, backlog))
    ]
    items = list(queue)
    for day in range(-HISTORY_DAYS, LAST_DAY):
        strength = per_day * weeks[(day + HISTORY_DAYS) // 5] - delivered[day + HISTORY_DAYS]
        for done_at in np.sort(day + rng.random(rng.poisson(max(strength, 0.1 * per_day)))):
            if not queue or queue[0].created >= day:
                break
            # Not quite in turn: some things cannot wait.
            chosen = queue.pop(int(min(rng.geometric(0.4) - 1, len(queue) - 1)))
            _finish(chosen, done_at, rng.gamma(3, cycle / 3))
        arrived = [Item(giver, created) for created in np.sort(day + rng.random(rng.poisson(arriving)))]
        items += arrived
        queue += arrived
    return items


def _launch(receiver: str, needed: list[Item], gamed: bool, rng: np.random.Generator) -> list[Item]:
    """The receiver's launch items; those that wait are done only after what they wait for.

    A receiver that games does first what depends on nobody, which keeps it on pace for as long as there is any of that. One
    in four of these also closes items before the week's end that are not done, and opens them again on Monday.
    """
    count = int(rng.integers(16, 49))
    labels = (LAUNCH_LABEL,)
    items = [Item(receiver, created, labels) for created in rng.uniform(-30, -1, count)]
    waiting = items[: max(int(count * rng.uniform(0.25, 0.6)), 2)]
    blockers: dict[int, list[Item]] = {place: [] for place in range(len(waiting))}
    for number, item in enumerate(needed):
        place = number % len(waiting) if number < len(waiting) else int(rng.integers(len(waiting)))
        blockers[place].append(item)
        item.blocks.append(waiting[place])
    ready = [
        max((each.done for each in blockers[place]), default=-1.0) + rng.uniform(1, 4) for place in blockers
    ]
    ready += [-1.0] * (count - len(waiting))
    # Who games closes what waits last. Who does not takes things up as they lie on the list, and stands still before what waits.
    order = (
        list(range(len(waiting), count)) + list(range(len(waiting)))
        if gamed
        else list(rng.permutation(count))
    )
    bursts = gamed and rng.random() < 0.25
    haste, cycle = rng.uniform(1.0, 1.12), rng.uniform(1.5, 6)
    strength = count / CYCLE_DAYS * (2.5 if gamed else 1.5)
    done = 0
    for day in range(LAST_DAY):
        due = count * min((day + 1) / CYCLE_DAYS * haste, 1)
        slots = min(max(round(due) - done, 0), int(rng.poisson(strength)))
        can = [place for place in order if ready[place] < day] if gamed else order[:slots]
        for place in can[:slots]:
            order.remove(place)
            if ready[place] < day:
                _finish(items[place], day + rng.uniform(0.1, 0.9), rng.gamma(3, cycle / 3))
                done += 1
            else:
                order.append(place)
        if bursts and day % 5 == 4 and day < CYCLE_DAYS and order and due - done >= 1:
            item = items[order[0]]
            if item.created < day:
                _finish(item, day + 0.95, 1.0)
                item.moves.append((day + 1.05, IN_PROGRESS))
    return items


def _number(items: list[Item], number: int) -> None:
    """Give keys and ids in the order of creation, as a tracker does: they say nothing of what comes later."""
    for place, item in enumerate(sorted(items, key=lambda item: item.created), start=1):
        item.key = f"{item.project}-{place}"
        item.id = str(100_000 * (number + 1) + place)
