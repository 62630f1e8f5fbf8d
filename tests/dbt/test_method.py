"""The worked examples of docs/method.md about progress, pace, status and roll-ups are what the scorecard computes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dbt.scratch_project import PACKAGE, KeyResult, ScratchProject

METHOD = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
START, END, AS_OF = date(2026, 10, 5), date(2027, 1, 3), date(2026, 12, 30)
LENGTH = (END - START).days + 1
PACE_OF = {"green": Decimal(1), "amber": Decimal("0.8"), "red": Decimal("0.5")}


def _section(title: str) -> str:
    (text,) = [part for part in METHOD.split("\n## ") if part.startswith(f"{title}\n")]
    return text


def _table(title: str, header: str) -> list[list[str]]:
    """The rows of the table in a section whose first column is headed so."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in _section(title).splitlines()
        if line.startswith("|")
    ]
    start = next(number for number, cells in enumerate(lines) if cells[0] == header)
    return lines[start + 2 :]


def _series(kr_id: str, values: Mapping[date, Decimal]) -> str:
    rows = ", ".join(f"(date '{day}', {value})" for day, value in values.items())
    return (
        f"select '{kr_id}' as kr_id, calendar.date, cast(v.number as decimal(28, 6)) as value,\n"
        "    cast(1 as bigint) as records\n"
        "from {{ ref('calendar') }} as calendar\n"
        f"left join (values {rows}) as v (day, number) on v.day = calendar.date\n"
        "where calendar.is_reported\n"
    )


def _day(number: int) -> date:
    return START + timedelta(days=number - 1)


PACES = _table("Progress and what is expected", "pace form")
STALLED = _table("Stalled", "day")
BAND = _table("Band", "day")
RULES_SAY, STATUSES = (row[1:] for row in _table("Worse at once, better after three days", "day"))


def _paced(number: int, row: Sequence[str]) -> KeyResult:
    form, baseline, target, day, value = row[:5]
    name = f"paced-{number}"
    steps = [("2026-10-19", "20"), ("2026-11-16", "60")] if form == "steps" else ()
    aim: dict[str, Any] = {"baseline": baseline, "target": target, "pace": form, "steps": steps}
    if form == "seasonal":
        measure = {
            "table": "ledger_entries", "aggregate": "sum", "column": "amount", "at": "date",
            "at_is_timestamp": False,
        }  # fmt: skip
        return KeyResult(name, measure, kind="accumulate", **aim)
    return KeyResult(name, sql=_series(name, {date.fromisoformat(day): Decimal(value)}), **aim)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """A key result for each example."""
    climb = {_day(number): Decimal(min(number, 20)) for number in range(1, 40)}
    band = {_day(int(row[0])): Decimal(row[1]) for row in BAND}
    told = {
        _day(number): 100 * PACE_OF[status] * number / LENGTH
        for number, status in enumerate(RULES_SAY, start=1)
        if status != "–"
    }
    key_results = [
        *(_paced(number, row) for number, row in enumerate(PACES)),
        KeyResult("climb", sql=_series("climb", climb)),
        KeyResult("band", kind="maintain", band=("85", "105"), sql=_series("band", band)),
        KeyResult("told", sql=_series("told", told)),
    ]
    project = ScratchProject(tmp_path_factory.mktemp("method"), key_results)
    project.write()
    postings: dict[date, int] = {START: 18}
    for first, early in ((START - timedelta(days=LENGTH), 10), (START - timedelta(days=2 * LENGTH), 30)):
        postings |= {first: early, first + timedelta(days=LENGTH - 1): 100 - early}
    project.land(
        "finance_ledger",
        {
            str(day): {
                "key": str(day),
                "posting": {"date": str(day), "account": "1", "amount": str(amount)},
            }
            for day, amount in postings.items()
        },
    )
    project.begin(AS_OF)
    project.build("kr_daily")
    return project


@pytest.mark.parametrize(("number", "row"), list(enumerate(PACES)), ids=[row[0] for row in PACES])
def test_pace(scored: ScratchProject, number: int, row: Sequence[str]) -> None:
    *_, day, value, progress, expected, pace, status = row
    (found,) = scored.rows(
        f"select kr_daily.*, rule_pace.status as says from scorecard.kr_daily "
        f"inner join scorecard.rule_pace using (kr_id, date) where kr_id = 'paced-{number}' and date = '{day}'"
    )
    numbers = (found["value"], found["progress"], found["expected_progress"], found["pace"])
    assert numbers == tuple(map(Decimal, (value, progress, expected, pace)))
    assert found["says"] == status


@pytest.mark.parametrize("row", STALLED, ids=lambda row: row[0])
def test_stalled(scored: ScratchProject, row: Sequence[str]) -> None:
    day, value, movement, noise, says = row
    on, before = _day(int(day)), _day(int(day) - 14)
    values = {
        each["date"]: each["value"]
        for each in scored.rows("select date, value from scorecard.kr_daily where kr_id = 'climb'")
    }
    assert (values[on], values[on] - values[before]) == (Decimal(value), Decimal(movement))
    verdicts = scored.rows(
        f"select inputs from scorecard.rule_stalled where kr_id = 'climb' and date = '{on}'"
    )
    assert bool(verdicts) == (says == "yes")
    for verdict in verdicts:
        assert Decimal(str(yaml.safe_load(verdict["inputs"])["noise"])) == Decimal(noise)


def test_band(scored: ScratchProject) -> None:
    found = scored.rows(
        "select value, progress, rule_band.status from scorecard.kr_daily inner join scorecard.rule_band using (kr_id, date)"
        " where kr_id = 'band' order by date"
    )
    assert [(row["value"], row["progress"], row["status"]) for row in found] == [
        (Decimal(value), Decimal(progress), says) for _, value, progress, says in BAND
    ]


def test_hysteresis(scored: ScratchProject) -> None:
    found = scored.rows("select * from scorecard.kr_daily where kr_id = 'told' order by date limit 7")
    says = ["–" if row["value"] is None else row["day_status"] for row in found]
    assert (says, [row["status"] for row in found]) == (RULES_SAY, STATUSES)


def _unit_test(model: str) -> dict[str, Any]:
    described = yaml.safe_load((PACKAGE / "models" / "scorecard" / f"{model}.yml").read_text("utf-8"))
    test: dict[str, Any] = described["unit_tests"][0]
    return test


def test_the_other_examples_are_those_of_the_unit_tests() -> None:
    """dbt computes these; here it is only seen that the page speaks of the same numbers."""
    company = _unit_test("objective_current")["expect"]["rows"][0]
    rolled_up = (company["tree_status"], company["tree_weakest_kr_id"], company["tree_progress"])
    assert rolled_up == ("red", "c", 0.3)
    assert re.search(
        r"Green at 0.8, red at 0.1 and red without progress: red, by the third, .* 0.3\.", METHOD
    )
    lowered = _unit_test("kr_against_original")
    assert lowered["expect"]["rows"][0] == {
        "kr_id": "lowered", "target": 200, "progress": 0.25, "status": "red",
    }  # fmt: skip
    assert "A target of 200 is lowered to 100 while the value is 50" in _section(
        "A strategy that is changed in mid-cycle"
    )
    warned = {row["kr_id"]: row["sentence"] for row in _unit_test("strategy_warnings")["expect"]["rows"]}
    assert "stood at 7 days, far from its baseline of 10 days" in warned["better"]
    assert "sound" not in warned
    assert "From 10 to 6 days, a first day at 7 is three quarters of the way" in METHOD
