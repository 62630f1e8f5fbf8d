"""Suspect records are those that plain Python finds, and the strict value is the measure over all the others."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dbt.integrity_oracle import RULES, Part, value_of, without
from tests.dbt.integrity_world import AS_OF, START, Item, World, local_day, random_world, raw_records, renamed
from tests.dbt.scratch_project import PACKAGE, KeyResult, ScratchProject

DONE = {"table": "work_items", "at": "done_at"}
ROLLING = {"window": "rolling", "window_days": 28}
REAL_WORK = "type in ('Story', 'Bug')"
BOOKS = {"table": "ledger_entries", "at": "date", "at_is_timestamp": False, "column": "amount_company"}
AGAINST = {**BOOKS, "filter": "account = '5000' and amount > 0"}
MEMBERS = [("f1", "project", "P"), ("f2", "project", "Q"), ("f1", "pipeline", "p")]


def _key_results(world: World) -> list[KeyResult]:
    """The targets make `finished` green, and not green without the suspects; those of `nearly` are far from any limit."""
    said: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "finished": ({**DONE, "aggregate": "count", "filter": REAL_WORK}, {"target": str(_aim(world))}),
        "points": ({**DONE, "aggregate": "sum", "column": "estimate"}, {"target": "100"}),
        "lead": ({**DONE, "aggregate": "avg", "column": "lead_time_days"}, {"baseline": "30", "target": "1"}),
        "typical": ({**DONE, **ROLLING, "aggregate": "median", "column": "lead_time_days"}, {}),
        "slow": (
            {**DONE, **ROLLING, "aggregate": "p85", "column": "cycle_time_days", "negate": True},
            {"baseline": "-30", "target": "-1"},
        ),
        "bugs": ({**DONE, "aggregate": "ratio", "numerator": "type = 'Bug'", "scale": 100}, {"unit": "%"}),
        "bug-points": (
            {**DONE, "aggregate": "ratio", "column": "estimate", "numerator": "type = 'Bug'", "scale": 100,
             "negate": True},
            {"unit": "%", "target": "-100"},
        ),
        "red": ({**DONE, "aggregate": "count", "filter": "labels like '%|red|%'"}, {"target": "50"}),
        "won": (
            {"table": "deals", "at": "won_at", "aggregate": "sum", "column": "amount_company", "filter": "is_won"},
            {"target": "100000", "unit": "EUR"},
        ),
        "revenue": (
            {**BOOKS, "aggregate": "sum", "negate": True, "filter": "account = '4000'"},
            {"target": "1000", "unit": "EUR"},
        ),
        "cost": (
            {**BOOKS, "aggregate": "ratio", "filter": "account = '4000' and amount > 0", "against": AGAINST, "scale": 100},
            {"kind": "maintain", "band": ("0", "1000"), "unit": "%"},
        ),
        "open": (
            {"table": "work_items", "at": "created_at", "until": "done_at", "aggregate": "level", "window": "as_of"},
            {"target": "20"},
        ),
        "nothing-left": (
            {**DONE, "aggregate": "avg", "column": "lead_time_days", "filter": f"key in {tuple(_few_suspects(world))}"},
            {"baseline": "400", "target": "300"},
        ),
    }  # fmt: skip
    return [KeyResult(name, measure, **more) for name, (measure, more) in said.items()]


@cache
def _suspects(world: World) -> set[str]:
    return {record for find in RULES.values() for record, (_, severe) in find(world).items() if severe}


def _aim(world: World) -> int:
    """A target at whose pace the value is just good enough."""
    elapsed = Fraction((AS_OF - START).days + 1, 91)
    return int(len(_parts(world)["finished"]) / elapsed / Fraction(91, 100))


@cache
def _few_suspects(world: World) -> list[str]:
    suspects = _suspects(world)
    return sorted(item.key for item in _done(world) if item.record in suspects)[:3]


def _done(world: World, first: date = START) -> list[Item]:
    return [item for item in world.items if item.done_at and local_day(item.done_at) >= first]


def _days(earlier: Any, later: Any) -> Fraction:
    return Fraction((later - earlier) // timedelta(microseconds=1), 86_400_000_000)


@cache
def _parts(world: World) -> Mapping[str, Sequence[Part]]:
    """What each key result is made of; those of `nothing-left` are a few of `lead`."""
    done, recent = _done(world), _done(world, AS_OF - timedelta(days=27))
    sized = [item for item in done if item.estimate is not None]
    won = [deal for deal in world.deals if (at := deal.entered(("won",))) and local_day(at) >= START]
    booked = [posting for posting in world.postings if posting.day >= START]
    costs = [posting for posting in booked if posting.amount > 0]
    return {
        "finished": [Part(item.record, Fraction(1)) for item in done if item.type != "Chore"],
        "points": [Part(item.record, Fraction(item.estimate or 0)) for item in sized],
        "lead": [Part(item.record, _days(item.created, item.done_at)) for item in done],
        "typical": [Part(item.record, _days(item.created, item.done_at)) for item in recent],
        "slow": [Part(item.record, _days(item.started_at, item.done_at)) for item in recent],
        "bugs": [Part(item.record, Fraction(1), item.type == "Bug") for item in done],
        "bug-points": [Part(it.record, Fraction(it.estimate or 0), it.type == "Bug") for it in sized],
        "red": [Part(item.record, Fraction(1)) for item in done if "red" in item.labels],
        "won": [Part(deal.record, Fraction(deal.last("amount"))) for deal in won],
        "revenue": [Part(one.record, Fraction(-one.amount)) for one in booked if one.account == "4000"],
        "cost": [Part(one.record, Fraction(one.amount), one.account == "4000") for one in costs],
        "open": [Part(item.record, Fraction(1)) for item in world.items if item.done_at is None],
        "nothing-left": [
            Part(item.record, _days(item.created, item.done_at))
            for item in done
            if item.key in _few_suspects(world)
        ],
    }


def _value(key_result: KeyResult, parts: Sequence[Part]) -> float | None:
    aggregate = str(key_result.measure["aggregate"])
    if key_result.id == "bugs":
        numbers = [Part(part.record, Fraction(1), part.is_numerator) for part in parts]
        return value_of("ratio", numbers)
    value = value_of(
        {"level": "sum"}.get(aggregate, "against" if key_result.id == "cost" else aggregate), parts
    )
    turned = key_result.measure.get("negate") and key_result.id != "revenue"
    return -value if turned and value is not None else value


def _build(folder: Path, world: World) -> ScratchProject:
    project = ScratchProject(folder, _key_results(world), MEMBERS)
    project.write()
    for table, records in raw_records(world):
        project.land(table, records)
    project.begin(AS_OF)
    project.build("kr_current", "integrity_events")
    return project


WORLD = random_world(1)
KEY_RESULTS = {key_result.id: key_result for key_result in _key_results(WORLD)}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    return _build(tmp_path_factory.mktemp("integrity"), WORLD)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_the_records_that_the_oracle_finds(judged: ScratchProject, rule: str) -> None:
    rows = judged.rows(f"select * from scorecard.integrity_events where rule = '{rule}'")
    found = {row["record"]: (row["on_date"], row["is_severe"]) for row in rows}
    expected = RULES[rule](WORLD)
    assert found == expected
    assert expected, "the world gives no occasion for the rule"
    assert all(row["sentence"].endswith(".") and row["item"] in row["sentence"] for row in rows)


@pytest.mark.parametrize("name", KEY_RESULTS)
def test_the_strict_value_is_the_measure_over_the_records_that_are_not_suspect(
    judged: ScratchProject, name: str
) -> None:
    (row,) = judged.rows(f"select * from scorecard.kr_current where kr_id = '{name}'")
    parts, suspects = _parts(WORLD)[name], _suspects(WORLD)
    assert row["suspects"] == len({part.record for part in parts} & suspects)
    assert row["suspects"] > 0 or name == "open", "the world gives no occasion"
    for column, expected in (
        ("value", _value(KEY_RESULTS[name], parts)),
        ("value_strict", _value(KEY_RESULTS[name], without(parts, suspects))),
    ):
        assert _float(row[column]) == pytest.approx(expected, abs=2e-5), column


@pytest.mark.parametrize("name", KEY_RESULTS)
def test_the_effect_of_a_record_is_the_value_less_the_value_without_it(
    judged: ScratchProject, name: str
) -> None:
    rows = judged.rows(
        f"select * from scorecard.integrity_events where kr_id = '{name}' and contribution is not null"
    )
    parts, key_result = _parts(WORLD)[name], KEY_RESULTS[name]
    everyone = {record for find in RULES.values() for record in find(WORLD)}
    elsewhere = set(RULES["left_scope"](WORLD))
    assert {row["record"] for row in rows} >= {part.record for part in parts} & (everyone - elsewhere)
    value = _value(key_result, parts)
    for row in rows:
        less = _value(key_result, without(parts, {row["record"]}))
        is_exact = key_result.measure["aggregate"] not in ("median", "p85") and None not in (value, less)
        expected = (value or 0) - (less or 0) if is_exact else None
        assert _float(row["effect"]) == pytest.approx(expected, abs=2e-5)


def test_a_suspect_record_that_no_key_result_counts_is_told_all_the_same(judged: ScratchProject) -> None:
    counted = {part.record for parts in _parts(WORLD).values() for part in parts}
    rows = judged.rows("select record from scorecard.integrity_events where kr_id is null")
    left = set(RULES["left_scope"](WORLD))
    assert {row["record"] for row in rows} - left == {
        record for rule, find in RULES.items() if rule != "left_scope" for record in find(WORLD)
    } - counted - left


def test_what_left_a_filter_is_told_to_the_key_results_that_use_it(judged: ScratchProject) -> None:
    rows = judged.rows("select distinct kr_id from scorecard.integrity_events where rule = 'left_scope'")
    assert {row["kr_id"] for row in rows} == {"bugs", "bug-points", "red"}


def test_integrity_is_amber_where_the_suspects_make_the_status(judged: ScratchProject) -> None:
    expected = {
        name
        for name, key_result in KEY_RESULTS.items()
        if _severity(key_result, without(_parts(WORLD)[name], _suspects(WORLD)))
        > _severity(key_result, _parts(WORLD)[name])
    }
    rows = {row["kr_id"]: row for row in judged.rows("select * from scorecard.rule_integrity")}
    assert set(rows) == expected >= {"finished", "nothing-left"}
    assert {row["status"] for row in rows.values()} == {"amber"}
    strict = json.loads(rows["finished"]["inputs"])
    assert f"instead of {strict['value']:,.0f}" in rows["finished"]["reason"]
    assert "nothing is left to measure" in rows["nothing-left"]["reason"]


def test_no_key_result_is_green_whose_strict_value_is_not(judged: ScratchProject) -> None:
    for row in judged.rows("select kr_id, status from scorecard.kr_current where status = 'green'"):
        assert (
            _severity(KEY_RESULTS[row["kr_id"]], without(_parts(WORLD)[row["kr_id"]], _suspects(WORLD))) == 0
        )


def test_other_names_and_another_order_change_nothing(judged: ScratchProject, tmp_path: Path) -> None:
    other = _build(tmp_path / "renamed", renamed(WORLD, random.Random(7)))
    for question in (
        "select rule, is_severe, function_id, on_date, kr_id, contribution, effect from scorecard.integrity_events"
        " where kr_id is distinct from 'nothing-left' order by all",
        "select kr_id, value_strict, suspects from scorecard.kr_strict where kr_id <> 'nothing-left' order by all",
    ):
        assert other.rows(question) == judged.rows(question)


def _float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)


def _severity(key_result: KeyResult, parts: Sequence[Part]) -> int:
    """0 green, 1 amber, 2 red; of nothing at all: red."""
    value = _value(key_result, parts)
    if value is None:
        return 2
    if key_result.kind == "maintain":
        low, high = map(float, key_result.band)
        return 0 if low <= value <= high else 2
    baseline, target = float(key_result.baseline), float(key_result.target)
    pace = (value - baseline) / (target - baseline) / (((AS_OF - START).days + 1) / 91)
    return 2 if pace < 0.7 else 1 if pace < 0.9 else 0


def test_the_example_in_the_method_is_what_the_rule_says(judged: ScratchProject) -> None:
    root = Path(__file__).parents[2]
    (unit,) = yaml.safe_load(
        (PACKAGE / "models/scorecard/rules/rule_integrity.yml").read_text(encoding="utf-8")
    )["unit_tests"]
    said = {row["kr_id"]: row["reason"] for row in unit["expect"]["rows"]}
    assert said["worse"] in " ".join((root / "docs" / "method.md").read_text(encoding="utf-8").split())
    (run,) = judged.dbt("test", "--select", "rule_integrity,test_type:unit")
    assert str(run.status) == "pass"
