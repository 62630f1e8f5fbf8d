"""The package as a whole: its unit tests hold, it builds over nothing at all, and it keeps to what it promises."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dbt.scratch_project import PACKAGE, KeyResult, ScratchProject

MODELS = sorted((PACKAGE / "models").rglob("*.sql"))
PUBLIC = (
    "kr_daily",
    "kr_current",
    "objective_current",
    "function_current",
    "flags",
    "source_freshness",
    "ledger",
)
# What only DuckDB understands; models reach it through the macros of macros/engine alone.
ENGINE_PRIVATE = re.compile(
    r"::|\b(json_extract\w*|unnest|strftime|strptime|epoch_\w+|list_\w+|arg_m\w+|try_cast|make_timestamp\w*"
    r"|regexp_\w+|qualify)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """A workspace into which nothing has been landed yet."""
    measures: dict[str, dict[str, Any]] = {
        "count": {"table": "work_items", "aggregate": "count", "at": "done_at"},
        "median": {
            "table": "work_items", "aggregate": "median", "column": "lead_time_days", "at": "done_at",
            "window": "rolling", "window_days": 7,
        },
    }  # fmt: skip
    project = ScratchProject(
        tmp_path_factory.mktemp("empty"), [KeyResult(name, measure) for name, measure in measures.items()]
    )
    project.write()
    project.begin(date(2026, 10, 30))
    project.build()
    return project


def test_an_empty_warehouse_gives_a_scorecard_of_what_is_known(empty: ScratchProject) -> None:
    rows = {row["kr_id"]: row for row in empty.rows("select * from scorecard.kr_current")}
    assert (rows["count"]["value"], rows["count"]["status"], rows["count"]["rule"]) == (0, "red", "pace")
    assert (rows["median"]["value"], rows["median"]["status"], rows["median"]["rule"]) == (
        None,
        "amber",
        "untrusted",
    )


def test_a_table_that_cannot_be_made_stays_as_it_was(empty: ScratchProject) -> None:
    model = empty.folder / "models" / "tried.sql"
    for column, says in (("1", 1), ("cast('x' || calendar.date as integer)", 1), ("3", 3)):
        model.write_text(
            f"{{{{ config(schema='tried') }}}} select {column} as a from {{{{ ref('calendar') }}}} as calendar"
        )
        if "cast" in column:
            with pytest.raises(AssertionError, match="Could not convert"):
                empty.dbt("run", "--select", "tried")
        else:
            empty.dbt("run", "--select", "tried")
        assert empty.rows("select distinct a from tried.tried") == [{"a": says}]
    model.unlink()


def test_the_unit_tests_of_the_package_hold(empty: ScratchProject) -> None:
    runs = empty.dbt("test", "--select", "test_type:unit")
    assert len(runs) >= 9


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_every_model_is_described_and_speaks_no_engine_private_sql(model: Path) -> None:
    (described,) = yaml.safe_load(model.with_suffix(".yml").read_text(encoding="utf-8"))["models"]
    assert described["name"] == model.stem
    assert re.search(r"One row is |One row stands ", described["description"]), (
        "the grain is part of the description"
    )
    assert not ENGINE_PRIVATE.findall(model.read_text(encoding="utf-8"))
    if model.parent.name == "flow" or model.stem in PUBLIC:
        assert described["config"]["contract"]["enforced"] is True


def test_the_calendar_knows_weeks_holidays_and_what_is_reported(empty: ScratchProject) -> None:
    rows = {row["date"]: row for row in empty.rows("select * from flow.calendar")}
    assert (min(rows), max(rows)) == (date(2025, 10, 6), date(2027, 1, 3))
    assert (rows[date(2026, 10, 5)]["cycle_day"], rows[date(2026, 10, 12)]["cycle_week"]) == (1, 2)
    assert rows[date(2026, 10, 4)]["cycle_day"] is None
    assert [day for day in (24, 25, 26, 27, 28) if rows[date(2026, 12, day)]["is_working_day"]] == [24, 28]
    reported = [day for day, row in rows.items() if row["is_reported"]]
    assert (min(reported), max(reported), len(reported)) == (date(2026, 10, 5), date(2026, 10, 30), 26)
