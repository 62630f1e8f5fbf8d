"""The hash of a key result's definition changes with what its value is computed by, and with nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import strategy
from strategy import WarehouseSettings, computation_hash, definition_hashes

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "dbt_project"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The example's workspace with a package of its own, to change at will."""
    shutil.copytree(HERE / "example", tmp_path, dirs_exist_ok=True)
    for room in ("models", "macros"):
        shutil.copytree(PACKAGE / room, tmp_path / "package" / room)
    return tmp_path


def definitions(workspace: Path) -> dict[str, str]:
    loaded, package = strategy.load(workspace / "strategy"), workspace / "package"
    settings = WarehouseSettings(workspace / "w.duckdb")
    strategy.compile(loaded, workspace / "metrics", settings, package, workspace / "dbt")
    return definition_hashes(loaded, workspace / "dbt", package)


def written(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def of_metrics(workspace: Path) -> set[str]:
    return {one.id for one in strategy.load(workspace / "strategy").key_results if one.metric is not None}


def test_every_key_result_has_one_of_its_own(workspace: Path) -> None:
    found = definitions(workspace)
    assert len(set(found.values())) == len(found) == len(strategy.load(workspace / "strategy").key_results)
    assert definitions(workspace) == found


def name_or_target(workspace: Path) -> None:
    for path in (workspace / "strategy" / "objectives").glob("*.yml"):
        path.write_text(path.read_text(encoding="utf-8").replace("name: ", "name: Other "), encoding="utf-8")


def rule(workspace: Path) -> None:
    written(workspace / "package" / "models" / "scorecard" / "kr_daily.sql", "select", "select ")


@pytest.mark.parametrize("change", [name_or_target, rule])
def test_names_and_rules_are_no_part_of_it(workspace: Path, change: Callable[[Path], None]) -> None:
    before = definitions(workspace)
    change(workspace)
    assert definitions(workspace) == before


def test_a_metric_changes_the_key_results_that_are_metrics(workspace: Path) -> None:
    before = definitions(workspace)
    written(workspace / "metrics" / "on_time_delivery.sql", "select", "select ")
    after = definitions(workspace)
    assert {kr for kr in before if after[kr] != before[kr]} == of_metrics(workspace) != set()


def test_a_measure_changes_its_own_key_result(workspace: Path) -> None:
    before = definitions(workspace)
    changed = next(iter(before.keys() - of_metrics(workspace)))
    model = next(one.model for one in strategy.load(workspace / "strategy").key_results if one.id == changed)
    written(workspace / "dbt" / "models" / "key_results" / f"{model}.sql", "kr_id", " kr_id")
    loaded = strategy.load(workspace / "strategy")
    after = definition_hashes(loaded, workspace / "dbt", workspace / "package")
    assert {kr for kr in before if after[kr] != before[kr]} == {changed}


def test_flow_changes_every_key_result(workspace: Path) -> None:
    before = definitions(workspace)
    written(workspace / "package" / "models" / "flow" / "work_items.sql", "select", "select ")
    after = definitions(workspace)
    assert all(after[kr] != before[kr] for kr in before)


def test_all_sql_counts_for_the_computation(workspace: Path) -> None:
    before = computation_hash(workspace / "package")
    rule(workspace)
    assert computation_hash(workspace / "package") != before
