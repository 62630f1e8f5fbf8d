"""Hand-offs that work: one function's items that another function's items wait for, delivered steadily and used."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from demo.clock import CYCLE_START, HISTORY_START, moment, position
from demo.company import HEADS, STAFF, Person, stream
from demo.engineering import Team, span_of
from demo.kanban import EvenDraws, walk
from demo.projects import (
    APP,
    DONE,
    FINX,
    IN_PROGRESS,
    IN_REVIEW,
    OPS,
    PEO,
    PLAT,
    PROD,
    SAL,
    SELECTED,
    STORY,
    TASK,
)
from demo.tracker import Issue, Project, Tracker


@dataclass(frozen=True)
class HealthyHandOff:
    """`count` items of the giver, each blocking one item of the receiver, delivered at `per_week` from `first_done`.

    `label` marks the giver's items and `receiver_label` the receiver's, with the quarter filled in. `first_done` and
    `needed_by` count from the start of the cycle; the need lies weeks after the last delivery.
    """

    id: str
    giver: Project
    receiver: Project
    label: str
    receiver_label: str
    titles: tuple[str, str]
    count: int
    per_week: float
    first_done: timedelta
    needed_by: timedelta


_STANDING = (
    HealthyHandOff(
        "design-specs", PROD, APP, "design-specs-{}", "from-design-{}",
        ("Design spec: {} screens", "Build {} screens from spec"), 16, 2.6, timedelta(-11), timedelta(60),
    ),
    HealthyHandOff(
        "scanner-services", PLAT, OPS, "scanner-services-{}", "scanner-rollout",
        ("Scanner service for depot {}", "Roll out scanners in depot {}"), 20, 2.8, timedelta(-11), timedelta(67),
    ),
    HealthyHandOff(
        "billing-data", OPS, FINX, "billing-data-{}", "close-automation",
        ("Clean billing data of lane {}", "Automate billing of lane {}"), 14, 2.0, timedelta(-11), timedelta(74),
    ),
    HealthyHandOff(
        "customer-onboarding", SAL, OPS, "onboarding-{}", "onboarded-{}",
        ("Onboarding brief: {}", "Onboard {} at the depots"), 16, 2.3, timedelta(-11), timedelta(74),
    ),
)  # fmt: skip

# Nobody wrote this one down: depots cannot open some lanes until somebody holds the certificate for them.
_UNDECLARED = HealthyHandOff(
    "driver-certificates", PEO, OPS, "certificates-{}", "certified-lanes",
    ("Certificate course: {}", "Open lane that needs {}"), 8, 1.2, timedelta(-3), timedelta(74),
)  # fmt: skip

_NAMES: dict[str, tuple[str, ...]] = {
    "design-specs": (
        "dock slot",
        "claims",
        "returns",
        "tendering",
        "alert",
        "depot shift",
        "pickup window",
        "carbon",
    ),
    "scanner-services": (
        "Bremen",
        "Łódź",
        "Køge",
        "Liège",
        "Gera",
        "Brno",
        "Verona",
        "Győr",
        "Malmö",
        "Lille",
    ),
    "billing-data": (
        "Hamburg–Łódź",
        "Rotterdam–Lyon",
        "Graz–Verona",
        "Malmö–Bremen",
        "Antwerp–Poznań",
        "Lille–Ulm",
    ),
    "customer-onboarding": (
        "Velograph",
        "Polar Sports",
        "Quay Nine",
        "Papyrus Office",
        "Baltic Timber",
        "Iberfrutas",
    ),
    "driver-certificates": ("ADR", "digital tachograph", "reefer", "tail lift"),
}


@dataclass(frozen=True)
class Planned:
    """A hand-off as planned for one cycle: from `first_done` on, needed by `needed_by`, its labels filled in."""

    handoff: HealthyHandOff
    first_done: date
    needed_by: date
    label: str
    receiver_label: str


def planned(handoff: HealthyHandOff, start: date) -> Planned:
    """The hand-off in the cycle that starts on `start`."""
    quarter = f"{start.year}q{(start.month - 1) // 3 + 1}"
    return Planned(
        handoff,
        max(start + handoff.first_done, HISTORY_START + timedelta(days=14)),
        start + handoff.needed_by,
        handoff.label.format(quarter),
        handoff.receiver_label.format(quarter),
    )


CURRENT = tuple(planned(handoff, CYCLE_START) for handoff in _STANDING)
UNDECLARED = planned(_UNDECLARED, CYCLE_START)


def run_handoffs(seed: int, tracker: Tracker, teams: dict[str, Team]) -> None:
    """Plays the standing hand-offs of this cycle and of the four before it, and the undeclared one."""
    for back in (4, 3, 2, 1, 0):
        for handoff in _STANDING:
            plan = planned(handoff, CYCLE_START - timedelta(weeks=13 * back))
            _play(plan, tracker, teams, stream(seed, f"handoff/{plan.label}"))
    _play(UNDECLARED, tracker, teams, stream(seed, f"handoff/{UNDECLARED.label}"))


def _play(plan: Planned, tracker: Tracker, teams: dict[str, Team], rng: random.Random) -> None:
    within = EvenDraws(rng)
    first = position(plan.first_done)
    for number in range(plan.handoff.count):
        done = first + (number + 0.15 + 0.7 * within.draw()) * 5 / plan.handoff.per_week
        # Three fifths are asked for ahead, the rest as it becomes known; nothing waits for more than some weeks.
        notice = rng.uniform(11, 22) if number < plan.handoff.count * 0.6 else rng.uniform(9, 14)
        created = max(position(HISTORY_START) + 0.1, done - notice)
        given, needed = _pair(plan, tracker, (created, number), rng)
        delivered = _work(given, (max(done - rng.uniform(2, 5), created + 0.2), done), teams, rng)
        taken_up = delivered + rng.uniform(0.3, 2.0)
        _work(needed, (taken_up, taken_up + rng.uniform(1.5, 4.5)), teams, rng)


def _pair(
    plan: Planned, tracker: Tracker, when: tuple[float, int], rng: random.Random
) -> tuple[Issue, Issue]:
    """The giver's item and the receiver's item that it blocks, both written down by the receiver."""
    created, number = when
    handoff, function = plan.handoff, plan.handoff.receiver.function
    names = _NAMES[handoff.id]
    subject = names[number % len(names)] + (f" {number // len(names) + 1}" if number >= len(names) else "")
    asker = HEADS[function] if rng.random() < 0.2 else rng.choice(STAFF[function])
    asked, wanted = (text.format(subject) for text in handoff.titles)
    needed = _item(tracker, handoff.receiver, created, asker, (wanted, plan.receiver_label))
    given = _item(tracker, handoff.giver, created + 0.02, asker, (asked, plan.label))
    tracker.link(given, needed, moment(created + 0.04), asker)
    return given, needed


def _item(tracker: Tracker, project: Project, created: float, by: Person, text: tuple[str, str]) -> Issue:
    kind = STORY if project.key in ("PLAT", "APP") else TASK
    return tracker.create(
        project, kind, moment(created), by, summary=text[0], labels=(text[1],), priority="High"
    )


def _work(issue: Issue, span: tuple[float, float], teams: dict[str, Team], rng: random.Random) -> float:
    """Works an item off and returns when it is finished; engineering does so within one sprint."""
    begun, done = span
    team = teams.get(issue.project.key)
    if team is None:
        walk(issue, rng.choice(STAFF[issue.project.function]), (begun - 0.1, done), rng)
        return done
    sprint = next(s for s in team.sprints if moment(done) < s.completes)
    begun = max(begun, span_of(sprint)[0])
    done = max(done, begun + 0.6)
    worker = rng.choice(team.staff)
    issue.set(moment(begun - 0.15), worker, points=rng.choice((2.0, 3.0, 5.0)), assignee=worker)
    issue.add(moment(begun - 0.1), team.staff[0], sprints=sprint)
    issue.move(moment(begun - 0.1), team.staff[0], SELECTED)
    issue.move(moment(begun), worker, IN_PROGRESS)
    issue.move(moment(done - 0.2), worker, IN_REVIEW)
    issue.move(moment(done), worker, DONE)
    return done
