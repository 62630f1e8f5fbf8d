"""What lies ahead of a key result: where it will stand some weeks on and at the end of the cycle, and the chance of its aim."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Day  # noqa: N812 - a field of the dataclasses is called date
from datetime import timedelta
from functools import cache, cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scorecard.forecast import (
    Lead,
    Outlook,
    blend,
    forecast_accumulate,
    forecast_indicated,
    forecast_level,
    leading,
    log_density,
    reference_class,
    view_weights,
)
from scorecard.forecast.observations import Floats

Growth = Literal["total", "level", "average"]
"""How a series goes through a cycle: a total begins at 0 with each cycle and adds up, a level goes on from the cycle before, an
average of the cycle begins anew with each."""

Horizon = Literal["soon", "end"]

_HORIZONS: tuple[Horizon, ...] = ("soon", "end")

_MOST_DAYS = 182
_FEWEST_CYCLES = 3
# In how many more tests than there are what is said without an indicator counts as right, and what it says.
_CREDITED = (1.0, 0.0)
# An indicator that would weigh less stays out.
_LEAST_WEIGHT = 0.05
# Of a cycle's length: where back-tests stand.
_TESTED_AT = (3 / 13, 6 / 13, 9 / 13)


@dataclass(frozen=True)
class Aim:
    """What a key result is after: a target that it rises or falls to, or a band to stay in (`low`, `high`; None: open)."""

    low: float | None
    high: float | None

    def met(self, values: Floats) -> NDArray[np.bool_]:
        """Which of the values meet it."""
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        return np.asarray((values >= low) & (values <= high))


@dataclass(frozen=True)
class Series:
    """A key result's values by day: over whole earlier cycles of the same length, and over the days of this one so far.

    Days without a value are left out. `cycle_days` is the length of the cycle that begins on `start`; `soon` is how many days
    ahead a forecast looks beside the one for the cycle's end. `indicators` are the series of those that it declares.
    """

    kr_id: str
    growth: Growth
    aim: Aim
    start: Day
    cycle_days: int
    soon: int
    values: Mapping[Day, float]
    indicators: Sequence[Series] = ()

    @property
    def end(self) -> Day:
        return self.start + timedelta(days=self.cycle_days - 1)

    @property
    def days(self) -> list[Day]:
        """The days of this cycle that have a value."""
        return sorted(day for day in self.values if day >= self.start)

    @cached_property
    def _line(self) -> tuple[Day, Floats]:
        """The values of all days since the first of the cycle in which anything moved; a day without one has that before it.

        It reaches at least to the start of this cycle. A total begins each cycle at 0; one that has not moved yet, as a measure
        without a value, has no past: nobody worked on it then.
        """
        counts = [day for day, value in self.values.items() if value or self.growth != "total"]
        if not counts:
            return self.start, np.empty(0)
        first = self._cycle_of(min(counts))
        numbers = np.arange((max(*self.values, self.start - timedelta(days=1)) - first).days + 1)
        found = np.array([self.values.get(first + timedelta(days=int(number)), np.nan) for number in numbers])
        if self.growth == "total":
            found[np.isnan(found) & (numbers % self.cycle_days == 0)] = 0.0
        known = np.maximum.accumulate(np.where(np.isnan(found), -1, numbers))
        return first, np.where(known >= 0, found[known], np.nan)

    @cached_property
    def earlier(self) -> Floats:
        """The whole earlier cycles, oldest first, a value for each of their days; shape (cycles, cycle_days)."""
        first, line = self._line
        rows = line[: max((self.start - first).days, 0)].reshape(-1, self.cycle_days)
        return rows[~np.isnan(rows).any(axis=1)]

    @cached_property
    def _own(self) -> Floats:
        """What the own view draws from, for the days of the line: increments of a total from its first move on, else values.

        An average of the cycle has none: it begins anew with each.
        """
        _, line = self._line
        if self.growth == "average" or not len(line):
            return np.empty(0)
        if self.growth == "level":
            return line
        begins = np.arange(len(line)) % self.cycle_days == 0
        increments = line - np.where(begins, 0.0, np.roll(line, 1))
        increments[: int(np.argmax(increments != 0))] = np.nan
        return increments

    def past(self, day: Day) -> Floats:
        """What the own view draws from, up to the end of a day, at most half a year of days; shape (days,)."""
        until = (day - self._line[0]).days + 1
        past = self._own[max(until - _MOST_DAYS, 0) : max(until, 0)]
        return past[~np.isnan(past)]

    def until(self, day: Day) -> Floats:
        """The values up to the end of a day, since the first day of the cycle in which anything moved; shape (days,)."""
        first, line = self._line
        return line[: max((day - first).days + 1, 0)]

    def _cycle_of(self, day: Day) -> Day:
        """The first day of the cycle that a day lies in."""
        return self.start + timedelta(days=(day - self.start).days // self.cycle_days * self.cycle_days)


@dataclass(frozen=True)
class Forecast:
    """What was to be expected on `date` of the value on `for_date`: its 10, 50 and 90 % quantiles, and the chance of its aim.

    `reference_weight` is what the earlier cycles weigh in it, `indicator_weight` what the leading indicator does whose number
    (counted from 1) is `indicator_no`, the rest is the key result's own past; `earlier_cycles` is how many there are. `made_of`
    changes with everything that went into the forecast.
    """

    kr_id: str
    date: Day
    horizon: Horizon
    for_date: Day
    p10: float
    p50: float
    p90: float
    p_met: float
    reference_weight: float
    indicator_weight: float
    indicator_no: int | None
    earlier_cycles: int
    made_of: str


@dataclass(frozen=True)
class BackTest:
    """A forecast for the end of an earlier cycle, as it would have been made on one of its days, and what came.

    `own_score`, `reference_score` and `indicator_score` are the logarithms of the density that each view had given to what came;
    None where the view knew too little. `made_of` as in `Forecast`.
    """

    kr_id: str
    date: Day
    for_date: Day
    p10: float
    p50: float
    p90: float
    p_met: float
    own_score: float | None
    reference_score: float | None
    indicator_score: float | None
    value: float
    met: bool
    made_of: str


def back_tests(series: Series, method: str, known: Sequence[BackTest]) -> list[BackTest]:
    """How the method would have foretold the ends of the earlier cycles, each with the weights that the others give.

    `method` names the version of all this code. What is in `known`, made of the same, is not drawn again.
    """
    earlier = series.earlier
    last = series.start - timedelta(days=1)
    heard = [indicator.until(last) for indicator in series.indicators]
    made_of = _digest(method, series.past(last), earlier, series.aim, *heard)
    if known and known[0].made_of == made_of:
        return list(known)
    tested = list(_tested(series))
    judged = [(stand.start, _log_scores(views, came)) for stand, views, came in tested]
    weights = {
        start: _weights([each for other, each in judged if other != start])
        for start in {start for start, _ in judged}
    }
    found = []
    for (stand, views, came), (start, scores) in zip(tested, judged, strict=True):
        shares = _shares(views, weights[start])
        if not shares.any():
            continue
        outlook = _blended(views, shares, series.aim)
        found.append(
            BackTest(
                kr_id=series.kr_id,
                date=stand.day,
                for_date=stand.start + timedelta(days=series.cycle_days - 1),
                p10=outlook.p10,
                p50=outlook.p50,
                p90=outlook.p90,
                p_met=outlook.p_target,
                own_score=scores[0],
                reference_score=scores[1],
                indicator_score=scores[2],
                value=came,
                met=bool(series.aim.met(np.array([came]))[0]),
                made_of=made_of,
            )
        )
    return found


def forecasts(
    series: Series, tests: Sequence[BackTest], method: str, known: Mapping[tuple[Day, str], Forecast]
) -> Iterator[Forecast]:
    """The forecasts of every day of the cycle, each from what the series says up to it; none where too little is known.

    Three views are blended (`blend`), weighted by their log scores in the back-tests: the own past (`forecast_accumulate`,
    `forecast_level`; as many days as a cycle has), the earlier cycles (`reference_class`; at least three), and the surest of the
    indicators that lead (`forecast_indicated`; where one led in back-tests too and made them better). `method` names the version
    of all this code. What is in `known`, by day and horizon, and made of the same, is not drawn again.
    """
    weights = _weights([(test.own_score, test.reference_score, test.indicator_score) for test in tests])
    background = _digest(method, series.earlier, weights, series.aim, series.end, series.soon)
    surest = cache(lambda week: _surest(series, week) if weights[2] else None)
    for day in series.days:
        stand = _Stand(series.start, day, series.values[day], series.past(day))
        heard = [each.until(day) for each in (series, *series.indicators) if weights[2]]
        made_of = _digest(background, stand.past, stand.value, *heard)
        kept = [known[day, horizon] for horizon in _HORIZONS if (day, horizon) in known]
        if kept and kept[0].made_of == made_of:
            yield from kept
            continue
        untils = [min(day + timedelta(days=series.soon), series.end), series.end]
        leader = surest(_week_before(series, day))
        views_of_each = _views(series, series.earlier, stand, leader, untils)
        for horizon, until, views in zip(_HORIZONS, untils, views_of_each, strict=True):
            shares = _shares(views, weights)
            if shares.any():
                outlook = _blended(views, shares, series.aim)
                yield Forecast(
                    kr_id=series.kr_id,
                    date=day,
                    horizon=horizon,
                    for_date=until,
                    p10=outlook.p10,
                    p50=outlook.p50,
                    p90=outlook.p90,
                    p_met=outlook.p_target,
                    reference_weight=float(shares[1]),
                    indicator_weight=float(shares[2]),
                    indicator_no=leader.number if leader and shares[2] else None,
                    earlier_cycles=len(series.earlier),
                    made_of=made_of,
                )


def lead(key_result: Series, indicator: Series, day: Day) -> Lead:
    """Whether the indicator moves first (`leading`), as known on a day: both by week over half a year.

    It is measured at the end of each week of the cycle, and at the end of the cycle before; if then one of both had no value, at
    the last that both had.
    """
    last = min(
        _week_before(key_result, day), *(max(each.values, default=day) for each in (key_result, indicator))
    )
    moves, result = _weekly(indicator, last), _weekly(key_result, last)
    weeks = min(len(moves), len(result))
    return leading(moves[len(moves) - weeks :], result[len(result) - weeks :])


def _week_before(series: Series, day: Day) -> Day:
    """The last day up to this one on which a week of the cycle ended, or the cycle before."""
    return day - timedelta(days=((day - series.start).days + 1) % 7)


def _weekly(series: Series, until: Day) -> Floats:
    """Every seventh day up to `until`, oldest first; a total goes on adding up from cycle to cycle."""
    past = series.past(until)
    line = np.cumsum(past) if series.growth == "total" else past
    return line[::-7][::-1]


@dataclass(frozen=True)
class _Stand:
    """Where a forecast is made: on a day of the cycle that begins on `start`, from its value and what came before."""

    start: Day
    day: Day
    value: float
    past: Floats


@dataclass(frozen=True)
class _Leader:
    """An indicator that leads, its number counted from 1, and by how many weeks."""

    number: int
    series: Series
    weeks: int


_Views = tuple[Floats | None, Floats | None, Floats | None]
"""Draws from the own past, from the earlier cycles and from an indicator that leads; None where too little is known."""

_Scores = tuple[float | None, float | None, float | None]


def _surest(series: Series, day: Day) -> _Leader | None:
    """Of the indicators that lead as known on a day the one whose lead is least likely chance; None if none does."""
    found = [
        (measured.p_value, _Leader(number, indicator, measured.weeks))
        for number, indicator in enumerate(series.indicators, start=1)
        if (measured := lead(series, indicator, day)).weeks
    ]
    return min(found, key=lambda each: each[0])[1] if found else None


def _tested(series: Series) -> Iterator[tuple[_Stand, _Views, float]]:
    """Where the method is tested in each earlier cycle, its views there, each without that cycle, and how the cycle ended."""
    earlier = series.earlier
    for number, row in enumerate(earlier):
        start = series.start - timedelta(days=series.cycle_days * (len(earlier) - number))
        until = start + timedelta(days=series.cycle_days - 1)
        others = np.delete(earlier, number, axis=0)
        for share in _TESTED_AT:
            gone = round(share * series.cycle_days)
            day = start + timedelta(days=gone - 1)
            stand = _Stand(start, day, float(row[gone - 1]), series.past(day))
            (views,) = _views(series, others, stand, _surest(series, day), [until])
            yield stand, views, float(row[-1])


def _log_scores(views: _Views, came: float) -> _Scores:
    own, reference, indicated = (None if view is None else log_density(view, came) for view in views)
    return own, reference, indicated


def _weights(scores: Sequence[_Scores]) -> Floats:
    """What own past and earlier cycles weigh, sum 1, and of the whole then the indicator; shape (3,).

    The first two by the tests in which both knew enough, the indicator by those in which one led, against the two without it.
    There it must prove itself: one more test counts as foretold without it, none as foretold by it.
    """
    known = np.array(scores, dtype=np.float64).reshape(-1, 3)
    others = view_weights(known[~np.isnan(known[:, :2]).any(axis=1), :2])
    led = known[~np.isnan(known[:, 2])]
    spoke = ~np.isnan(led[:, :2])
    parts = np.where(spoke, led[:, :2] + np.log(others), -np.inf)
    without = np.logaddexp.reduce(parts, axis=1) - np.log((others * spoke).sum(axis=1))
    indicator = view_weights(np.column_stack([without, led[:, 2]]), _CREDITED)[1]
    return np.append(others, indicator if indicator >= _LEAST_WEIGHT else 0.0)


def _shares(views: _Views, weights: Floats) -> Floats:
    """The weights of the views that there are; all 0 when there is none. Where an indicator speaks, the own past does."""
    present = weights * [view is not None for view in views]
    others, indicator = present[:2], present[2]
    return np.append(others / (others.sum() or 1.0) * (1 - indicator), indicator)


def _blended(views: _Views, shares: Floats, aim: Aim) -> Outlook:
    present = [(view, share) for view, share in zip(views, shares, strict=True) if view is not None]
    return blend([view for view, _ in present], np.array([share for _, share in present]), aim.met)


def _views(
    series: Series, earlier: Floats, stand: _Stand, leader: _Leader | None, untils: Sequence[Day]
) -> Iterator[_Views]:
    """What each view says of the value on each of these days."""
    ahead = [(until - stand.day).days for until in untils]
    increments = stand.past if series.growth == "total" else np.diff(stand.past)
    own, indicated = None, None
    if len(stand.past) >= series.cycle_days and series.growth == "total":
        own = forecast_accumulate(increments, ahead, stand.value)
    elif len(stand.past) >= series.cycle_days:
        own = forecast_level(stand.past, ahead)
    if own is not None and leader and max(leader.series.values) >= stand.day:
        moves = np.diff(_weekly(leader.series, stand.day))
        indicated = forecast_indicated(increments, moves, leader.weeks, ahead, stand.value)
    begin = np.zeros((len(earlier), 1)) if series.growth == "total" else earlier[:, :1]
    paths = np.concatenate([begin, earlier], axis=1)
    shares = np.arange(series.cycle_days + 1) / series.cycle_days
    gone = (stand.day - stand.start).days + 1
    for number, days in enumerate(ahead):
        elapsed, end = gone / series.cycle_days, (gone + days) / series.cycle_days
        reference = None
        if len(earlier) >= _FEWEST_CYCLES:
            reference = reference_class(paths, shares, elapsed, stand.value, end)
        own_then, indicated_then = (None if view is None else view[:, number] for view in (own, indicated))
        yield own_then, reference, indicated_then


def _digest(*content: object) -> str:
    digest = hashlib.sha256()
    for each in content:
        digest.update(each.tobytes() if isinstance(each, np.ndarray) else repr(each).encode())
        digest.update(b"|")
    return digest.hexdigest()[:32]
