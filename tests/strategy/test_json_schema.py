"""The schemas for editors say what the loader takes: never stricter than it, and as strict as one field alone allows."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import strategy
from orchestration.starter import write_starter
from strategy.cycle import CycleFile
from strategy.json_schema import schemas
from strategy.model import FunctionsFile, HandoffsFile, ObjectiveFile
from strategy.yaml_source import read
from tests.command_line import plumbline

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "demo/workspace/strategy",
    "benchmarks/large/workspace/strategy",
    "tests/strategy/example/strategy",
    "tests/real_records/workspaces/quarter/strategy",
    "tests/real_records/workspaces/six_years/strategy",
)
MODELS: dict[str, type[BaseModel]] = {
    "cycle": CycleFile,
    "functions": FunctionsFile,
    "handoffs": HandoffsFile,
    "objective": ObjectiveFile,
}
VALIDATORS = {name: jsonschema.Draft202012Validator(schema) for name, schema in schemas().items()}


def _plain(data: Any) -> Any:
    """As an editor sees YAML: days are texts, fractions are numbers."""
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(each) for each in data]
    return data.isoformat() if isinstance(data, date) else float(data) if isinstance(data, Decimal) else data


def _as_read(data: Any) -> Any:
    """The other way: as the loader reads what an editor shows."""
    if isinstance(data, dict):
        return {key: _as_read(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_as_read(each) for each in data]
    if isinstance(data, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", data):
        return date.fromisoformat(data)
    return Decimal(str(data)) if isinstance(data, float) else data


def _files(folder: Path) -> Iterator[tuple[str, Any]]:
    """Kind and data of each file of a strategy."""
    for path in sorted(folder.rglob("*.yml")):
        kind = "objective" if "objectives" in path.relative_to(folder).parts else path.stem
        yield kind, _plain(read(path).data)


def test_the_schemas_are_schemas() -> None:
    for validator in VALIDATORS.values():
        validator.check_schema(validator.schema)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_that_loads_passes(folder: str) -> None:
    strategy.load(ROOT / folder)
    for kind, data in _files(ROOT / folder):
        VALIDATORS[kind].validate(data)


def test_the_starter_names_the_schemas_that_it_brings_and_passes_them(tmp_path: Path) -> None:
    list(write_starter(tmp_path / "acme"))
    folder = tmp_path / "acme" / "strategy"
    strategy.load(folder)
    for path in folder.rglob("*.yml"):
        first, _ = path.read_text(encoding="utf-8").split("\n", 1)
        schema = (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
        assert json.loads(schema.read_text(encoding="utf-8")) == schemas()[schema.stem]
        jsonschema.validate(_plain(read(path).data), json.loads(schema.read_text(encoding="utf-8")))


def test_the_schemas_are_written_anew_into_a_workspace_that_is_there(tmp_path: Path) -> None:
    list(write_starter(tmp_path / "acme"))
    folder = tmp_path / "acme" / "strategy" / ".schema"
    (folder / "cycle.json").unlink()
    (folder / "objective.json").write_text("{}", encoding="utf-8")
    assert plumbline("schema", "-w", tmp_path / "acme").code == 0
    written = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}
    assert written == schemas()


def test_every_field_is_described_and_closed() -> None:
    for schema in schemas().values():
        for part in (schema, *schema["$defs"].values()):
            assert part["additionalProperties"] is False
            assert all(field.get("description") for field in part["properties"].values()), part["title"]


def _places(data: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield place
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from _places(value, (*place, key))


SOUND = [pair for folder in FOLDERS for pair in _files(ROOT / folder)]
WRONG = st.one_of(
    st.just({"no-such-field": 1}),
    st.just([["?"]]),
    st.just(True),
    st.integers(-9, -1),
    st.just("?"),
    st.none(),
)


@given(st.sampled_from(range(len(SOUND))), st.data(), WRONG)
def test_what_a_schema_refuses_the_loader_refuses_too(index: int, draw: st.DataObject, wrong: Any) -> None:
    kind, sound = SOUND[index]
    place = draw.draw(st.sampled_from([place for place in _places(sound) if place]))
    data = copy.deepcopy(sound)
    inside = data
    for part in place[:-1]:
        inside = inside[part]
    inside[place[-1]] = wrong
    if VALIDATORS[kind].is_valid(data):
        return
    with pytest.raises(ValidationError):
        MODELS[kind].model_validate(_as_read(data))


@pytest.mark.parametrize(
    ("kind", "place", "wrong"),
    [
        ("cycle", ("thresholds", "pace", "red"), "0.7"),
        ("cycle", ("thresholds", "pace", "red"), 0),
        ("cycle", ("thresholds", "handoff"), {"confidence": 1}),
        ("cycle", ("thresholds", "colour"), {}),
        ("functions", ("functions", 0, "heads"), []),
        ("objective", ("objective", "perspective"), "custmer"),
        ("objective", ("key_results", 0, "pace"), "steady"),
        ("objective", ("key_results", 0, "target"), "4 M"),
        ("objective", ("key_results", 0, "measure"), {"table": "workitems", "aggregate": "count"}),
        ("objective", ("key_results", 0, "budget"), {"amount": -1, "cost_centres": ["1"]}),
    ],
)
def test_a_fault_that_one_field_shows_is_refused(kind: str, place: tuple[Any, ...], wrong: Any) -> None:
    data = next(copy.deepcopy(data) for each, data in _files(ROOT / FOLDERS[2]) if each == kind)
    VALIDATORS[kind].validate(data)
    inside = data
    for part in place[:-1]:
        inside = inside[part]
    inside[place[-1]] = wrong
    assert not VALIDATORS[kind].is_valid(data)
