"""What is suspect in a world, rule by rule, and what values are without it: loops over the records, no SQL."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from tests.dbt.integrity_world import (
    AS_OF,
    BERLIN,
    OPEN_STAGES,
    START,
    Change,
    Deal,
    Item,
    Posting,
    World,
    local_day,
)

Suspects = dict[str, tuple[date, bool]]
"""By record: the day it became suspect, and whether the strict value leaves it out."""
SETTLED = timedelta(days=14)


def _counted(world: World) -> list[Item]:
    return [item for item in world.items if item.done_at and local_day(item.done_at) >= START]


def reopened(world: World) -> Suspects:
    found = {}
    for item in world.items:
        for closing, opening in zip(item.moves, item.moves[1:], strict=False):
            soon = opening.at - closing.at < SETTLED
            if closing.after == "3" and opening.after == "2" and soon and local_day(opening.at) >= START:
                again = item.done_at is not None and local_day(item.done_at) + SETTLED > AS_OF
                found[item.record] = (local_day(opening.at), again)
    return found


def _is_late(change: Change) -> bool:
    moment = change.at.astimezone(BERLIN)
    return moment.isoweekday() > 5 or (moment.isoweekday() == 5 and moment.hour >= 16)


def closed_before_cut(world: World) -> Suspects:
    first = START - timedelta(days=182)
    weeks: dict[str, dict[date, list[tuple[Item, Change]]]] = defaultdict(lambda: defaultdict(list))
    for item in world.items:
        for move in item.moves:
            day = local_day(move.at)
            if move.after == "3" and day >= first:
                for closer in (move.by, {"P": "f1", "Q": "f2"}[item.project]):
                    weeks[closer][day - timedelta(days=day.weekday())].append((item, move))
    latest: dict[str, Change] = {}
    for by_week in weeks.values():
        for week, closings in by_week.items():
            earlier = [one for other, some in by_week.items() if other < week for one in some]
            if len(earlier) < 20:
                continue
            share = (sum(_is_late(move) for _, move in earlier) + 1) / (len(earlier) + 2)
            late = [(item, move) for item, move in closings if _is_late(move)]
            noise = math.sqrt(len(closings) * share * (1 - share))
            if len(late) >= 5 and len(late) - len(closings) * share >= 4 * noise:
                for item, move in late:
                    if local_day(move.at) >= START:
                        latest[item.record] = max(latest.get(item.record, move), move, key=lambda one: one.at)
    return {record: (local_day(move.at), False) for record, move in latest.items()}


def resolved_before_history(world: World) -> Suspects:
    found = {}
    for item in _counted(world):
        first = min(move.at for move in item.moves if move.after == "3")
        if item.resolved and item.done_at and first - item.resolved > timedelta(days=1):
            found[item.record] = (local_day(item.done_at), True)
    return found


def closed_at_once(world: World) -> Suspects:
    leads = defaultdict(list)
    for item in world.items:
        if item.done_at:
            leads[item.type].append((item.done_at - item.created).total_seconds())
    found = {}
    for item in _counted(world):
        usual = statistics.median(leads[item.type])
        if item.done_at and item.done_at - item.created < timedelta(hours=1) and usual >= 86400:
            found[item.record] = (local_day(item.done_at), True)
    return found


def _was_in_progress(item: Item) -> bool:
    return any(move.after == "2" for move in item.moves)


def never_started(world: World) -> Suspects:
    starts = defaultdict(list)
    for item in world.items:
        if item.done_at:
            starts[item.type].append(_was_in_progress(item))
    found = {}
    for item in _counted(world):
        usual = starts[item.type]
        if item.done_at and not _was_in_progress(item) and sum(usual) >= 0.9 * len(usual):
            found[item.record] = (local_day(item.done_at), True)
    return found


def left_scope(world: World) -> Suspects:
    """Only `red` and type Bug are what key results look for, in the worlds of these tests."""
    found = {}
    for item in world.items:
        for change in item.changes:
            old = set((change.before or "").split())
            label = change.field == "labels" and "red" in old and "red" not in item.labels
            retyped = change.field == "type" and change.before == "Bug" and item.type != "Bug"
            if (
                (label or retyped)
                and change.at - item.created >= timedelta(days=3)
                and local_day(change.at) >= START
            ):
                found[item.record] = (local_day(change.at), False)
    return found


def estimate_changed(world: World) -> Suspects:
    """Items that are open count too: a key result of these tests counts them."""
    found = {}
    for item in [*_counted(world), *(item for item in world.items if item.done_at is None)]:
        for change in item.changes:
            late = item.started_at is not None and change.at > item.started_at
            if change.field == "estimate" and late and change.before and local_day(change.at) >= START:
                found[item.record] = (local_day(change.at), False)
    return found


def _considered(world: World) -> Iterator[Deal]:
    for deal in world.deals:
        closed = deal.entered(("won", "lost"))
        if closed is None or local_day(closed) >= START:
            yield deal


def close_date_pushed(world: World) -> Suspects:
    found = {}
    for deal in _considered(world):
        pushes = [
            change
            for change in deal.changes
            if change.field == "closedate" and change.before and (change.after or "") > change.before
        ]
        if len(pushes) >= 3:
            found[deal.record] = (local_day(pushes[-1].at), False)
    return found


def won_and_undone(world: World) -> Suspects:
    found = {}
    for deal in world.deals:
        for change in deal.changes:
            if change.field == "dealstage" and change.before == "won" and change.after != "won":
                won = deal.entered(("won",))
                again = won is not None and local_day(won) + SETTLED > AS_OF
                if local_day(change.at) >= START:
                    found[deal.record] = (local_day(change.at), again)
    return found


def edited_after_won(world: World) -> Suspects:
    found = {}
    for deal in _considered(world):
        won = deal.entered(("won",))
        for change in deal.changes:
            edited = change.field == "amount" and change.before and change.after != change.before
            if won and edited and local_day(change.at) > local_day(won):
                found[deal.record] = (local_day(change.at), False)
    return found


def stages_skipped(world: World) -> Suspects:
    order = ["", *OPEN_STAGES, "won"]
    skips: dict[str, Change] = {}
    won = [deal for deal in world.deals if deal.last("dealstage") == "won"]
    for deal in won:
        for change in deal.changes:
            steps = [
                order.index(stage) for stage in (change.before or "", change.after or "") if stage in order
            ]
            if change.field == "dealstage" and len(steps) == 2 and steps[1] - steps[0] > 1:
                skips[deal.record] = change
    if len(won) < 20 or 1 - len(skips) / len(won) < 0.9:
        return {}
    considered = {deal.record for deal in _considered(world)}
    return {record: (local_day(change.at), False) for record, change in skips.items() if record in considered}


def open_past_close(world: World) -> Suspects:
    found = {}
    for deal in world.deals:
        due = date.fromisoformat(deal.last("closedate")[:10]) + timedelta(days=8)
        if deal.last("dealstage") in OPEN_STAGES and due <= AS_OF:
            found[deal.record] = (due, False)
    return found


def _month(day: date, months: int = 0) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _postings(world: World) -> list[Posting]:
    return [posting for posting in world.postings if posting.day >= _month(START, -1)]


def _in_order(postings: Sequence[Posting]) -> list[Posting]:
    return sorted(postings, key=lambda one: (one.day, one.posted, one.document, f"finance/{one.id}"))


def posted_into_closed(world: World) -> Suspects:
    return {
        posting.record: (posting.posted, True)
        for posting in _postings(world)
        if posting.posted > _month(posting.day, 1) + timedelta(days=14)
    }


def reversed_next_period(world: World) -> Suspects:
    found: Suspects = {}
    groups: dict[tuple[str, str, object, date], list[Posting]] = defaultdict(list)
    for posting in _postings(world):
        side = posting.counterparty or posting.document
        if side:
            groups[posting.account, side, posting.amount, _month(posting.day)].append(posting)
    for (account, side, amount, month), postings in groups.items():
        back = groups.get((account, side, -amount, _month(month, 1)), [])  # type: ignore[operator]
        early = [one for one in back if one.day.day <= 5]
        for posted, taken_back in zip(_in_order(postings), _in_order(early), strict=False):
            for one in (posted, taken_back):
                day = max(taken_back.day, found.get(one.record, (taken_back.day, True))[0])
                found[one.record] = (day, True)
    return found


def duplicate(world: World) -> Suspects:
    groups: dict[tuple[object, ...], list[Posting]] = defaultdict(list)
    for one in _postings(world):
        groups[one.day, one.account, one.amount, one.counterparty, one.description].append(one)
    copies = []
    for alike in groups.values():
        first, *others = _in_order(alike)
        copies += [one for one in others if not one.document or one.document != first.document]
    months: dict[tuple[object, ...], set[date]] = defaultdict(set)
    for one in copies:
        months[one.account, one.amount, one.counterparty].add(_month(one.day))
    return {
        one.record: (one.posted, True)
        for one in copies
        if not one.counterparty or len(months[one.account, one.amount, one.counterparty]) == 1
    }


def round_at_period_end(world: World) -> Suspects:
    found = {}
    for one in _postings(world):
        last = _month(one.day, 1) - timedelta(days=1)
        while last.isoweekday() > 5:
            last -= timedelta(days=1)
        if one.day >= last and not one.counterparty and one.amount % 1000 == 0:
            found[one.record] = (one.day, False)
    return found


RULES: Mapping[str, Callable[[World], Suspects]] = {
    rule.__name__: rule
    for rule in (
        reopened, closed_before_cut, resolved_before_history, closed_at_once, never_started, left_scope,
        estimate_changed, close_date_pushed, won_and_undone, edited_after_won, stages_skipped, open_past_close,
        posted_into_closed, reversed_next_period, duplicate, round_at_period_end,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A record's part in a value: its amount, and on which side of a ratio it stands."""

    record: str
    amount: Fraction
    is_numerator: bool = True


def without(parts: Sequence[Part], records: Set[str]) -> list[Part]:
    """The parts of other records."""
    return [part for part in parts if part.record not in records]


def value_of(aggregate: str, parts: Sequence[Part]) -> float | None:
    """The value of a measure over its parts. `ratio`: numerator over all, `against`: over the others; in per cent."""
    amounts = sorted(part.amount for part in parts)
    above = sum((part.amount for part in parts if part.is_numerator), Fraction(0))
    match aggregate:
        case "count":
            return len(amounts)
        case "sum":
            return float(sum(amounts, Fraction(0)))
        case "avg":
            return float(sum(amounts) / len(amounts)) if amounts else None
        case "median" | "p85":
            return _percentile(amounts, 0.5 if aggregate == "median" else 0.85)
        case "ratio":
            return 100 * float(above / sum(amounts)) if sum(amounts) else None
        case _:
            below = sum((part.amount for part in parts if not part.is_numerator), Fraction(0))
            return 100 * float(above / below) if below else None


def _percentile(ordered: Sequence[Fraction], share: float) -> float | None:
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low]) + (place - low) * float(ordered[high] - ordered[low])
