"""The story: FleetLink needs carrier, customs and telematics APIs which product asks for and engineering never plans.

Every local number stays good while the requests lie in the integration team's backlog. The launch review in December
finds out; the launch moves by a quarter, and with it the deals that were sold on it. Had the two heads talked in time, the
team would have worked the requests off in its next sprints: `talked_on` plays that story instead.
"""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass
from datetime import date

from demo.clock import CYCLE_START, local, moment, position
from demo.company import HEADS, STAFF, Person, stream
from demo.crm import NEW_BUSINESS, Crm, Deal
from demo.engineering import Team, span_of
from demo.kanban import EvenDraws
from demo.projects import (
    BACKLOG,
    DISCOVERY,
    DONE,
    EPIC,
    IN_PROGRESS,
    IN_REVIEW,
    INT,
    PROD,
    READY,
    SELECTED,
    STORY,
    TASK,
    WAITING,
)
from demo.sales import Course, forecast, play
from demo.texts import COMPANIES
from demo.tracker import Issue, Sprint, Tracker, Version

HANDOFF = "fleetlink-apis"
PRODUCT = "FleetLink"
API_LABEL = "fleetlink-api"
LAUNCH_LABEL = "fleetlink-launch"

NEEDED_BY = date(2026, 11, 27)
PLANNED_LAUNCH = date(2026, 12, 7)
DISCOVERED = date(2026, 12, 8)
REAL_DELIVERY = date(2027, 2, 26)
REAL_LAUNCH = date(2027, 3, 8)
# Eight weeks of work for the team that would have had to do it.
WORK_WEEKS = 8

_APIS = (
    (
        "Carrier API",
        ("order status push", "capacity offers", "proof of delivery", "rate requests", "cancellations"),
    ),
    (
        "Customs API",
        ("export declaration", "transit document T1", "status messages", "commodity codes", "guarantees"),
    ),
    (
        "Telematics API",
        ("truck position", "driving times", "temperature", "door opening", "ETA from “live” traffic"),
    ),
)
_INITIAL_ITEMS = 15
# Weeks after the start of the cycle in which product adds a forgotten need.
_GROWTH_WEEKS = (-0.6, 0.4, 1.3, 1.8, 2.6, 3.4, 4.2, 5.1, 5.7, 6.8, 8.1)
_INDEPENDENT = (
    "Price list for FleetLink", "Terms of service, legal check", "Landing page copy (DE/EN/PL/FR)", "Demo account",
    'Press release "One screen for every truck"', "Sales deck", "Help centre articles", "Billing plans in the shop",
    "Support rota & escalation", "Privacy assessment", "Onboarding mails", "Launch event with pilot shippers",
    "Partner logo permissions", "Status page entry",
)  # fmt: skip
_DEPENDENT = (
    "Carrier board, live capacity", "Book a carrier in two clicks", "Proof of delivery in FleetLink", "Customs desk",
    "T1 transit wizard", "Truck map", "ETA alerts for consignees", "Cold chain report", "Driving time planner",
    "Public beta with five shippers",
)  # fmt: skip


@dataclass(frozen=True)
class Launch:
    """What the simulation planned for the launch, kept for the ground truth: never read by the pipeline."""

    epic: Issue
    requests: tuple[Issue, ...]
    launch_items: tuple[Issue, ...]
    blocked_items: tuple[Issue, ...]
    waiting: tuple[tuple[Deal, int], ...]
    """Deals planned to close within the cycle that wait for the epic, with their amounts in euros."""


def run_launch(
    seed: int, tracker: Tracker, teams: dict[str, Team], crm: Crm, talked_on: date | None = None
) -> Launch:
    """Plays the launch, the requests it waits for and the deals sold on it."""
    rng = stream(seed, "launch")
    moved = () if talked_on else ((local(DISCOVERED, 17.2), REAL_LAUNCH.isoformat()),)
    planned = (local(date(2026, 6, 1), 9), PLANNED_LAUNCH.isoformat())
    version = Version("10200", "FleetLink 1.0", (planned, *moved))
    tracker.versions.append(version)
    free, blocked = _launch_items(tracker, version, rng)
    epic, requests = _requests(tracker, blocked, rng)
    if talked_on:
        # The rescue that is not needed is played aside: what comes after it is drawn as in the other story.
        _rescue(deepcopy(requests), deepcopy(blocked), teams["INT"], rng)
        _take_up(requests, teams["INT"], talked_on, stream(seed, "launch/talked"))
    else:
        _rescue(requests, blocked, teams["INT"], rng)
    waiting = _sell(crm, epic, rng, is_late=talked_on is None)
    _pilots(crm, rng)
    return Launch(epic, tuple(requests), (*free, *blocked), tuple(blocked), tuple(waiting))


