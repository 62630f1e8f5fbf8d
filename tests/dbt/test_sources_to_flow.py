"""What arrives becomes flow: odd records neither stop a build nor pass in silence, and real ones keep their dates."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.scratch_project import LANDED_AT, ScratchProject
from warehouse.connection import connect
from warehouse.rows import append_rows

STATUSES = {
    "1": {"id": "1", "name": "Offen", "statusCategory": {"key": "new"}},
    "2": {"id": "2", "name": "In Arbeit", "statusCategory": {"key": "indeterminate"}},
    "3": {"id": "3", "name": "Fertig", "statusCategory": {"key": "done"}},
    "4": {"id": "4", "name": "Geschlossen", "statusCategory": {"key": "done"}},
}
START = datetime(2026, 9, 1, tzinfo=UTC)
CATEGORY = {"new": "todo", "indeterminate": "in_progress", "done": "done"}


def _flow(project: ScratchProject) -> dict[str, Any]:
    """Build what lies left of the key results; gives the status of every test by name."""
    chosen = ["--select", "config.schema:strategy", "config.schema:staging", "config.schema:flow"]
    runs = project.dbt("build", *chosen, "--exclude", "resource_type:unit_test")
    return {run.node.name: str(run.status) for run in runs}


def test_odd_records_are_taken_in_and_told_of(tmp_path: Path) -> None:
    project = ScratchProject(tmp_path, members=[("f1", "project", "P")])
    project.write()
    project.begin(date(2026, 10, 30))
    odd_fields = {
        "status": "Done", "created": {"iso": 1}, "updated": None, "labels": None, "issuelinks": {}, "customfield_10016": "XL",
        "customfield_10020": ["com.atlassian.greenhopper.Sprint@1[id=5]"], "project": {"key": "P"},
        "fixVersions": [{"name": None}],
    }  # fmt: skip
    project.land(
        "jira_issues",
        {"1": {"id": 1, "key": "P-1", "fields": odd_fields}, "2": {}, "3": {"id": "3", "fields": []}},
    )
    project.land(
        "jira_changelogs",
        {
            "1/1": {"issueId": 1, "id": 1, "created": "yesterday", "items": [{"field": "status"}]},
            "x": {"items": "none"},
        },
    )
    project.land(
        "hubspot_deals",
        {
            "1": {"id": "1", "properties": {"amount": "1.234,50", "closedate": "soon"}, "archived": "no"},
            "2": {},
        },
    )
    project.land("finance_ledger", {"a": {"posting": {"date": "31.12.2026", "amount": "12"}}, "b": {}})
    line = {"posting": {"month": "2026-10", "account": "4", "amount": "31"}}
    project.land("finance_budgets", {"a": line, "sent again without it": line | {"gone": True}})
    tests = _flow(project)
    for name in ("jira_issues", "jira_changelogs", "hubspot_deals", "postings"):
        assert tests[f"{name}_are_readable"] == "warn", name
    assert tests["budget_lines_are_readable"] == "pass"
    unreadable = {
        row["issue_id"]: row["unreadable"] for row in project.rows("select * from staging.stg_jira__issues")
    }
    everything = "project status created updated"
    assert unreadable == {"1": "status created updated estimate", None: f"id {everything}", "3": everything}
    assert project.rows("select count(*) as items from flow.work_items")[0]["items"] == 3
    (day,) = project.rows(
        "select count(*) as days, sum(amount) as amount, min(amount) as least from flow.budget_days"
    )
    assert (day["days"], day["amount"], day["least"]) == (31, 31, 1)


def test_values_that_hubspot_lists_no_longer_stay_in_the_history(tmp_path: Path) -> None:
    """Of each property the newest 20 values are listed; so three pulls saw all 50 changes, and none of them all at once."""
    project = ScratchProject(tmp_path)
    project.write()
    values = [
        {"value": f"stage {n}", "timestamp": (START + timedelta(hours=n)).isoformat(), "sourceId": "u"}
        for n in range(50)
    ]
    seen = [_deal(values[:18][::-1]), _deal(values[10:30][::-1]), _deal(values[30:50][::-1])]
    # Of a short list nothing has dropped off, whatever it held before.
    edited = [_deal(values[:3][::-1]), _deal(values[1:3][::-1])]
    project.land("hubspot_deals", {"1": seen[-1], "2": edited[-1]})
    with connect(project.warehouse) as con:
        for key, former in (("1", seen[0]), ("1", seen[1]), ("2", edited[0])):
            about = [LANDED_AT, LANDED_AT, "f", key == "1", json.dumps(former), LANDED_AT]
            append_rows(con, "raw.hubspot_deals__superseded", [["hubspot", "deals", key, *about]])
    project.build("stg_hubspot__deal_history")
    found = project.rows(
        "select deal_id, value, _deleted from staging.stg_hubspot__deal_history order by deal_id, changed_at"
    )
    assert [row["value"] for row in found if row["deal_id"] == "1"] == [one["value"] for one in values]
    assert [row["value"] for row in found if row["deal_id"] == "2"] == ["stage 1", "stage 2"]
    assert not any(row["_deleted"] for row in found)


def _deal(stages: list[dict[str, str]]) -> dict[str, Any]:
    return {"properties": {"dealstage": stages[0]["value"]}, "propertiesWithHistory": {"dealstage": stages}}


@pytest.fixture(scope="module")
def histories() -> Mapping[str, Sequence[tuple[datetime, str, str]]]:
    """Random ways of 200 issues through the statuses: when, from, to."""
    chance, found = random.Random(7), {}
    for number in range(200):
        moment, status, moves = (
            datetime.fromisoformat("2026-10-05T08:00:00+02:00").timestamp(),
            chance.choice("1123"),
            [],
        )
        for _ in range(chance.randrange(6)):
            moment += chance.randrange(60, 400000)
            following = chance.choice("1234")
            moves.append((datetime.fromtimestamp(moment).astimezone(), status, following))
            status = following
        found[f"{number}-{status}"] = moves
    return found


def test_items_start_and_end_as_their_histories_say(
    tmp_path: Path, histories: Mapping[str, Sequence[tuple[datetime, str, str]]]
) -> None:
    created = datetime.fromisoformat("2026-10-05T08:00:00+02:00")
    issues = {
        name: {"id": name, "fields": {"created": created.isoformat(), "status": {"id": name.split("-")[1]}}}
        for name in histories
    }
    changes = {
        f"{name}/{number}": {
            "issueId": name, "id": str(number), "created": moment.isoformat(),
            "items": [{"field": "status", "fieldId": "status", "from": before, "to": after}],
        }
        for name, moves in histories.items() for number, (moment, before, after) in enumerate(moves)
    }  # fmt: skip
    project = ScratchProject(tmp_path)
    project.write()
    project.begin(date(2026, 10, 30))
    project.land("jira_statuses", STATUSES)
    project.land("jira_issues", issues)
    project.land("jira_changelogs", dict(random.Random(1).sample(sorted(changes.items()), len(changes))))
    _flow(project)
    rows = {
        row["item_id"].removeprefix("jira/"): row for row in project.rows("select * from flow.work_items")
    }
    categories = {status: CATEGORY[about["statusCategory"]["key"]] for status, about in STATUSES.items()}  # type: ignore[index]
    for name, moves in histories.items():
        started, done = _started_and_done(created, name.split("-")[1], moves, categories)
        assert (rows[name]["started_at"], rows[name]["done_at"]) == (started, done), (name, moves)


def test_real_issues_are_done_when_they_last_entered_a_done_status(
    tmp_path: Path, real_records: Path
) -> None:
    issues, statuses = (
        {str(each["id"]): each for each in _lines(real_records / "jira_cloud_recorded" / f"{name}.jsonl")}
        for name in ("issues", "statuses")
    )
    changes = {
        f"{issue_id}/{history['id']}": {"issueId": issue_id, **history}
        for issue_id, issue in issues.items() for history in issue["changelog"]["histories"]
    }  # fmt: skip
    project = ScratchProject(tmp_path)
    project.write()
    project.begin(date(2026, 10, 30))
    project.land("jira_statuses", statuses)
    project.land("jira_issues", issues)
    project.land("jira_changelogs", changes)
    _flow(project)
    categories = {status: CATEGORY[about["statusCategory"]["key"]] for status, about in statuses.items()}
    rows = {
        row["item_id"].removeprefix("jira/"): row for row in project.rows("select * from flow.work_items")
    }
    done = 0
    for issue_id, issue in issues.items():
        moves = sorted(
            (datetime.fromisoformat(history["created"]), item["from"], item["to"])
            for history in issue["changelog"]["histories"] for item in history["items"] if item["field"] == "status"
        )  # fmt: skip
        created = datetime.fromisoformat(issue["fields"]["created"])
        expected = _started_and_done(created, issue["fields"]["status"]["id"], moves, categories)
        row = rows[issue_id]
        assert (row["started_at"], row["done_at"]) == expected, issue_id
        done += row["done_at"] is not None
    assert done == 30


def _started_and_done(
    created: datetime,
    status: str,
    moves: Sequence[tuple[datetime, str, str]],
    categories: Mapping[str, str | None],
) -> tuple[datetime | None, datetime | None]:
    """The same by walking through the history once."""
    now = categories.get(moves[0][1]) if moves else categories.get(status)
    started = created if now == "in_progress" else None
    done = created if now == "done" else None
    for moment, _, after in moves:
        before, now = now, categories.get(after)
        if now == "in_progress" and started is None:
            started = moment
        if now != "done":
            done = None
        elif before != "done":
            done = moment
    return started or done, done


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
