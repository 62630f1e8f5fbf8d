"""JSON Schemas of the strategy's files, so that an editor completes and checks them while they are written.

They say what fields there are and what belongs into each, in the words of the models' own descriptions. What one field
means for another, and what other files declare, only `load` knows: a file that passes its schema may still have problems.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from strategy.cycle import CycleFile
from strategy.model import FunctionsFile, HandoffsFile, ObjectiveFile

SCHEMA_FOLDER = ".schema"
_FILES: Mapping[str, type[BaseModel]] = {
    "cycle": CycleFile,
    "functions": FunctionsFile,
    "handoffs": HandoffsFile,
    "objective": ObjectiveFile,
}


def schemas() -> dict[str, dict[str, Any]]:
    """The schema (JSON Schema 2020-12) of each kind of file: cycle, functions, handoffs, objective."""
    return {
        name: {
            "$schema": GenerateJsonSchema.schema_dialect,
            **_in_schema_words(model.model_json_schema(schema_generator=_Schema)),
        }
        for name, model in _FILES.items()
    }


def write_schemas(folder: Path) -> Iterator[Path]:
    """Write the schemas beside the files of the strategy in `folder`, into `.schema/`; yields each file written."""
    (folder / SCHEMA_FOLDER).mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        path = folder / SCHEMA_FOLDER / f"{name}.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        yield path


# Pydantic's names of a number's limits; where it checks a number before it reads it, they reach the schema as they are.
_LIMITS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "max_digits": None,
    "decimal_places": None,
}


class _Schema(GenerateJsonSchema):
    """Numbers are written without quotes, so a decimal is a number and nothing else."""

    def decimal_schema(self, schema: Any) -> dict[str, Any]:
        return {"type": "number", **{name: schema[name] for name in _LIMITS if name in schema}}

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, BaseModel):
            return {name: self.encode_default(value) for name, value in dft}
        return float(dft) if isinstance(dft, Decimal) else super().encode_default(dft)


def _in_schema_words(part: Any) -> Any:
    if isinstance(part, list):
        return [_in_schema_words(each) for each in part]
    if not isinstance(part, dict):
        return part
    named = ((_LIMITS.get(name, name), value) for name, value in part.items())
    return {name: _in_schema_words(value) for name, value in named if name is not None}
