"""Reads a strategy folder: every file, every field, every rule between them, all problems at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from strategy.cycle import Cycle, CycleFile
from strategy.field_types import Known
from strategy.flow_tables import FLOW_TABLES
from strategy.model import (
    Function,
    FunctionsFile,
    Handoff,
    HandoffsFile,
    KeyResultDefinition,
    Objective,
    ObjectiveFile,
)
from strategy.problems import InputErrors, Problem, pick_from
from strategy.rules import Entries, Placed, broken_rules, warnings_of
from strategy.strategy import KeyResult, Strategy
from strategy.yaml_source import Document, Location, read

Model = TypeVar("Model", bound=BaseModel)

_FILES = ("cycle.yml", "functions.yml", "handoffs.yml")
_METRIC = re.compile(r"[a-z][a-z0-9_]*")
_OWN_MODEL = re.compile(
    r"(kr|stg|rule|strategy)_.*|(objective|function|handoff)_(current|daily)|evidence|flags|source_freshness|calendar"
)


def load(folder: Path, metrics: Path | None = None) -> Strategy:
    """The strategy in `folder`; its SQL models are in `metrics`, by default the folder `metrics` beside it.

    Raises `InputErrors` with every error and warning when there is any error; warnings alone are in
    `Strategy.warnings`.
    """
    metrics = folder.parent / "metrics" if metrics is None else metrics
    if not folder.is_dir():
        raise InputErrors(
            [Problem(folder, 1, "", "the strategy's folder is missing", "Create it, or correct the path.")]
        )
    files = _Files.in_folder(folder)
    names = _metric_names(metrics, files.problems)
    cycle, entries = _entries(files, _known(files, names))
    problems = [*files.problems, *broken_rules(entries), *_without_key_results(folder, files)]
    warnings = InputErrors(warnings_of(entries)).problems
    if problems or cycle is None:
        raise InputErrors([*problems, *warnings])
    return Strategy(
        cycle=cycle.cycle,
        holidays=tuple(cycle.holidays),
        thresholds=cycle.thresholds,
        functions=tuple(placed.item for placed in entries.functions),
        objectives=tuple(placed.item for placed in entries.objectives),
        key_results=tuple(placed.item for placed in entries.key_results),
        handoffs=tuple(placed.item for placed in entries.handoffs),
        warnings=tuple(warnings),
    )


@dataclass
class _Files:
    """The documents of a strategy folder, and what was wrong with reading them."""

    cycle: Document | None = None
    functions: Document | None = None
    handoffs: Document | None = None
    objectives: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def in_folder(cls, folder: Path) -> _Files:
        files = cls()
        files.cycle = files._read(folder / "cycle.yml")
        files.functions = files._read(folder / "functions.yml")
        if (folder / "handoffs.yml").exists():
            files.handoffs = files._read(folder / "handoffs.yml")
        for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
            place = path.relative_to(folder)
            if place.parts[0] == "objectives" and len(place.parts) > 1 and path.suffix == ".yml":
                document = files._read(path)
                files.objectives += [document] if document else []
            elif str(place) not in _FILES:
                files.problems.append(_stray(path, place))
        return files

    def _read(self, path: Path) -> Document | None:
        try:
            return read(path)
        except InputErrors as error:
            self.problems += error.problems
            return None


def _stray(path: Path, place: Path) -> Problem:
    if path.suffix == ".yaml":
        return Problem(path, 1, "", "a file that ends in .yaml is not read", f"Rename it to {path.stem}.yml.")
    mend = f"{pick_from(str(place), _FILES)} Objectives stand in objectives/."
    return Problem(path, 1, "", "no file of this name belongs to a strategy", mend)


def _metric_names(metrics: Path, problems: list[Problem]) -> frozenset[str]:
    paths = sorted(metrics.glob("*.sql")) if metrics.is_dir() else []
    for path in paths:
        if not _METRIC.fullmatch(path.stem):
            mend = "Use lower-case letters, digits and underscores."
            problems.append(Problem(path, 1, "", f"`{path.stem}` cannot name a metric", mend))
        elif path.stem in FLOW_TABLES or _OWN_MODEL.fullmatch(path.stem):
            mend = "Give the file another name."
            problems.append(
                Problem(path, 1, "", f"`{path.stem}` is the name of one of Plumbline's tables", mend)
            )
    return frozenset(path.stem for path in paths)


def _known(files: _Files, metrics: frozenset[str]) -> Known:
    cycle = files.cycle.validate(Cycle, location=("cycle",))[0] if files.cycle else None
    functions = files.functions
    places = list(_ids(functions, "functions"))
    return Known(
        functions={name: str(functions.at((*place, "name"))) for place, name in places if functions},
        heads={
            name: head.casefold()
            for place, name in places
            if functions and isinstance(head := functions.at((*place, "head", "email")), str)
        },
        objectives=frozenset(
            name for document in files.objectives if isinstance(name := document.at(("objective", "id")), str)
        ),
        handoffs=frozenset(name for _, name in _ids(files.handoffs, "handoffs")),
        metrics=metrics,
        cycle=(cycle.start, cycle.end) if cycle else None,
    )


def _ids(document: Document | None, part: str) -> Iterator[tuple[Location, str]]:
    """Place and id of each entry of a list, whether or not the rest of the entry holds."""
    listed = document.at((part,)) if document else None
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            yield (part, index), entry["id"]


def _entries(files: _Files, known: Known) -> tuple[CycleFile | None, Entries]:
    """What is sound in the files; what is not is added to their problems."""
    cycle = _validate(files, files.cycle, CycleFile, known)
    functions = _validate(files, files.functions, FunctionsFile, known)
    handoffs = _validate(files, files.handoffs, HandoffsFile, known)
    entries = Entries(
        functions=_listed(
            files.functions, "functions", Function, functions.functions if functions else None, known
        ),
        handoffs=_listed(files.handoffs, "handoffs", Handoff, handoffs.handoffs if handoffs else None, known),
    )
    for document in files.objectives:
        file = _validate(files, document, ObjectiveFile, known)
        objective = file.objective if file else document.validate(Objective, known, ("objective",))[0]
        if objective is None:
            continue
        entries.objectives.append(Placed(document, ("objective",), objective))
        definitions = _listed(
            document, "key_results", KeyResultDefinition, file.key_results if file else None, known
        )
        _place_key_results(entries, objective, definitions, files.problems)
    _report_doubles(files)
    entries.sort()
    return cycle, entries


def _validate(files: _Files, document: Document | None, model: type[Model], known: Known) -> Model | None:
    if document is None:
        return None
    value, problems = document.validate(model, known)
    files.problems += problems
    return value


def _listed(
    document: Document | None, part: str, model: type[Model], sound: Sequence[Model] | None, known: Known
) -> list[Placed[Model]]:
    """The entries of a list; where the file as a whole is broken, those that hold by themselves."""
    if document is None:
        return []
    if sound is not None:
        return [Placed(document, (part, index), item) for index, item in enumerate(sound)]
    listed = document.at((part,))
    places: list[Location] = [
        (part, index) for index in range(len(listed) if isinstance(listed, list) else 0)
    ]
    tried = ((place, document.validate(model, known, place)[0]) for place in places)
    return [Placed(document, place, item) for place, item in tried if item is not None]


def _place_key_results(
    entries: Entries,
    objective: Objective,
    definitions: list[Placed[KeyResultDefinition]],
    problems: list[Problem],
) -> None:
    for placed in definitions:
        function = placed.item.function or objective.function
        if function is None:
            mend = "Add `function`: the id of the function that works on it; its objective is the whole company's."
            problems.append(placed.problem("function", "`function` is missing", mend))
        else:
            key_result = KeyResult(placed.item, objective, function)
            entries.key_results.append(Placed(placed.document, placed.location, key_result))


def _report_doubles(files: _Files) -> None:
    """Reports each id that is taken already, in the order of the files."""
    documents = [document for document in (files.functions, files.handoffs, *files.objectives) if document]
    taken: dict[tuple[str, str], tuple[Document, Location]] = {}
    for document in documents:
        found = [
            (str(part), place, name)
            for part in ("functions", "handoffs", "key_results")
            for place, name in _ids(document, part)
        ]
        objective = document.at(("objective", "id"))
        if isinstance(objective, str):
            found.append(("objective", ("objective",), objective))
        for part, place, name in found:
            at: Location = (*place, "id")
            other, other_at = taken.setdefault((part, name), (document, at))
            if (other, other_at) != (document, at):
                where = f"{other.path.name}:{other.line(other_at)}"
                files.problems.append(
                    document.problem(at, f"the id `{name}` is taken by {where}", "Give it another id.")
                )


def _without_key_results(folder: Path, files: _Files) -> list[Problem]:
    if any(document.at(("key_results",)) for document in files.objectives) or files.problems:
        return []
    mend = "Write an objective with its key results in objectives/<name>.yml."
    return [Problem(folder / "objectives", 1, "", "the strategy has no key result", mend)]