def _launch_items(tracker: Tracker, version: Version, rng: random.Random) -> tuple[list[Issue], list[Issue]]:
    lead = STAFF["product"][0]
    opened = position(date(2026, 6, 15))
    epic = tracker.create(
        PROD, EPIC, moment(opened + 0.3), HEADS["product"], summary="FleetLink 1.0 – launch", assignee=lead,
        labels=("fleetlink",), versions=(version,), priority="Highest",
    )  # fmt: skip
    epic.move(moment(opened + 2), lead, DISCOVERY)
    fields = {
        "parent": epic,
        "labels": (LAUNCH_LABEL, "fleetlink"),
        "versions": (version,),
        "priority": "High",
    }
    start = position(CYCLE_START)
    free: list[Issue] = []
    draws = EvenDraws(rng)
    for number, text in enumerate(_INDEPENDENT):
        created = position(date(2026, 8, 17)) + rng.uniform(0, 12)
        item = tracker.create(PROD, TASK, moment(created), lead, summary=text, **fields)
        worker = rng.choice(STAFF["product"])
        done = start + (number + 0.1 + 0.8 * draws.draw()) * 5 / 2.15
        begun = done - rng.uniform(3, 7)
        item.set(moment(begun - 0.2), worker, assignee=worker)
        item.move(moment(begun), worker, DISCOVERY)
        item.move(moment(done), worker, READY)
        free.append(item)
    blocked: list[Issue] = []
    for text in _DEPENDENT:
        created = position(date(2026, 7, 6)) + rng.uniform(0, 15)
        item = tracker.create(PROD, STORY, moment(created), lead, summary=text, **fields)
        worker = rng.choice(STAFF["product"])
        begun = position(date(2026, 9, 14)) + rng.uniform(0, 22)
        item.set(moment(begun), worker, assignee=worker)
        item.move(moment(begun), worker, DISCOVERY)
        item.move(moment(begun + rng.uniform(4, 10)), worker, WAITING)
        blocked.append(item)
    return free, blocked


def _requests(tracker: Tracker, blocked: list[Issue], rng: random.Random) -> tuple[Issue, list[Issue]]:
    """The epic in the integration team's project and its items: asked for, linked, and never planned."""
    lead = STAFF["product"][0]
    opened = position(date(2026, 7, 20))
    epic = tracker.create(
        INT, EPIC, moment(opened + 0.4), lead, summary="FleetLink: carrier, customs & telematics APIs",
        labels=(API_LABEL,), priority="High",
    )  # fmt: skip
    needs = [f"{api}: {part}" for api, parts in _APIS for part in parts]
    later = [f"{api}: {part}, partner {extra}" for extra in (2, 3) for api, parts in _APIS for part in parts]
    start = position(CYCLE_START)
    asked = [opened + 1 + rng.uniform(0, 40) for _ in needs[:_INITIAL_ITEMS]]
    grown = [start + 5 * week + rng.uniform(-0.4, 0.4) for week in _GROWTH_WEEKS]
    requests: list[Issue] = []
    for number, (created, text) in enumerate(
        zip(asked + grown, needs + rng.sample(later, len(grown)), strict=True)
    ):
        author = rng.choice(STAFF["product"])
        item = tracker.create(
            INT,
            STORY,
            moment(created),
            author,
            summary=text,
            parent=epic,
            labels=(API_LABEL,),
            priority="High",
        )
        needing = [blocked[number % len(blocked)], *rng.sample(blocked, 1 if number % 3 == 0 else 0)]
        for receiver in dict.fromkeys(needing):
            tracker.link(item, receiver, moment(created + rng.uniform(0.02, 0.3)), author)
        requests.append(item)
    _half_hearted(requests, lead, rng)
    return epic, requests


def _half_hearted(requests: list[Issue], asker: Person, rng: random.Random) -> None:
    """Signs of life that lead nowhere: an estimate, a move back and forth, a raised priority."""
    engineer = STAFF["engineering"][15]
    start = position(CYCLE_START)
    requests[2].set(moment(start - 8.3), engineer, points=8.0)
    requests[4].move(moment(start - 4.7), engineer, SELECTED)
    requests[4].move(moment(start + 1.6), engineer, BACKLOG)
    for item in rng.sample(requests[:_INITIAL_ITEMS], 4):
        item.set(moment(start + rng.uniform(6, 30)), asker, priority="Highest")


def _rescue(requests: list[Issue], blocked: list[Issue], team: Team, rng: random.Random) -> None:
    """After the launch review the team takes the requests up; the first is finished before the cycle ends."""
    sprints = [sprint for sprint in team.sprints if sprint.starts.date() > DISCOVERED]
    planner = team.staff[0]
    for number, item in enumerate(requests[:8]):
        sprint = sprints[0 if number < 4 else 1]
        first, last = span_of(sprint)
        worker = rng.choice(team.staff)
        item.set(moment(first - 0.3), planner, points=rng.choice((5.0, 8.0)))
        item.add(moment(first - 0.2), planner, sprints=sprint)
        item.move(moment(first - 0.2), planner, SELECTED)
        begun = first + rng.uniform(0.1, 2)
        item.set(moment(begun), worker, assignee=worker)
        item.move(moment(begun), worker, IN_PROGRESS)
        done = begun + (last - begun) * rng.uniform(0.6, 0.95)
        item.move(moment(done - 0.4), worker, IN_REVIEW)
        item.move(moment(done), worker, DONE)
    for item in blocked:
        item.add(moment(position(DISCOVERED) + 0.9), HEADS["product"], labels="moved-to-2027q1")


