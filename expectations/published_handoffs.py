"""What must hold of what is published about work between functions: hand-offs, their records, queues."""

from __future__ import annotations

from datetime import date

from expectations.suites import (
    FIRST_DAY,
    STATUSES,
    Check,
    Suite,
    between,
    no_rows,
    one_of,
    unique,
    unique_together,
)


def handoff_suites(as_of: date) -> list[Suite]:
    """The suites for hand-offs as they stand on the day ``as_of``."""
    return [
        Suite("scorecard", "handoff_current", ("handoff_id",), _handoff_current()),
        Suite("scorecard", "handoff_daily", ("handoff_id", "date"), _handoff_daily(as_of)),
        Suite("scorecard", "handoff_evidence", ("handoff_id", "part", "record"), _handoff_evidence()),
        Suite(
            "scorecard", "starvation", ("giver_function", "receiver_function", "cycle_week"), _starvation()
        ),
    ]


def _handoff_current() -> tuple[Check, ...]:
    return (
        unique("handoff_id", "Hand-offs that are there twice"),
        no_rows(
            "heads_present",
            "giving_head_email IS NULL OR receiving_head_email IS NULL",
            "Hand-offs without the two people who must talk",
        ),
        *_standing("Hand-offs"),
    )


def _handoff_daily(as_of: date) -> tuple[Check, ...]:
    return (
        unique_together("day", ["handoff_id", "date"], "Days of a hand-off that are there twice"),
        between("date", FIRST_DAY, as_of, "Days dated after the day they are reported for"),
        *_standing("Days"),
    )


def _standing(rows: str) -> tuple[Check, ...]:
    return (
        one_of("status", STATUSES, f"{rows} with a status that is not green, amber or red"),
        no_rows(
            "items_counted",
            "done + open <> items OR waiting > open",
            f"{rows} whose items do not add up",
        ),
        no_rows(
            "finish_ordered",
            "p50_on > p85_on OR (p50_on IS NULL AND p85_on IS NOT NULL)",
            f"{rows} on which half a chance comes after the better one",
        ),
    )


def _handoff_evidence() -> tuple[Check, ...]:
    return (
        unique_together("record", ["handoff_id", "part", "record"], "Records that are there twice"),
        no_rows(
            "handoff_known",
            "NOT EXISTS (SELECT 1 FROM scorecard.handoff_current AS known WHERE known.handoff_id = checked.handoff_id)",
            "Records of hand-offs that are not published",
        ),
        no_rows(
            "state_known",
            "coalesce(part NOT IN ('item', 'deal') OR (part = 'item' AND state NOT IN ('done', 'in_progress', 'waiting')), true)",
            "Records in an unknown state",
        ),
    )


def _starvation() -> tuple[Check, ...]:
    return (
        unique_together(
            "week",
            ["giver_function", "receiver_function", "cycle_week"],
            "Weeks of a queue that are there twice",
        ),
        no_rows(
            "queue_plausible",
            "giver_function = receiver_function OR waiting < 0 OR average_days_waited < 0"
            " OR share_of_finished NOT BETWEEN 0 AND 1",
            "Weeks that no queue can have",
        ),
    )
