"""Where a level will stand: back to its recent mean, or on along its trend, as its own past shows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from scorecard.forecast.draws import DRAWS, dice_for
from scorecard.forecast.observations import Floats

# Days until half of a distance from the recent mean is gone (none: at once; endless: a random walk).
_HALF_LIVES = (0.0, 3.0, 10.0, 30.0, np.inf)
# How many days' worth of the trend go on at most; 0 is no trend.
_TREND_DAYS = (0.0, 14.0, 60.0)
_RECENT = 28
_FEWEST_ERRORS = 8
_CHOSEN = 1.0


def forecast_level(values_per_day: Floats, remaining_days: Sequence[int]) -> Floats:
    """Draws of the level after each of these numbers of days, shape (4000, horizons).

    `values_per_day` is the past, one level per calendar day up to today. The forecast is the mean of the last 28 days, plus
    what is left of today's distance from it (AR(1), by half-life), plus a damped trend (E. Gardner and E. McKenzie, 1985).
    Half-life and damping are those that erred least when they foretold the past; their errors are the spread, with the tails of
    Student's t for as many errors as are independent. ValueError for less than two days.
    """
    past = np.asarray(values_per_day, dtype=np.float64)
    if len(past) < 2:
        raise ValueError("A level needs a past of at least two days.")
    dice = dice_for(past, np.array(remaining_days, dtype=np.float64))
    luck = dice.standard_normal(DRAWS)
    return np.column_stack([_draws_after(past, ahead, luck, dice) for ahead in remaining_days])


def _draws_after(past: Floats, ahead: int, luck: Floats, dice: np.random.Generator) -> Floats:
    if ahead == 0:
        return np.full(len(luck), past[-1])
    first = min(_RECENT, len(past) // 2)
    # A past too short to test the whole way tests a part of it; a walk then has the rest of its way to stray.
    tested = min(ahead, len(past) - first - _FEWEST_ERRORS)
    if tested < 1:
        steps = np.diff(past)
        spread = np.sqrt((steps**2).mean() * ahead)
        return np.asarray(past[-1] + spread * luck * _tails(float(len(steps)), len(luck), dice))
    origins = np.arange(first, len(past) - tested)
    actual = past[origins + tested]
    tried = []
    for form in product(_TREND_DAYS, _HALF_LIVES):
        off = actual - _foretold(past, origins, tested, *form)
        tried.append((float(np.mean(off**2)), form, off))
    error, (trend, half), off = min(tried, key=lambda each: each[:2])
    middle = _foretold(past, np.array([len(past) - 1]), ahead, trend, half)[0]
    strays = ahead / tested if half == np.inf or trend else 1.0
    independent = _independent(off)
    # The form was chosen by the errors that it is then judged by: with few independent ones they flatter it.
    error *= strays * (1 + _CHOSEN / independent)
    return np.asarray(middle + np.sqrt(error) * luck * _tails(max(independent, 3.0), len(luck), dice))


def _independent(errors: Floats) -> float:
    """As how many independent ones these errors count, neighbours being correlated; at least 1."""
    off = errors - errors.mean()
    square = off @ off
    follows = min(max(float(off[1:] @ off[:-1] / square), 0.0), 0.99) if square > 0 else 0.0
    return max(len(errors) * (1 - follows) / (1 + follows), 1.0)


def _foretold(
    past: Floats, origins: np.ndarray[tuple[int], np.dtype[np.int64]], ahead: int, trend: float, half: float
) -> Floats:
    """The level `ahead` days after each origin, from the days up to it."""
    sums = np.concatenate([[0.0], np.cumsum(past)])
    start = np.maximum(origins + 1 - _RECENT, 0)
    mean = (sums[origins + 1] - sums[start]) / (origins + 1 - start)
    half_way = np.maximum((start + origins + 1) // 2, start + 1)
    older = (sums[half_way] - sums[start]) / (half_way - start)
    newer = (sums[origins + 1] - sums[half_way]) / np.maximum(origins + 1 - half_way, 1)
    per_day = (newer - older) / np.maximum((origins + 1 - start) / 2, 1)
    kept = 0.5 ** (ahead / half) if half else 0.0
    # The mean lies half a window back: where there is a trend, today is that much further on.
    on_trend = mean + (per_day * (origins - start) / 2 if trend else 0.0)
    gone = trend * (1 - np.exp(-ahead / trend)) if trend else 0.0
    return np.asarray(on_trend + kept * (past[origins] - on_trend) + per_day * gone)


def _tails(free: float, draws: int, dice: np.random.Generator) -> Floats:
    """What turns normal luck into Student's t of so many degrees of freedom."""
    return np.asarray(np.sqrt(free / dice.chisquare(free, draws)))
