"""Every gate holds on sound data and is the only one to fail on a record that is wrong in its one way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from expectations.arriving import arriving_suites
from expectations.gates import GateResult, run_gates
from expectations.published import published_suites
from expectations.suites import Suite
from publish.tables import PUBLIC_TABLES

_SOUND = (Path(__file__).parent / "sound_warehouse.sql").read_text(encoding="utf-8")
_CONFIGURED = [
    ("acme", "jira", "issues"),
    ("other", "jira", "issues"),
    ("acme", "jira", "changelogs"),
    ("other", "jira", "changelogs"),
    ("acme", "jira", "statuses"),
    ("other", "jira", "statuses"),
    ("acme", "jira", "projects"),
    ("crm", "hubspot", "deals"),
    ("crm", "hubspot", "pipelines"),
    ("org", "salesforce", "opportunities"),
    ("org", "salesforce", "stages"),
    ("books", "finance", "ledger"),
    ("books", "finance", "budgets"),
]
_SUITES = {
    suite.subject: suite
    for suite in (
        *arriving_suites(_CONFIGURED, datetime(2026, 10, 30, 23, tzinfo=UTC)),
        *published_suites(["steady", "faster"], date(2026, 10, 30)),
    )
}

_ISSUES = "UPDATE staging.stg_jira__issues SET {} WHERE _record = 'acme/issues/101'"
_CHANGES = "UPDATE staging.stg_jira__changelogs SET {} WHERE _source = 'acme' AND item_no = 2"
_STATUSES = "UPDATE staging.stg_jira__statuses SET {} WHERE _record = 'acme/statuses/1'"
_LEDGER = "UPDATE staging.stg_finance__ledger SET {} WHERE _key = '1'"
_BUDGETS = "UPDATE staging.stg_finance__budgets SET {} WHERE _key = '1'"
_CURRENT = "UPDATE scorecard.kr_current SET {} WHERE kr_id = 'faster'"
_DAILY = "UPDATE scorecard.kr_daily SET {} WHERE kr_id = 'faster' AND date = '2026-10-30'"
_OBJECTIVE = "UPDATE scorecard.objective_current SET {} WHERE objective_id = 'o1'"


def _again(table: str, row: str) -> str:
    return f"INSERT INTO {table} SELECT * FROM {table} WHERE {row}"


def _faults_of(
    table: str, row: str, named: str, changes: Mapping[str, str | None]
) -> dict[tuple[str, str], tuple[str, str]]:
    """What is done to one row of a scorecard table, by gate; None: it is there twice."""
    name = f"scorecard.{table}"
    return {
        (name, gate): (f"UPDATE {name} SET {change} WHERE {row}" if change else _again(name, row), named)
        for gate, change in changes.items()
    }


def _faults_of_deals(
    deals: str, deal: str, stages: str, stage: str
) -> dict[tuple[str, str], tuple[str, str]]:
    """What is done to a won deal and to an open stage of a system, and how its gates name the two."""
    deals, stages = f"staging.stg_{deals}", f"staging.stg_{stages}"
    # By gate: what is done, and what its sentence says besides.
    of_deal = {
        "deal_id_present": ("deal_id = NULL", ""),
        "pipeline_id_present": ("pipeline_id = NULL", ""),
        "stage_id_present": ("stage_id = NULL", ""),
        "created_at_present": ("created_at = NULL", ""),
        "unreadable_absent": ("unreadable = 'amount'", " (amount)"),
        "created_at_plausible": ("created_at = '2027-01-01 00:00:00Z'", " (2027-01-01"),
        "close_at_plausible": ("close_at = '2206-01-01 00:00:00Z'", " (2206-01-01"),
        "currency_code": ("currency = 'Eu€'", ""),
        "stage_listed": ("stage_id = 'gone'", ""),
        "won_amount_present": ("amount = NULL", ""),
    }
    of_stage = {
        "pipeline_id_present": "pipeline_id = NULL",
        "stage_id_present": "stage_id = NULL",
        "stage_present": "stage = NULL",
        "won_is_closed": "is_won = true",
    }
    source = deal.partition("/")[0]
    return {
        (deals, "_source_complete"): (f"UPDATE {deals} SET _deleted = true", source),
        (deals, "_record_unique"): (_again(deals, "deal_id = '2'"), deal),
        **{
            (deals, gate): (f"UPDATE {deals} SET {change} WHERE deal_id = '2'", deal + told)
            for gate, (change, told) in of_deal.items()
        },
        (stages, "_source_complete"): (f"DELETE FROM {stages}", source),
        (stages, "stage_unique"): (_again(stages, "stage_id = 'open'"), "open"),
        **{
            (stages, gate): (f"UPDATE {stages} SET {change} WHERE stage_id = 'open'", stage)
            for gate, change in of_stage.items()
        },
    }


# What is done to the sound warehouse, by the one gate that must notice, with a text that its sentence must hold.
_FAULTS: dict[tuple[str, str], tuple[str, str]] = {
    ("staging.stg_jira__issues", "_source_complete"): (
        "DELETE FROM staging.stg_jira__issues WHERE _source = 'other'",
        "Sources without a single issue: other.",
    ),
    ("staging.stg_jira__issues", "issue_id_present"): (
        _ISSUES.format("issue_id = NULL"),
        "Issues without an id: 1, such as acme/issues/101.",
    ),
    ("staging.stg_jira__issues", "_record_unique"): (
        _again("staging.stg_jira__issues", "_record = 'acme/issues/101'"),
        "Issues that are there twice: 2, such as acme/issues/101",
    ),
    ("staging.stg_jira__issues", "issue_key_present"): (
        _ISSUES.format("issue_key = NULL"),
        "acme/issues/101",
    ),
    ("staging.stg_jira__issues", "project_id_present"): (
        _ISSUES.format("project_id = NULL"),
        "acme/issues/101",
    ),
    ("staging.stg_jira__issues", "type_id_present"): (_ISSUES.format("type_id = NULL"), "acme/issues/101"),
    ("staging.stg_jira__issues", "status_id_present"): (
        _ISSUES.format("status_id = NULL"),
        "acme/issues/101",
    ),
    ("staging.stg_jira__issues", "created_at_present"): (
        _ISSUES.format("created_at = NULL"),
        "acme/issues/101",
    ),
    ("staging.stg_jira__issues", "updated_at_present"): (
        _ISSUES.format("updated_at = NULL"),
        "acme/issues/101",
    ),
    ("staging.stg_jira__issues", "unreadable_absent"): (
        _ISSUES.format("unreadable = 'estimate'"),
        "such as acme/issues/101 (estimate).",
    ),
    ("staging.stg_jira__issues", "created_at_plausible"): (
        _ISSUES.format("created_at = '2026-10-31 00:00:01+01'"),
        "acme/issues/101 (2026-10-30 23:00:01+00:00)",
    ),
    ("staging.stg_jira__issues", "resolved_at_plausible"): (
        _ISSUES.format("resolved_at = '2226-10-30 00:00:00Z'"),
        "acme/issues/101 (2226-10-30",
    ),
    ("staging.stg_jira__issues", "resolved_after_created"): (
        _ISSUES.format("resolved_at = '2026-09-30 00:00:00Z'"),
        "acme/issues/101",
    ),
    ("staging.stg_jira__issues", "status_listed"): (
        _ISSUES.format("status_id = '77'"),
        "1, such as acme/issues/101.",
    ),
    ("staging.stg_jira__changelogs", "_source_complete"): (
        "DELETE FROM staging.stg_jira__changelogs WHERE _source = 'other'",
        "other",
    ),
    ("staging.stg_jira__changelogs", "issue_id_present"): (
        _CHANGES.format("issue_id = NULL"),
        "acme/changelogs/101/9/2",
    ),
    ("staging.stg_jira__changelogs", "history_id_present"): (
        _CHANGES.format("history_id = NULL"),
        "acme/changelogs",
    ),
    ("staging.stg_jira__changelogs", "field_name_present"): (
        _CHANGES.format("field_name = NULL"),
        "acme/changelogs",
    ),
    ("staging.stg_jira__changelogs", "changed_at_present"): (
        _CHANGES.format("changed_at = NULL"),
        "acme/changelogs",
    ),
    ("staging.stg_jira__changelogs", "unreadable_absent"): (
        _CHANGES.format("unreadable = 'created'"),
        "(created)",
    ),
    ("staging.stg_jira__changelogs", "changed_at_plausible"): (
        _CHANGES.format("changed_at = '1970-01-01 00:00:00Z'"),
        "(1970-01-01",
    ),
    ("staging.stg_jira__statuses", "_source_complete"): (
        "DELETE FROM staging.stg_jira__statuses WHERE _source = 'other'",
        "other",
    ),
    ("staging.stg_jira__statuses", "status_id_present"): (
        _STATUSES.format("status_id = NULL"),
        "acme/statuses/1",
    ),
    ("staging.stg_jira__statuses", "_record_unique"): (
        _again("staging.stg_jira__statuses", "_record = 'acme/statuses/1'"),
        "acme/statuses/1",
    ),
    ("staging.stg_jira__statuses", "status_present"): (_STATUSES.format("status = NULL"), "acme/statuses/1"),
    ("staging.stg_jira__statuses", "status_category_present"): (
        _STATUSES.format("status_category = NULL"),
        "acme/statuses/1",
    ),
    ("staging.stg_jira__statuses", "status_category_known"): (
        _STATUSES.format("status_category = 'waiting'"),
        "acme/statuses/1 (waiting)",
    ),
    **_faults_of_deals("hubspot__deals", "crm/deals/2", "hubspot__stages", "crm/pipelines/p1"),
    **_faults_of_deals("salesforce__opportunities", "org/opportunities/2", "salesforce__stages", "org/stages/open"),
    ("staging.stg_finance__ledger", "_source_complete"): ("DELETE FROM staging.stg_finance__ledger", "books"),
    ("staging.stg_finance__ledger", "_record_unique"): (
        _again("staging.stg_finance__ledger", "_key = '1'"),
        "books/ledger/1",
    ),
    ("staging.stg_finance__ledger", "date_present"): (_LEDGER.format("date = NULL"), "books/ledger/1"),
    ("staging.stg_finance__ledger", "account_present"): (_LEDGER.format("account = NULL"), "books/ledger/1"),
    ("staging.stg_finance__ledger", "amount_present"): (_LEDGER.format("amount = NULL"), "books/ledger/1"),
    ("staging.stg_finance__ledger", "unreadable_absent"): (
        _LEDGER.format("unreadable = 'amount date'"),
        "(amount date)",
    ),
    ("staging.stg_finance__ledger", "date_plausible"): (
        _LEDGER.format("date = '2026-12-02'"),
        "books/ledger/1 (2026-12-02)",
    ),
    ("staging.stg_finance__ledger", "posted_at_plausible"): (
        _LEDGER.format("posted_at = '1899-12-30 00:00:00Z'"),
        "(1899-12-30",
    ),
    ("staging.stg_finance__ledger", "currency_code"): (_LEDGER.format("currency = 'Euro'"), "books/ledger/1"),
    ("staging.stg_finance__budgets", "_source_complete"): (
        "DELETE FROM staging.stg_finance__budgets",
        "books",
    ),
    ("staging.stg_finance__budgets", "_record_unique"): (
        _again("staging.stg_finance__budgets", "_key = '1'"),
        "books/budgets/1",
    ),
    ("staging.stg_finance__budgets", "month_present"): (_BUDGETS.format("month = NULL"), "books/budgets/1"),
    ("staging.stg_finance__budgets", "account_present"): (
        _BUDGETS.format("account = NULL"),
        "books/budgets/1",
    ),
    ("staging.stg_finance__budgets", "amount_present"): (_BUDGETS.format("amount = NULL"), "books/budgets/1"),
    ("staging.stg_finance__budgets", "unreadable_absent"): (
        _BUDGETS.format("unreadable = 'month'"),
        "(month)",
    ),
    ("staging.stg_finance__budgets", "month_plausible"): (
        _BUDGETS.format("month = '1926-10-01'"),
        "(1926-10-01)",
    ),
    ("staging.stg_finance__budgets", "currency_code"): (
        _BUDGETS.format("currency = 'eur'"),
        "books/budgets/1",
    ),
    ("scorecard.kr_current", "kr_id_present"): (
        "INSERT INTO scorecard.kr_current SELECT * REPLACE (NULL AS kr_id) FROM scorecard.kr_current LIMIT 1",
        "without an id: 1.",
    ),
    ("scorecard.kr_current", "kr_id_unique"): (_again("scorecard.kr_current", "kr_id = 'faster'"), "faster"),
    ("scorecard.kr_current", "kr_id_complete"): (
        "DELETE FROM scorecard.kr_current WHERE kr_id = 'steady'",
        "Configured key results that are missing: steady.",
    ),
    ("scorecard.kr_current", "kr_id_known"): (
        "INSERT INTO scorecard.kr_current SELECT * REPLACE ('typed-in' AS kr_id) FROM scorecard.kr_current LIMIT 1",
        "typed-in",
    ),
    ("scorecard.kr_current", "owner_email_present"): (_CURRENT.format("owner_email = NULL"), "faster"),
    ("scorecard.kr_current", "as_of_present"): (_CURRENT.format("as_of = NULL"), "faster"),
    ("scorecard.kr_current", "as_of_plausible"): (
        _CURRENT.format("as_of = '2026-10-31'"),
        "faster (2026-10-31)",
    ),
    ("scorecard.kr_current", "status_present"): (_CURRENT.format("status = NULL"), "faster"),
    ("scorecard.kr_current", "status_known"): (_CURRENT.format("status = 'blue'"), "faster (blue)"),
    ("scorecard.kr_current", "rule_present"): (_CURRENT.format("rule = NULL"), "faster"),
    ("scorecard.kr_current", "reason_present"): (_CURRENT.format("reason = ' '"), "faster"),
    ("scorecard.kr_current", "progress_present"): (_CURRENT.format("progress = NULL"), "faster"),
    ("scorecard.kr_daily", "kr_id_present"): (
        "INSERT INTO scorecard.kr_daily SELECT * REPLACE (NULL AS kr_id) FROM scorecard.kr_daily LIMIT 1",
        "1",
    ),
    ("scorecard.kr_daily", "day_unique"): (
        _again("scorecard.kr_daily", "kr_id = 'faster'"),
        "faster/2026-10-",
    ),
    ("scorecard.kr_daily", "kr_id_complete"): (
        "DELETE FROM scorecard.kr_daily WHERE kr_id = 'steady'",
        "steady",
    ),
    ("scorecard.kr_daily", "date_present"): (_DAILY.format("date = NULL"), "faster"),
    ("scorecard.kr_daily", "date_plausible"): (_DAILY.format("date = '2026-10-31'"), "faster/2026-10-31"),
    ("scorecard.kr_daily", "status_present"): (_DAILY.format("status = NULL"), "faster/2026-10-30"),
    ("scorecard.kr_daily", "status_known"): (_DAILY.format("status = 'blue'"), "faster/2026-10-30 (blue)"),
    ("scorecard.kr_daily", "rule_present"): (_DAILY.format("rule = NULL"), "faster/2026-10-30"),
    ("scorecard.kr_daily", "reason_present"): (_DAILY.format("reason = NULL"), "faster/2026-10-30"),
    ("scorecard.kr_daily", "progress_present"): (_DAILY.format("progress = NULL"), "faster/2026-10-30"),
    ("scorecard.objective_current", "objective_id_present"): (
        _OBJECTIVE.format("objective_id = NULL"),
        "without an id: 1.",
    ),
    ("scorecard.objective_current", "objective_id_unique"): (
        _again("scorecard.objective_current", "objective_id = 'o1'"),
        "o1",
    ),
    ("scorecard.objective_current", "status_known"): (_OBJECTIVE.format("status = 'blue'"), "o1 (blue)"),
    ("scorecard.objective_current", "status_present"): (_OBJECTIVE.format("status = NULL"), "o1"),
    ("scorecard.objective_current", "key_results_counted"): (_OBJECTIVE.format("red = 1"), "o1"),
    **_faults_of("function_current", "function_id = 'f1'", "f1", {
        "function_id_unique": None,
        "status_known": "status = 'blue'",
        "key_results_counted": "weakest_kr_id = NULL",
    }),
    **_faults_of("forecasts", "horizon = 'end'", "/2026-10-30/", {
        "forecast_unique": None,
        "kr_id_known": "kr_id = 'typed-in'",
        "horizon_known": "horizon = 'later'",
        "looks_ahead": "for_date = '2026-10-29'",
        "quantiles_ordered": "p50 = 2.000001",
        "chance_plausible": "p_met = 1.000001",
    }),
    **_faults_of("forecast_scores", "basis = 'told'", "/end/0.9", {
        "tenth_unique": None,
        "basis_known": "basis = 'guessed'",
        "score_plausible": "in_band = 11",
    }),
    **_faults_of("kr_forecast_scores", "horizon = 'end'", "/", {
        "horizon_unique": None,
        "kr_id_known": "kr_id = 'typed-in'",
        "horizon_known": "horizon = 'later'",
        "score_plausible": "brier = 1.000001",
    }),
    **_faults_of("grades", "kind = 'objective'", "o1", {
        "subject_unique": None,
        "kind_known": "kind = 'hand-off'",
        "grade_borne_out": "grade = 1.000001",
    }),
    **_faults_of("leading_indicators", "indicator_no = 1", "/1", {
        "indicator_unique": None,
        "kr_id_known": "kr_id = 'typed-in'",
        "verdict_known": "verdict = 'follows', lead_weeks = 0",
        "verdict_borne_out": "lead_weeks = 0",
    }),
    **_faults_of("handoff_current", "handoff_id = 'apis'", "apis", {
        "handoff_id_unique": None,
        "heads_present": "giving_head_email = NULL",
        "status_known": "status = 'blue'",
        "items_counted": "done = 2",
        "finish_ordered": "p85_on = '2026-11-19'",
    }),
    **_faults_of("handoff_daily", "date = '2026-10-30'", "apis/2026-10-3", {
        "day_unique": None,
        "date_plausible": "date = '2026-10-31'",
        "status_known": "status = 'blue'",
        "items_counted": "waiting = 3",
        "finish_ordered": "p50_on = NULL, p85_on = '2026-11-19'",
    }),
    **_faults_of("handoff_evidence", "state = 'waiting'", "item/acme/issues/1", {
        "record_unique": None,
        "handoff_known": "handoff_id = 'gone'",
        "state_known": "state = 'lost'",
    }),
    **_faults_of("starvation", "cycle_week = 1", "/1", {
        "week_unique": None,
        "queue_plausible": "receiver_function = 'a'",
    }),
    **_faults_of("exceptions", "state = 'closed'", "steady/2026-10-07", {
        "exception_id_unique": None,
        "kr_id_known": "kr_id = 'typed-in'",
        "people_present": "receiving_head_email = NULL",
        "state_borne_out": "state = 'opened'",
    }),
    **_faults_of("flags", "NOT is_open", "key_result/steady/pace/2026-10-07", {
        "flag_id_unique": None,
        "severity_known": "severity = 'green'",
        "days_ordered": "closed_on = '2026-10-06'",
    }),
    **_faults_of("integrity_events", "kr_id = 'faster'", "reopened/acme/issues/1", {
        "event_unique": None,
        "kr_id_known": "kr_id = 'typed-in'",
        "on_date_plausible": "on_date = '2026-10-31'",
        "effect_borne_out": "contribution = NULL",
    }),
    **_faults_of("evidence", "record = 'acme/issues/1'", "faster", {
        "record_present": "record = NULL",
        "contribution_present": "contribution = NULL",
        "kr_id_known": "kr_id = 'faster than configured'",
        "part_known": "part = 'left over'",
    }),
    **_faults_of("restatements", "is_split", "faster", {
        "day_unique": None,
        "kr_id_known": "kr_id = 'faster than configured'",
        "parts_add_up": "from_late = 2",
        "unsplit_explained": "unsplit_reason = 'none'",
    }),
    **_faults_of("ledger", "number = 3", "Lines", {
        "number_unique": "number = 2",
        "hash_unique": "hash = 'h2'",
        "status_known": "status = 'blue'",
        "day_told_of": "date = '2026-10-21'",
    }),
    **_faults_of("source_freshness", "stream = 'issues'", "acme/issues", {
        "stream_unique": None,
        "age_judged": "stale = false",
    }),
    **_faults_of("checks", "NOT passed", "gate/staging.stg_jira__issues/status_listed", {
        "check_unique": None,
        "severity_known": "severity = 'fatal'",
        "checked_on_plausible": "checked_on = '2026-10-31'",
        "failure_borne_out": "failing_since = '2026-10-31'",
    }),
    **_faults_of("strategy_changes", "field = 'target'", "key_result/faster/target", {
        "change_unique": None,
        "is_a_change": "old_value = '2'",
    }),
    **_faults_of("resource_alignment", "kr_id = 'faster'", "faster", {
        "kr_id_unique": None,
        "kr_id_known": "kr_id = 'faster than configured'",
        "share_borne_out": "spent_share = 0.34",
    }),
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """A sound warehouse, held open by another connection of this process as dbt does, with a copy of each table."""
    file = tmp_path_factory.mktemp("gates") / "warehouse.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(_SOUND)
        con.execute("CREATE SCHEMA sound")
        for subject in _SUITES:
            con.execute(f"CREATE TABLE sound.{subject.partition('.')[2]} AS FROM {subject}")
        yield file, con


@pytest.fixture
def sound(
    warehouse: tuple[Path, duckdb.DuckDBPyConnection], request: pytest.FixtureRequest
) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """The warehouse, whose table a test may break: it is mended afterwards."""
    yield warehouse
    gate = getattr(request.node, "callspec", None)
    if gate is not None:
        subject = gate.params["gate"][0]
        warehouse[1].execute(f"DELETE FROM {subject}")
        warehouse[1].execute(f"INSERT INTO {subject} FROM sound.{subject.partition('.')[2]}")


def _failed(results: list[GateResult]) -> list[GateResult]:
    return [result for result in results if not result.passed]


def _run(warehouse: Path, *suites: Suite) -> list[GateResult]:
    return run_gates(warehouse, suites, lambda *_: None)


def test_every_gate_holds_on_sound_data(sound: tuple[Path, duckdb.DuckDBPyConnection]) -> None:
    told: list[tuple[str, int, int]] = []
    results = run_gates(sound[0], list(_SUITES.values()), lambda *step: told.append(step))
    assert _failed(results) == []
    expected = {(suite.subject, check.name) for suite in _SUITES.values() for check in suite.checks}
    assert {(result.subject, result.check) for result in results} == expected | {
        (subject, "table_there") for subject in _SUITES
    }
    assert told == [(subject, done, len(_SUITES)) for done, subject in enumerate(_SUITES, start=1)]


def test_every_published_table_has_its_gates() -> None:
    subjects = {suite.table for suite in published_suites([], date(2026, 10, 30))}
    assert subjects == {table.name for table in PUBLIC_TABLES}


def test_every_gate_has_a_record_that_it_must_notice() -> None:
    gates = {(suite.subject, check.name) for suite in _SUITES.values() for check in suite.checks}
    assert gates == set(_FAULTS)


@pytest.mark.parametrize("gate", _FAULTS, ids="-".join)
def test_a_bad_record_fails_exactly_its_gate(
    sound: tuple[Path, duckdb.DuckDBPyConnection], gate: tuple[str, str]
) -> None:
    warehouse, con = sound
    change, told = _FAULTS[gate]
    con.execute(change)
    failed = _failed(_run(warehouse, _SUITES[gate[0]]))
    assert [(result.subject, result.check) for result in failed] == [gate]
    assert told in failed[0].message
    assert failed[0].message.endswith(".")
    assert failed[0].failing_rows is None or failed[0].failing_rows >= 1
    assert con.execute("SELECT count(*) FROM staging.stg_jira__statuses").fetchone() is not None


def test_only_what_is_configured_is_expected_to_arrive() -> None:
    suites = arriving_suites([("books", "finance", "ledger")], datetime(2026, 10, 30, tzinfo=UTC))
    assert [suite.subject for suite in suites] == ["staging.stg_finance__ledger"]
