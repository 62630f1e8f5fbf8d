"""A run on a day that was run before, and one that goes on from an earlier day, end where a run from nothing ends."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from publish import Published
from scorecard.ledger import Chain, Ledger
from tests.demo_oracles.evenings import RUN_AGAIN, RUNS, WEEK_3, WEEK_11, WENT_ON
from tests.demo_oracles.known import Known
from tests.demo_oracles.warehouse_contents import Pull, loads, published_files, pulls, raw_tables
from tests.demo_runs import DemoRuns

LOOK_BACK = timedelta(minutes=60)
# Lists that a system gives only as a whole.
WHOLE_LISTS = {
    *("jira.statuses", "jira.projects", "jira.fields", "jira.versions", "jira.boards", "jira.sprints"),
    *("hubspot.pipelines", "hubspot.owners"),
}
DAYS = {"date", "as_of", "since", "data_through", "opened_on", "closed_on"}
UPDATED: dict[str, Callable[[dict[str, Any]], str]] = {
    "jira.issues": lambda issue: str(issue["fields"]["updated"]),
    "hubspot.deals": lambda deal: str(deal["updatedAt"]),
}

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def once(demo_run: DemoRuns) -> Path:
    return demo_run(*RUNS[WEEK_3])


@pytest.fixture(scope="module")
def twice(demo_run: DemoRuns) -> Path:
    return demo_run(*RUN_AGAIN)


@pytest.fixture(scope="module")
def second_pull(once: Path, twice: Path) -> list[Pull]:
    pulled = list(pulls(twice, but=once).values())
    assert {pull.stream for pull in pulled} == {pull.stream for pull in pulls(once).values()}
    return pulled


def test_a_second_run_pulls_nothing_but_the_look_back(second_pull: list[Pull]) -> None:
    looked_back = {pull.stream: pull for pull in second_pull if pull.stream not in WHOLE_LISTS}
    for stream, updated in UPDATED.items():
        pull = looked_back.pop(stream)
        earliest = datetime.fromisoformat(pull.manifest["cursor_from"]) - LOOK_BACK
        assert all(datetime.fromisoformat(updated(record)) >= earliest for record in pull.records)
    changelogs = looked_back.pop("jira.changelogs")
    issues = next(pull for pull in second_pull if pull.stream == "jira.issues")
    assert {change["issueId"] for change in changelogs.records} <= {issue["id"] for issue in issues.records}
    assert {stream: pull.manifest["rows"] for stream, pull in looked_back.items()} == {
        "finance.ledger": 0,
        "finance.budgets": 0,
        "jira.worklogs": 0,
        "jira.worklog_deletions": 0,
        "finance.files": 0,
    }


def test_a_second_run_leaves_every_cursor_where_it_was(second_pull: list[Pull]) -> None:
    for pull in second_pull:
        assert pull.manifest["cursor_to"] == pull.manifest["cursor_from"], pull.stream


def test_a_second_run_changes_no_raw_row(once: Path, twice: Path, second_pull: list[Pull]) -> None:
    assert raw_tables(twice) == raw_tables(once)
    done = loads(twice)
    for pull in second_pull:
        load = done[pull.manifest["file"]]
        changed = {count: load[count] for count in ("inserted", "updated", "superseded", "deleted")}
        assert not any(changed.values()), (pull.stream, changed)
        assert load["rows"] == load["unchanged"] == len(pull.records), pull.stream


def test_a_second_run_publishes_the_same_bytes(once: Path, twice: Path) -> None:
    first, second = published_files(once), published_files(twice)
    about = [json.loads(files.pop("run.json")) for files in (first, second)]
    for files, run in zip((first, second), about, strict=True):
        # The ledger grows with every run; what it grows by is the next test's.
        del files["tables/ledger.parquet"], run["ledger"], run["rows"]["ledger"]
        del files["site/data.html"]  # it names the run
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []
    run_ids, starts = [[each.pop(of) for each in about] for of in ("run_id", "started_at")]
    assert run_ids[0] != run_ids[1]
    assert starts[0] < starts[1]
    assert about[0] == about[1]


def test_a_second_run_reports_its_day_again_and_no_other(once: Path, twice: Path) -> None:
    first, second = (Ledger(workspace / ".plumbline" / "ledger").read() for workspace in (once, twice))
    assert first.findings == second.findings == []
    assert second.answers[: len(first.answers)] == first.answers
    added = [line.answer for line in second.answers[len(first.answers) :]]
    assert added == [line.answer for line in first.answers if line.answer.date == WEEK_3]
    named = {landed.file for landed in second.runs[1].inputs}
    assert named == set(pulls(twice, but=once))


def test_a_ledger_that_went_on_says_at_last_what_one_from_nothing_says(demo_run: DemoRuns) -> None:
    went_on, from_nothing = (
        Ledger(workspace / ".plumbline" / "ledger").read()
        for workspace in (demo_run(*WENT_ON), demo_run(WEEK_11))
    )
    assert went_on.findings == []
    # Going back in time began the ledger anew.
    assert [run.report.as_of for run in went_on.runs] == list(WENT_ON[1:])
    assert last_told(went_on) == last_told(from_nothing)


def last_told(chain: Chain) -> dict[tuple[str, date], tuple[object, ...]]:
    """By key result and day what was said last of it, without the words."""
    answers = [line.answer for line in chain.answers]
    return {(each.kr_id, each.date): (each.value, each.progress, each.status, each.rule) for each in answers}


@pytest.mark.parametrize("table", ["kr_current", "kr_daily", "objective_current", "source_freshness"])
def test_going_on_day_by_day_ends_where_a_run_from_nothing_ends(demo_run: DemoRuns, table: str) -> None:
    went_on, from_nothing = (
        Published(workspace / ".plumbline" / "published").table(table)
        for workspace in (demo_run(*WENT_ON), demo_run(WEEK_11))
    )
    assert without_landing_times(went_on) == without_landing_times(from_nothing)


def test_what_was_told_on_earlier_evenings_comes_again_from_what_was_known_then(demo_run: DemoRuns) -> None:
    restated = Published(demo_run(*WENT_ON) / ".plumbline" / "published").table("restatements")
    assert {"carrier-cost", "open-pipeline", "operating-revenue"} <= {row["kr_id"] for row in restated}
    for row in restated:
        assert row["is_split"], row
        assert row["from_definition"] == 0
        assert row["from_late"] + row["from_edited"] == row["difference"]
    # Postings of the demo are only ever added.
    assert not [row for row in restated if row["kr_id"] == "operating-revenue" and row["from_edited"]]


def test_going_on_day_by_day_names_the_same_records(demo_run: DemoRuns) -> None:
    """Each landed in a file of its own time."""
    went_on, from_nothing = (
        duckdb.execute(
            "select * exclude landed_file from read_parquet(?)",
            [f"{workspace}/.plumbline/published/current/tables/evidence.parquet"],
        ).fetchall()
        for workspace in (demo_run(*WENT_ON), demo_run(WEEK_11))
    )
    assert went_on == from_nothing


def test_going_back_forgets_what_was_not_known_yet(
    demo_run: DemoRuns, known: Callable[[date], Known]
) -> None:
    back = demo_run(*RUNS[WEEK_3])
    then = known(WEEK_3)
    rows = {table: count for table, (count, _) in raw_tables(back).items()}
    assert rows["jira_issues"] == len(then.issues)
    assert rows["hubspot_deals"] == len(then.deals)
    assert rows["finance_ledger"] == len(then.postings)
    assert rows["finance_budgets"] == len(then.budget)
    assert {table for table, count in rows.items() if table.endswith("__superseded") and count} == set()
    published = Published(back / ".plumbline" / "published")
    told = [published.table("kr_current"), published.table("kr_daily"), published.table("flags")]
    days = {row[column] for rows in told for row in rows for column in row.keys() & DAYS if row[column]}
    assert max(days) == str(WEEK_3)


def without_landing_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "last_landed_at"} for row in rows]
