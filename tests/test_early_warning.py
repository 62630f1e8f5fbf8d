"""The early-warning benchmark: what the engine is shown knows nothing of the future, and the scorer counts right."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.early_warning.companies import CYCLE_END, Company, Fate, Item, moment, play
from benchmarks.early_warning.judging import Answer
from benchmarks.early_warning.landing import changelogs, evening_of, issues, land_evening
from benchmarks.early_warning.scoring import RuleOdds, Scored, friday_of
from benchmarks.early_warning.truth import Truth, truth_of
from benchmarks.early_warning.workspace import write_workspace
from connectors.landing import Landing
from scorecard.handoffs import HandoffDay
from strategy import load

EVER = datetime.min.replace(tzinfo=UTC)
WEEK_4, WEEK_8 = friday_of(4), friday_of(8)


@pytest.fixture(scope="module")
def companies() -> list[Company]:
    return [play(7, number) for number in range(12)]


def _cut(item: Item, evening: date) -> Item:
    """The item with no future after the evening."""
    return replace(item, moves=[move for move in item.moves if moment(move[0]) <= evening_of(evening)])


def test_an_evening_does_not_depend_on_what_comes_after_it(companies: list[Company]) -> None:
    everything = [item for company in companies for item in company.items]
    known = [_cut(item, WEEK_4) for item in everything if moment(item.created) <= evening_of(WEEK_4)]
    assert len(known) < len(everything)
    until = evening_of(WEEK_4)
    assert list(issues(known, EVER, until)) == list(issues(everything, EVER, until))
    assert list(changelogs(known, EVER, until)) == list(changelogs(everything, EVER, until))


def test_evenings_add_up_to_the_later_one(companies: list[Company]) -> None:
    items = [item for company in companies for item in company.items]
    week_4, week_8 = evening_of(WEEK_4), evening_of(WEEK_8)
    histories = [*changelogs(items, EVER, week_4), *changelogs(items, week_4, week_8)]
    assert sorted(map(json.dumps, histories)) == sorted(map(json.dumps, changelogs(items, EVER, week_8)))
    newest = {issue["id"]: issue for issue in [*issues(items, EVER, week_4), *issues(items, week_4, week_8)]}
    assert newest == {issue["id"]: issue for issue in issues(items, EVER, week_8)}


def test_keys_count_what_was_created_and_nothing_else(companies: list[Company]) -> None:
    for company in companies:
        in_order = sorted(company.items, key=lambda item: item.created)
        assert [int(item.id) for item in in_order] == sorted(int(item.id) for item in in_order)


def test_the_truth_never_enters_landing_or_strategy(companies: list[Company], tmp_path: Path) -> None:
    other_ending = [
        replace(company, fate=Fate.EARLY, gamed=not company.gamed)
        for company in companies
    ]  # fmt: skip
    for name, world in (("one", companies), ("other", other_ending)):
        write_workspace(tmp_path / name, world)
        land_evening(world, None, WEEK_4, tmp_path / name / "landing")
    assert _texts(tmp_path / "one") == _texts(tmp_path / "other")
    landed = {manifest.stream for manifest in Landing(tmp_path / "one" / "landing").manifests()}
    assert landed == {"issues", "changelogs", "statuses", "projects", "fields"}
    assert len(load(tmp_path / "one" / "strategy").key_results) == len(companies)


def _texts(folder: Path) -> dict[str, Any]:
    """Strategy files by name, and the content of landed files by stream."""
    strategy = {path.name: path.read_text("utf-8") for path in folder.rglob("*.yml")}
    return {**strategy, **{each.stream: each.sha256 for each in Landing(folder / "landing").manifests()}}


def test_work_is_done_after_it_began_and_what_waits_after_what_it_waits_for(companies: list[Company]) -> None:
    for company in companies:
        for item in company.items:
            times = [item.created, *(at for at, _ in item.moves)]
            assert times == sorted(times)
        for item in company.needed:
            assert all(item.done < waiting.done or waiting.done == float("inf") for waiting in item.blocks)
        truth = truth_of(company, [WEEK_4])
        assert truth.delivered_on is None or truth.finished_on[WEEK_4] is not None
        assert truth.delivered_on is None or truth.finished_on[WEEK_4] <= truth.delivered_on  # type: ignore[operator]


def _truth(company: str, *, late: bool) -> Truth:
    needed_by = date(2026, 12, 4)
    delivered = needed_by + timedelta(days=30 if late else 2)
    return Truth(
        company=company, fate=Fate.STEADY, gamed=False, needed_by=needed_by, delivered_on=delivered,
        target_reached_on=delivered, finished_on={},
    )  # fmt: skip


def _answer(company: str, evening: date, status: str, progress: float) -> Answer:
    day = HandoffDay(company, evening, 1, 1, 0, 0, 1, 1, 20, 20, 20)
    return Answer(
        kr_id=f"{company}-launch", status=status, rule="handoff", progress=progress, elapsed=0.5,
        handoff_status=status, day=day,
    )  # fmt: skip


def test_the_scorer_counts_right() -> None:
    truths = {name: _truth(name, late=name in {"a", "b"}) for name in "abcd"}
    evenings = [friday_of(week) for week in (4, 6, 8, 10)]
    said = {
        "a": ["amber", "amber", "red", "red"],
        "b": ["amber", "green", "green", "green"],
        "c": ["amber", "green", "green", "green"],
        "d": ["green", "green", "green", "green"],
    }
    answers = {
        evening: [
            _answer(name, evening, said[name][place], 0.44 if name == "b" else 0.46) for name in said
        ]
        for place, evening in enumerate(evenings)
    }  # fmt: skip
    scored = Scored(answers, truths)
    odds = scored.odds("all rules", 4)
    assert (odds.companies, odds.failing, odds.flagged) == (4, 2, 3)
    assert odds.precision == pytest.approx(2 / 3)
    assert odds.recall == 1
    assert scored.by_rule(4) == [RuleOdds("handoff", 3, 2)]
    assert scored.odds("all rules", 8).recall == 0.5
    assert (scored.odds("linear pace", 4).flagged, scored.odds("linear pace", 4).recall) == (1, 0.5)
    assert scored.lasting_amber("all rules", truths["a"]) == friday_of(4)
    # An amber that is taken back before the day of need has warned nobody.
    assert scored.lasting_amber("all rules", truths["b"]) == CYCLE_END
    assert scored.lasting_amber("linear pace", truths["b"]) == friday_of(4)
