"""The probability that a running cycle hits its target, from how cycles of its own and of other groups ended.

Two views, the pace view and the reference class, are blended in log odds with the weights that foretell best the outcome of
cycles which neither had seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression, minimize
from scipy.special import expit

from scorecard.forecast.observations import (
    MOST_PROGRESS,
    Floats,
    Observations,
    Situations,
    Whole,
    in_order_of_content,
    situations,
    usual_scopes,
)
from scorecard.forecast.pace_view import learn_pace_view
from scorecard.forecast.similar_cycles import SimilarCycles

# Nothing and everything done are steps: each has a neighbour just beside it.
_GRID = np.array(
    [0.0, 1e-6, *np.arange(1, 20) / 20, 1 - 1e-6, 1.0, 1.25, 1.5, MOST_PROGRESS], dtype=np.float64
)
_FOLDS = 5
_FEWEST_TO_TEST = 10
_HOLDS = (1.0, 4.0, 16.0)
_MIDDLE_HOLD = 4.0
_PRIOR_BLEND = np.array([0.6, 0.4, 0.0])
_HOLD_BLEND = 5.0
_BEYOND_CHANCE = 3.0
_FEWEST_TO_DOUBT = 30
_SUREST = 0.002


@dataclass(frozen=True)
class TargetForecast:
    """`p_hit` of each row of `now`, in its order, between 0.002 and 0.998; the rest says how it was found.

    `pace_weight`, `reference_weight` and `shift` blend the two views' log odds, `hold` is how hard groups are held to the
    whole. `log_score` and `brier` are of the back-test: each cycle foretold from others, each weighing 1; not a number
    when the history is too short for one. `not_monotone` names the groups whose history contradicts beyond chance that
    more done means a better chance: in all others more done never lowers `p_hit`.
    """

    p_hit: Floats
    cycles: int
    pace_weight: float
    reference_weight: float
    shift: float
    hold: float
    log_score: float
    brier: float
    not_monotone: list[str]


def target_probability(history: Observations, now: Observations) -> TargetForecast:
    """The probability of a hit at each row of `now`.

    A row is foretold from itself and earlier looks at the same cycle; a cycle of `now` must not stand in the history. Same
    answer for any order of rows, any names of groups and cycles, and any unit of a group. ValueError for an empty history.
    """
    if not len(history):
        raise ValueError("There is no history: give at least one cycle that has ended.")
    history = in_order_of_content(history)
    groups = {group: number for number, group in enumerate(dict.fromkeys(history.group))}
    usual = usual_scopes(history)
    known, hit = situations(history, groups, usual), history.hit.astype(np.float64)
    blend = _blend(known, hit, len(groups))
    at = situations(now, groups, usual)
    pace, similar = learn_pace_view(known, hit, len(groups), blend.hold), SimilarCycles(known, hit)
    odds = blend.log_odds(np.stack([pace.log_odds(at, _GRID), similar.log_odds(at, _GRID)]))
    free = np.isin(at.group, blend.free_groups) | (blend.free_unknown & (at.group < 0))
    odds = np.where(free[:, None], odds, _never_falling(odds))
    p_hit = np.clip(expit(_at_own_progress(odds, at.progress)), _SUREST, 1 - _SUREST)
    return TargetForecast(
        p_hit=p_hit,
        cycles=int(known.cycle.max()) + 1,
        pace_weight=float(blend.weights[0]),
        reference_weight=float(blend.weights[1]),
        shift=float(blend.weights[2]),
        hold=blend.hold,
        log_score=blend.log_score,
        brier=blend.brier,
        not_monotone=sorted(group for group, number in groups.items() if number in blend.free_groups),
    )


@dataclass(frozen=True)
class _Blend:
    weights: Floats
    hold: float
    free_groups: Whole
    free_unknown: bool
    log_score: float
    brier: float

    def log_odds(self, views: Floats) -> Floats:
        return np.asarray(np.tensordot(self.weights[:2], views, axes=1) + self.weights[2])


def _blend(known: Situations, hit: Floats, groups: int) -> _Blend:
    """Weights, hold and shape by back-test: the cycles of each fold are foretold from those of the others."""
    none = np.array([], dtype=np.int64)
    if known.cycle.max() + 1 < _FEWEST_TO_TEST:
        return _Blend(_PRIOR_BLEND, _MIDDLE_HOLD, none, False, np.nan, np.nan)
    folds = [known.cycle % _FOLDS == fold for fold in range(_FOLDS)]
    views = np.empty((2, len(known), len(_GRID)))
    for out in folds:
        views[1, out] = SimilarCycles(known.take(~out), hit[~out]).log_odds(known.take(out), _GRID)
    tested = []
    for hold in _HOLDS:
        for out in folds:
            views[0, out] = learn_pace_view(known.take(~out), hit[~out], groups, hold).log_odds(
                known.take(out), _GRID
            )
        weights = _best_weights(views, known, hit)
        odds = np.tensordot(weights[:2], views, axes=1) + weights[2]
        tested.append((float((known.weight * _surprise(odds, known, hit)).sum()), hold, weights, odds))
    _, hold, weights, odds = min(tested, key=lambda each: each[:2])
    free, monotone = _surprise(odds, known, hit), _surprise(_never_falling(odds), known, hit)
    gain: Floats = np.bincount(known.cycle, weights=known.weight * (monotone - free)).astype(np.float64)
    group_of = np.zeros(len(gain), dtype=np.int64)
    group_of[known.cycle] = known.group
    everywhere = _beyond_chance(gain)
    free_groups = np.array(
        [g for g in range(groups) if everywhere or _beyond_chance(gain[group_of == g])], dtype=np.int64
    )
    rows_free = np.isin(known.group, free_groups)
    p = expit(_at_own_progress(np.where(rows_free[:, None], odds, _never_falling(odds)), known.progress))
    total = known.weight.sum()
    return _Blend(
        weights,
        hold,
        free_groups,
        everywhere,
        float((known.weight * np.where(rows_free, free, monotone)).sum() / total),
        float((known.weight * (p - hit) ** 2).sum() / total),
    )


def _best_weights(views: Floats, known: Situations, hit: Floats) -> Floats:
    """Weights of the two views (none below 0) and a shift, held to their prior by a few cycles' worth."""
    own = np.stack([*(_at_own_progress(view, known.progress) for view in views), np.ones(len(known))])

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds = weights @ own
        value = (known.weight * (np.logaddexp(0, odds) - hit * odds)).sum()
        value += _HOLD_BLEND * ((weights - _PRIOR_BLEND) ** 2).sum() / 2
        return float(value), own @ (known.weight * (expit(odds) - hit)) + _HOLD_BLEND * (
            weights - _PRIOR_BLEND
        )

    bounds = [(0, None), (0, None), (None, None)]
    return np.asarray(minimize(loss, _PRIOR_BLEND, jac=True, method="L-BFGS-B", bounds=bounds).x)


