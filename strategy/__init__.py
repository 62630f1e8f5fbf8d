"""The strategy as code: loads and checks a company's YAML, and compiles it into a dbt project.

`load` gives a `Strategy` or raises `InputErrors` with every `Problem` at once; `compile` writes the dbt project.
"""

from strategy.cycle import Cycle, Holiday, Thresholds
from strategy.dbt_workspace import WarehouseSettings
from strategy.dbt_workspace import compile_strategy as compile  # noqa: A004 - the word for it
from strategy.declared import Declared, declared
from strategy.field_types import Person
from strategy.fingerprint import code_hash, computation_hash, definition_hashes, flow_hash, strategy_hash
from strategy.json_schema import write_schemas
from strategy.loading import load
from strategy.measure_text import measure_text
from strategy.measures import Measure, MetricMeasure
from strategy.model import Function, Handoff, KeyResultDefinition, Objective
from strategy.problems import InputErrors, Problem
from strategy.strategy import KeyResult, Strategy

__all__ = [
    "Cycle",
    "Declared",
    "Function",
    "Handoff",
    "Holiday",
    "InputErrors",
    "KeyResult",
    "KeyResultDefinition",
    "Measure",
    "MetricMeasure",
    "Objective",
    "Person",
    "Problem",
    "Strategy",
    "Thresholds",
    "WarehouseSettings",
    "code_hash",
    "compile",
    "computation_hash",
    "declared",
    "definition_hashes",
    "flow_hash",
    "load",
    "measure_text",
    "strategy_hash",
    "write_schemas",
]
