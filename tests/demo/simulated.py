"""The demo company as the tests look at it: simulated once per process, cut at any day."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import demo

REPO = Path(__file__).resolve().parents[2]
WORKSPACE = REPO / "demo" / "workspace"
BERLIN = ZoneInfo("Europe/Berlin")
WEEK_4 = date(2026, 10, 30)


@cache
def world() -> demo.World:
    return demo.simulate()


@cache
def snapshot(day: date) -> demo.Snapshot:
    return world().as_of(day)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def plain(seen: demo.Snapshot) -> str:
    return json.dumps(
        [
            seen.jira.issues, seen.jira.changelogs, seen.jira.statuses, seen.jira.fields, seen.jira.projects,
            seen.jira.versions, seen.jira.boards, seen.jira.sprints,
            seen.crm.deals, seen.crm.pipelines, seen.crm.owners,
            [str(posting) for posting in seen.postings], [str(line) for line in seen.budget],
        ],
        sort_keys=True,
    )  # fmt: skip
