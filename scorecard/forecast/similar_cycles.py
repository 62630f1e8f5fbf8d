"""The reference class: how earlier cycles ended that stood at a similar point, those of the same group first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorecard.forecast.observations import Floats, Situations

# How near is similar: widths of the Gaussian kernel in elapsed share, progress and log scope ratio.
_ELAPSED, _PROGRESS, _SCOPE_RATIO = 0.15, 0.12, 0.6
# How many cycles' worth the base rate counts in the whole, and the whole in the group.
_BASE_COUNTS, _WHOLE_COUNTS = 3.0, 6.0
_ROWS_AT_ONCE = 400


@dataclass(frozen=True)
class SimilarCycles:
    """The history as it is looked up, the rows of a cycle together: `log_odds` tells of any situation and progress."""

    history: Situations
    hit: Floats

    def log_odds(self, at: Situations, progress: Floats) -> Floats:
        """Log odds of the hit at each situation (n) for each of these progresses (m); shape (n, m)."""
        chance = np.empty((len(at), len(progress)))
        for start in range(0, len(at), _ROWS_AT_ONCE):
            rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(at)))
            chance[rows] = self._chance(at.take(rows), progress)
        chance = np.clip(chance, 1e-3, 1 - 1e-3)
        return np.asarray(np.log(chance) - np.log1p(-chance))

    def _chance(self, at: Situations, progress: Floats) -> Floats:
        history = self.history
        near = np.exp(-_squares(at.elapsed, history.elapsed, _ELAPSED))
        # The looks at a cycle share its weight by how near in time they are: a cycle counts once at most.
        starts = np.flatnonzero(np.diff(history.cycle, prepend=-1))
        by_cycle = np.add.reduceat(near, starts, axis=1)
        sizes = np.diff(starts, append=len(history))
        near *= near / np.maximum(np.repeat(by_cycle, sizes, axis=1), 1e-300)
        near *= np.exp(-_squares(at.scope_ratio, history.scope_ratio, _SCOPE_RATIO))
        alike = np.exp(-_squares(history.progress, progress, _PROGRESS))
        hits = alike * self.hit[:, None]
        base = ((history.weight * self.hit).sum() + 0.5) / (history.weight.sum() + 1)
        whole = (near @ hits + _BASE_COUNTS * base) / (near @ alike + _BASE_COUNTS)
        near *= at.group[:, None] == history.group[None, :]
        return np.asarray((near @ hits + _WHOLE_COUNTS * whole) / (near @ alike + _WHOLE_COUNTS))


def _squares(one: Floats, other: Floats, width: float) -> Floats:
    return np.asarray(((one[:, None] - other[None, :]) / width) ** 2 / 2)
