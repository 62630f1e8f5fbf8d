"""What must hold of what arrives: the staging tables of the configured streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from expectations.suites import (
    FIRST_DAY,
    Check,
    Suite,
    absent,
    all_of,
    between,
    no_rows,
    one_of,
    present,
    unique,
    unique_together,
)

_FIRST_INSTANT = datetime.combine(FIRST_DAY, time(), UTC)
# Expected close dates and budgets lie ahead, but not by generations.
_LAST_DAY = date(2099, 12, 31)
_LAST_INSTANT = datetime(2100, 1, 1, tzinfo=UTC)
# Postings are dated to the end of the period that they are written for.
_POSTED_AHEAD = timedelta(days=31)


def arriving_suites(configured: Iterable[tuple[str, str, str]], latest: datetime) -> list[Suite]:
    """The suites for the configured streams, given as (source, system, stream).

    ``latest`` is the instant after which nothing can have happened yet: the end of the as-of day or the start of the
    run, whichever is later. A staging table that no configured stream feeds has no suite.
    """
    sources: dict[tuple[str, str], list[str]] = {}
    for source, system, stream in configured:
        sources.setdefault((system, stream), []).append(source)
    return [
        Suite(
            "staging",
            each.table,
            each.key,
            (
                all_of("_source", sorted(sources[stream]), f"Sources without a single {each.row}"),
                *each.checks(latest),
            ),
            "NOT _deleted",
        )
        for stream, each in _STAGING.items()
        if stream in sources
    ]


def _issues(latest: datetime) -> tuple[Check, ...]:
    return (
        present("issue_id", "Issues without an id"),
        unique("_record", "Issues that are there twice"),
        present("issue_key", "Issues without a key"),
        present("project_id", "Issues without a project"),
        present("type_id", "Issues without a type"),
        present("status_id", "Issues without a status"),
        present("created_at", "Issues without a date of creation"),
        present("updated_at", "Issues without a date of update"),
        absent("unreadable", "Issues with fields that cannot be read"),
        between("created_at", _FIRST_INSTANT, latest, "Issues created before 1990 or in the future"),
        between("resolved_at", _FIRST_INSTANT, latest, "Issues resolved before 1990 or in the future"),
        no_rows(
            "resolved_after_created", "resolved_at < created_at", "Issues resolved before they were created"
        ),
        no_rows(
            "status_listed",
            """status_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM staging.stg_jira__statuses AS listed
                WHERE listed.status_id = checked.status_id AND listed._source = checked._source
            )""",
            "Issues in a status that the site does not list",
        ),
    )


def _changelogs(latest: datetime) -> tuple[Check, ...]:
    return (
        present("issue_id", "Changes without an issue"),
        present("history_id", "Changes without an id"),
        present("field_name", "Changes without a field"),
        present("changed_at", "Changes without a date"),
        absent("unreadable", "Changes with a date that cannot be read"),
        between("changed_at", _FIRST_INSTANT, latest, "Changes made before 1990 or in the future"),
    )


def _statuses(latest: datetime) -> tuple[Check, ...]:
    return (
        present("status_id", "Statuses without an id"),
        unique("_record", "Statuses that are there twice"),
        present("status", "Statuses without a name"),
        present("status_category", "Statuses without a category of Jira's three"),
        one_of("status_category", ["todo", "in_progress", "done"], "Statuses in an unknown category"),
    )


def _deals(latest: datetime, *, stages: str) -> tuple[Check, ...]:
    """Of the deals of a system whose stages are in the staging table `stages`."""
    stage_of = f"""FROM staging.{stages} AS listed
                WHERE listed.stage_id = checked.stage_id AND listed.pipeline_id = checked.pipeline_id
                    AND listed._source = checked._source"""
    return (
        present("deal_id", "Deals without an id"),
        unique("_record", "Deals that are there twice"),
        present("pipeline_id", "Deals without a pipeline"),
        present("stage_id", "Deals without a stage"),
        present("created_at", "Deals without a date of creation"),
        absent("unreadable", "Deals with fields that cannot be read"),
        between("created_at", _FIRST_INSTANT, latest, "Deals created before 1990 or in the future"),
        between("close_at", _FIRST_INSTANT, _LAST_INSTANT, "Deals that close before 1990 or after 2099"),
        _three_letters("Deals in a currency that is no three-letter code"),
        no_rows(
            "stage_listed",
            f"pipeline_id IS NOT NULL AND stage_id IS NOT NULL AND NOT EXISTS (SELECT 1 {stage_of})",
            "Deals in a stage that their pipeline does not list",
        ),
        no_rows(
            "won_amount_present",
            f"amount IS NULL AND EXISTS (SELECT 1 {stage_of} AND listed.is_won)",
            "Won deals without an amount",
        ),
    )


def _stages(latest: datetime) -> tuple[Check, ...]:
    return (
        present("pipeline_id", "Stages without a pipeline"),
        present("stage_id", "Stages without an id"),
        unique_together("stage", ["_source", "pipeline_id", "stage_id"], "Stages that are there twice"),
        present("stage", "Stages without a name"),
        no_rows("won_is_closed", "is_won AND NOT is_closed", "Stages that are won but not closed"),
    )


def _ledger(latest: datetime) -> tuple[Check, ...]:
    ahead = latest + _POSTED_AHEAD
    return (
        unique("_record", "Postings that are there twice"),
        present("date", "Postings without a date"),
        present("account", "Postings without an account"),
        present("amount", "Postings without an amount"),
        absent("unreadable", "Postings with fields that cannot be read"),
        between("date", FIRST_DAY, ahead.date(), "Postings dated before 1990 or more than a month ahead"),
        between(
            "posted_at", _FIRST_INSTANT, ahead, "Postings entered before 1990 or more than a month ahead"
        ),
        _three_letters("Postings in a currency that is no three-letter code"),
    )


def _budgets(latest: datetime) -> tuple[Check, ...]:
    return (
        unique("_record", "Budget lines that are there twice"),
        present("month", "Budget lines without a month"),
        present("account", "Budget lines without an account"),
        present("amount", "Budget lines without an amount"),
        absent("unreadable", "Budget lines with fields that cannot be read"),
        between("month", FIRST_DAY, _LAST_DAY, "Budget lines for a month before 1990 or after 2099"),
        _three_letters("Budget lines in a currency that is no three-letter code"),
    )


def _three_letters(fault: str) -> Check:
    # As a query: Great Expectations knows no regular expressions of DuckDB's.
    return no_rows("currency_code", "NOT regexp_full_match(currency, '[A-Z]{3}')", fault)


@dataclass(frozen=True)
class _Staging:
    """A staging table: what one row is, the columns that name it, and its checks for a latest possible instant."""

    table: str
    row: str
    key: tuple[str, ...]
    checks: Callable[[datetime], tuple[Check, ...]]


_STAGING: Mapping[tuple[str, str], _Staging] = {
    ("jira", "issues"): _Staging("stg_jira__issues", "issue", ("_record",), _issues),
    ("jira", "changelogs"): _Staging("stg_jira__changelogs", "change", ("_record", "item_no"), _changelogs),
    ("jira", "statuses"): _Staging("stg_jira__statuses", "status", ("_record",), _statuses),
    ("hubspot", "deals"): _Staging(
        "stg_hubspot__deals", "deal", ("_record",), partial(_deals, stages="stg_hubspot__stages")
    ),
    ("hubspot", "pipelines"): _Staging("stg_hubspot__stages", "stage", ("_record", "stage_id"), _stages),
    ("salesforce", "opportunities"): _Staging(
        "stg_salesforce__opportunities",
        "opportunity",
        ("_record",),
        partial(_deals, stages="stg_salesforce__stages"),
    ),
    ("salesforce", "stages"): _Staging("stg_salesforce__stages", "stage", ("_record",), _stages),
    ("finance", "ledger"): _Staging("stg_finance__ledger", "posting", ("_record",), _ledger),
    ("finance", "budgets"): _Staging("stg_finance__budgets", "budget line", ("_record",), _budgets),
}
