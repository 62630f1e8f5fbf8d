"""The retrospective of a cycle that has ended: grades, how good the forecasts were, conversations, what was restated."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from publish.reading import Row
from publish.site.facts import Facts
from publish.site.page import key_result_path
from publish.site.rhythm.check_in import CheckIn, Said, Section
from publish.wording import aim, counted, day, exact, percent, quantity

PAGE = "retrospective.html"
_IN_BAND = "In the band of 80 %"


def has_come(facts: Facts) -> bool:
    """Once the last day of the cycle is reported."""
    return facts.as_of >= facts.cycle_end


def review(facts: Facts) -> CheckIn:
    """The whole of it."""
    grades = {(row["kind"], row["subject"]): row for row in facts.published.table("grades")}
    objectives = [one for one in facts.objectives.values() if ("objective", one["objective_id"]) in grades]
    return CheckIn(
        kind="retrospective",
        subject="",
        name=str(facts.run["company"]),
        email=None,
        title="Retrospective",
        page=PAGE,
        sentences=(f"{facts.run['cycle_name']}, {day(facts.cycle_start)} to {day(facts.cycle_end)}.",),
        sections=(
            Section(
                "objectives",
                "Grades of objectives",
                tuple(_objective(facts, one, grades["objective", one["objective_id"]]) for one in objectives),
                "No objective has a grade.",
                ("The average of its key results; around 0.7 is what ambitious targets bring.",),
            ),
            Section(
                "standing",
                "Grades of key results",
                tuple(
                    _key_result(facts, kr, grades["key_result", kr["kr_id"]])
                    for one in facts.objectives.values()
                    for kr in facts.of_objective(one["objective_id"])
                    if ("key_result", kr["kr_id"]) in grades
                ),
                "No key result has a grade.",
                (
                    "The share of the way from baseline to target; of one to be maintained the share of days inside its band.",
                ),
            ),
            _forecasts(facts),
            _conversations(facts),
            _restatements(facts),
        ),
    )


def grade(value: Decimal | int | None) -> str:
    """As it is shown, with one decimal; 1.0 is not shown of what falls short."""
    if value is None:
        return "–"
    shown = Decimal(value).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return str(shown if value == 1 else min(shown, Decimal("0.9")))


def _objective(facts: Facts, one: Row, graded: Row) -> Said:
    whose = facts.function_name(one["function_id"]) if one["level"] == "function" else "company"
    return Said(
        title=str(one["name"]),
        status=one["status"] or one["tree_status"],
        facts=(
            ("Grade", grade(graded["grade"])),
            ("By its first aims", grade(graded["original_grade"])),
            ("Key results", str(graded["key_results"])),
            ("Whose", whose),
        ),
    )


def _key_result(facts: Facts, kr: Row, graded: Row) -> Said:
    moved = graded["original_grade"] is not None and grade(graded["original_grade"]) != grade(graded["grade"])
    first = f"Its target was {quantity(kr['original_target'], kr['unit'])} at first."
    return Said(
        title=str(kr["name"]),
        page=key_result_path(kr["kr_id"]),
        status=kr["status"],
        sentences=(first,) if moved and kr["original_target"] is not None else (),
        facts=(
            ("Grade", grade(graded["grade"])),
            ("By its first aim", grade(graded["original_grade"])),
            ("Value", quantity(kr["value"], kr["unit"])),
            ("Target", aim(kr)),
            ("Owner", str(kr["owner_name"])),
        ),
    )


def _forecasts(facts: Facts) -> Section:
    scores = facts.published.table("kr_forecast_scores")
    rows = sorted(
        (row for row in scores if row["kr_id"] in facts.key_results),
        key=lambda row: row["brier"],
        reverse=True,
    )
    return Section(
        "forecasts",
        "How good the forecasts were",
        tuple(_forecast(facts, row) for row in rows),
        "Of no forecast that a run told in this cycle the day has come.",
        tuple(
            f"{about}: {_whole([row for row in rows if row['horizon'] == horizon])}"
            for horizon, about in (("soon", "Some weeks ahead"), ("end", "Of the cycle's end"))
            if any(row["horizon"] == horizon for row in rows)
        ),
    )


def _whole(rows: Sequence[Row]) -> str:
    """Several scores taken together, each by how many forecasts it is of."""
    count = sum(row["forecasts"] for row in rows)
    in_band = Decimal(sum(row["in_band"] for row in rows)) / count
    brier = sum((Decimal(row["brier"]) * row["forecasts"] for row in rows), Decimal(0)) / count
    return (
        f"{counted(count, 'forecast')}, {percent(in_band)} in the band of 80 %, Brier score {_hundredths(brier)} "
        "(0 is best, 0.25 is always saying one half)."
    )


def _forecast(facts: Facts, row: Row) -> Said:
    kr = facts.key_results[row["kr_id"]]
    return Said(
        title=str(kr["name"]),
        page=key_result_path(row["kr_id"]),
        facts=(
            ("About", "some weeks ahead" if row["horizon"] == "soon" else "the end"),
            ("Forecasts", str(row["forecasts"])),
            (_IN_BAND, f"{row['in_band']} of {row['forecasts']}"),
            ("Chance foretold", percent(row["foretold"])),
            ("Came true", percent(row["came_true"])),
            ("Brier score", _hundredths(row["brier"])),
        ),
    )


def _hundredths(score: Decimal | int) -> str:
    return str(Decimal(score).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _conversations(facts: Facts) -> Section:
    rows = facts.published.exceptions_by_pair()
    return Section(
        "conversations",
        "Exceptions by pair of functions, and how long they took",
        tuple(_pair(facts, row) for row in rows),
        "No exception was opened.",
    )


def _pair(facts: Facts, row: Row) -> Said:
    giver, receiver = facts.function_name(row["giver_function"]), row["receiver_function"]
    return Said(
        title=f"{giver} → {facts.function_name(receiver)}" if receiver else f"{giver}, without a hand-off",
        facts=(
            ("Exceptions", str(row["exceptions"])),
            ("Closed", str(row["closed"])),
            (
                "Days to close, median",
                exact(None if row["median_days"] is None else Decimal(str(row["median_days"]))),
            ),
            ("Longest", "–" if row["longest_days"] is None else counted(row["longest_days"], "day")),
            ("Escalated", str(row["escalated"])),
            ("Opened again", str(row["reopened"])),
        ),
    )


def _restatements(facts: Facts) -> Section:
    return Section(
        "restated",
        "What was restated",
        tuple(
            _restated(facts.key_results[kr_id], rows)
            for kr_id, rows in sorted(facts.restatements.items())
            if rows and kr_id in facts.key_results
        ),
        "Nothing: every day reads as it was first told.",
        (
            "Days that read otherwise than first told, and of each key result the one on which it does so most.",
        ),
    )


def _restated(kr: Row, rows: Sequence[Row]) -> Said:
    """On how many days it reads otherwise than first told, where most, and on how many its status is another."""
    most = max(rows, key=lambda row: abs(row["difference"] or 0))
    turned = sum(row["reported_status"] != row["status"] for row in rows)
    return Said(
        title=str(kr["name"]),
        page=key_result_path(kr["kr_id"]),
        facts=(
            ("Days", str(len(rows))),
            ("First told", quantity(most["reported_value"], kr["unit"])),
            ("Reads now", quantity(most["value"], kr["unit"])),
            ("On", day(most["date"])),
            ("Another status", counted(turned, "day") if turned else "–"),
        ),
    )
