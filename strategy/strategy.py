"""A strategy that passed every check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strategy.cycle import Cycle, Holiday, Thresholds
from strategy.measures import Measure, MetricMeasure, work_filter
from strategy.model import Function, Handoff, KeyResultDefinition, Objective, Perspective
from strategy.problems import Problem


@dataclass(frozen=True)
class KeyResult:
    """A key result in its place: what it leaves out it takes from its objective."""

    definition: KeyResultDefinition
    objective: Objective
    function: str
    """The id of the function that works on it."""

    @property
    def id(self) -> str:
        return self.definition.id

    @property
    def measure(self) -> Measure:
        return self.definition.measure

    @property
    def perspective(self) -> Perspective:
        return self.definition.perspective or self.objective.perspective

    @property
    def model(self) -> str:
        """The name of its dbt model. Ids hold no underscore, so no two of them share a name."""
        return "kr_" + self.id.replace("-", "_")

    @property
    def work(self) -> str | None:
        """The condition over work_items that finds the work done for it; None when no capacity is meant for it."""
        capacity = self.definition.capacity
        return None if capacity is None else capacity.work or work_filter(self.measure)

    @property
    def metric(self) -> str | None:
        """The model in metrics/ that it reads, None when it measures a flow table."""
        return self.measure.metric if isinstance(self.measure, MetricMeasure) else None


@dataclass(frozen=True)
class Strategy:
    """Everything the files of a strategy folder say.

    `objectives` stand in order of level (company first) and id, `key_results` in the order of their objectives
    and, within one, as written; so no result depends on the names of files. `warnings` are sorted by file and line.
    """

    cycle: Cycle
    holidays: Sequence[Holiday]
    thresholds: Thresholds
    functions: Sequence[Function]
    objectives: Sequence[Objective]
    key_results: Sequence[KeyResult]
    handoffs: Sequence[Handoff]
    warnings: Sequence[Problem]
