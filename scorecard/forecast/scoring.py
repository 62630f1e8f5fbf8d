"""How good past forecasts were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scorecard.forecast.observations import Floats

_BINS = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


@dataclass(frozen=True)
class CalibrationRow:
    """Forecasts with a probability from `low` to below `high`: how many, their mean, and the share that came true."""

    low: float
    high: float
    forecasts: int
    foretold: float
    came_true: float


@dataclass(frozen=True)
class Scores:
    """`coverage` is the share of values inside the 80 % band, `brier` the mean square of probability minus outcome (G. Brier,
    1950; 0 is best, 0.25 is always saying one half); both None without forecasts."""

    forecasts: int
    coverage: float | None
    brier: float | None
    calibration: tuple[CalibrationRow, ...]


def scores(p10: Floats, p90: Floats, actual: Floats, p_target: Floats, hit: NDArray[np.bool_]) -> Scores:
    """Score kept forecasts whose day has come; arrays of one length, calibration in tenths that hold any."""
    count = len(actual)
    if not count:
        return Scores(0, None, None, ())
    inside = (p10 <= actual) & (actual <= p90)
    tenth = np.clip(np.searchsorted(_BINS, p_target, side="right") - 1, 0, len(_BINS) - 2)
    rows = [
        CalibrationRow(
            float(_BINS[number]),
            float(_BINS[number + 1]),
            int((tenth == number).sum()),
            float(p_target[tenth == number].mean()),
            float(hit[tenth == number].mean()),
        )
        for number in np.unique(tenth)
    ]
    return Scores(count, float(inside.mean()), float(((p_target - hit) ** 2).mean()), tuple(rows))
