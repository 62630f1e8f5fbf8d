"""Where a total will stand: Monte Carlo over its own past increments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scorecard.forecast.draws import DRAWS, dice_for
from scorecard.forecast.observations import Floats

_WEEK = 7
_FEWEST_WEEKS = 4
_MOST_FOLLOWING = 0.7


def forecast_accumulate(
    increments_per_day: Floats, remaining_days: Sequence[int], total: float = 0.0
) -> Floats:
    """Draws of the total after each of these numbers of days, shape (4000, horizons).

    `increments_per_day` is the past, one number per calendar day up to today, days without movement as 0. Whole weeks are
    drawn, each beginning on the weekday that tomorrow is, so that weekdays keep their habits; with less than four weeks of
    past, single days. Each drawn week goes back into the urn twice (Polya's urn, which is D. Rubin's Bayesian bootstrap,
    1981), and the draws are stretched about their mean as `_stretch` says: a short past, or one in which good weeks follow
    good weeks, gives a wide forecast. A total that never fell does not fall. ValueError for no past.
    """
    past = np.asarray(increments_per_day, dtype=np.float64)
    if not len(past):
        raise ValueError("There is no past to draw from: give at least one day.")
    length = _WEEK if len(past) >= _FEWEST_WEEKS * _WEEK else 1
    blocks = past[len(past) % length :].reshape(-1, length)
    furthest = max(remaining_days, default=0)
    dice = dice_for(past, np.array([total, furthest]))
    picks = _urn(len(blocks), -(-furthest // length), dice)
    # A whole number of drawn weeks, and the first days of the next.
    whole = np.concatenate([np.zeros((DRAWS, 1)), np.cumsum(blocks.sum(axis=1)[picks], axis=1)], axis=1)
    begun = np.concatenate([np.zeros((len(blocks), 1)), np.cumsum(blocks, axis=1)], axis=1)
    future = np.zeros((DRAWS, len(remaining_days)))
    for number, days in enumerate(remaining_days):
        weeks, rest = divmod(days, length)
        future[:, number] = whole[:, weeks] + (begun[picks[:, weeks], rest] if rest else 0.0)
    middle = future.mean(axis=0)
    future = middle + (future - middle) * _stretch(blocks.sum(axis=1), dice)[:, None]
    if past.min() >= 0:
        future = np.maximum(future, 0)
    return np.asarray(total + future)


def _stretch(sums: Floats, dice: np.random.Generator) -> Floats:
    """By how much each draw is stretched, shape (4000,).

    The urn of n blocks gives (n - 1) / (n + 1) of the variance that a forecast from n values has, with normal tails where
    Student's t belongs. Blocks that follow one another with correlation r make the variance of a long sum (1 + r) / (1 - r)
    times that of independent ones; r is corrected for its bias in short series (M. Kendall, 1954).
    """
    count = len(sums)
    if count < 3 or np.ptp(sums) == 0:
        return np.ones(DRAWS)
    off = sums - sums.mean()
    measured = float(off[1:] @ off[:-1] / (off @ off))
    follows = min(max((count * measured + 1) / max(count - 3, 1), 0.0), _MOST_FOLLOWING)
    tails = np.sqrt((count - 1) / dice.chisquare(count - 1, DRAWS))
    return np.asarray(tails * np.sqrt((count + 1) / (count - 1) * (1 + follows) / (1 - follows)))


def _urn(
    blocks: int, needed: int, dice: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Numbers of drawn blocks, shape (4000, needed): each pick is a block, or as likely as one block a pick made before."""
    picks = np.empty((DRAWS, needed), dtype=np.int64)
    rows = np.arange(DRAWS)
    for number in range(needed):
        drawn = dice.integers(0, blocks + number, size=DRAWS)
        before = picks[rows, np.maximum(drawn - blocks, 0)] if number else drawn
        picks[:, number] = np.where(drawn < blocks, drawn, before)
    return picks
