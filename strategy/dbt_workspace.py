"""The dbt project of a workspace: the package of the code, the compiled key results, the company's own metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from strategy import key_result_models as models
from strategy import work_models
from strategy.jinja_text import verbatim
from strategy.seeds import SEEDS
from strategy.strategy import Strategy

PROJECT = "plumbline_workspace"

_SCHEMA_MACRO = """\
{#- dbt looks for this macro in the project that runs, not in its packages. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
"""
_SEED_MACRO = """\
{#- The adapter copies seeds by a path that it does not quote and guesses the CSV dialect; bound values are sure. -#}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {{ return(default__load_csv_rows(model, agate_table)) }}
{% endmacro %}
"""
_TABLE_MACRO = """\
{#- dbt takes what replaces its own from the project that runs alone. -#}
{% materialization table, adapter='duckdb' %}
    {{ return(plumbline.materialization_table_duckdb()) }}
{% endmaterialization %}
"""
_FLAGS: Mapping[str, object] = {
    "send_anonymous_usage_stats": False,
    # The package reads the workspace's seeds and key results; dbt warns of each such reference.
    "warn_error_options": {"silence": ["PackageNodeDependsOnRootProjectNode"]},
}
# Everything in these folders is written here; a file of them that is not comes from a key result that is gone.
_OWN_FOLDERS = ("models", "seeds", "macros")


@dataclass(frozen=True)
class WarehouseSettings:
    """Where the warehouse is, and which fields of the sources carry what; an empty name means there is none."""

    warehouse: Path
    threads: int = 4
    jira_estimate_field: str = "customfield_10016"
    jira_sprint_field: str = "customfield_10020"
    jira_epic_field: str = "no_such_field"  # it becomes part of a path, which may not be empty
    hubspot_product_property: str = ""
    hubspot_waits_for_property: str = ""
    salesforce_product_field: str = ""
    salesforce_waits_for_field: str = ""


def compile_strategy(
    strategy: Strategy, metrics: Path | None, settings: WarehouseSettings, package: Path, into: Path
) -> None:
    """Writes the dbt project of `strategy` into the folder `into`.

    `metrics` holds the company's SQL models (None: there are none), `package` is the folder of the dbt package.
    The same input gives the same bytes, and a file whose bytes stay the same is not touched, so that dbt does not parse it again.
    Files of key results that are gone are removed; what dbt itself put there stays.
    """
    files = dict(_project(strategy, settings, package))
    files |= _key_results(strategy)
    files |= {f"seeds/{name}.csv": seed.csv(strategy) for name, seed in SEEDS.items()}
    for path in sorted(metrics.glob("*.sql")) if metrics is not None else ():
        files[f"models/metrics/{path.name}"] = path.read_text(encoding="utf-8")
    _require_metrics(strategy, files)
    _write(files, into)


def _project(strategy: Strategy, settings: WarehouseSettings, package: Path) -> Iterator[tuple[str, str]]:
    yield "dbt_project.yml", _yaml(_dbt_project(strategy, settings))
    yield "packages.yml", _yaml({"packages": [{"local": verbatim(package.resolve().as_posix())}]})
    warehouse = {
        "type": "duckdb",
        "path": verbatim(settings.warehouse.resolve().as_posix()),
        "schema": "main",
        "threads": settings.threads,
        # Both as in every other connection to the warehouse: the settings of one process hold for all of them.
        "settings": {"TimeZone": "UTC", "memory_limit": "25%"},
    }
    yield "profiles.yml", _yaml({"plumbline": {"target": "warehouse", "outputs": {"warehouse": warehouse}}})
    yield "macros/generate_schema_name.sql", _SCHEMA_MACRO
    yield "macros/load_csv_rows.sql", _SEED_MACRO
    yield "macros/table.sql", _TABLE_MACRO


def _dbt_project(strategy: Strategy, settings: WarehouseSettings) -> dict[str, object]:
    cycle = strategy.cycle
    seeds: dict[str, object] = {"+schema": "strategy"}
    seeds |= {name: {"+column_types": dict(seed.columns)} for name, seed in SEEDS.items()}
    return {
        "name": PROJECT,
        "version": "1.0.0",
        "config-version": 2,
        "profile": "plumbline",
        "flags": dict(_FLAGS),
        "vars": {
            "timezone": cycle.timezone,
            "cycle_id": cycle.id,
            "cycle_start": cycle.start.isoformat(),
            "cycle_end": cycle.end.isoformat(),
            "history_start": cycle.history_start.isoformat(),
            "company_currency": cycle.currency,
            "jira_estimate_field": settings.jira_estimate_field,
            "jira_sprint_field": settings.jira_sprint_field,
            "jira_epic_field": settings.jira_epic_field,
            "hubspot_product_property": settings.hubspot_product_property,
            "hubspot_waits_for_property": settings.hubspot_waits_for_property,
            "salesforce_product_field": settings.salesforce_product_field,
            "salesforce_waits_for_field": settings.salesforce_waits_for_field,
        },
        "models": {
            PROJECT: {
                "+materialized": "table",
                "key_results": {"+schema": "key_results"},
                "metrics": {"+schema": "key_results"},
                "handoffs": {"+schema": "handoffs"},
                "scorecard": {"+schema": "scorecard"},
            }
        },
        "seeds": {PROJECT: seeds},
    }


def _key_results(strategy: Strategy) -> dict[str, str]:
    files: dict[str, str] = {}
    for key_result in strategy.key_results:
        files[f"models/key_results/{key_result.model}.sql"] = models.key_result_sql(key_result)
        files[f"models/key_results/{key_result.model}.yml"] = models.key_result_yaml(key_result)
    files["models/key_results/kr_values.sql"] = models.values_sql(strategy.key_results)
    files["models/key_results/kr_values.yml"] = models.values_yaml()
    files["models/key_results/indicator_values.sql"] = models.indicator_values_sql(strategy.key_results)
    files["models/key_results/indicator_values.yml"] = models.indicator_values_yaml()
    files["models/handoffs/handoff_items.sql"] = work_models.handoff_items_sql(strategy.handoffs)
    files["models/handoffs/handoff_items.yml"] = work_models.handoff_items_yaml()
    files["models/scorecard/kr_work_items.sql"] = work_models.key_result_items_sql(strategy.key_results)
    files["models/scorecard/kr_work_items.yml"] = work_models.key_result_items_yaml()
    files["models/scorecard/evidence.sql"] = models.evidence_sql(strategy.key_results)
    files["models/scorecard/evidence.yml"] = models.evidence_yaml()
    files["models/scorecard/removed_evidence.sql"] = models.evidence_sql(strategy.key_results, removed=True)
    files["models/scorecard/removed_evidence.yml"] = models.removed_evidence_yaml()
    return files


def _require_metrics(strategy: Strategy, files: Mapping[str, str]) -> None:
    for key_result in strategy.key_results:
        if key_result.metric is not None and f"models/metrics/{key_result.metric}.sql" not in files:
            raise ValueError(
                f"The key result {key_result.id} needs {key_result.metric}.sql, which is not in the metrics folder"
            )


def _yaml(data: Mapping[str, object]) -> str:
    return str(yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=110))


def _write(files: Mapping[str, str], into: Path) -> None:
    for name, text in files.items():
        path, content = into / name, text.encode()
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for folder in _OWN_FOLDERS:
        for path in (into / folder).rglob("*"):
            if path.is_file() and path.relative_to(into).as_posix() not in files:
                path.unlink()
