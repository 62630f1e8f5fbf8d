"""A quarter long past, over a public Jira without changelogs and the payments of a city council."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real_records import jira_sites, ledgers, quarter_oracle
from tests.real_records.oracle import Oracle
from tests.real_records.published import assert_evidence, assert_series, assert_value
from tests.real_records.replay import Refreshed, refreshed

KEY_RESULTS = [
    "bug-resolution", "capital-spend", "issues-resolved", "open-issues", "payment-size", "slowest-resolutions",
    "spend-against-plan", "sprint-delivery",
]  # fmt: skip
LAST = quarter_oracle.END


@pytest.fixture(scope="module")
def workspace(real_records: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refreshed]:
    folder = tmp_path_factory.mktemp("quarter")
    finance = folder / "finance"
    finance.mkdir()
    ledgers.copy_oxford(real_records, finance)
    ledgers.plan_as_last_year(real_records, finance)
    site = jira_sites.with_field(jira_sites.titanium(real_records), "closedSprints")
    with refreshed("quarter", folder, LAST.isoformat(), site=site, finance=finance) as run:
        assert run.answer.code == 0, run.answer.err
        yield run


@pytest.fixture(scope="module")
def oracles(real_records: Path) -> dict[str, Oracle]:
    return quarter_oracle.key_results(real_records)


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
def test_every_day_of_the_quarter_has_the_oracles_value(
    workspace: Refreshed, oracles: dict[str, Oracle], kr_id: str
) -> None:
    assert_series(workspace, kr_id, oracles[kr_id], LAST)


@pytest.mark.parametrize("kr_id", KEY_RESULTS)
def test_the_evidence_is_the_records_that_the_oracle_counts(
    workspace: Refreshed, oracles: dict[str, Oracle], kr_id: str
) -> None:
    assert_evidence(workspace, kr_id, oracles[kr_id], LAST)


def test_issues_that_are_closed_since_nobody_knows_when_are_flagged(workspace: Refreshed) -> None:
    flagged = {(flag["subject"], flag["rule"]) for flag in workspace.table("flags") if flag["is_open"]}
    assert ("flow.work_items", "done_work_items_have_a_day") in flagged


def test_the_broken_quarters_are_flagged_and_the_others_stand(
    workspace: Refreshed, real_records: Path
) -> None:
    flags = {
        flag["rule"]: flag
        for flag in workspace.table("flags")
        if flag["kind"] == "quarantine" and flag["is_open"]
    }
    assert {(flag["subject"], flag["severity"]) for flag in flags.values()} == {
        ("oxford.ledger", "red"),
        ("oxford.ledger", "amber"),
    }
    assert f"{ledgers.NO_DATES}, line 2: " in flags["files"]["sentence"]
    assert (
        f"1 row of 1 file could not be read and went to quarantine, the first in {ledgers.STRAY_LINE}"
        in flags["rows"]["sentence"]
    )
    sound = [
        row
        for row in ledgers.table(real_records / "finance_oxford" / ledgers.STRAY_LINE)
        if "xxx" not in row.values()
    ]
    assert workspace.query("select count(*) from raw.finance_ledger") == [(53_833 + len(sound),)]
    rules = {row["kr_id"]: row["status"] for row in workspace.table("kr_current")}
    assert rules["capital-spend"] in {"amber", "red"}
