"""One forecast from several views: a mixture with the weights that gave the past the best log score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scorecard.forecast.draws import quantiles
from scorecard.forecast.observations import Floats

# Each view counts as if it had been right in this many more of the tested forecasts.
_CREDIT = 2.0
_ROUNDS = 200
_FLOOR = -10.0


@dataclass(frozen=True)
class Outlook:
    """The 10, 50 and 90 % quantiles of a value, and the chance that it meets the target."""

    p10: float
    p50: float
    p90: float
    p_target: float


def view_weights(past_log_scores: Floats, credited: Sequence[float] | None = None) -> Floats:
    """What each view should weigh in a blend, shape (views,), sum 1.

    `past_log_scores` has a row per forecast tested on the past and a column per view: the logarithm of the density which the view
    had given to what came (`log_density`). `credited` is in how many more forecasts each view counts as right, 2 if not given;
    without rows they alone decide. The weights maximise the mean log score of the mixture (S. Hall and J. Mitchell, Combining
    density forecasts, 2007), found by expectation and maximisation.
    """
    scores = np.asarray(past_log_scores, dtype=np.float64)
    tested, views = scores.shape
    prior = np.asarray([_CREDIT] * views if credited is None else credited)
    if not tested:
        return np.asarray(prior / prior.sum())
    weights = np.full(views, 1 / views)
    # Only differences between the views count; none is so wrong that one forecast decides alone.
    density = np.exp(np.maximum(scores - scores.max(axis=1, keepdims=True), _FLOOR))
    for _ in range(_ROUNDS):
        credit = weights * density
        credit /= credit.sum(axis=1, keepdims=True)
        weights = (credit.sum(axis=0) + prior) / (tested + prior.sum())
    return weights


def blend(views: Sequence[Floats], weights: Floats, met: Callable[[Floats], NDArray[np.bool_]]) -> Outlook:
    """Mix the draws of several views of one value by these weights; `met` says which values meet the target."""
    values = np.concatenate(views)
    each = np.concatenate(
        [np.full(len(view), weight / len(view)) for view, weight in zip(views, weights, strict=True)]
    )
    p10, p50, p90 = quantiles(values, each, np.array([0.1, 0.5, 0.9]))
    return Outlook(
        float(p10),
        float(p50),
        float(p90),
        float(each[met(values)].sum() / each.sum()),
    )


def log_density(draws: Floats, actual: float) -> float:
    """The logarithm of the density that draws give to what came: a normal around each, of Silverman's width (1986)."""
    quarter, three_quarters = np.quantile(draws, [0.25, 0.75])
    spread = min(draws.std(ddof=1), (three_quarters - quarter) / 1.34) or draws.std(ddof=1)
    width = max(1.06 * spread * len(draws) ** -0.2, 1e-9 * max(1.0, abs(actual)))
    density = np.exp(-(((draws - actual) / width) ** 2) / 2).mean() / (width * np.sqrt(2 * np.pi))
    return float(np.log(max(density, np.finfo(np.float64).tiny)))
