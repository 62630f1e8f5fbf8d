"""The steady work of product, operations, finance, people and the sales desk, and their plans for the cycle."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

from demo.clock import CYCLE_END, CYCLE_START, HISTORY_START, local, mondays
from demo.company import STAFF, stream
from demo.kanban import EvenDraws, WeeklyFlow, complete_weekly, ramp
from demo.projects import (
    CANCELLED,
    CORRECTION,
    DELIVERED,
    DELIVERY,
    FINX,
    HIRE,
    INCIDENT,
    INTERVIEW,
    OPPORTUNITY,
    OPS,
    PEO,
    PROD,
    SAL,
    TASK,
    TRAINING,
    UNDER_WAY,
)
from demo.texts import COMPANIES, title
from demo.tracker import Tracker

_INTERVIEWS = (4, 3, 4, 4, 3, 4, 3, 3, 4, 3, 3, 2, 1)
_HIRES = (2, 1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1, 0)
# The driving school could not take enough people in October.
_TRAININGS = (2, 3, 2, 3, 2, 3, 4, 4, 5, 5, 6, 5, 1)

_DISCOVERY_DAYS = ((date(2026, 8, 10), 15.8), (date(2026, 12, 14), 8.4))
_CORRECTION_DAYS = ((date(2026, 9, 7), 4.1), (date(2026, 12, 31), 3.4))
_LATE_SHARE = ((date(2026, 8, 17), 0.10), (date(2026, 9, 28), 0.07), (date(2026, 12, 20), 0.035))

PROMISED_DAYS = {"promise-2d": 2, "promise-5d": 5}


def run_departments(seed: int, tracker: Tracker) -> None:
    """Plays all steady flows outside of engineering into the tracker."""
    for flow in _flows():
        complete_weekly(flow, tracker, stream(seed, f"flow/{flow.project.key}/{flow.kind.name}"))
    _deliver(tracker, stream(seed, "flow/OPS/deliveries"))


def _flows() -> list[WeeklyFlow]:
    def steady(rate: float) -> Callable[[date], float]:
        return lambda _: rate

    def days(value: float) -> Callable[[date], float]:
        return lambda _: value

    product, operations, finance, people = (
        STAFF["product"], STAFF["operations"], STAFF["finance"], STAFF["people"]
    )  # fmt: skip
    return [
        WeeklyFlow(
            PROD, OPPORTUNITY, product, lambda dice: title("PROD", dice),
            steady(3.4), lambda day: ramp(day, _DISCOVERY_DAYS), 0.2,
        ),
        WeeklyFlow(
            PROD, INTERVIEW, product, lambda dice: f"Interview with {dice.choice(COMPANIES)}",
            _in_cycle(_INTERVIEWS, 2.4), days(5), 0.4,
        ),
        WeeklyFlow(OPS, INCIDENT, operations, _incident, steady(3), days(1.5), 0.7),
        WeeklyFlow(
            FINX, CORRECTION, finance, lambda dice: title("FINX", dice),
            steady(7.0), lambda day: ramp(day, _CORRECTION_DAYS), 0.25,
        ),
        WeeklyFlow(FINX, TASK, finance, _closing_task, steady(1.5), days(4), 0.4, ("period-close",)),
        WeeklyFlow(
            PEO, HIRE, people, lambda dice: title("PEO", dice), _in_cycle(_HIRES, 1.1), days(34), 0.3
        ),
        WeeklyFlow(
            PEO, TRAINING, people, lambda dice: f"Driver training, group {dice.randint(1, 40)}",
            _in_cycle(_TRAININGS, 2.2), days(9), 0.3, ("driver-training",),
        ),
        WeeklyFlow(SAL, TASK, STAFF["sales"], lambda dice: title("SAL", dice), steady(1.6), days(3), 0.4),
    ]  # fmt: skip


def _in_cycle(plan: tuple[int, ...], before: float) -> Callable[[date], float]:
    """The plan's numbers in the weeks of the cycle and a steady rate in all other weeks."""

    def weekly(monday: date) -> float:
        week = (monday - CYCLE_START).days // 7
        return plan[week] if 0 <= week < len(plan) else before

    return weekly


def _incident(rng: random.Random) -> str:
    what = (
        "Truck breakdown",
        "Dock door stuck",
        "Damaged pallet",
        "Driver ill",
        "Cold chain alarm",
        "Police check",
    )
    return f"{rng.choice(what)} – depot {rng.choice(('Süd', 'Nord', 'Łódź', 'Køge', 'Liège'))}"


def _closing_task(rng: random.Random) -> str:
    return f"Period close: {rng.choice(('accruals', 'intercompany', 'fixed assets', 'VAT return', 'bank reconciliation'))}"


def _deliver(tracker: Tracker, rng: random.Random) -> None:
    """Delivery orders run round the clock; which of them are late is spread evenly, so that the rate is what it is."""
    spread, owed, late = EvenDraws(rng), 0.0, 0.5
    for monday in mondays(HISTORY_START, CYCLE_END):
        owed += 16.0
        while owed >= 1:
            owed -= 1
            day = monday + timedelta(days=int(spread.draw() * 7))
            late += ramp(day, _LATE_SHARE)
            overdue = late >= 1
            if overdue:
                late -= 1
            _delivery(tracker, day, overdue, rng)


def _delivery(tracker: Tracker, day: date, overdue: bool, rng: random.Random) -> None:
    label = "promise-2d" if rng.random() < 0.6 else "promise-5d"
    promised = PROMISED_DAYS[label]
    planner, driver = rng.choice(STAFF["operations"]), rng.choice(STAFF["operations"])
    created = local(day, rng.uniform(0.2, 23.5))
    taken = promised * (rng.uniform(1.08, 1.9) if overdue else rng.uniform(0.25, 0.96))
    done = created + timedelta(seconds=round(taken * 86_400))
    order = tracker.create(
        OPS, DELIVERY, created, planner, summary=title("OPS", rng), labels=(label,),
        priority="High" if label == "promise-2d" else "Medium",
    )  # fmt: skip
    if rng.random() < 0.015:
        order.move(created + (done - created) * 0.3, planner, CANCELLED)
        return
    order.set(created + (done - created) * 0.05, planner, assignee=driver)
    order.move(created + (done - created) * rng.uniform(0.08, 0.4), driver, UNDER_WAY)
    order.move(done, driver, DELIVERED)
