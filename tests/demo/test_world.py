"""The simulated company is the same every time, and what it shows of a day is what was so on that day."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import demo
from demo.clock import CYCLE_END, HISTORY_START
from tests.demo.simulated import BERLIN, REPO, WEEK_4, instant, plain, snapshot, world

days = st.dates(HISTORY_START, CYCLE_END)


def test_a_seed_gives_the_same_world_in_every_process(tmp_path: Path) -> None:
    script = (
        "import datetime, hashlib, pathlib, sys\n"
        "import demo\n"
        "from tests.demo.simulated import plain\n"
        "seen = demo.simulate().as_of(datetime.date(2026, 10, 30))\n"
        "seen.write_finance(pathlib.Path(sys.argv[1]))\n"
        "print(hashlib.sha256(plain(seen).encode()).hexdigest())\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(REPO), "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", script, str(tmp_path / "there")]
    run = subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hashlib.sha256(plain(snapshot(WEEK_4)).encode()).hexdigest()
    snapshot(WEEK_4).write_finance(tmp_path / "here")
    here, there = sorted((tmp_path / "here").iterdir()), sorted((tmp_path / "there").iterdir())
    assert [path.name for path in here] == [path.name for path in there]
    for one, other in zip(here, there, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
        assert one.stat().st_mtime == other.stat().st_mtime


def test_another_seed_gives_another_world() -> None:
    assert plain(demo.simulate(7).as_of(WEEK_4)) != plain(snapshot(WEEK_4))


def test_the_company_is_of_the_promised_size() -> None:
    seen = demo.simulate(11).as_of(CYCLE_END)
    assert 3_000 <= len(seen.jira.issues) <= 6_000
    assert (
        20_000 <= sum(len(entry["items"]) for log in seen.jira.changelogs.values() for entry in log) <= 40_000
    )
    assert 600 <= len(seen.crm.deals) <= 1_000
    assert 10_000 <= len(seen.postings) <= 15_000


@settings(max_examples=5)
@given(days, days)
def test_what_was_seen_on_a_day_is_the_beginning_of_what_is_seen_later(one: date, other: date) -> None:
    earlier, later = world().as_of(min(one, other)), world().as_of(max(one, other))
    after = {issue["id"]: issue for issue in later.jira.issues}
    for issue in earlier.jira.issues:
        assert after[issue["id"]]["key"] == issue["key"]
        assert after[issue["id"]]["fields"]["created"] == issue["fields"]["created"]
        log = earlier.jira.changelogs[issue["id"]]
        assert later.jira.changelogs[issue["id"]][: len(log)] == log
    deals = {deal["id"]: deal for deal in later.crm.deals}
    for deal in earlier.crm.deals:
        for name, versions in deal["propertiesWithHistory"].items():
            newer = deals[deal["id"]]["propertiesWithHistory"][name]
            assert newer[len(newer) - len(versions) :] == versions
    assert later.postings[: len(earlier.postings)] == earlier.postings


@settings(max_examples=4)
@given(days)
def test_nothing_of_tomorrow_shows(day: date) -> None:
    seen = world().as_of(day)
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), BERLIN)
    for issue in seen.jira.issues:
        assert instant(issue["fields"]["created"]) <= instant(issue["fields"]["updated"]) < midnight
        for sprint in issue["fields"]["customfield_10020"] or ():
            closed = sprint["state"] == "closed"
            assert closed == ("completeDate" in sprint)
            assert not closed or instant(sprint["completeDate"]) < midnight
        for entry in seen.jira.changelogs[issue["id"]]:
            assert instant(entry["created"]) < midnight
    for deal in seen.crm.deals:
        assert instant(deal["createdAt"]) <= instant(deal["updatedAt"]) < midnight
        for versions in deal["propertiesWithHistory"].values():
            assert all(instant(version["timestamp"]) < midnight for version in versions)
    assert all(posting.posted_at <= day and posting.day <= posting.posted_at for posting in seen.postings)


_SINGLE: dict[str, Callable[[dict[str, Any]], tuple[str | None, str | None]]] = {
    "status": lambda fields: (fields["status"]["id"], fields["status"]["name"]),
    "assignee": lambda fields: _person(fields["assignee"]),
    "priority": lambda fields: (fields["priority"]["id"], fields["priority"]["name"]),
    "summary": lambda fields: (None, fields["summary"]),
    "labels": lambda fields: ("", " ".join(fields["labels"])),
    "customfield_10016": lambda fields: (None, _number(fields["customfield_10016"])),
    "customfield_10020": lambda fields: _sprints(fields["customfield_10020"]),
}


def _person(person: dict[str, Any] | None) -> tuple[str | None, str | None]:
    return (person["accountId"], person["displayName"]) if person else (None, None)


def _number(points: float | None) -> str | None:
    return None if points is None else f"{points:g}"


def _sprints(sprints: list[dict[str, Any]] | None) -> tuple[str, str]:
    sprints = sprints or []
    return ", ".join(str(s["id"]) for s in sprints), ", ".join(s["name"] for s in sprints)


@pytest.mark.parametrize("day", [date(2025, 12, 24), date(2026, 6, 1), WEEK_4, CYCLE_END])
def test_an_issue_is_what_its_changelog_made_of_it(day: date) -> None:
    seen = snapshot(day)
    replayed = Counter[str]()
    for issue in seen.jira.issues:
        log = seen.jira.changelogs[issue["id"]]
        assert [int(entry["id"]) for entry in log] == sorted(int(entry["id"]) for entry in log)
        assert [instant(e["created"]) for e in log] == sorted(instant(e["created"]) for e in log)
        standing: dict[str, tuple[str | None, str | None]] = {}
        for item in (item for entry in log for item in entry["items"]):
            field = item.get("fieldId")
            if field in _SINGLE:
                if field in standing:
                    assert (item["from"], item["fromString"]) == standing[field], issue["key"]
                standing[field] = (item["to"], item["toString"])
        for field, value in standing.items():
            assert value == _SINGLE[field](issue["fields"]), (issue["key"], field)
            replayed[field] += 1
        resolved = issue["fields"]["resolutiondate"]
        assert (resolved is not None) == (issue["fields"]["status"]["statusCategory"]["key"] == "done")
        assert issue["fields"]["updated"] == (log[-1]["created"] if log else issue["fields"]["created"])
    assert set(replayed) == set(_SINGLE)


def test_links_show_at_both_ends_and_in_both_histories() -> None:
    seen = snapshot(WEEK_4)
    keys = {issue["id"]: issue["key"] for issue in seen.jira.issues}
    ends: dict[str, dict[str, tuple[str, str]]] = {}
    for issue in seen.jira.issues:
        linked = {
            i["to"] for e in seen.jira.changelogs[issue["id"]] for i in e["items"] if i["field"] == "Link"
        }
        assert linked == {
            (link.get("inwardIssue") or link["outwardIssue"])["key"] for link in issue["fields"]["issuelinks"]
        }
        for link in issue["fields"]["issuelinks"]:
            side = "outwardIssue" if "outwardIssue" in link else "inwardIssue"
            ends.setdefault(link["id"], {})[side] = (issue["key"], link[side]["key"])
            assert keys[link[side]["id"]] == link[side]["key"]
    assert len(ends) > 200
    for pair in ends.values():
        assert pair["outwardIssue"] == pair["inwardIssue"][::-1]


def test_keys_and_ids_follow_the_order_of_creation() -> None:
    seen = snapshot(WEEK_4)
    ordered = sorted(seen.jira.issues, key=lambda issue: int(issue["id"]))
    created = [instant(issue["fields"]["created"]) for issue in ordered]
    assert created == sorted(created)
    numbers: dict[str, int] = {}
    for issue in ordered:
        project, number = issue["key"].split("-")
        numbers[project] = numbers.get(project, 0) + 1
        assert int(number) == numbers[project]
