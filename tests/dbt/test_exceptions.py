"""Exceptions open on evidence and close on evidence: every life of one as a state machine in plain Python has it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.dbt.scratch_project import KeyResult, ScratchProject
from warehouse.connection import connect
from warehouse.rows import append_rows

FIRST, DAYS = date(2026, 10, 5), 30
ESCALATION, RELAPSE = timedelta(days=7), timedelta(days=28)


@dataclass(frozen=True)
class Life:
    opened_on: date
    closed_on: date | None
    state: str
    status: str
    is_reopened: bool
    escalated_on: date | None
    healthy_on: date | None


def _lives(statuses: Mapping[date, str]) -> Iterator[Life]:
    """Walk from evaluation to evaluation, holding at most one open exception."""
    opened: date | None = None
    healthy, status, before, healthy_on = 0, "", None, None
    for day, said in sorted(statuses.items()):
        if said != "green":
            opened, healthy, status, healthy_on = opened or day, 0, said, None
        elif opened is not None:
            healthy, healthy_on = healthy + 1, healthy_on or day
        if opened is not None and (healthy == 2 or day == max(statuses)):
            escalated = opened + ESCALATION if day >= opened + ESCALATION else None
            reopened = before is not None and opened <= before + RELAPSE
            states = {
                2: "closed",
                1: "healthy_once",
                0: "escalated" if escalated else "reopened" if reopened else "opened",
            }
            closed = day if healthy == 2 else None
            yield Life(opened, closed, states[healthy], status, reopened, escalated, healthy_on)
            opened, before = None, closed


def _random_story(chance: random.Random) -> dict[date, list[str]]:
    """The statuses that each evaluated day was given, run by run; not every day has a run, the last has."""
    steadiness = chance.random() ** 0.2
    status, story = chance.choice(["green", "amber", "red"]), {}
    for number in range(DAYS):
        if chance.random() > steadiness:
            status = chance.choice(["green", "green", "amber", "red"])
        if chance.random() < 0.8 or number == DAYS - 1:
            runs = chance.randrange(1, 3)
            story[FIRST + timedelta(days=number)] = [
                chance.choice(["green", "red"]) for _ in range(runs - 1)
            ] + [status]
    return story


def _report(project: ScratchProject, stories: Mapping[str, Mapping[date, Sequence[str]]]) -> None:
    """Put what was said into the ledger, and the last word of all into what this run says."""
    today = FIRST + timedelta(days=DAYS - 1)
    said = sorted(
        (day, place, kr_id, status)
        for kr_id, story in stories.items()
        for day, statuses in story.items()
        for place, status in enumerate(statuses)
        if (day, place) != (today, len(statuses) - 1)
    )
    with connect(project.warehouse) as con:
        days, places, kr_ids, statuses = zip(*said, strict=True)
        con.execute(
            "insert into control.ledger by name select unnest(range(?)) as number, unnest(?) as run_id, ? as reported_at, "
            "unnest(?) as as_of, unnest(?) as kr_id, unnest(?) as date, unnest(?) as status, 'pace' as rule, 'why' as reason, "
            "0 as run, '' as strategy, '' as computation, '' as version, '' as definition, '' as previous, '' as hash",
            [
                len(said),
                [f"{day}/{place}" for day, place in zip(days, places, strict=True)],
                datetime(2026, 1, 1, tzinfo=UTC),
                list(days), list(kr_ids), list(days), list(statuses),
            ],
        )  # fmt: skip
        con.execute("create schema scorecard")
        con.execute("create table scorecard.kr_current (kr_id text, status text, rule text, reason text)")
        now = [(kr_id, story[today][-1], "pace", "why") for kr_id, story in stories.items()]
        append_rows(con, "scorecard.kr_current", now)
        con.execute(
            "create table scorecard.handoff_daily "
            "(handoff_id text, date date, status text, amount_at_stake decimal(28, 2), slack_days int, sentence text)"
        )


def test_every_life_of_an_exception_is_that_of_the_state_machine(tmp_path: Path) -> None:
    chance = random.Random(7)
    stories = {f"kr{number}": _random_story(chance) for number in range(150)}
    # The example in docs/method.md.
    example = ["green", "amber", "green", "red", "green", "green", "amber"]
    week = [FIRST + timedelta(days=DAYS - 7 + number) for number in range(7)]
    stories["example"] = {day: [status] for day, status in zip(week, example, strict=True)}
    project = ScratchProject(tmp_path, key_results=[KeyResult(kr_id, missing=True) for kr_id in stories])
    project.write()
    project.begin(FIRST + timedelta(days=DAYS - 1), "now")
    _report(project, stories)
    project.dbt("seed")
    project.dbt("run", "--select", "exceptions")
    columns = "kr_id, opened_on, closed_on, state, status, is_reopened, escalated_on, healthy_on"
    found = [tuple(row.values()) for row in project.rows(f"select {columns} from scorecard.exceptions")]
    expected = [
        (kr_id, *vars(life).values())
        for kr_id, story in stories.items()
        for life in _lives({day: statuses[-1] for day, statuses in story.items()})
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert [row[1:4] for row in sorted(found) if row[0] == "example"] == [
        (week[1], week[5], "closed"),
        (week[6], None, "reopened"),
    ]
    assert {life[3] for life in expected} == {"opened", "reopened", "escalated", "healthy_once", "closed"}
