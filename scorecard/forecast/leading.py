"""Whether an indicator leads a key result, and by how many weeks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from scorecard.forecast.draws import dice_for
from scorecard.forecast.observations import Floats

_MOST_WEEKS = 8
_FEWEST_WEEKS = 16
_SURROGATES = 999
# So many of the first surrogates as strong are enough to know that the rest would not make it evidence.
_FIRST, _HOPELESS = 99, 20
_SURE = 0.05

Verdict = Literal["leads", "coincides", "no evidence"]


@dataclass(frozen=True)
class Lead:
    """`verdict`, and where it is not `no evidence` the weeks of lead with their correlation.

    `p_value` is the share of surrogates with as strong a correlation at any lead, so that looking at many leads is paid for;
    that of the first 99 where it is plain from them (J. Besag and P. Clifford, 1991).
    """

    verdict: Verdict
    weeks: int | None
    correlation: float | None
    p_value: float


def leading(indicator: Floats, key_result: Floats, most_weeks: int = _MOST_WEEKS) -> Lead:
    """Does the indicator move first? Two weekly series of one length, the same weeks.

    The changes from week to week of both are correlated with the indicator 0 to `most_weeks` weeks earlier, at most a third
    of the series. The strongest must beat 95 % of what the indicator's surrogates reach at any of these leads: the same series
    with random phases (J. Theiler and others, 1992), which keeps its spectrum and breaks its bond to the key result.
    """
    moves, result = (np.diff(np.asarray(series, dtype=np.float64)) for series in (indicator, key_result))
    if len(moves) != len(result):
        raise ValueError("Indicator and key result must cover the same weeks.")
    if len(moves) < _FEWEST_WEEKS - 1 or np.ptp(moves) == 0 or np.ptp(result) == 0:
        return Lead("no evidence", None, None, 1.0)
    leads = range(min(most_weeks, len(moves) // 3) + 1)
    strength = _strengths(moves[None, :], result, leads)[0]
    best = int(np.abs(strength).argmax())
    dice, drawn, as_strong = dice_for(moves, result), 0, 0
    for more in (_FIRST, _SURROGATES - _FIRST):
        chance = np.abs(_strengths(_random_phases(moves, more, dice), result, leads)).max(axis=1)
        drawn, as_strong = drawn + more, as_strong + int((chance >= np.abs(strength[best])).sum())
        if as_strong >= _HOPELESS:
            break
    p_value = (1 + as_strong) / (1 + drawn)
    if p_value > _SURE:
        return Lead("no evidence", None, None, p_value)
    correlation = float(strength[best] / np.sqrt(len(moves) - best))
    return Lead("leads" if best else "coincides", best, correlation, p_value)


def _strengths(moves: Floats, result: Floats, leads: range) -> Floats:
    """Of each series (n) the correlation at each lead (m), times the root of the pairs behind it; shape (n, m)."""
    columns = []
    for lead in leads:
        earlier, later = moves[:, : moves.shape[1] - lead], result[lead:]
        earlier = earlier - earlier.mean(axis=1, keepdims=True)
        later = later - later.mean()
        scale = np.sqrt((earlier**2).sum(axis=1) * (later**2).sum())
        columns.append(np.sqrt(len(later)) * (earlier @ later) / np.where(scale > 0, scale, np.inf))
    return np.column_stack(columns)


def _random_phases(series: Floats, count: int, dice: np.random.Generator) -> Floats:
    spectrum = np.fft.rfft(series - series.mean())
    turned = spectrum * np.exp(2j * np.pi * dice.random((count, len(spectrum))))
    return np.asarray(np.fft.irfft(turned, n=len(series), axis=1))
