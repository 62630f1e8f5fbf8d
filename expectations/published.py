"""What must hold of what is published: the scorecard tables that leaders and BI read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from expectations.published_forecasts import forecast_suites
from expectations.published_handoffs import handoff_suites
from expectations.published_records import record_suites
from expectations.suites import (
    FIRST_DAY,
    STATUSES,
    Check,
    Suite,
    all_of,
    between,
    no_rows,
    one_of,
    present,
    unique,
    unique_together,
)


def published_suites(kr_ids: Sequence[str], as_of: date) -> list[Suite]:
    """The suites for the scorecard of a strategy with these key results, as it stands on the day ``as_of``."""
    configured = sorted(kr_ids)
    return [
        Suite("scorecard", "kr_current", ("kr_id",), _kr_current(configured, as_of)),
        Suite("scorecard", "kr_daily", ("kr_id", "date"), _kr_daily(configured, as_of)),
        Suite("scorecard", "objective_current", ("objective_id",), _objective_current()),
        Suite("scorecard", "function_current", ("function_id",), _function_current()),
        Suite("scorecard", "grades", ("kind", "subject"), _grades()),
        *forecast_suites(configured),
        *handoff_suites(as_of),
        *record_suites(configured, as_of),
    ]


def _kr_current(configured: list[str], as_of: date) -> tuple[Check, ...]:
    return (
        present("kr_id", "Key results without an id"),
        unique("kr_id", "Key results that are there twice"),
        all_of("kr_id", configured, "Configured key results that are missing"),
        one_of("kr_id", configured, "Key results that nobody configured"),
        present("owner_email", "Key results without an owner"),
        *_verdict("Key results", as_of, "as_of"),
    )


def _kr_daily(configured: list[str], as_of: date) -> tuple[Check, ...]:
    return (
        present("kr_id", "Days without a key result"),
        unique_together("day", ["kr_id", "date"], "Days of a key result that are there twice"),
        all_of("kr_id", configured, "Configured key results without a single day"),
        *_verdict("Days", as_of, "date"),
    )


def _verdict(rows: str, as_of: date, day: str) -> tuple[Check, ...]:
    return (
        present(day, f"{rows} without a date"),
        between(day, FIRST_DAY, as_of, f"{rows} dated after the day they are reported for"),
        present("status", f"{rows} without a status"),
        one_of("status", STATUSES, f"{rows} with a status that is not green, amber or red"),
        present("rule", f"{rows} without a deciding rule"),
        no_rows("reason_present", "coalesce(trim(reason), '') = ''", f"{rows} without a reason"),
        no_rows(
            "progress_present",
            "value IS NOT NULL AND progress IS NULL",
            f"{rows} with a value but without progress",
        ),
    )


def _objective_current() -> tuple[Check, ...]:
    return (
        present("objective_id", "Objectives without an id"),
        unique("objective_id", "Objectives that are there twice"),
        one_of("status", STATUSES, "Objectives with a status that is not green, amber or red"),
        no_rows(
            "status_present",
            "key_results > 0 AND (status IS NULL OR weakest_kr_id IS NULL)",
            "Objectives with key results but without a status or a weakest key result",
        ),
        no_rows(
            "key_results_counted",
            "green + amber + red <> key_results",
            "Objectives whose statuses do not add up to their key results",
        ),
    )


def _function_current() -> tuple[Check, ...]:
    return (
        unique("function_id", "Functions that are there twice"),
        one_of("status", STATUSES, "Functions with a status that is not green, amber or red"),
        no_rows(
            "key_results_counted",
            "green + amber + red <> key_results OR (key_results > 0) <> (weakest_kr_id IS NOT NULL)",
            "Functions whose statuses do not add up to their key results",
        ),
    )


def _grades() -> tuple[Check, ...]:
    return (
        unique_together("subject", ["kind", "subject"], "Grades that are given twice"),
        one_of("kind", ["key_result", "objective"], "Grades of neither key results nor objectives"),
        no_rows(
            "grade_borne_out",
            "grade NOT BETWEEN 0 AND 1 OR original_grade NOT BETWEEN 0 AND 1 OR key_results < 1"
            " OR (kind = 'objective' AND grade IS NULL)",
            "Grades outside 0 to 1, or of an objective without one",
        ),
    )
