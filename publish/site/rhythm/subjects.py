"""What is said of one key result, hand-off, flag or conversation, in words and numbers as people read them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from publish.conversations import Conversation
from publish.reading import Row
from publish.site.facts import Facts
from publish.site.page import exception_path, handoff_path, key_result_path
from publish.site.rhythm.check_in import Record, Said
from publish.wording import aim, counted, day, percent, quantity

WORST_FIRST = ("red", "amber", "green")


def key_result(facts: Facts, kr: Row, records: Sequence[Row], most: int) -> Said:
    """How it stands and why, how it stood a week ago, and what moved it: of the `records` that came in no more than `most`
    are named; with none it is said in short."""
    before = facts.a_week_ago.get(kr["kr_id"])
    return Said(
        title=str(kr["name"]),
        page=key_result_path(kr["kr_id"]),
        status=kr["status"],
        since=_since(kr, before),
        sentences=(
            *((str(kr["reason"]),) if kr["status"] != "green" else ()),
            *(_moved_by(kr, before, records) if most else ()),
        ),
        facts=(
            ("Value", quantity(kr["value"], kr["unit"])),
            ("In the week", change(before["value"] if before else None, kr["value"], kr["unit"])),
            ("Target", aim(kr)),
            ("Headed for", headed_for(kr, with_band=most > 0)),
            ("Chance", _chance(kr, before)),
        ),
        records=tuple(_record(kr, one) for one in records[:most]),
    )


def _since(kr: Row, before: Row | None) -> str:
    """Since when it is off track, or has turned within the week."""
    turned = before is not None and before["status"] != kr["status"]
    since = f"since {day(kr['since'])}" if turned or kr["status"] != "green" else ""
    return f"{since}, {before['status']} a week ago" if before is not None and turned else since


def _moved_by(kr: Row, before: Row | None, records: Sequence[Row]) -> tuple[str, ...]:
    """Where it was headed for, where that has moved, and how many records came in."""
    said = []
    if kr["end_p50"] is not None and before is not None and before["end_p50"] not in (None, kr["end_p50"]):
        said.append(f"A week ago it was headed for {quantity(before['end_p50'], kr['unit'])}.")
    if records:
        said.append(
            f"{counted(records[0]['came'], 'record')} came in this week; the value counts {kr['records']:,}."
        )
    return tuple(said)


def _record(kr: Row, row: Row) -> Record:
    """Of a ratio it is said which part the record is in; what a counted record adds says nothing."""
    share = kr["unit"] == "%"
    is_counted = row["contribution"] in (0, 1) and (share or kr["unit"] == "count")
    amount = "" if is_counted else quantity(row["contribution"], "" if share else kr["unit"])
    part = "" if row["part"] == "value" else row["part"]
    return Record(
        name=str(row["name"] or row["record"]),
        title=str(row["title"] or ""),
        day=row["day"],
        amount=" ".join(one for one in (amount, part) if one),
        url=row["url"],
        found_in=row["found_in"],
    )


def change(before: Decimal | None, now: Decimal | None, unit: str) -> str:
    """What was added or taken away since, and since what; a dash where one of the two is not known."""
    if before is None or now is None:
        return "–"
    if before == now:
        return "unchanged"
    moved = quantity(abs(now - before), "points" if unit == "%" else unit)
    return f"{'+' if now > before else '−'}{moved}, from {quantity(before, '')}"


def headed_for(kr: Row, *, with_band: bool = True) -> str:
    """The value at the cycle's end, and the band in which it lies 8 times in 10; a dash without a forecast."""
    if kr["end_on"] is None:
        return "–"
    band = f" ({quantity(kr['end_p10'], '')} to {quantity(kr['end_p90'], '')})" if with_band else ""
    return quantity(kr["end_p50"], kr["unit"]) + band


def _chance(kr: Row, before: Row | None) -> str:
    now, then = percent(kr["end_p_met"]), percent(before["end_p_met"] if before else None)
    return now if then in (now, "–") else f"{now}, from {then}"


def handoff(facts: Facts, row: Row) -> Said:
    """Who gives what to whom, when it will be there, and how it stands."""
    done_by = (
        day(row["p85_on"]) if row["p85_on"] else "done" if row["state"] == "delivered" else "out of sight"
    )
    return Said(
        title=str(row["name"]),
        page=handoff_path(row["handoff_id"]),
        status=row["status"],
        since=f"{str(row['state']).replace('_', ' ')} since {day(row['since'])}",
        sentences=(str(row["sentence"]),),
        facts=(
            ("Gives", f"{row['giving_head_name']}, {facts.function_name(row['giver_function'])}"),
            ("Needs it", f"{row['receiving_head_name']}, {facts.function_name(row['receiver_function'])}"),
            ("Needed by", day(row["needed_by"])),
            ("Done, at 85 %", done_by),
            ("At stake", quantity(row["amount_at_stake"], facts.currency) if row["amount_at_stake"] else "–"),
        ),
    )


def flag(facts: Facts, row: Row) -> Said:
    """What a rule said, and whether it still does."""
    name, page = _of_flag(facts, row)
    return Said(
        title=name,
        page=page,
        status=row["severity"] if row["is_open"] else None,
        sentences=(str(row["sentence"]),),
        facts=(
            ("Rule", str(row["rule"]).replace("_", " ")),
            ("Opened", day(row["opened_on"])),
            ("Over", day(row["closed_on"]) if row["closed_on"] else "still open"),
        ),
    )


def _of_flag(facts: Facts, row: Row) -> tuple[str, str | None]:
    subject = row["subject"]
    if subject in facts.key_results and row["kind"] != "handoff":
        return str(facts.key_results[subject]["name"]), key_result_path(subject)
    if subject in facts.handoffs:
        return str(facts.handoffs[subject]["name"]), handoff_path(subject)
    return str(subject), None


def conversation(facts: Facts, one: Conversation) -> Said:
    """Which two people have to talk, about what."""
    about = str(one.handoff["name"]) if one.handoff else str(facts.key_results[one.kr_ids[0]]["name"])
    return Said(
        title=f"{one.giving_head} and {one.receiving_head}",
        page=exception_path(one.exceptions[0]["exception_id"]),
        status=one.status,
        sentences=(str(one.handoff["sentence"] if one.handoff else one.exceptions[0]["reason"]),),
        facts=(
            ("About", about),
            ("At stake", quantity(one.amount_at_stake, facts.currency) if one.amount_at_stake else "–"),
            ("Open since", day(one.opened_on)),
            ("Review due", day(one.review_due_on)),
        ),
    )


def worst_first(rows: Sequence[Row]) -> list[Row]:
    """By their status, otherwise in their order."""
    return sorted(rows, key=lambda row: WORST_FIRST.index(row["status"]))


def within(day_: str | None, first: date, last: date) -> bool:
    """Whether an ISO day lies from `first` to `last`."""
    return day_ is not None and first.isoformat() <= day_ <= last.isoformat()
