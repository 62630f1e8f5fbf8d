"""What cannot be trusted makes exactly the key results that descend from it amber, with the reason; the run goes on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.incidents import open_incidents
from demo.servers.jira import JiraServer, JiraSite
from demo.servers.loopback import Answer, Fault
from publish import Published
from tests.command_line import Answer as Said
from tests.command_line import plumbline

# The same token twice: a tracker that would never come to an end.
ENDLESS = Fault("/search/jql", Answer({"issues": [], "nextPageToken": "again"}), times=1000)
PROJECTS = [{"id": "10000", "key": "P", "name": "P"}]
FIELDS = [
    {"id": "customfield_10016", "name": "Story points", "custom": True, "schema": {"type": "number"}},
    {
        "id": "customfield_10020",
        "name": "Sprint",
        "custom": True,
        "schema": {"type": "array", "items": "json"},
    },
]
SOURCE = """
  tracker:
    type: jira_cloud
    base_url: {url}
    email: ${{TRACKER_EMAIL}}
    api_token: ${{TRACKER_TOKEN}}

  # Jira Cloud:"""
KEY_RESULTS = """
  - id: items-done
    name: Items done
    owner: {name: Alex Example, email: alex@example.com}
    function: finance
    kind: maintain
    band: {low: 0, high: 50}
    unit: count
    measure: {table: work_items, aggregate: count, at: done_at, window: cycle}

  - id: broken-metric
    name: A metric whose SQL fails when it runs
    owner: {name: Alex Example, email: alex@example.com}
    function: finance
    kind: reach
    baseline: 0
    target: 50
    unit: count
    measure: {metric: broken}
"""
BROKEN = """
select date, cast('x' || cast(date as varchar) as integer) as value, 1 as records
from {{ ref('calendar') }} where is_reported
"""


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Said]]:
    """A run with a tracker that cannot be pulled, a budget that never came and a metric that fails."""
    folder = tmp_path_factory.mktemp("untrusted") / "acme"
    assert plumbline("init", folder).code == 0
    with JiraServer(
        JiraSite([], {}, [], FIELDS, PROJECTS), "a@example.com", "token", faults=[ENDLESS]
    ) as server:
        configuration = folder / "plumbline.yml"
        text = configuration.read_text().replace("\n  # Jira Cloud:", SOURCE.format(url=server.url))
        configuration.write_text(text, encoding="utf-8")
        objective = folder / "strategy" / "objectives" / "healthy-growth.yml"
        objective.write_text(objective.read_text() + KEY_RESULTS, encoding="utf-8")
        (folder / "metrics" / "broken.sql").write_text(BROKEN, encoding="utf-8")
        (folder / "finance" / "budget_sample.csv").unlink()
        yield (
            folder,
            plumbline("run", "-w", folder, env={"TRACKER_EMAIL": "a@example.com", "TRACKER_TOKEN": "token"}),
        )


@pytest.fixture(scope="module")
def key_results(answered: tuple[Path, Said]) -> dict[str, dict[str, Any]]:
    folder, run = answered
    assert run.code == 0, run.err
    status = plumbline("status", "--json", "-w", folder)
    return {row["kr_id"]: row for row in json.loads(status.out)["key_results"]}


def test_a_source_that_cannot_be_pulled(key_results: dict[str, dict[str, Any]]) -> None:
    assert (key_results["items-done"]["status"], key_results["items-done"]["rule"]) == ("amber", "untrusted")
    assert "tracker" in key_results["items-done"]["reason"]


def test_a_failed_gate_on_an_input(key_results: dict[str, dict[str, Any]]) -> None:
    assert (key_results["spend-in-plan"]["status"], key_results["spend-in-plan"]["rule"]) == (
        "amber",
        "untrusted",
    )
    assert "stg_finance__budgets" in key_results["spend-in-plan"]["reason"]


def test_a_metric_that_fails(key_results: dict[str, dict[str, Any]]) -> None:
    row = key_results["broken-metric"]
    assert (row["status"], row["rule"], row["value"]) == ("amber", "untrusted", None)
    assert "broken" in row["reason"]


def test_what_descends_from_none_of_them_is_judged_as_ever(key_results: dict[str, dict[str, Any]]) -> None:
    assert key_results["revenue-posted"]["rule"] != "untrusted"
    assert key_results["revenue-posted"]["value"] is not None


def test_every_cause_is_an_open_flag(answered: tuple[Path, Said]) -> None:
    flags = json.loads(plumbline("status", "--json", "-w", answered[0]).out)["flags"]
    subjects = {(flag["kind"], flag["subject"]) for flag in flags}
    assert ("pull", "tracker.issues") in subjects
    assert ("gate", "staging.stg_finance__budgets") in subjects
    assert {subject for kind, subject in subjects if kind == "model"} & {
        "key_results.broken",
        "key_results.kr_broken_metric",
    }


def test_explain_and_the_table_show_them(answered: tuple[Path, Said]) -> None:
    folder, run = answered
    assert "untrusted" in run.out
    said = plumbline("explain", "items-done", "-w", folder)
    assert said.code == 0
    assert "tracker" in said.out
    assert "\x1b[" not in run.out + said.out


def test_each_cause_is_one_incident_that_names_what_it_reaches_and_nobody_is_called_to_talk(
    answered: tuple[Path, Said],
) -> None:
    found = {
        one.key: one for one in open_incidents(Published(answered[0] / ".plumbline" / "published"), {}, None)
    }
    outage = found["source/tracker"]
    said = " ".join(fact.text for fact in outage.facts)
    assert "tracker.issues" in said and "tracker.changelogs" in said and "Items done" in said
    assert (outage.severity, outage.sources) == ("red", frozenset({"tracker"}))
    assert not [key for key in found if key.startswith("review/items-done")]
    (broken,) = [one for key, one in found.items() if key.startswith("model/")]
    assert "A metric whose SQL fails when it runs" in " ".join(fact.text for fact in broken.facts)
    gates = [one for key, one in found.items() if key == "gate/staging.stg_finance__budgets"]
    assert len(gates) == 1
