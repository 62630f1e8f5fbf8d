"""The compiled project in dbt itself, with text in it that would break out of SQL, Jinja, YAML and CSV if it could."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

import strategy
from strategy import WarehouseSettings
from strategy.flow_tables import FLOW_TABLES
from warehouse.connection import connect
from warehouse.control import begin_run, create_control_tables
from warehouse.raw import create_raw_tables

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "dbt_project"

UNIT = "{{ x }} {% y \"'"
HOSTILE = (
    "{{ env_var('NOT_THERE') }} {% set x = 1 %} {# note #} }} %} '; drop table flow.work_items; -- \"quoted\", "
    "\\ back \\n\nsecond line\t{{ '{{' }} ünïcödé 目標 {{{ }}} {{ \"x\" }} ${HOME} [a](b) <b>, 100 %"
)
PERSON = 'Zoë O\'Neil "{{ 1 }}" {% raw %}'
FILTER = """summary = '{{ var("x") }} {% x %} {# "y" # }} ü o''clock' and priority <> ''"""
KIND_OF_TYPE = {
    "VARCHAR": "text",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BOOLEAN": "boolean",
}


@dataclass(frozen=True)
class Built:
    """A workspace of hostile text that dbt has built."""

    dbt: Path
    warehouse: Path
    manifest: dict[str, Any]
    parsed_again: dict[str, Any]


def _hostile_workspace(root: Path) -> None:
    shutil.copytree(HERE / "example", root)
    path = root / "strategy" / "objectives" / "speed.yml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    data["objective"]["name"] = HOSTILE
    data["objective"]["sponsor"]["name"] = PERSON
    for key_result in data["key_results"]:
        key_result["name"] = f"{key_result['name']} {HOSTILE}"
        key_result["owner"] = {"name": PERSON, "email": "zoe.o'neil@example.technology"}
        key_result["unit"] = "%" if key_result["unit"] == "%" else UNIT
    data["key_results"][0]["measure"]["filter"] = FILTER
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    functions = root / "strategy" / "functions.yml"
    data = yaml.safe_load(functions.read_text(encoding="utf-8"))
    data["functions"][0] |= {"name": HOSTILE, "projects": ["PLAT", "None", '"', HOSTILE, "NA", "0123"]}
    functions.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")


def _dbt(project: Path, *arguments: str) -> None:
    with chdir(project):
        done = dbtRunner().invoke(
            [*arguments, "--quiet", "--profiles-dir", str(project), "--project-dir", str(project)]
        )
    results = getattr(done.result, "results", None) or []
    failed = [
        (result.node.unique_id, result.message) for result in results if result.status in ("error", "fail")
    ]
    if not done.success:
        pytest.fail(f"dbt {arguments[0]} failed: {failed or done.exception}")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    root = tmp_path_factory.mktemp("hostile") / "o'brien {{ x }} ü"
    _hostile_workspace(root)
    dbt, warehouse = root / ".plumbline" / "dbt", root / ".plumbline" / "warehouse.duckdb"
    loaded = strategy.load(root / "strategy")
    strategy.compile(loaded, root / "metrics", WarehouseSettings(warehouse, threads=2), PACKAGE, dbt)
    with connect(warehouse) as con:
        create_raw_tables(con)
        create_control_tables(con)
        begin_run(con, "run", date(2026, 10, 30), loaded.cycle.timezone)
    _dbt(dbt, "deps")
    _dbt(
        dbt,
        "build",
        "--select",
        "resource_type:seed",
        "+config.schema:flow",
        "+config.schema:key_results",
        "evidence",
    )
    manifest = json.loads((dbt / "target" / "manifest.json").read_text(encoding="utf-8"))
    _dbt(dbt, "parse")
    # dbt keeps its connection in this process, and with it the warehouse's lock.
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    yield Built(
        dbt, warehouse, manifest, json.loads((dbt / "target" / "manifest.json").read_text(encoding="utf-8"))
    )


@pytest.fixture
def tables(built: Built) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(built.warehouse), read_only=True) as con:
        yield con


def test_every_name_arrives_in_the_warehouse_as_it_was_written(tables: duckdb.DuckDBPyConnection) -> None:
    query = "select name, owner_name, unit from strategy.strategy_key_results where objective_id = 'speed' order by sort_order"
    assert tables.execute(query).fetchall() == [
        (f"Bugs fixed within 6 days {HOSTILE}", PERSON, UNIT),
        (f"Spend stays within 5 % of the plan {HOSTILE}", PERSON, "%"),
        (f"Nine of ten planned items done in their sprint {HOSTILE}", PERSON, "%"),
    ]
    members = tables.execute(
        "select value from strategy.strategy_function_members where function_id = 'engineering'"
    )
    assert members.fetchall() == [(value,) for value in ("PLAT", "None", '"', HOSTILE, "NA", "0123", "4100")]


def test_every_description_is_rendered_to_itself_also_when_parsed_again(built: Built) -> None:
    for manifest in (built.manifest, built.parsed_again):
        node = manifest["nodes"]["model.plumbline_workspace.kr_fast_fixes"]
        assert node["description"].startswith(
            f"Bugs fixed within 6 days {HOSTILE}\n\nMeasured as: 85th percentile of"
        )
        assert node["config"]["meta"]["owner"] == "zoe.o'neil@example.technology"
        assert node["config"]["meta"]["dagster"] == {"group": "key_results"}


def test_a_filter_stays_a_value_in_the_compiled_sql(built: Built) -> None:
    compiled = (
        built.dbt
        / "target"
        / "compiled"
        / "plumbline_workspace"
        / "models"
        / "key_results"
        / "kr_fast_fixes.sql"
    )
    assert (
        """(summary = '{{ var("x") }} {% x %} {# "y" # }} ü o''clock' AND priority <> '')"""
        in compiled.read_text(encoding="utf-8")
    )


def test_every_key_result_has_a_series_from_the_cycle_s_start(tables: duckdb.DuckDBPyConnection) -> None:
    rows = tables.execute(
        "select kr_id, min(date), max(date), count(*) from key_results.kr_values where date >= '2026-10-05' group by 1 order by 1"
    )
    assert rows.fetchall() == [
        (kr_id, date(2026, 10, 5), date(2026, 10, 30), 26)
        for kr_id in ("fast-fixes", "on-time", "revenue-won", "spend-on-plan", "sprint-delivery")
    ]


def test_lineage_leads_from_each_key_result_to_its_flow_tables(built: Built) -> None:
    nodes = built.manifest["nodes"]
    depends = set(nodes["model.plumbline_workspace.kr_spend_on_plan"]["depends_on"]["nodes"])
    assert {f"model.plumbline.{table}" for table in ("ledger_entries", "budget_days", "calendar")} <= depends
    assert nodes["model.plumbline_workspace.kr_fast_fixes"]["schema"] == "key_results"
    assert nodes["model.plumbline_workspace.evidence"]["schema"] == "scorecard"


def test_the_flow_tables_have_the_columns_that_measures_may_name(tables: duckdb.DuckDBPyConnection) -> None:
    actual: dict[str, dict[str, str]] = {}
    found = tables.execute(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'flow'"
    )
    for table, column, sql_type in found.fetchall():
        if table in FLOW_TABLES:
            kind = "number" if sql_type.startswith("DECIMAL") else KIND_OF_TYPE[sql_type]
            actual.setdefault(table, {})[column] = kind
    assert actual == FLOW_TABLES
