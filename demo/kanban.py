"""Work that flows one piece at a time: how many are finished each week, and how long each had taken."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import NormalDist

from demo.clock import CYCLE_END, HISTORY_START, OFFICE, Axis, mondays
from demo.company import Person
from demo.projects import CANCELLED, finished
from demo.tracker import Issue, IssueType, Project, Tracker

_NORMAL = NormalDist()
_STRATA = 8


class EvenDraws:
    """Uniform draws in shuffled strata: still random, but any few in a row cover the whole range."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._left: list[int] = []

    def draw(self) -> float:
        if not self._left:
            self._left = list(range(_STRATA))
            self._rng.shuffle(self._left)
        return (self._left.pop() + self._rng.random()) / _STRATA

    def lognormal(self, median: float, sigma: float) -> float:
        """A draw from the log-normal distribution with this median and log deviation."""
        return median * math.exp(sigma * _NORMAL.inv_cdf(min(max(self.draw(), 1e-6), 1 - 1e-6)))


@dataclass(frozen=True)
class WeeklyFlow:
    """A kind of work: `weekly` gives the number finished in the week of a Monday, `lead` the median days of
    its axis from creation to finish for something finished on a day, with log deviation `sigma`."""

    project: Project
    kind: IssueType
    staff: tuple[Person, ...]
    title: Callable[[random.Random], str]
    weekly: Callable[[date], float]
    lead: Callable[[date], float]
    sigma: float = 0.5
    labels: tuple[str, ...] = ()
    axis: Axis = OFFICE


def complete_weekly(flow: WeeklyFlow, tracker: Tracker, rng: random.Random) -> None:
    """Plays a flow from the start of the history to ten weeks past the cycle, so that its queue never runs dry."""
    spread, within = EvenDraws(rng), EvenDraws(rng)
    owed = 0.0
    for monday in mondays(HISTORY_START, CYCLE_END + timedelta(weeks=10)):
        owed += flow.weekly(monday)
        first, last = flow.axis.position(monday), flow.axis.position(monday + timedelta(days=7))
        while owed >= 1 and last > first:
            owed -= 1
            done = first + 0.02 + within.draw() * (last - first - 0.04)
            lead = spread.lognormal(flow.lead(flow.axis.day_at(done)), flow.sigma)
            _complete(flow, tracker, (done, lead), rng)


def _complete(flow: WeeklyFlow, tracker: Tracker, span: tuple[float, float], rng: random.Random) -> None:
    done, lead = span
    earliest = flow.axis.position(HISTORY_START) + rng.uniform(0.02, 0.9)
    created = max(done - lead, earliest)
    if done < created + 0.05:
        return
    issue = tracker.create(
        flow.project,
        flow.kind,
        flow.axis.moment(created),
        rng.choice(flow.staff),
        summary=flow.title(rng),
        labels=flow.labels,
        priority=rng.choices(("Medium", "High", "Low"), (6, 2, 2))[0],
    )
    walk(issue, rng.choice(flow.staff), (created, done), rng, flow.axis)


def walk(
    issue: Issue, worker: Person, span: tuple[float, float], rng: random.Random, axis: Axis = OFFICE
) -> None:
    """Takes an issue through its project's workflow between two positions, with the slips of normal days."""
    created, done = span
    moment = axis.moment
    active = [
        s
        for s in issue.project.workflow
        if s.category == "indeterminate" and not s.name.startswith("Waiting")
    ]
    started = created + (done - created) * rng.uniform(0.15, 0.5)
    issue.set(moment(created + (started - created) * rng.uniform(0.3, 1.0)), worker, assignee=worker)
    for step, status in enumerate(active):
        issue.move(moment(started + (done - started) * step / len(active)), worker, status)
    issue.move(moment(done), worker, finished(issue.project))
    chance = rng.random()
    if chance < 0.02:
        issue.move(moment(done + rng.uniform(0.5, 3)), issue.reporter, active[0])
        issue.move(moment(done + rng.uniform(3.2, 6)), worker, finished(issue.project))
    elif chance < 0.03:
        # Closed by mistake as cancelled and put right within minutes.
        issue.move(moment(done + 0.003), worker, CANCELLED)
        issue.move(moment(done + 0.009), worker, finished(issue.project))


def ramp(day: date, points: tuple[tuple[date, float], ...]) -> float:
    """Linear interpolation between dated values, flat outside of them."""
    if day <= points[0][0]:
        return points[0][1]
    for (d1, v1), (d2, v2) in pairwise(points):
        if day <= d2:
            return v1 + (v2 - v1) * (day - d1).days / (d2 - d1).days
    return points[-1][1]
