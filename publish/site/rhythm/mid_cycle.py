"""The review in mid-cycle: what will be missed at this rate, where money and people go, which targets were moved."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from publish.reading import Row
from publish.site.facts import Facts
from publish.site.page import handoff_path, key_result_path
from publish.site.rhythm.check_in import CheckIn, Said, Section
from publish.site.rhythm.subjects import headed_for
from publish.wording import aim, counted, day, exact, percent, quantity

PAGE = "mid-cycle.html"
# Met less often than not.
_EVEN = Decimal("0.5")
_MISSED, _OFF_TRACK, _MET, _NOT_KNOWN = "missed", "off track", "met", "not known"
_IN_WORDS = {
    _MISSED: "will be missed",
    _OFF_TRACK: "is off track",
    _MET: "will be met",
    _NOT_KNOWN: "cannot be foreseen",
}


def has_come(facts: Facts) -> bool:
    """From the week in the middle on: of 13 weeks the sixth."""
    return facts.week >= max(facts.weeks // 2, 1)


def review(facts: Facts) -> CheckIn:
    """The whole of it, as it stands on the last reported day."""
    missed = sorted(
        (kr for kr in facts.own_key_results if kr["end_p_met"] is not None and kr["end_p_met"] < _EVEN),
        key=lambda kr: kr["end_p_met"],
    )
    dark = [kr for kr in facts.own_key_results if kr["end_p_met"] is None and kr["status"] != "green"]
    fates = {
        **{kr["kr_id"]: _MET for kr in facts.own_key_results if kr["end_p_met"] is not None},
        **{kr["kr_id"]: _OFF_TRACK for kr in dark},
        **{kr["kr_id"]: _MISSED for kr in missed},
    }
    how_many = counted(len(missed), "key result")
    return CheckIn(
        kind="mid-cycle",
        subject="",
        name=str(facts.run["company"]),
        email=None,
        title="Mid-cycle review",
        page=PAGE,
        sentences=(
            f"Week {facts.week} of {facts.weeks}, {day(facts.last_day)}. At this rate {how_many} of "
            f"{len(facts.own_key_results)} will be missed.",
        ),
        sections=(
            Section(
                "missed",
                "Will be missed at this rate",
                tuple(_missed(kr) for kr in missed),
                "None of those that can be forecast.",
                ("Those whose target is met with a chance of less than one half.",) if missed else (),
            ),
            Section(
                "unknown",
                "Off track, and too little is known to forecast",
                tuple(_missed(kr) for kr in dark),
                "None.",
            ),
            _resources(facts, fates),
            Section("moved", "Targets that were moved", tuple(_moved(facts)), "None since the cycle began."),
        ),
    )


def _missed(kr: Row) -> Said:
    return Said(
        title=str(kr["name"]),
        page=key_result_path(kr["kr_id"]),
        status=kr["status"],
        sentences=(str(kr["reason"]),),
        facts=(
            ("Value", quantity(kr["value"], kr["unit"])),
            ("Target", aim(kr)),
            ("Headed for", headed_for(kr)),
            ("Short by", _short_by(kr)),
            ("Chance", percent(kr["end_p_met"])),
            ("Owner", str(kr["owner_name"])),
        ),
    )


def _short_by(kr: Row) -> str:
    """How far the middle of the forecast stays from the target, or from the nearer end of the band; a dash where it does not."""
    headed, low, high = kr["end_p50"], kr["band_low"], kr["band_high"]
    if headed is None:
        return "–"
    if kr["target"] is not None:
        upwards = kr["baseline"] is None or kr["target"] >= kr["baseline"]
        short = kr["target"] - headed if upwards else headed - kr["target"]
    else:
        short = max(low - headed if low is not None else 0, headed - high if high is not None else 0)
    return quantity(short, "points" if kr["unit"] == "%" else kr["unit"]) if short > 0 else "–"


def _resources(facts: Facts, fates: Mapping[str, str]) -> Section:
    """Budgets and people beside what becomes of it: what will be missed first, then where most is spent ahead of progress."""
    order = (_MISSED, _OFF_TRACK, _NOT_KNOWN, _MET)
    rows = sorted(
        (
            (row, fates.get(row["kr_id"], _NOT_KNOWN))
            for row in facts.resources.values()
            if row["kr_id"] in facts.key_results
        ),
        key=lambda pair: (order.index(pair[1]), -(pair[0]["spent_ahead"] or 0)),
    )
    shares = {
        fate: sum((row["share_of_people"] or Decimal(0) for row, other in rows if other == fate), Decimal(0))
        for fate in order
    }
    said = ", ".join(
        f"{percent(share)} for what {_IN_WORDS[fate]}" for fate, share in shares.items() if share
    )
    return Section(
        "resources",
        "Where money and people go",
        tuple(_resource(facts, row, fate) for row, fate in rows),
        "No key result has a budget or people of its own.",
        (f"Of the people meant for key results: {said}.",) if said else (),
    )


def _resource(facts: Facts, row: Row, fate: str) -> Said:
    return Said(
        title=str(facts.key_results[row["kr_id"]]["name"]),
        page=key_result_path(row["kr_id"]),
        status=row["status"],
        facts=(
            ("At this rate", fate),
            ("Progress", percent(row["progress"])),
            ("Budget", "–" if row["budget"] is None else quantity(row["budget"], facts.currency)),
            ("Spent", percent(row["spent_share"])),
            ("Ahead of progress", _points(row["spent_ahead"])),
            ("People", exact(row["people"])),
            ("Seen at work", exact(row["people_seen"])),
        ),
    )


def _points(share: Decimal | int | None) -> str:
    return "–" if share is None else f"{quantity(Decimal(share) * 100, '').partition('.')[0]} points"


def _moved(facts: Facts) -> list[Said]:
    changes: Sequence[Row] = facts.published.table("strategy_changes")
    return [_change(facts, row) for row in sorted(changes, key=lambda row: str(row["changed_on"]))]


def _change(facts: Facts, row: Row) -> Said:
    """What was moved, and how the key result stands by the aim that it had first."""
    kr = facts.key_results.get(row["kr_id"] or "")
    handoff = facts.handoffs.get(row["subject"]) if row["kind"] == "handoff" else None
    known = kr or handoff
    page = key_result_path(kr["kr_id"]) if kr else handoff_path(row["subject"]) if handoff else None
    first = kr["original_status"] if kr else None
    return Said(
        title=str(known["name"]) if known else str(row["subject"]),
        page=page,
        status=kr["status"] if kr else None,
        sentences=(f"By its first aim it would be {first}.",)
        if kr and first and first != kr["status"]
        else (),
        facts=(
            ("What", str(row["field"]).replace("_", " ")),
            ("From", str(row["old_value"] or "–")),
            ("To", str(row["new_value"] or "–")),
            ("On", day(row["changed_on"])),
        ),
    )
