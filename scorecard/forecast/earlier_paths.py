"""The reference class of a series: how the same measure went on from here in earlier cycles."""

from __future__ import annotations

import numpy as np

from scorecard.forecast.draws import DRAWS, dice_for
from scorecard.forecast.observations import Floats

_FEWEST = 3
# As likely as this beside the nearest one is even a cycle that stood elsewhere.
_EVEN_THE_FARTHEST = 0.02
# So small a part of where they went is but rounding.
_ALIKE = 1e-9
# In so many parts of a cycle its unevenness is looked for.
_PARTS = 13


def reference_class(
    paths: Floats, shares: Floats, elapsed: float, value: float, until: float = 1.0
) -> Floats:
    """Draws of the value at share `until` of the cycle, given `value` at share `elapsed`; shape (4000,).

    `paths` has one row per earlier cycle: the same measure at each of `shares` (rising, 0 to 1) of its time, in the unit of
    `value`. Each draw goes on as one of them did, from the value on; cycles that stood nearer at the same share are drawn more
    often (Gaussian kernel, one standard deviation of where they stood). A normal jitter of Silverman's width (1986) widens few
    cycles into a distribution, with the tails of Student's t for as many as count. Paths that went on all alike have no spread to
    show: it is then what their own unevenness would make, counting as one cycle. Where no path ever fell, no draw does.
    ValueError for less than three paths.
    """
    paths, shares = np.asarray(paths, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    if len(paths) < _FEWEST:
        raise ValueError(f"A reference class needs {_FEWEST} earlier cycles; there are {len(paths)}.")
    stood = np.array([np.interp(elapsed, shares, path) for path in paths])
    went_on = np.array([np.interp(until, shares, path) for path in paths]) - stood
    width = stood.std(ddof=1)
    chance = np.exp(-(((stood - value) / width) ** 2) / 2) if width > 0 else np.ones(len(paths))
    chance = chance + _EVEN_THE_FARTHEST * chance.max() + 1e-12
    chance /= chance.sum()
    dice = dice_for(paths, shares, np.array([elapsed, value, until]))
    picked = went_on[dice.choice(len(paths), size=DRAWS, p=chance)]
    middle = chance @ went_on
    effective = 1 / (chance**2).sum()
    spread = np.sqrt(chance @ (went_on - middle) ** 2 * effective / max(effective - 1, 0.5))
    if np.ptp(went_on) <= _ALIKE * np.abs(went_on).max():
        spread = _unevenness(paths, shares) * np.sqrt((until - elapsed) / (effective + 1))
    jitter = 1.06 * spread * effective**-0.2
    strays = picked - middle + jitter * dice.standard_normal(DRAWS)
    free = max(effective - 1, 1.0)
    ahead = middle + strays * np.sqrt(free / dice.chisquare(free, DRAWS))
    if (np.diff(paths) >= 0).all():
        ahead = np.maximum(ahead, 0)
    return np.asarray(value + ahead)


def _unevenness(paths: Floats, shares: Floats) -> float:
    """The standard deviation of a whole cycle's movement, if the parts of a cycle were independent of one another."""
    ends = np.linspace(0, 1, _PARTS + 1)
    parts = np.diff([np.interp(ends, shares, path) for path in paths], axis=1)
    return float(np.sqrt(_PARTS * parts.var(axis=1, ddof=1).mean()))
