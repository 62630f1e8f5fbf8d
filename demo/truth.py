"""The ground truth of a simulated company: what fails, since when, and what it costs, from the simulation's own plan."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from demo.clock import CYCLE_END, CYCLE_START, end_of
from demo.company import HEADS
from demo.handoffs import CURRENT, UNDECLARED, Planned
from demo.launch import (
    DISCOVERED,
    HANDOFF,
    NEEDED_BY,
    PLANNED_LAUNCH,
    REAL_DELIVERY,
    REAL_LAUNCH,
    WORK_WEEKS,
    Launch,
)
from demo.world import World


def ground_truth(world: World) -> dict[str, Any]:
    """The plan's own account as plain JSON values: dates as ISO texts, money as texts in euros.

    It is for judging what the product finds. Nothing in it is read from the records that the systems show.
    """
    launch = world.launch
    return {
        "seed": world.seed,
        "cycle": {"start": CYCLE_START.isoformat(), "end": CYCLE_END.isoformat()},
        "failing_handoff": _failing(launch),
        "launch": {
            "planned": PLANNED_LAUNCH.isoformat(),
            "real": REAL_LAUNCH.isoformat(),
            "slips_weeks": (REAL_LAUNCH - PLANNED_LAUNCH).days // 7,
            "found_out_on": DISCOVERED.isoformat(),
            "items": [issue.key for issue in launch.launch_items],
            "blocked_items": [issue.key for issue in launch.blocked_items],
        },
        "revenue": {
            "deals": [deal.id for deal, _ in launch.waiting],
            "deferred": str(sum(amount for _, amount in launch.waiting)),
            "at_stake": {friday.isoformat(): str(_at_stake(launch, friday)) for friday in fridays()},
        },
        "scope": {friday.isoformat(): _asked_by(launch, friday) for friday in fridays()},
        "healthy_handoffs": [_healthy(handoff) for handoff in CURRENT],
        "undeclared_handoffs": [_healthy(UNDECLARED)],
    }


def write_ground_truth(world: World, path: Path) -> None:
    """Writes the ground truth as JSON. Only tests read it."""
    path.write_text(json.dumps(ground_truth(world), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def fridays() -> list[date]:
    """The Fridays of the cycle."""
    first = CYCLE_START + timedelta(days=4)
    return [first + timedelta(weeks=week) for week in range(13)]


def _failing(launch: Launch) -> dict[str, Any]:
    latest_start = NEEDED_BY - timedelta(weeks=WORK_WEEKS)
    return {
        "id": HANDOFF,
        "giver": "engineering",
        "receiver": "product",
        "giving_head": _head("engineering"),
        "receiving_head": _head("product"),
        "not_told": "sales",
        "epic": launch.epic.key,
        "items": [issue.key for issue in launch.requests],
        "needed_by": NEEDED_BY.isoformat(),
        "latest_start": latest_start.isoformat(),
        "starts_failing_on": max(latest_start, CYCLE_START).isoformat(),
        "planned_delivery": NEEDED_BY.isoformat(),
        "real_delivery": REAL_DELIVERY.isoformat(),
    }


def _head(function: str) -> dict[str, str]:
    return {"name": HEADS[function].name, "email": HEADS[function].email}


def _at_stake(launch: Launch, day: date) -> int:
    """Planned amounts of the waiting deals that were in the pipeline on the evening of a day."""
    return sum(amount for deal, amount in launch.waiting if deal.created < end_of(day))


def _asked_by(launch: Launch, day: date) -> int:
    return sum(issue.created < end_of(day) for issue in launch.requests)


def _healthy(plan: Planned) -> dict[str, Any]:
    giver, receiver = plan.handoff.giver.function, plan.handoff.receiver.function
    return {
        "id": plan.handoff.id,
        "giver": giver,
        "receiver": receiver,
        "giving_head": _head(giver),
        "receiving_head": _head(receiver),
        "label": plan.label,
        "items": plan.handoff.count,
        "needed_by": plan.needed_by.isoformat(),
    }
