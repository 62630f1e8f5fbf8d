"""A cycle of six years, over a recorded Jira Cloud site, Salesforce's opportunities and Xero's journals."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from tests.real_records import jira_sites, ledgers, salesforce_org, six_years_oracle
from tests.real_records.oracle import Oracle
from tests.real_records.published import assert_evidence, assert_series, assert_value
from tests.real_records.replay import Refreshed, refreshed

KEY_RESULTS = [
    "cloud-sprint-delivery", "cost-share", "deal-size", "deals-won", "lead-time", "open-pipeline", "open-work",
    "revenue", "win-rate",
]  # fmt: skip
LAST = six_years_oracle.END


@pytest.fixture(scope="module")
def workspace(real_records: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refreshed]:
    folder = tmp_path_factory.mktemp("six_years")
    finance = folder / "finance"
    finance.mkdir()
    ledgers.flat_journal(real_records, finance)
    site = jira_sites.with_field(jira_sites.recorded_cloud(real_records), "customfield_10020")
    crm = salesforce_org.org(real_records)
    with refreshed("six_years", folder, LAST.isoformat(), site=site, finance=finance, crm=crm) as run:
        assert run.answer.code == 0, run.answer.err
        yield run


@pytest.fixture(scope="module")
def oracles(real_records: Path) -> dict[str, Oracle]:
    return six_years_oracle.key_results(real_records)


def test_every_key_result_of_the_workspace_has_an_oracle(
    workspace: Refreshed, oracles: dict[str, Oracle]
) -> None:
    assert [row["kr_id"] for row in workspace.table("kr_current")] == sorted(oracles) == KEY_RESULTS


@pytest.mark.parametrize("kr_id", KEY_RESULTS)
def test_the_published_value_is_the_oracles(
    workspace: Refreshed, oracles: dict[str, Oracle], kr_id: str
) -> None:
    assert_value(workspace, kr_id, oracles[kr_id], LAST)


@pytest.mark.parametrize("kr_id", KEY_RESULTS)
def test_every_day_of_the_six_years_has_the_oracles_value(
    workspace: Refreshed, oracles: dict[str, Oracle], kr_id: str
) -> None:
    assert_series(workspace, kr_id, oracles[kr_id], LAST)


@pytest.mark.parametrize("kr_id", KEY_RESULTS)
def test_the_evidence_is_the_records_that_the_oracle_counts(
    workspace: Refreshed, oracles: dict[str, Oracle], kr_id: str
) -> None:
    assert_evidence(workspace, kr_id, oracles[kr_id], LAST)


def test_every_recorded_status_change_is_in_flow_with_the_categories_the_site_lists(
    workspace: Refreshed, real_records: Path
) -> None:
    listed = six_years_oracle.categories(real_records)
    recorded = Counter(
        (f"jira/{issue}", at, before, after, listed.get(before), listed.get(after))
        for issue, at, before, after in six_years_oracle.status_changes(real_records)
    )
    found = workspace.query(
        """
        select item_id, strftime("at", '%Y-%m-%dT%H:%M:%S.%g+00:00'), from_value, to_value, from_category, to_category
        from flow.work_item_changes where field = 'status'
        """
    )
    assert recorded.total() == 175
    assert Counter((item, datetime.fromisoformat(at), *rest) for item, at, *rest in found) == recorded


def test_every_item_of_every_recorded_history_is_a_change_in_flow(
    workspace: Refreshed, real_records: Path
) -> None:
    recorded = Counter(
        (f"jira/{issue}/{history['id']}", item["field"], item["from"], item["to"])
        for issue, history in six_years_oracle.recorded_histories(real_records)
        for item in history["items"]
    )
    found = workspace.query(
        """
        select _source || '/' || issue_id || '/' || history_id, field_name, from_value, to_value
        from staging.stg_jira__changelogs
        """
    )
    assert Counter(found) == recorded
    assert workspace.query("select count(*) from flow.work_item_changes") == [(recorded.total(),)]


def test_a_won_deal_opens_at_the_address_of_its_org(workspace: Refreshed, oracles: dict[str, Oracle]) -> None:
    path = workspace.published / "tables" / "evidence.parquet"
    found = duckdb.execute("select record, url from read_parquet(?) where kr_id = 'deals-won'", [str(path)])
    org = workspace.environment["REAL_CRM_URL"]
    assert dict(found.fetchall()) == {
        entry.record: f"{org}/{entry.record.rpartition('/')[2]}" for entry in oracles["deals-won"].held(LAST)
    }


def test_the_freshness_of_opportunities_is_judged_by_their_newest_change(
    workspace: Refreshed, real_records: Path
) -> None:
    (row,) = (row for row in workspace.table("source_freshness") if row["stream"] == "opportunities")
    changed = [
        each["SystemModstamp"][:10] for each in salesforce_org.org(real_records).records["Opportunity"]
    ]
    assert (row["rows"], row["business_lag_days"]) == (len(changed), 30)
    assert row["newest_record_on"] == max(day for day in changed if day <= LAST.isoformat())
    assert row["stale"] == ((LAST - date.fromisoformat(row["newest_record_on"])).days > 30)


def test_changes_through_statuses_that_the_site_no_longer_lists_are_flagged(workspace: Refreshed) -> None:
    flagged = {(flag["subject"], flag["rule"]) for flag in workspace.table("flags") if flag["is_open"]}
    assert ("flow.work_item_changes", "status_changes_have_categories") in flagged


def test_explain_shows_the_value_its_formula_and_a_record_behind_it(
    workspace: Refreshed, oracles: dict[str, Oracle]
) -> None:
    answer = workspace.command("explain", "deals-won")
    assert answer.code == 0, answer.err
    largest = max(oracles["deals-won"].held(LAST), key=lambda entry: entry.amount)
    for text in ("2,815,000", "amount_company of deals", largest.record):
        assert text in answer.out
