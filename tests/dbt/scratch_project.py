"""A workspace's dbt project and warehouse in small, written by hand, so that the dbt package can be tested by itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from dbt.cli.main import dbtRunner

from tests.dbt_at_speed import dbt_at_speed
from warehouse.connection import connect
from warehouse.control import (
    CheckResult,
    ConfiguredStream,
    KeyResultInput,
    begin_run,
    create_control_tables,
    record_checks,
    set_kr_inputs,
    set_streams,
)
from warehouse.forecasts import create_forecast_tables
from warehouse.raw import create_raw_tables
from warehouse.rows import append_rows

PACKAGE = Path(__file__).resolve().parents[2] / "dbt_project"
LANDED_AT = datetime(2026, 11, 1, tzinfo=UTC)

VARS: dict[str, str] = {
    "timezone": "Europe/Berlin",
    "cycle_id": "2026-Q4",
    "cycle_start": "2026-10-05",
    "cycle_end": "2027-01-03",
    "history_start": "2025-10-06",
    "company_currency": "EUR",
    "jira_estimate_field": "customfield_10016",
    "jira_sprint_field": "customfield_10020",
    "jira_epic_field": "customfield_10014",
    "hubspot_product_property": "product_line",
    "hubspot_waits_for_property": "waits_for_issue",
}

NO_EVIDENCE = (
    "select '' as kr_id, '' as record, '' as \"at\", cast(0 as decimal(28, 6)) as contribution, '' as part"
    " where 1 = 0"
)


def _typed(kind: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


SEEDS: dict[str, dict[str, str]] = {
    "strategy_functions": _typed("text", "function_id name head_name head_email"),
    "strategy_function_members": _typed("text", "function_id kind value"),
    "strategy_objectives": _typed(
        "text", "objective_id name level function_id perspective sponsor_name sponsor_email supports drives"
    ),
    "strategy_objective_trees": _typed("text", "objective_id member_id"),
    "strategy_key_results": {
        **_typed("text", "kr_id name objective_id function_id owner_name owner_email perspective kind unit"),
        **_typed("decimal(28,6)", "baseline target band_low band_high"),
        **_typed("text", "pace measure_text model handoffs"),
        "sort_order": "integer",
    },
    "strategy_leading_indicators": {
        "kr_id": "varchar",
        "indicator_no": "integer",
        "name": "varchar",
        "measure_text": "varchar",
    },
    "strategy_handoffs": {
        **_typed("text", "handoff_id name giver_function receiver_function"),
        "needed_by": "date",
        "scope_filter": "text",
    },
    "strategy_kr_handoffs": _typed("text", "kr_id handoff_id"),
    "strategy_measures": {
        **_typed("text", "kr_id aggregate divisor"),
        **_typed("integer", "scale sign"),
    },
    "strategy_resources": {"kr_id": "text", **_typed("decimal(28,6)", "budget people")},
    "strategy_spenders": _typed("text", "kr_id cost_centre"),
    "strategy_steps": {"kr_id": "text", "on_date": "date", "expected_value": "decimal(28,6)"},
    "strategy_thresholds": {"rule": "text", "red": "decimal(18,6)", "amber": "decimal(18,6)"},
    "strategy_holidays": {"on_date": "date", "name": "text"},
}


_PARSED: list[bytes] = []
dbt_at_speed()


@dataclass(frozen=True)
class KeyResult:
    """A key result: the arguments of the macro `key_result` and what the strategy says of it.

    ``sql`` replaces the measure by a model of its own; ``missing`` leaves the model out.
    """

    id: str
    measure: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "reach"
    baseline: str = "0"
    target: str = "100"
    band: tuple[str, str] = ("", "")
    pace: str = "linear"
    unit: str = "count"
    steps: Sequence[tuple[str, str]] = ()
    sql: str | None = None
    missing: bool = False

    @property
    def model(self) -> str:
        return "kr_" + "".join(letter if letter.isalnum() else "_" for letter in self.id)


@dataclass(frozen=True)
class Handoff:
    """A hand-off between two functions, whose items are those for which ``scope`` holds."""

    id: str
    giver: str
    receiver: str
    needed_by: str
    scope: str
    key_results: Sequence[str] = ()


@dataclass
class ScratchProject:
    """The project in ``folder``; its warehouse is ``folder/warehouse.duckdb``. ``cycle`` overrides the package's variables."""

    folder: Path
    key_results: Sequence[KeyResult] = ()
    members: Sequence[tuple[str, str, str]] = ()
    handoffs: Sequence[Handoff] = ()
    thresholds: Sequence[tuple[str, str, str]] = (
        ("pace", "0.7", "0.9"),
        ("forecast", "0.2", "0.5"),
        ("stalled", "", "14"),
        ("handoff", "", "0.85"),
        ("hysteresis", "", "3"),
    )
    holidays: Sequence[tuple[str, str]] = (("2026-12-25", "Christmas"),)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def write(self) -> None:
        """Write the dbt project and create the warehouse with its empty raw and control tables."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_settings()
        self._write_seeds()
        self._write_models()
        with connect(self.warehouse) as con:
            con.execute("create schema if not exists raw")
            create_raw_tables(con)
            create_control_tables(con)
            create_forecast_tables(con)

    def land(self, table: str, records: Mapping[str, Mapping[str, Any]], source: str | None = None) -> None:
        """Put records (key: record) into ``raw.<table>`` as if they had been landed and loaded."""
        system, stream = table.split("_", 1)
        about = (LANDED_AT, LANDED_AT, "f", False)
        rows = [
            [source or system, stream, key, *about, json.dumps(record)] for key, record in records.items()
        ]
        with connect(self.warehouse) as con:
            append_rows(con, f"raw.{table}", rows)

    def begin(self, as_of: date, run_id: str = "r1") -> None:
        """Make a run for ``as_of`` the current one."""
        with connect(self.warehouse) as con:
            begin_run(con, run_id, as_of, {**VARS, **self.variables}["timezone"])

    def control(
        self,
        streams: Iterable[ConfiguredStream] = (),
        inputs: Iterable[KeyResultInput] = (),
        checks: Sequence[CheckResult] = (),
    ) -> None:
        """Say which streams are configured and what key results descend from; append checks of the current run."""
        with connect(self.warehouse) as con:
            set_streams(con, streams)
            set_kr_inputs(con, inputs)
            record_checks(con, checks)

    def dbt(self, *arguments: str) -> list[Any]:
        """Run dbt in this process. Raises AssertionError with the messages of the nodes that failed."""
        if arguments[0] not in {"deps", "parse"} and not (self.folder / "dbt_packages").exists():
            self._install()
        place = [
            "--project-dir",
            str(self.folder),
            "--profiles-dir",
            str(self.folder),
            "--log-path",
            str(self.folder / "logs"),
        ]
        quiet = ["--quiet", "--no-write-json", "--log-level", "none", "--no-send-anonymous-usage-stats"]
        result = dbtRunner().invoke([*arguments, *quiet, *place])
        if result.exception is not None:
            raise result.exception
        runs = list(getattr(result.result, "results", None) or [])
        failed = [
            f"{run.node.name}: {run.message}"
            for run in runs
            if str(run.status) in {"error", "fail", "skipped"}
        ]
        assert result.success and not failed, "\n".join(failed)
        return runs

    def build(self, *models: str) -> list[Any]:
        """Build these models and all that they are made of.

        Without a name everything, first what the key results are made of and they, then the scorecard.
        """
        without = ["--exclude", "resource_type:unit_test"]
        if models:
            return self.dbt("build", *without, "--select", *(f"+{model}" for model in models))
        scorecard = ["plumbline.scorecard", "kr_values", "evidence", "removed_evidence"]
        first = self.dbt("build", *without, *scorecard)
        return [*first, *self.dbt("build", *without, "--select", *scorecard)]

    def _install(self) -> None:
        """Install the package and parse, from what the first project of this process had parsed: most of it is the package."""
        self.dbt("deps")
        parsed = self.folder / "target" / "partial_parse.msgpack"
        parsed.parent.mkdir(exist_ok=True)
        if _PARSED:
            parsed.write_bytes(_PARSED[0])
        else:
            self.dbt("parse")
            _PARSED.append(parsed.read_bytes())

    def judge_anew(self) -> None:
        """Build again what the run and its checks have a say in."""
        self.dbt("run", "--select", "calendar+", "source_freshness+")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query over the warehouse."""
        with connect(self.warehouse) as con:
            found = con.execute(sql)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def _write_settings(self) -> None:
        seeds = {name: {"+column_types": types} for name, types in SEEDS.items()}
        models = {schema: {"+schema": schema} for schema in ("key_results", "handoffs", "scorecard")}
        project = {
            "name": "scratch",
            "version": "1.0",
            "config-version": 2,
            "profile": "scratch",
            "vars": {**VARS, **self.variables},
            "models": {"scratch": {"+materialized": "table", **models}},
            "seeds": {"scratch": {"+schema": "strategy", **seeds}},
        }
        target = {
            "type": "duckdb",
            "path": str(self.warehouse),
            "threads": 2,
            "settings": {"TimeZone": "UTC"},
        }
        profile = {"scratch": {"target": "here", "outputs": {"here": target}}}
        self._write("dbt_project.yml", yaml.safe_dump(project))
        self._write("profiles.yml", yaml.safe_dump(profile))
        self._write("packages.yml", yaml.safe_dump({"packages": [{"local": str(PACKAGE)}]}))
        self._write(
            "macros/generate_schema_name.sql",
            "{% macro generate_schema_name(custom_schema_name, node) %}"
            "{{ return(plumbline.generate_schema_name(custom_schema_name, node)) }}{% endmacro %}\n",
        )
        self._write(
            "macros/table.sql",
            "{% materialization table, adapter='duckdb' %}"
            "{{ return(plumbline.materialization_table_duckdb()) }}{% endmaterialization %}\n",
        )

    def _write_seeds(self) -> None:
        objective = ("o1", "Objective", "company", "", "financial", "Sponsor", "s@example.com", "", "")
        needed = {
            each.id: ",".join(one.id for one in self.handoffs if each.id in one.key_results)
            for each in self.key_results
        }
        key_results = [
            (each.id, f"Name of {each.id}", "o1", "f1", "Owner", "o@example.com", "financial", each.kind, each.unit,
             each.baseline, each.target, *each.band, each.pace, _text(each), each.model,
             needed[each.id], number)
            for number, each in enumerate(self.key_results)
        ]  # fmt: skip
        rows: dict[str, Iterable[Sequence[Any]]] = {
            "strategy_functions": [("f1", "Function", "Head", "h@example.com")],
            "strategy_function_members": self.members,
            "strategy_objectives": [objective],
            "strategy_objective_trees": [("o1", "o1")],
            "strategy_key_results": key_results,
            "strategy_measures": [_measure(each) for each in self.key_results if each.measure],
            "strategy_steps": [(each.id, *step) for each in self.key_results for step in each.steps],
            "strategy_thresholds": self.thresholds,
            "strategy_handoffs": [
                (each.id, f"Name of {each.id}", each.giver, each.receiver, each.needed_by, each.scope)
                for each in self.handoffs
            ],
            "strategy_kr_handoffs": [
                (kr_id, each.id) for each in self.handoffs for kr_id in each.key_results
            ],
            "strategy_holidays": self.holidays,
        }
        (self.folder / "seeds").mkdir(exist_ok=True)
        for name, columns in SEEDS.items():
            with (self.folder / "seeds" / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([list(columns), *rows.get(name, ())])

    def _write_models(self) -> None:
        built = [each for each in self.key_results if not each.missing]
        for each in built:
            text = each.sql or f"{{{{ plumbline.key_result({_arguments(each)}) }}}}\n"
            named = f"{{{{ config(meta={{'kr_id': {each.id!r}}}) }}}}\n"
            self._write(f"models/key_results/{each.model}.sql", named + text)
        references = ", ".join(f"ref('{each.model}')" for each in built)
        self._write(
            "models/key_results/kr_values.sql", f"{{{{ plumbline.union_existing([{references}]) }}}}\n"
        )
        calls = (f"plumbline.items_of('handoff_id', {each.id!r}, {each.scope!r})" for each in self.handoffs)
        items = "\nunion all\n".join(f"{{{{ {call} }}}}" for call in calls)
        self._write(
            "models/handoffs/handoff_items.sql", items or "{{ plumbline.items_of_none('handoff_id') }}"
        )
        self._write("models/scorecard/kr_work_items.sql", "{{ plumbline.items_of_none('kr_id') }}")
        for name, removed in (("evidence", False), ("removed_evidence", True)):
            contributions = "\nunion all\n".join(
                f"select * from (\n{{{{ plumbline.key_result_evidence({_arguments(each)}, removed={removed}) }}}}\n)"
                for each in built
                if not each.sql
            )
            self._write(
                f"models/scorecard/{name}.sql",
                f"with contributions as (\n{contributions or NO_EVIDENCE}\n)\n"
                "{{ plumbline.evidence_of('contributions') }}\n",
            )

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _text(key_result: KeyResult) -> str:
    said = key_result.measure
    conditions = [condition for name in ("filter", "numerator") if (condition := said.get(name))]
    return (
        f"{said['aggregate']} of {said['table']} where {' and '.join(conditions)}" if conditions else "text"
    )


def _measure(key_result: KeyResult) -> Sequence[Any]:
    said = key_result.measure
    divisor = "against" if said.get("against") else "amounts" if said.get("column") else "records"
    return (
        key_result.id,
        said["aggregate"],
        divisor if said["aggregate"] == "ratio" else "",
        said.get("scale", 1),
        -1 if said.get("negate") else 1,
    )


def _arguments(key_result: KeyResult, but: Sequence[str] = ()) -> str:
    arguments = {"kr_id": key_result.id, **key_result.measure}
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items() if name not in but)
