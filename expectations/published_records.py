"""What must hold of what is published behind the statuses: flags, exceptions, records, restated days, the ledger, sources."""

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
    present,
    unique,
    unique_together,
)


def record_suites(configured: list[str], as_of: date) -> list[Suite]:
    """The suites for what stands behind the key results with these ids on the day ``as_of``."""
    return [
        Suite("scorecard", "exceptions", ("exception_id",), _exceptions(configured)),
        Suite("scorecard", "flags", ("flag_id",), _flags()),
        Suite("scorecard", "integrity_events", ("event_id", "kr_id"), _integrity_events(configured, as_of)),
        Suite("scorecard", "evidence", ("kr_id", "record"), _evidence(configured)),
        Suite("scorecard", "restatements", ("kr_id", "date"), _restatements(configured)),
        Suite("scorecard", "ledger", ("number",), _ledger()),
        Suite("scorecard", "source_freshness", ("source", "stream"), _source_freshness()),
        Suite("scorecard", "checks", ("kind", "subject", "check_name"), _checks(as_of)),
        Suite("scorecard", "strategy_changes", ("kind", "subject", "field"), _strategy_changes()),
        Suite("scorecard", "resource_alignment", ("kr_id",), _resource_alignment(configured)),
    ]


def _exceptions(configured: list[str]) -> tuple[Check, ...]:
    return (
        unique("exception_id", "Exceptions that are there twice"),
        one_of("kr_id", configured, "Exceptions of key results that nobody configured"),
        no_rows(
            "people_present",
            "giving_head_email IS NULL OR receiving_head_email IS NULL",
            "Exceptions without the two people who must talk",
        ),
        no_rows(
            "state_borne_out",
            "is_open <> (closed_on IS NULL) OR (state = 'closed') <> (closed_on IS NOT NULL) OR closed_on <= opened_on",
            "Exceptions whose days do not bear out their state",
        ),
    )


def _flags() -> tuple[Check, ...]:
    return (
        unique("flag_id", "Flags that are there twice"),
        one_of("severity", ["amber", "red"], "Flags that are neither amber nor red"),
        no_rows(
            "days_ordered",
            "opened_on IS NULL OR closed_on < opened_on OR is_open <> (closed_on IS NULL)",
            "Flags that close before they open, or are open and closed",
        ),
    )


def _integrity_events(configured: list[str], as_of: date) -> tuple[Check, ...]:
    return (
        unique_together("event", ["event_id", "kr_id"], "Suspect records that are told twice"),
        one_of("kr_id", configured, "Suspect records in key results that nobody configured"),
        between(
            "on_date", FIRST_DAY, as_of, "Records suspect since a day after the one they are reported for"
        ),
        no_rows(
            "effect_borne_out",
            "effect IS NOT NULL AND contribution IS NULL",
            "Records with an effect on a value that does not hold them",
        ),
    )


def _evidence(configured: list[str]) -> tuple[Check, ...]:
    return (
        present("record", "Evidence without a record"),
        present("contribution", "Evidence that contributes nothing"),
        one_of("kr_id", configured, "Evidence of key results that nobody configured"),
        one_of("part", ["value", "numerator", "denominator"], "Evidence of an unknown part of a value"),
    )


def _restatements(configured: list[str]) -> tuple[Check, ...]:
    return (
        unique_together("day", ["kr_id", "date"], "Days that are restated twice"),
        one_of("kr_id", configured, "Restated days of key results that nobody configured"),
        no_rows(
            "parts_add_up",
            "is_split AND (from_late + from_edited + from_definition) IS DISTINCT FROM difference",
            "Restated days whose parts do not add up to the difference",
        ),
        no_rows(
            "unsplit_explained",
            "is_split <> (unsplit_reason IS NULL)",
            "Restated days that are not split, and do not say why",
        ),
    )


def _ledger() -> tuple[Check, ...]:
    return (
        unique("number", "Lines of the ledger that are there twice"),
        unique("hash", "Lines of the ledger with the same hash"),
        one_of("status", STATUSES, "Lines with a status that is not green, amber or red"),
        no_rows("day_told_of", "date > as_of", "Lines about a day after the one that the run stood on"),
    )


def _source_freshness() -> tuple[Check, ...]:
    return (
        unique_together("stream", ["source", "stream"], "Streams that are there twice"),
        no_rows(
            "age_judged",
            "rows < 0 OR days_behind < 0 OR stale <> coalesce(days_behind > business_lag_days, business_lag_days IS NOT NULL)",
            "Streams whose age does not bear out whether they are stale",
        ),
    )


def _checks(as_of: date) -> tuple[Check, ...]:
    return (
        unique_together("check", ["kind", "subject", "check_name"], "Checks that are told twice"),
        one_of("severity", ["warn", "error"], "Checks whose failure is neither a warning nor an error"),
        between("checked_on", FIRST_DAY, as_of, "Checks made on a day after the one they are reported for"),
        no_rows(
            "failure_borne_out",
            "passed <> (failing_since IS NULL) OR failing_since > checked_on OR coalesce(trim(message), '') = ''",
            "Checks that passed and fail, fail since a day to come, or do not say what they found",
        ),
    )


def _strategy_changes() -> tuple[Check, ...]:
    return (
        unique_together(
            "change", ["kind", "subject", "field", "seen_at"], "Changes of the strategy that are there twice"
        ),
        no_rows(
            "is_a_change", "old_value IS NOT DISTINCT FROM new_value", "Changes from something to the same"
        ),
    )


def _resource_alignment(configured: list[str]) -> tuple[Check, ...]:
    return (
        unique("kr_id", "Key results whose resources are there twice"),
        one_of("kr_id", configured, "Resources of key results that nobody configured"),
        no_rows(
            "share_borne_out",
            "abs(spent_share - spent / nullif(budget, 0)) > 0.000001",
            "Key results whose share of the budget is not what was spent of it",
        ),
    )
