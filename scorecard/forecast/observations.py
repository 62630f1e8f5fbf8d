"""Observations of cycles, and what a forecast may know at each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Done without anything planned, or more than twice what was planned, counts as twice.
MOST_PROGRESS = 2.0
_MOST_SCOPE_RATIO = 2.0
_MOST_GROWTH = 1.0


@dataclass(frozen=True)
class Observations:
    """Each row is one look at one cycle of one group, all arrays of one length.

    `elapsed` is the share of the cycle's time that is over, 0 to 1. `done` and `scope` are so far, in any unit that is the
    same within a group. `hit` says how the cycle ended: the same in all its rows, and read only of a history. `cycle` names
    a cycle within its group. Rows may come in any order.
    """

    group: Sequence[str]
    cycle: Sequence[str]
    elapsed: Floats
    done: Floats
    scope: Floats
    hit: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.elapsed)

    def take(self, rows: Whole) -> Observations:
        """These rows, in this order."""
        return Observations(
            [self.group[row] for row in rows],
            [self.cycle[row] for row in rows],
            self.elapsed[rows],
            self.done[rows],
            self.scope[rows],
            self.hit[rows],
        )

    def by_cycle(self) -> dict[tuple[str, str], list[int]]:
        """The rows of each (group, cycle), earliest look first."""
        rows: dict[tuple[str, str], list[int]] = {}
        for row in np.lexsort((self.done, self.scope, self.elapsed)):
            rows.setdefault((self.group[row], self.cycle[row]), []).append(int(row))
        return rows


@dataclass(frozen=True)
class Situations:
    """What is known at each observation, free of its unit. Arrays of one length.

    `progress` is done over scope, 0 to 2; `scope_ratio` the logarithm of the scope over the group's usual one (0 for an
    unknown group); `growth` the logarithm of the scope over that of the cycle's first look; `weight` makes the rows of a cycle
    weigh 1 together; `group` and `cycle` are numbers (cycles as they come first), a group unknown to the history is -1.
    """

    group: Whole
    cycle: Whole
    elapsed: Floats
    progress: Floats
    scope_ratio: Floats
    growth: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.elapsed)

    def take(self, rows: Whole | NDArray[np.bool_]) -> Situations:
        """These rows, in this order."""
        return Situations(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def in_order_of_content(history: Observations) -> Observations:
    """The rows in an order that depends neither on how they came, nor on what groups and cycles are called, nor on the unit."""
    usual = usual_scopes(history)
    groups: dict[str, list[tuple[list[tuple[float, float, float, float]], list[int]]]] = {}
    for (group, _), rows in history.by_cycle().items():
        unit = usual.get(group, 1.0)
        looks = [
            (
                float(history.elapsed[row]),
                _nine_digits(history.done[row] / unit),
                _nine_digits(history.scope[row] / unit),
                float(history.hit[row]),
            )
            for row in rows
        ]
        groups.setdefault(group, []).append((looks, rows))
    inside = [sorted(cycles, key=lambda cycle: cycle[0]) for cycles in groups.values()]
    inside.sort(key=lambda cycles: [looks for looks, _ in cycles])
    return history.take(
        np.array([row for cycles in inside for _, rows in cycles for row in rows], dtype=np.int64)
    )


def usual_scopes(history: Observations) -> dict[str, float]:
    """Of each group the median scope of its cycles at their first look, as far as anything was planned."""
    scopes: dict[str, list[float]] = {}
    for (group, _), rows in history.by_cycle().items():
        if history.scope[rows[0]] > 0:
            scopes.setdefault(group, []).append(float(history.scope[rows[0]]))
    return {group: float(np.median(found)) for group, found in scopes.items()}


def situations(of: Observations, groups: dict[str, int], usual: dict[str, float]) -> Situations:
    """What is known at each row: from itself, and from the first look at its cycle."""
    cycle, first_scope, first_elapsed, weight = (np.zeros(len(of)) for _ in range(4))
    for number, rows in enumerate(sorted(of.by_cycle().values(), key=min)):
        cycle[rows] = number
        first_scope[rows], first_elapsed[rows] = of.scope[rows[0]], of.elapsed[rows[0]]
        weight[rows] = 1 / len(rows)
    usual_scope = np.array([usual.get(group, 0.0) for group in of.group])
    grown = np.where(of.elapsed > first_elapsed, first_scope, of.scope)
    return Situations(
        group=np.array([groups.get(group, -1) for group in of.group], dtype=np.int64),
        cycle=cycle.astype(np.int64),
        elapsed=of.elapsed,
        progress=_progress(of.done, of.scope),
        scope_ratio=_log_ratio(of.scope, usual_scope, _MOST_SCOPE_RATIO),
        growth=_log_ratio(of.scope, grown, _MOST_GROWTH),
        weight=weight,
    )


def _nine_digits(value: float) -> float:
    """What is the same but for its unit differs in the last digits."""
    return float(f"{value:.9g}")


def _progress(done: Floats, scope: Floats) -> Floats:
    planned = np.where(scope > 0, scope, 1.0)
    unplanned = np.where(done > 0, MOST_PROGRESS, 0.0)
    return np.asarray(np.clip(np.where(scope > 0, done / planned, unplanned), 0.0, MOST_PROGRESS))


def _log_ratio(top: Floats, bottom: Floats, most: float) -> Floats:
    """log(top / bottom) between -most and most; 0 where either is nothing."""
    known = (top > 0) & (bottom > 0)
    ratio = np.log(np.where(known, top, 1.0) / np.where(known, bottom, 1.0))
    return np.asarray(np.clip(ratio, -most, most))
