"""The rules between the entries of a strategy: alignment and membership; and what is unwise but allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from strategy.alignment import led_to, way_back
from strategy.model import Function, Handoff, Objective
from strategy.problems import Problem
from strategy.strategy import KeyResult
from strategy.yaml_source import Document, Location

Item = TypeVar("Item")

FOCUS = 20
"""More key results than this are too many to steer by."""
CAUSES = ("learning_growth", "internal_process", "customer", "financial")
"""The perspectives in the order in which one drives the next (Kaplan and Norton, The Balanced Scorecard, 1996)."""


@dataclass(frozen=True)
class Placed(Generic[Item]):
    """An entry and where its file says it."""

    document: Document
    location: Location
    item: Item

    def problem(self, field_name: str, what: str, mend: str) -> Problem:
        """An error at a field of the entry."""
        return self.document.problem((*self.location, field_name), what, mend)

    def warning(self, field_name: str, what: str, mend: str) -> Problem:
        """A warning at a field of the entry."""
        return self.document.warning((*self.location, field_name), what, mend)


@dataclass
class Entries:
    """Every sound entry of a strategy's files."""

    functions: list[Placed[Function]] = field(default_factory=list)
    handoffs: list[Placed[Handoff]] = field(default_factory=list)
    objectives: list[Placed[Objective]] = field(default_factory=list)
    key_results: list[Placed[KeyResult]] = field(default_factory=list)

    def sort(self) -> None:
        """Orders all entries by what they say and not by where they stand in files; key results keep their order."""
        self.functions.sort(key=lambda placed: placed.item.id)
        self.handoffs.sort(key=lambda placed: placed.item.id)
        self.objectives.sort(key=lambda placed: _rank(placed.item))
        self.key_results.sort(key=lambda placed: _rank(placed.item.objective))


def _rank(objective: Objective) -> tuple[bool, str]:
    return objective.level != "company", objective.id


def broken_rules(entries: Entries) -> Iterator[Problem]:
    """The errors between sound entries."""
    yield from _shared_members(entries.functions)
    yield from _circles(entries.objectives, "supports", "the alignment goes")
    yield from _circles(entries.objectives, "drives", "cause and effect go")
    yield from _alignment(entries.objectives)


def _shared_members(functions: list[Placed[Function]]) -> Iterator[Problem]:
    """A project, cost centre or pipeline in two functions would count its records twice."""
    taken: dict[tuple[str, str], str] = {}
    for placed in functions:
        for members in ("projects", "cost_centres", "pipelines"):
            for member in getattr(placed.item, members):
                owner = taken.setdefault((members, member), placed.item.id)
                if owner != placed.item.id:
                    what = f"`{member}` belongs to the function `{owner}` already"
                    yield placed.problem(members, what, "Leave it with one of the two.")


def _circles(objectives: list[Placed[Objective]], field_name: str, what: str) -> Iterator[Problem]:
    """The error of each circle along a field that names other objectives, told once."""
    edges = {placed.item.id: getattr(placed.item, field_name) for placed in objectives}
    told: set[str] = set()
    for placed in objectives:
        way = way_back(placed.item.id, edges)
        if way and placed.item.id not in told:
            mend = f"Remove one of these from the `{field_name}` of the one before it."
            yield placed.problem(field_name, f"{what} in a circle: {' -> '.join(way)}", mend)
        told |= set(way)


def _alignment(objectives: list[Placed[Objective]]) -> Iterator[Problem]:
    supports = {placed.item.id: placed.item.supports for placed in objectives}
    company = {placed.item.id for placed in objectives if placed.item.level == "company"}
    for placed in objectives:
        objective = placed.item
        if objective.level == "company" or way_back(objective.id, supports):
            continue
        above = led_to(objective.id, supports)
        # Above an objective that is broken, or in a circle, nothing can be said.
        unclear = any(other not in supports or way_back(other, supports) for other in above)
        if not unclear and not above & company:
            what = f"the objective `{objective.id}` does not lead up to a company objective"
            yield placed.problem("supports", what, "Add to `supports` the id of an objective that it serves.")


def warnings_of(entries: Entries) -> Iterator[Problem]:
    """What is unwise in sound entries."""
    for objective in entries.objectives:
        yield from _count_warning(objective)
        yield from _against_the_usual_way(objective, entries.objectives)
    for position, placed in enumerate(entries.key_results, start=1):
        name = placed.item.id
        if not placed.item.definition.leading_indicators:
            mend = "Add under `leading_indicators` a measure that moves before the key result does."
            yield placed.warning("leading_indicators", f"`{name}` has no leading indicator", mend)
        if not placed.item.definition.handoffs:
            mend = "List under `handoffs` what it needs from other functions."
            yield placed.warning("handoffs", f"`{name}` depends on no hand-off", mend)
        if position == FOCUS + 1:
            what = f"{len(entries.key_results)} key results are too many to focus on"
            yield placed.document.warning(placed.location, what, f"Keep the {FOCUS} that matter most.")


def _against_the_usual_way(
    placed: Placed[Objective], objectives: list[Placed[Objective]]
) -> Iterator[Problem]:
    perspectives = {other.item.id: other.item.perspective for other in objectives}
    own = placed.item.perspective
    for position, other in enumerate(placed.item.drives):
        driven = perspectives.get(other)
        if driven is not None and CAUSES.index(driven) < CAUSES.index(own):
            what = f"`{placed.item.id}` ({own}) drives `{other}` ({driven}), against the usual way of causes"
            mend = f"Usual is {' -> '.join(CAUSES)}: turn the link around, or keep it knowingly."
            yield placed.document.warning((*placed.location, "drives", position), what, mend)


def _count_warning(placed: Placed[Objective]) -> Iterator[Problem]:
    count = len(placed.document.at(("key_results",)) or [])
    what = f"`{placed.item.id}` has {count} key result{'' if count == 1 else 's'}"
    if count < 2:
        yield placed.document.warning(
            ("key_results",), what, "Two to four show whether an objective is reached."
        )
    elif count > 4:
        yield placed.document.warning(("key_results",), what, "Keep the two to four that matter most.")
