"""What all forecasts by simulation share: dice seeded by the content they are thrown for, and quantiles of weighted draws."""

from __future__ import annotations

import hashlib

import numpy as np

from scorecard.forecast.observations import Floats

DRAWS = 4000


def dice_for(*content: Floats) -> np.random.Generator:
    """A generator that the same numbers always seed the same way."""
    digest = hashlib.sha256()
    for array in content:
        digest.update(np.ascontiguousarray(array, dtype=np.float64).tobytes())
        digest.update(b"|")
    return np.random.default_rng(int.from_bytes(digest.digest()[:8], "big"))


def quantiles(values: Floats, weights: Floats, shares: Floats) -> Floats:
    """The values below which these shares of the weight lie, in straight lines between the middles of the weights."""
    order = np.argsort(values, kind="stable")
    weight = weights[order] / weights.sum()
    return np.asarray(np.interp(shares, np.cumsum(weight) - weight / 2, values[order]))
