"""The pace view: a logistic regression on progress, time and plan, in which each group has coefficients of its own.

The coefficients of a group are those of all groups plus a deviation that is held small (ridge, as in T. Evgeniou and M. Pontil,
Regularized multi-task learning, 2004): a group with many cycles has its own habits, one with few or none those of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import expit

from scorecard.forecast.observations import Floats, Situations

# Between these shares of the time the effect of progress changes in straight lines.
_KNOTS = (0.0, 0.3, 0.6, 1.0)
_HOLD_WHOLE = 0.1
_HOLD_LEVEL = 0.002
_MOST_STEPS = 50


@dataclass(frozen=True)
class PaceView:
    """The regression as learnt: `log_odds` tells of any situation and progress.

    `doubts` are the covariances of the deviations, last that of a group nobody knows: the less is known of a group, the nearer to
    even are its odds (D. MacKay, The evidence framework applied to classification networks, 1992).
    """

    base: float
    whole: Floats
    groups: Floats
    doubts: Floats

    def log_odds(self, at: Situations, progress: Floats) -> Floats:
        """Log odds of the hit at each situation (n) for each of these progresses (m); shape (n, m)."""
        rows, steps = len(at), len(progress)
        repeated, flat = at.take(np.repeat(np.arange(rows), steps)), np.tile(progress, rows)
        columns = _group_columns(repeated, flat)
        # The last row, all zeros, is the deviation of a group that is not known (-1).
        own = np.vstack([self.groups, np.zeros(self.groups.shape[1])])[repeated.group]
        odds = self.base + _whole_columns(repeated, flat) @ self.whole + (columns * own).sum(axis=1)
        variance = np.einsum("nk,nkl,nl->n", columns, self.doubts[repeated.group], columns)
        return np.asarray((odds / np.sqrt(1 + np.pi / 8 * variance)).reshape(rows, steps))


def learn_pace_view(history: Situations, hit: Floats, groups: int, hold: float) -> PaceView:
    """Fit by penalised likelihood, each cycle weighing 1; `hold` is how hard groups are held to the whole.

    The rows of a group must stand together, groups in the order of their numbers. Newton's method: the loss is convex.
    """
    count, hits = history.weight.sum(), (history.weight * hit).sum()
    base = float(np.log((hits + 0.5) / (count - hits + 0.5)))
    whole_columns, own_columns = (
        _whole_columns(history, history.progress),
        _group_columns(history, history.progress),
    )
    holds = np.full(whole_columns.shape[1], _HOLD_WHOLE)
    holds[: len(_KNOTS)] = _HOLD_LEVEL
    bounds = np.searchsorted(history.group, np.arange(groups + 1))
    rows_of = [slice(start, end) for start, end in pairwise(bounds)]

    def odds_of(whole: Floats, own: Floats) -> Floats:
        return np.asarray(base + whole_columns @ whole + (own_columns * own[history.group]).sum(axis=1))

    def loss(whole: Floats, own: Floats) -> float:
        odds = odds_of(whole, own)
        likelihood = (history.weight * (np.logaddexp(0, odds) - hit * odds)).sum()
        return float(likelihood + (holds * whole**2).sum() / 2 + hold * (own**2).sum() / 2)

    whole, own = np.zeros(whole_columns.shape[1]), np.zeros((groups, own_columns.shape[1]))
    value = loss(whole, own)
    for _ in range(_MOST_STEPS):
        p = expit(odds_of(whole, own))
        residual, curvature = history.weight * (p - hit), history.weight * p * (1 - p)
        slope = whole_columns.T @ residual + holds * whole
        matrix = (whole_columns.T * curvature) @ whole_columns + np.diag(holds)
        # Groups meet only in the whole: theirs are taken out one by one, and put back once the whole is known.
        taken_out = []
        for group, rows in enumerate(rows_of):
            weighted = own_columns[rows].T * curvature[rows]
            own_matrix = weighted @ own_columns[rows] + hold * np.eye(own.shape[1])
            both = np.linalg.solve(
                own_matrix,
                np.column_stack(
                    [weighted @ whole_columns[rows], own_columns[rows].T @ residual[rows] + hold * own[group]]
                ),
            )
            cross = whole_columns[rows].T @ weighted.T
            matrix -= cross @ both[:, :-1]
            slope -= cross @ both[:, -1]
            taken_out.append(both)
        step = np.linalg.solve(matrix, slope)
        own_step = np.array([both[:, -1] - both[:, :-1] @ step for both in taken_out])
        size = 1.0
        while (tried := loss(whole - size * step, own - size * own_step)) > value and size > 1e-6:
            size /= 2
        whole, own = whole - size * step, own - size * own_step
        if value - tried < 1e-9 * max(1.0, value):
            break
        value = tried
    p = expit(odds_of(whole, own))
    curvature = history.weight * p * (1 - p)
    held = hold * np.eye(own.shape[1])
    known = [(own_columns[rows].T * curvature[rows]) @ own_columns[rows] + held for rows in rows_of]
    return PaceView(base, whole, own, np.linalg.inv(np.array([*known, held])))


def _whole_columns(at: Situations, progress: Floats) -> Floats:
    share, odds, nothing = _progress_terms(at, progress)
    hats = np.column_stack([np.interp(at.elapsed, _KNOTS, row) for row in np.eye(len(_KNOTS))])
    parts = [hats, hats * odds[:, None], hats * 2 * share[:, None], hats * at.scope_ratio[:, None]]
    plain = [
        progress >= 1,
        np.clip(progress - 1, 0, 1),
        2 * at.growth,
        np.maximum(at.scope_ratio, 0),
        at.scope_ratio**2,
        nothing,
    ]
    return np.column_stack([*parts, *plain])


def _group_columns(at: Situations, progress: Floats) -> Floats:
    _, odds, nothing = _progress_terms(at, progress)
    late = 2 * at.elapsed - 1
    return np.column_stack(
        [
            np.ones(len(at)),
            late,
            odds,
            odds * late,
            at.scope_ratio,
            at.scope_ratio * late,
            np.maximum(at.scope_ratio, 0),
            2 * at.growth,
            nothing,
        ]
    )


def _progress_terms(at: Situations, progress: Floats) -> tuple[Floats, Floats, Floats]:
    """Progress up to 1, its log odds (flattened at the ends), and how late it is with nothing recorded as done."""
    share = np.clip(progress, 0, 1)
    odds = np.log((share + 0.05) / (1.05 - share)) / 2
    return share, odds, np.where(progress <= 0, np.clip(2 * at.elapsed, 0, 1), 0.0)
