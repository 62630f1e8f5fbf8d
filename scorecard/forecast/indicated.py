"""Where a value will stand as an indicator tells that leads it by some weeks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scorecard.forecast.accumulate import forecast_accumulate
from scorecard.forecast.draws import DRAWS, dice_for
from scorecard.forecast.observations import Floats

_WEEK = 7


def forecast_indicated(
    increments_per_day: Floats, moves: Floats, lead: int, remaining_days: Sequence[int], value: float = 0.0
) -> Floats:
    """Draws of the value after each of these numbers of days, shape (4000, horizons).

    `increments_per_day` is the value's past, one number per calendar day up to today; `moves` is by how much the indicator
    changed in each week up to today. The value's weeks are regressed on the indicator's `lead` weeks before (ordinary least
    squares). The next `lead` weeks are what the indicator tells of them, with the uncertainty of the slope, and rests of past
    weeks drawn by `forecast_accumulate`; the time after is drawn from the past as it was. A value that never fell does not fall.
    ValueError for less than four weeks that have one of the indicator `lead` weeks before.
    """
    past = np.asarray(increments_per_day, dtype=np.float64)
    count = min(len(past) // _WEEK, len(moves))
    if count < lead + 4:
        raise ValueError(
            f"A lead of {lead} weeks needs at least {lead + 4} weeks of both; there are {count}."
        )
    days = past[len(past) - _WEEK * count :].reshape(count, _WEEK)[lead:]
    before, to_come = np.split(np.asarray(moves, dtype=np.float64)[-count:], [count - lead])
    weeks, off = days.sum(axis=1), before - before.mean()
    # An indicator that has stood still tells nothing.
    squares = off @ off or np.inf
    slope = weeks @ off / squares
    rests = weeks - weeks.mean() - slope * off
    unsure = np.sqrt(rests @ rests / (len(weeks) - 2) / squares)
    ends = _WEEK * np.arange(lead + 1)
    path = np.concatenate([[0.0], np.cumsum(to_come - before.mean())])
    told = np.interp(remaining_days, ends, path)
    soon = [min(ahead, _WEEK * lead) for ahead in remaining_days]
    later = [ahead - near for ahead, near in zip(remaining_days, soon, strict=True)]
    without = (days - slope * off[:, None] / _WEEK).reshape(-1)
    slopes = slope + unsure * dice_for(past, moves).standard_t(len(weeks) - 2, DRAWS)
    future = forecast_accumulate(without, soon) + forecast_accumulate(past, later) + np.outer(slopes, told)
    if past.min() >= 0:
        future = np.maximum(future, 0)
    return np.asarray(value + future)
