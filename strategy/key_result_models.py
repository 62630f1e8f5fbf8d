"""The dbt models of key results: one call of a package macro each, and the YAML beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import yaml

from strategy.flow_tables import FlowTable
from strategy.jinja_text import Value, literal, verbatim
from strategy.measure_text import measure_text
from strategy.measures import Against, Measure, MetricMeasure, RollingWindow, TableMeasure, column_kind
from strategy.strategy import KeyResult

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

# Dagster refuses to load owners that its own pattern does not take, and it knows no longer top-level domains.
_DAGSTER_OWNER = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")

# Of these a removed record is known as such: Jira's and the CRM's by a census, the ledger's by its files.
_TELL_OF_REMOVALS = {"work_items", "deals", "ledger_entries"}

_SERIES = {
    "kr_id": ("string", "The key result."),
    "date": ("date", "A day of the cycle or of a whole period before it, in the cycle's time zone."),
    "value": ("decimal(28, 6)", "The value at the end of that day; empty where nothing could be measured."),
    "records": ("bigint", "How many records the value is made of."),
}
_INDICATORS = {
    "kr_id": _SERIES["kr_id"],
    "indicator_no": ("integer", "Which of its leading indicators, counted from 1."),
    **{name: _SERIES[name] for name in ("date", "value", "records")},
}
_EVIDENCE = {
    "kr_id": ("string", "The key result."),
    "record": ("string", "The record, as source/stream/key."),
    "at": ("string", "What puts the record in time, as ISO text."),
    "contribution": (
        "decimal(28, 6)",
        "What the record adds: the column's value, or 1 where records are counted.",
    ),
    "part": ("string", "value, or numerator or denominator of a ratio."),
    "name": (
        "string",
        "What people call the record: key of the item, name of the deal, document of the posting.",
    ),
    "title": ("string", "Summary of the item, text of the posting."),
    "url": ("string", "Where the record is opened in its system."),
    "found_in": ("string", "File and row of a record that has no such address."),
    "landed_file": ("string", "The landed file that the newest version of the record came in."),
}


def key_result_sql(key_result: KeyResult) -> str:
    """The model of a key result: its series by day."""
    return _series_sql(key_result.id, key_result.measure, key_result.definition.unit)


def key_result_yaml(key_result: KeyResult) -> str:
    """What dbt and Dagster know of the model: description, owner, contract and tests."""
    owner = key_result.definition.owner.email
    dagster: dict[str, object] = {"group": "key_results"}
    if _DAGSTER_OWNER.fullmatch(owner):
        dagster["owners"] = [owner]
    description = (
        f"{key_result.definition.name}\n\nMeasured as: {measure_text(key_result.measure)}.\n"
        "One row for each day of the cycle so far, and of the whole periods before it."
    )
    return _properties(
        key_result.model,
        description,
        _SERIES,
        meta={"kr_id": key_result.id, "owner": owner, "function": key_result.function, "dagster": dagster},
        # The days of our own macro cannot repeat; what a company's SQL gives can, and each test is a node to parse and run.
        tests={"date": ["unique", "not_null"]} if key_result.metric else None,
    )


def indicator_values_sql(key_results: Sequence[KeyResult]) -> str:
    """The series of all leading indicators, as if each were a key result."""
    parts = []
    for key_result in key_results:
        for number, indicator in enumerate(key_result.definition.leading_indicators, start=1):
            series = _series_sql(key_result.id, indicator.compared, unit="")
            name = f"{key_result.model}_{number}"
            parts.append(
                f"select kr_id, {number} as indicator_no, date, value, records from (\n{series}) as {name}\n"  # noqa: S608 - checked
            )
    return "union all\n".join(parts) or f"select {_nothing(_INDICATORS)} where 1 = 0\n"


def indicator_values_yaml() -> str:
    """Description and contract of the series of the leading indicators."""
    text = "The series of every leading indicator. One row for each indicator and day."
    return _properties("indicator_values", text, _INDICATORS, meta={"dagster": {"group": "key_results"}})


def values_sql(key_results: Sequence[KeyResult]) -> str:
    """The union of the series of all key results."""
    relations = "".join(f"    ref({literal(key_result.model)}),\n" for key_result in key_results)
    return f"{{{{ plumbline.union_existing([\n{relations}]) }}}}\n"


def values_yaml() -> str:
    """Description and contract of the union of all series."""
    text = "The series of every key result whose model could be built. One row for each key result and day."
    return _properties("kr_values", text, _SERIES, meta={"dagster": {"group": "key_results"}})


def evidence_sql(key_results: Sequence[KeyResult], *, removed: bool = False) -> str:
    """The records behind the last value of each key result that measures a flow table; `removed`: those that are gone from it."""
    calls = {
        key_result.model: _call(
            "key_result_evidence",
            {
                "kr_id": key_result.id,
                **_arguments(key_result.measure, key_result.definition.unit),
                **({"removed": True} if removed else {}),
            },
        )
        for key_result in key_results
        if not isinstance(key_result.measure, MetricMeasure)
        and (not removed or _tables(key_result.measure) & _TELL_OF_REMOVALS)
    }
    parts = [f"select * from (\n{call}) as {model}\n" for model, call in calls.items()]  # noqa: S608 - checked
    if not parts:
        return f"select {_nothing(_EVIDENCE)} where 1 = 0\n"
    contributions = "union all\n".join(parts)
    return f"with contributions as (\n{contributions})\n\n{{{{ plumbline.evidence_of('contributions') }}}}\n"


def evidence_yaml() -> str:
    """Description and contract of the evidence."""
    text = (
        "The records that make up the last value of each key result. One row for each key result and record."
    )
    return _properties("evidence", text, _EVIDENCE, meta={"dagster": {"group": "scorecard"}})


def removed_evidence_yaml() -> str:
    """Description and contract of the evidence that was removed."""
    text = (
        "The records that would be in the last value of each key result, had they not been removed from their source. "
        "One row for each key result and record."
    )
    return _properties("removed_evidence", text, _EVIDENCE, meta={"dagster": {"group": "scorecard"}})


def _tables(measure: TableMeasure) -> set[str]:
    return {measure.table, *([measure.against.table] if measure.against else [])}


def _series_sql(kr_id: str, measure: Measure, unit: str) -> str:
    if isinstance(measure, MetricMeasure):
        metric = f"ref({literal(measure.metric)})"
        return f"{{{{ plumbline.key_result_from_metric({literal(kr_id)}, {metric}) }}}}\n"
    return _call("key_result", {"kr_id": kr_id, **_arguments(measure, unit)})


def _nothing(columns: Mapping[str, tuple[str, str]]) -> str:
    return ", ".join(f'cast(null as {_sql_type(kind)}) as "{name}"' for name, (kind, _) in columns.items())


def _call(macro: str, arguments: Mapping[str, Value]) -> str:
    lines = "".join(f"    {name}={literal(value)},\n" for name, value in arguments.items())
    return f"{{{{ plumbline.{macro}(\n{lines.removesuffix(chr(10)).removesuffix(',')}\n) }}}}\n"


def _sql_type(kind: str) -> str:
    return "varchar" if kind == "string" else kind


def _arguments(measure: TableMeasure, unit: str) -> dict[str, Value]:
    rolling = isinstance(measure.window, RollingWindow)
    arguments: dict[str, Value] = {
        "table": measure.table,
        "aggregate": measure.aggregate,
        "column": measure.column,
        "at": measure.at,
        "at_is_timestamp": _is_timestamp(measure.table, measure.at),
        "filter": measure.filter,
        "window": "rolling" if rolling else str(measure.window),
    }
    if isinstance(measure.window, RollingWindow):
        arguments["window_days"] = measure.window.rolling_days
    if measure.until is not None:
        arguments["until"] = measure.until
        arguments["until_is_timestamp"] = _is_timestamp(measure.table, measure.until)
    if measure.aggregate == "ratio":
        arguments["numerator"] = measure.numerator
        arguments["against"] = _against(measure.against) if measure.against else None
        arguments["scale"] = 100 if unit == "%" else 1
    arguments["negate"] = measure.negate
    return arguments


def _against(against: Against) -> Mapping[str, Value]:
    return {
        "table": against.table,
        "column": against.column,
        "at": against.at,
        "at_is_timestamp": _is_timestamp(against.table, against.at),
        "filter": against.filter,
    }


def _is_timestamp(table: FlowTable, column: str) -> bool:
    return column_kind(table, column) == "timestamp"


def _properties(
    model: str,
    description: str,
    columns: Mapping[str, tuple[str, str]],
    meta: Mapping[str, object],
    tests: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The YAML of one model. Ids and e-mail addresses hold nothing that Jinja reads; other text is made verbatim."""
    tests = tests or {}
    listed: list[dict[str, object]] = []
    for name, (kind, text) in columns.items():
        column: dict[str, object] = {"name": name, "data_type": kind, "description": text}
        if name == "at":
            column["quote"] = True
        if name in tests:
            column["data_tests"] = [{test: {"config": {"severity": "warn"}}} for test in tests[name]]
        listed.append(column)
    properties = {
        "name": model,
        "description": verbatim(description),
        "config": {"contract": {"enforced": True}, "meta": dict(meta)},
        "columns": listed,
    }
    return str(
        yaml.dump(
            {"version": 2, "models": [properties]},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=110,
        )
    )