def _surprise(odds: Floats, known: Situations, hit: Floats) -> Floats:
    """Minus the logarithm of the probability that was given to what happened."""
    own = _at_own_progress(odds, known.progress)
    return np.asarray(np.logaddexp(0, own) - hit * own)


def _beyond_chance(gain: Floats) -> bool:
    """Whether the gains of cycles are above zero by more than 3 of their standard errors."""
    if len(gain) < _FEWEST_TO_DOUBT:
        return False
    return bool(gain.mean() > _BEYOND_CHANCE * gain.std(ddof=1) / np.sqrt(len(gain)) + 1e-12)


def _never_falling(odds: Floats) -> Floats:
    """Each row made non-decreasing along the grid, as near as may be (isotonic regression)."""
    return np.array([isotonic_regression(row).x for row in odds]).reshape(odds.shape)


def _at_own_progress(odds: Floats, progress: Floats) -> Floats:
    """Between the two neighbours on the grid in a straight line."""
    left = np.clip(np.searchsorted(_GRID, progress, side="right") - 1, 0, len(_GRID) - 2)
    share = (progress - _GRID[left]) / (_GRID[left + 1] - _GRID[left])
    rows = np.arange(len(odds))
    return np.asarray(odds[rows, left] * (1 - share) + odds[rows, left + 1] * share)
