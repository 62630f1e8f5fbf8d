"""Sales' own business: deals planned by the week in which they close, with their way through the stages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from demo.clock import (
    CYCLE_END,
    CYCLE_START,
    HISTORY_START,
    day_at,
    local,
    moment,
    mondays,
    position,
    utc_text,
)
from demo.company import STAFF, Person, stream
from demo.crm import NEW_BUSINESS, RENEWALS, Crm, Deal, Pipeline
from demo.kanban import EvenDraws
from demo.texts import COMPANIES

PRODUCTS = ("Contract Logistics", "Groupage Network", "Freight Desk", "Warehouse Space")

# Sales closes its ordinary business early in the cycle: December was kept free for FleetLink.
_WON = (6, 6, 6, 6, 6, 6, 4, 3, 3, 3, 3, 3, 1)
_LOST = (9, 10, 9, 10, 9, 10, 6, 5, 5, 4, 5, 4, 1)
_WON_BEFORE, _LOST_BEFORE = 3.8, 7.4
_RENEWED, _CHURNED = 1.0, 0.15


@dataclass(frozen=True)
class Course:
    """How a deal went: pipeline, product, positions of creation and close, final amount in euros, and the outcome."""

    pipeline: Pipeline
    product: str
    opened: float
    closed: float
    amount: int
    won: bool


def run_sales(seed: int, crm: Crm) -> None:
    """Plays all deals that have nothing to do with the launch into the CRM."""
    rng = stream(seed, "sales")
    new = _Business(NEW_BUSINESS, EvenDraws(rng), EvenDraws(rng), 74_000.0, 0.42)
    renewals = _Business(RENEWALS, EvenDraws(rng), EvenDraws(rng), 51_000.0, 0.35)
    owed = [0.0, 0.0, 0.0, 0.0]
    for monday in mondays(HISTORY_START, CYCLE_END + timedelta(weeks=24)):
        week = (monday - CYCLE_START).days // 7
        in_cycle = 0 <= week < len(_WON)
        rates = (
            _WON[week] if in_cycle else _WON_BEFORE,
            _LOST[week] if in_cycle else _LOST_BEFORE,
            _RENEWED,
            _CHURNED,
        )
        owed = [debt + rate for debt, rate in zip(owed, rates, strict=True)]
        for kind, business in ((0, new), (1, new), (2, renewals), (3, renewals)):
            while owed[kind] >= 1:
                owed[kind] -= 1
                course = business.course(monday, won=kind in (0, 2), rng=rng)
                if course:
                    play(course, crm, rng.choice(STAFF["sales"]), rng)


@dataclass
class _Business:
    pipeline: Pipeline
    within_week: EvenDraws
    sizes: EvenDraws
    median_amount: float
    amount_sigma: float

    def course(self, monday: date, *, won: bool, rng: random.Random) -> Course | None:
        """One deal that closes in a week; none where the week has no working day."""
        first, last = position(monday), position(monday + timedelta(days=7))
        if last == first:
            return None
        closed = first + 0.05 + self.within_week.draw() * (last - first - 0.1)
        length = rng.lognormvariate(3.55, 0.45) if won else rng.lognormvariate(3.3, 0.6)
        opened = closed - min(max(length, 6.0), 130.0)
        earliest = position(HISTORY_START - timedelta(days=75))
        amount = round(self.sizes.lognormal(self.median_amount, self.amount_sigma) / 500) * 500
        product = rng.choice(PRODUCTS)
        return Course(self.pipeline, product, max(opened, earliest), closed, amount, won)


def play(course: Course, crm: Crm, owner: Person, rng: random.Random) -> Deal:
    """Plays one deal: its stages, amount, forecast close date and owner as people kept them."""
    expected = course.closed + rng.uniform(-12, 3)
    guess = course.amount if rng.random() < 0.6 else round(course.amount * rng.uniform(0.8, 1.3) / 500) * 500
    deal = crm.create(
        moment(course.opened),
        owner,
        dealname=f"{rng.choice(COMPANIES)} – {course.product}",
        pipeline=course.pipeline.id,
        dealstage=course.pipeline.stages[0].id,
        amount=str(guess),
        closedate=forecast(max(expected, course.opened + 5)),
        hubspot_owner_id=owner.crm_id,
        product_line=course.product,
        deal_currency_code="EUR",
    )
    span = course.closed - course.opened
    open_stages = course.pipeline.stages[1:-2]
    reached = open_stages if course.won else open_stages[: rng.randint(0, len(open_stages))]
    for step, stage in enumerate(reached, start=1):
        share = (step - 0.4 + rng.uniform(-0.25, 0.25)) / (len(open_stages) + 0.3)
        deal.set(moment(course.opened + span * share), owner, dealstage=stage.id)
    if expected < course.closed:
        slipped = course.opened + span * rng.uniform(0.75, 0.95)
        deal.set(moment(slipped), owner, closedate=forecast(course.closed + rng.uniform(0, 4)))
    if guess != course.amount:
        deal.set(moment(course.opened + span * rng.uniform(0.5, 0.9)), owner, amount=str(course.amount))
    if rng.random() < 0.06:
        other = rng.choice(STAFF["sales"])
        deal.set(moment(course.opened + span * rng.uniform(0.2, 0.6)), owner, hubspot_owner_id=other.crm_id)
    ended = course.pipeline.won if course.won else course.pipeline.lost
    at = moment(course.closed)
    deal.set(at, owner, dealstage=ended.id, closedate=utc_text(at))
    return deal


def forecast(place: float) -> str:
    """A close date as sales people pick it: a day, at noon."""
    return utc_text(local(day_at(place), 12))