def _take_up(requests: list[Issue], team: Team, talked_on: date, rng: random.Random) -> None:
    """After the two heads have talked the team begins every request within days, in the sprint that runs then."""
    for item in requests:
        begun = max(position(talked_on), position(item.created.date())) + rng.uniform(1, 4)
        sprint = next(sprint for sprint in team.sprints if moment(begun) < sprint.completes)
        _work(item, sprint, team, (begun, begun + rng.uniform(1.5, 4)), rng)


def _work(item: Issue, sprint: Sprint, team: Team, span: tuple[float, float], rng: random.Random) -> None:
    """Plans an item into a sprint and works it off within the span."""
    planner, (begun, done) = team.staff[0], span
    item.set(moment(begun - 0.3), planner, points=rng.choice((5.0, 8.0)))
    item.add(moment(begun - 0.2), planner, sprints=sprint)
    item.move(moment(begun - 0.2), planner, SELECTED)
    worker = rng.choice(team.staff)
    item.set(moment(begun), worker, assignee=worker)
    item.move(moment(begun), worker, IN_PROGRESS)
    item.move(moment(done - 0.4), worker, IN_REVIEW)
    item.move(moment(done), worker, DONE)


def _sell(crm: Crm, epic: Issue, rng: random.Random, *, is_late: bool) -> list[tuple[Deal, int]]:
    """Deals sold on the promise of a December launch: about two million, pushed in the week of the review if it is late."""
    total, count = rng.uniform(1_960_000, 2_080_000), 17
    weights = [rng.lognormvariate(0, 0.35) for _ in range(count)]
    amounts = [round(total * weight / sum(weights) / 500) * 500 for weight in weights]
    names = rng.sample(COMPANIES, count + 2)
    opened = [position(date(2026, 5, 18)) + 98 * number / 15 + rng.uniform(0, 5) for number in range(15)]
    opened += [position(CYCLE_START) + 12 + rng.uniform(0, 3), position(CYCLE_START) + 23 + rng.uniform(0, 3)]
    deals = []
    for name, amount, begun in zip(names, amounts, opened, strict=False):
        deal = _waiting_deal(crm, epic, (name, amount, begun), rng)
        moved = position(DISCOVERED) + rng.uniform(0.9, 3.5)
        expected = position(REAL_LAUNCH) + rng.uniform(2, 12)
        if is_late:
            deal.set(moment(moved), deal.by, closedate=forecast(expected))
        deals.append((deal, amount))
    for name in names[count:]:
        begun = position(date(2026, 8, 10)) + rng.uniform(0, 30)
        deal = _waiting_deal(crm, epic, (name, 48_000, begun), rng, due=date(2027, 2, 15))
        deal.set(moment(begun + 9), STAFF["sales"][0], amount="52000")
    return deals


def _waiting_deal(
    crm: Crm, epic: Issue, what: tuple[str, int, float], rng: random.Random, due: date | None = None
) -> Deal:
    name, amount, opened = what
    owner = rng.choice(STAFF["sales"])
    promised = position(due or PLANNED_LAUNCH) + rng.uniform(2, 11)
    deal = crm.create(
        moment(opened), owner, dealname=f"{name} – FleetLink", pipeline=NEW_BUSINESS.id,
        dealstage=NEW_BUSINESS.stages[0].id, amount=str(amount), closedate=forecast(promised),
        hubspot_owner_id=owner.crm_id, product_line=PRODUCT, deal_currency_code="EUR",
    )  # fmt: skip
    deal.set(moment(opened + rng.uniform(0.1, 2)), owner, waits_for_issue=epic)
    pace = rng.uniform(6, 13) if opened < position(CYCLE_START) else rng.uniform(3, 5)
    for step, stage in enumerate(NEW_BUSINESS.stages[1:4], start=1):
        deal.set(moment(opened + step * pace), owner, dealstage=stage.id)
    return deal


def _pilots(crm: Crm, rng: random.Random) -> None:
    """Small FleetLink pilots that need none of the APIs: they keep the new product's revenue moving a little."""
    start = position(CYCLE_START)
    for place in (-34.0, -18.0, 1.4, 8.2, 16.5, 24.3, 31.6, 39.7, 46.9, 55.8):
        closed = start + place
        amount = 500 * rng.randint(36, 64)
        course = Course(NEW_BUSINESS, PRODUCT, closed - rng.uniform(18, 34), closed, amount, won=True)
        play(course, crm, rng.choice(STAFF["sales"]), rng)
