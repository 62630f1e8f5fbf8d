"""What changed in the strategy equals what plain Python finds by holding each run's version against the one before."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from tests.dbt.scratch_project import KeyResult, ScratchProject
from warehouse.connection import connect
from warehouse.strategy_versions import Fact, record_strategy

BEFORE = (date(2026, 7, 6), date(2026, 10, 4))
CYCLE = (date(2026, 10, 5), date(2027, 1, 3))
LONGER = (date(2026, 10, 5), date(2027, 1, 31))
RUNS = (
    (date(2026, 9, 1), BEFORE),
    (date(2026, 9, 28), BEFORE),
    (date(2026, 9, 29), CYCLE),
    (date(2026, 10, 2), CYCLE),
    (date(2026, 10, 5), CYCLE),
    (date(2026, 10, 9), CYCLE),
    (date(2026, 10, 9), CYCLE),
    (date(2026, 10, 16), LONGER),
    (date(2026, 10, 23), CYCLE),
    (date(2026, 10, 30), CYCLE),
)
FIELDS = ("declared", "target", "owner")
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Version:
    """The strategy that a run stood on."""

    as_of: date
    cycle: tuple[date, date]
    facts: dict[Key, str | None]


def _versions() -> Iterator[Version]:
    """Thirty key results and hand-offs that come, go, stay as they are and change, each in its own way."""
    chance = random.Random(3)
    names = [(kind, f"{kind}-{number}") for kind in ("key_result", "handoff") for number in range(15)]
    values: dict[Key, str | None] = {}
    for number, (as_of, cycle) in enumerate(RUNS):
        for kind, name in names:
            for field in FIELDS[1:]:
                if chance.random() < 0.3 or (kind, name, field) not in values:
                    values[kind, name, field] = chance.choice([None, "1", "2", "3"])
        # Those that end in -0 are added in mid-cycle.
        there = {pair for pair in names if chance.random() < 0.8 and (number > 5 or pair[1][-2:] != "-0")}
        facts = {key: value for key, value in values.items() if key[:2] in there}
        yield Version(as_of, cycle, {**{(*pair, "declared"): "yes" for pair in there}, **facts})


VERSIONS = list(_versions())


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """A project that has run with one version after another."""
    project = ScratchProject(tmp_path_factory.mktemp("changes"), [KeyResult("absent", missing=True)])
    project.write()
    for number, version in enumerate(VERSIONS):
        project.begin(version.as_of, f"r{number}")
        with connect(project.warehouse) as con:
            facts: list[Fact] = [(*key, value) for key, value in version.facts.items()]
            record_strategy(con, facts, version.cycle)
            record_strategy(con, facts, version.cycle)
    project.build("strategy_changes", "strategy_originals")
    return project


def _in_force() -> Iterator[tuple[int, Version, dict[Key, str | None]]]:
    """Each version of this cycle with what had been said last of every fact before it."""
    said: dict[Key, str | None] = {}
    for number, version in enumerate(VERSIONS):
        if version.cycle == BEFORE:
            continue
        yield number, version, dict(said)
        gone = {key[:2] for key in said} - {key[:2] for key in version.facts}
        said |= version.facts | {(*pair, "declared"): None for pair in gone}


def test_changes_are_what_a_run_says_otherwise_than_the_one_before(changed: ScratchProject) -> None:
    expected: dict[tuple[Any, ...], Any] = {}
    for number, version, said in _in_force():
        if version.as_of < CYCLE[0]:
            continue
        there = {key[:2] for key in version.facts}
        for key in said.keys() | version.facts.keys():
            is_new = key not in said
            if key[:2] not in there and key[2] != "declared":
                continue
            old, new = said.get(key), version.facts.get(key)
            if old != new and (not is_new or key[2] == "declared"):
                expected[(*key, f"r{number}")] = (old, new, version.as_of)
    rows = changed.rows("select * from scorecard.strategy_changes")
    found = {
        (row["kind"], row["subject"], row["field"], row["run_id"]): (
            row["old_value"],
            row["new_value"],
            row["changed_on"],
        )
        for row in rows
    }
    assert found == expected
    added = {key[1] for key, (old, *_) in expected.items() if key[2:] == ("declared", "r6") and old is None}
    assert {"key_result-0", "handoff-0"} & added
    assert {(old is None, new is None) for old, new, _ in expected.values()} == {
        (False, False), (False, True), (True, False),
    }  # fmt: skip
    assert all(row["kr_id"] == (row["subject"] if row["kind"] == "key_result" else None) for row in rows)


def test_the_original_is_the_last_word_before_the_cycle_else_the_first_in_it(changed: ScratchProject) -> None:
    expected: dict[Key, str | None] = {}
    for _, version, said in _in_force():
        if version.as_of < CYCLE[0]:
            gone = {key[:2] for key in said} - {key[:2] for key in version.facts}
            expected |= version.facts | {(*pair, "declared"): None for pair in gone}
        else:
            expected = {**version.facts, **expected}
    rows = changed.rows("select kind, subject, field, value from scorecard.strategy_originals")
    assert {(row["kind"], row["subject"], row["field"]): row["value"] for row in rows} == expected


def test_a_run_that_says_the_same_keeps_nothing(changed: ScratchProject) -> None:
    kept = "select kind, subject, field, value, run_id from control.strategy_versions order by all"
    before = changed.rows(kept)
    with connect(changed.warehouse) as con:
        record_strategy(con, [(*key, value) for key, value in VERSIONS[-1].facts.items()], CYCLE)
    assert changed.rows(kept) == before
