"""Made-up histories for the tests: cycles of groups that finish late, plan too much, or neither."""

import numpy as np

from scorecard.forecast import Observations


def organisation(
    seed: int, groups: int = 4, cycles: int = 30, looks: tuple[float, ...] = (0.3, 0.5, 0.8)
) -> Observations:
    """Each group has a shape of progress, a unit and an optimism; a cycle hits when its capacity covers its scope."""
    dice = np.random.default_rng(seed)
    rows = []
    for group in range(groups):
        shape, unit, optimism = dice.uniform(0.7, 3), dice.choice([1.0, 8.0]), dice.normal(0, 0.4)
        for cycle in range(cycles):
            scope = float(dice.integers(5, 40))
            capacity, own_shape = (
                scope * np.exp(dice.normal(optimism, 0.4)),
                shape * np.exp(dice.normal(0, 0.3)),
            )
            for look in looks:
                done = float(min(scope, np.floor(capacity * look**own_shape)))
                rows.append((f"g{group}", f"c{cycle}", look, done * unit, scope * unit, capacity >= scope))
    group_, cycle_, elapsed, done_, scope_, hit = zip(*rows, strict=True)
    return Observations(group_, cycle_, np.array(elapsed), np.array(done_), np.array(scope_), np.array(hit))


def parts(rows: Observations, every: int = 3) -> tuple[Observations, Observations]:
    """Most cycles as history, every third one as running."""
    now = np.array([int(cycle[1:]) % every == 0 for cycle in rows.cycle])
    return rows.take(np.flatnonzero(~now)), rows.take(np.flatnonzero(now))
