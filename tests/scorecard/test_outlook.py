"""What lies ahead of a key result: in simulated worlds whose rest is known, and by the laws that a forecast must keep."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorecard.forecast.observations import Floats
from scorecard.outlook import Aim, BackTest, Forecast, Growth, Series, back_tests, forecasts, lead

START = date(2026, 10, 5)
CYCLE = 91
CYCLES = 5
"""Four earlier ones and the one that is foretold."""


def series(values: Floats, until: int = CYCLE, aim: Aim | None = None, growth: Growth = "total") -> Series:
    """A day's value for each number, the last of the earlier ones just before the cycle; the cycle up to its day `until`."""
    first = START - timedelta(days=CYCLE * (CYCLES - 1))
    days = {first + timedelta(days=number): float(value) for number, value in enumerate(values)}
    last = START + timedelta(days=until - 1)
    return Series(
        "kr",
        growth,
        aim or Aim(0.0, None),
        START,
        CYCLE,
        21,
        {day: v for day, v in days.items() if day <= last},
    )


def totals(increments: Floats) -> Floats:
    """What adds up from the first day of each cycle."""
    return np.asarray(np.cumsum(increments.reshape(CYCLES, CYCLE), axis=1).reshape(-1))


def drawn(of: Series) -> dict[tuple[date, str], Forecast]:
    return {(each.date, each.horizon): each for each in forecasts(of, back_tests(of, "m", []), "m", {})}


WORLDS: dict[str, Callable[[np.random.Generator], tuple[Floats, Growth]]] = {
    "steady": lambda dice: (totals(dice.poisson(2, CYCLES * CYCLE).astype(float)), "total"),
    "late in every cycle": lambda dice: (
        totals(dice.poisson(np.tile(np.linspace(0.5, 4, CYCLE), CYCLES)).astype(float)),
        "total",
    ),
    "other in every cycle": lambda dice: (
        totals(dice.poisson(np.repeat(dice.gamma(9, 1 / 3, CYCLES), CYCLE)).astype(float)),
        "total",
    ),
    "level": lambda dice: (50 + dice.normal(size=CYCLES * CYCLE), "level"),
    "walk": lambda dice: (np.cumsum(dice.normal(size=CYCLES * CYCLE)), "level"),
}


@pytest.fixture(scope="module")
def inside() -> dict[str, float]:
    """Of each kind of world the share of back-tests, in 16 of them, in whose band of 80 % lies what came."""
    found = {}
    for name, world in WORLDS.items():
        tests = [
            test
            for seed in range(16)
            for values, growth in [world(np.random.default_rng(seed))]
            for test in back_tests(series(values, growth=growth), "m", [])
        ]
        assert len(tests) == 16 * 12
        found[name] = float(np.mean([test.p10 <= test.value <= test.p90 for test in tests]))
    return found


@pytest.mark.parametrize("name", WORLDS)
def test_the_80_percent_band_covers_what_comes(inside: dict[str, float], name: str) -> None:
    assert 0.68 <= inside[name] <= 0.95, inside


def test_the_80_percent_bands_of_all_worlds_cover_80_percent(inside: dict[str, float]) -> None:
    assert 0.75 <= np.mean(list(inside.values())) <= 0.87, inside


def test_the_worked_example_of_a_forecast() -> None:
    """The worked example of docs/method.md."""
    every_monday = totals(np.where(np.arange(CYCLES * CYCLE) % 7 == 0, 5.0, 0.0))
    for target, chance in ((60.0, 1), (70.0, 0)):
        known = series(every_monday, 28, Aim(target, None))
        forecast = drawn(known)[START + timedelta(days=27), "end"]
        assert known.values[forecast.date] == 20
        assert (forecast.p10, forecast.p50, forecast.p90) == pytest.approx((65, 65, 65))
        assert forecast.p_met == chance


def test_earlier_cycles_show_what_the_own_past_cannot() -> None:
    """Nothing in the first two thirds of every cycle, everything at its end."""
    increments = np.tile(np.where(np.arange(CYCLE) < 60, 0.0, 1.0), CYCLES) + 0.01
    forecast = drawn(series(totals(increments), until=50))[START + timedelta(days=49), "end"]
    assert forecast.p50 == pytest.approx(totals(increments)[-1], abs=1)
    assert forecast.reference_weight > 0.5
    assert forecast.earlier_cycles == 4


@settings(max_examples=5)
@given(st.integers(0, 1000), st.integers(1, 15), st.lists(st.floats(0, 100), min_size=30, max_size=30))
def test_a_forecast_knows_nothing_of_later_days(seed: int, until: int, later: list[float]) -> None:
    values = totals(np.random.default_rng(seed).poisson(1, CYCLES * CYCLE).astype(float))
    other = values.copy()
    other[CYCLE * 4 + until : CYCLE * 4 + until + 30] = later[: CYCLE - until]
    early = drawn(series(values, until))
    assert early
    for changed in (series(values, until + 1), series(other, until + 30)):
        assert {at: each for at, each in drawn(changed).items() if at in early} == early


@settings(max_examples=5)
@given(st.integers(0, 1000), st.floats(0, 300), st.floats(0, 100))
def test_a_nearer_target_is_never_less_likely(seed: int, target: float, nearer: float) -> None:
    values = totals(np.random.default_rng(seed).poisson(2, CYCLES * CYCLE).astype(float))
    far, near = (drawn(series(values, 10, Aim(aim, None))) for aim in (target, target - nearer))
    assert all(near[at].p_met >= far[at].p_met for at in far)
    below = drawn(series(values, 10, Aim(None, target)))
    met_by_both = {at: far[at].p_met + below[at].p_met for at in far}
    assert min(met_by_both.values()) > 0.999


def test_what_is_kept_is_drawn_again_when_anything_it_was_made_of_changes() -> None:
    values = totals(np.random.default_rng(0).poisson(2, CYCLES * CYCLE).astype(float))
    known = series(values, 10)
    tests = back_tests(known, "m", [])
    kept = {
        (each.date, str(each.horizon)): replace(each, p50=-1.0) for each in forecasts(known, tests, "m", {})
    }
    assert {each.p50 for each in forecasts(known, tests, "m", kept)} == {-1.0}
    assert {each.p50 for each in forecasts(series(values, 11), tests, "m", kept)} != {-1.0}
    assert -1.0 not in {each.p50 for each in forecasts(known, tests, "another method", kept)}
    assert -1.0 not in {each.p50 for each in forecasts(replace(known, aim=Aim(5.0, None)), tests, "m", kept)}
    marked = [replace(test, p50=-1.0) for test in tests]
    assert back_tests(known, "m", marked) == marked
    changed = values.copy()
    changed[CYCLE - 1] += 1
    assert -1.0 not in {test.p50 for test in back_tests(series(changed, 10), "m", marked)}


def test_too_little_is_no_forecast() -> None:
    nothing = series(np.zeros(CYCLES * CYCLE), 60)
    assert drawn(nothing) == {}
    assert back_tests(nothing, "m", []) == []
    begun = np.zeros(CYCLES * CYCLE)
    begun[CYCLE * 3 + 9 :] = 1
    first = min(drawn(series(begun, 60)))
    assert first[0] == START + timedelta(days=9 - 1)
    average = series(50 + np.random.default_rng(1).normal(size=CYCLES * CYCLE), 60, growth="average")
    assert {each.reference_weight for each in drawn(average).values()} == {1.0}
    assert drawn(replace(nothing, values={})) == {}


def test_a_day_without_a_value_has_no_forecast_and_the_days_around_it_have() -> None:
    values = 50 + np.random.default_rng(1).normal(size=CYCLES * CYCLE)
    whole = series(values, 30, growth="level")
    gap = START + timedelta(days=10)
    holed = replace(whole, values={day: value for day, value in whole.values.items() if day != gap})
    days = {day for day, _ in drawn(holed)}
    assert days == {START + timedelta(days=number) for number in range(30)} - {gap}


def test_back_tests_say_what_came_of_every_earlier_cycle() -> None:
    values = totals(np.random.default_rng(3).poisson(2, CYCLES * CYCLE).astype(float))
    target = float(np.median(values[CYCLE - 1 :: CYCLE]))
    tests = back_tests(series(values, 30, Aim(target, None)), "m", [])
    assert len(tests) == 12
    ends = {START - timedelta(days=CYCLE * back + 1): values[CYCLE * (4 - back) - 1] for back in range(4)}
    for test in tests:
        assert test.value == ends[test.for_date]
        assert test.met == (test.value >= target)
        assert test.for_date - timedelta(days=CYCLE) < test.date < test.for_date
    inside = [test.p10 <= test.value <= test.p90 for test in tests]
    assert np.mean(inside) >= 0.5


def test_an_indicator_that_moves_three_weeks_before_leads_by_three() -> None:
    dice = np.random.default_rng(4)
    pulse = np.repeat(dice.poisson(20, CYCLES * CYCLE // 7), 7).astype(float)
    indicator = series(totals(pulse), 60)
    result = series(totals(np.roll(pulse, 21) + dice.poisson(1, CYCLES * CYCLE)), 60)
    last = START + timedelta(days=59)
    found = lead(result, indicator, last)
    assert (found.verdict, found.weeks) == ("leads", 3)
    noise = series(totals(dice.poisson(20, CYCLES * CYCLE).astype(float)), 60)
    assert lead(result, noise, last).verdict == "no evidence"
    assert lead(replace(result, values={}), indicator, last).verdict == "no evidence"


def test_a_lead_is_measured_at_the_end_of_a_week_from_nothing_later() -> None:
    result, indicator = (each(60) for each in led_by_three_weeks("total", 5))
    sunday = START + timedelta(days=34)
    for days in range(7):
        until = 35 + days
        known = [each(until) for each in led_by_three_weeks("total", 5)]
        assert lead(known[0], known[1], sunday + timedelta(days=days)) == lead(result, indicator, sunday)
    assert lead(result, indicator, sunday + timedelta(days=7)) != lead(result, indicator, sunday)


BondOf = Literal["leads", "coincides", "none"]


def led_by_three_weeks(
    growth: Growth, seed: int, bond: BondOf = "leads"
) -> tuple[Callable[[int], Series], Callable[[int], Series]]:
    """A key result and an indicator with so much in each week; both up to a day of the cycle. Good weeks follow good weeks."""
    dice = np.random.default_rng([seed, 7])
    weeks = np.zeros((2, CYCLES * CYCLE // 7 + 3))
    for number in range(1, weeks.shape[1]):
        weeks[:, number] = 0.5 * weeks[:, number - 1] + 0.5 * dice.normal(size=2)
    pulse, other = np.repeat(np.exp(weeks), 7, axis=1)
    cause = {"leads": pulse[:-21], "coincides": pulse[21:], "none": other[21:]}[bond]
    moves = totals(dice.poisson(6 * pulse[21:]).astype(float))
    if growth == "total":
        values = totals(dice.poisson(3 * cause).astype(float))
        aim = Aim(float(values[CYCLE - 1 :: CYCLE].mean()), None)
    else:
        values = np.cumsum(np.log(cause) + dice.normal(size=len(cause)))
        aim = Aim(float(values[CYCLE * 4]), None)
    return partial(series, values, aim=aim, growth=growth), partial(series, moves)


def on_sundays(of: Series) -> Series:
    """The cycle's values of its Sundays alone: each is foretold from the same weeks as before."""
    return replace(
        of, values={day: v for day, v in of.values.items() if day < START or (day - START).days % 7 == 6}
    )


def judged(growth: Growth, seeds: int) -> dict[str, list[list[float]]]:
    """Of forecasts without and with the indicator: loss of the quantiles, being inside, width, Brier score, weight."""
    found: dict[str, list[list[float]]] = {"without": [], "with": []}
    for seed in range(seeds):
        result = led_by_three_weeks(growth, seed)[0](CYCLE)
        known, heard = (on_sundays(each(63)) for each in led_by_three_weeks(growth, seed))
        for name, indicators in (("without", []), ("with", [heard])):
            for each in drawn(replace(known, indicators=indicators)).values():
                came = result.values[each.for_date]
                loss = sum(
                    max(share * (came - at), (share - 1) * (came - at))
                    for share, at in ((0.1, each.p10), (0.5, each.p50), (0.9, each.p90))
                )
                met = bool(result.aim.met(np.array([came]))[0])
                width, weight = each.p90 - each.p10, each.indicator_weight
                found[name].append(
                    [loss, each.p10 <= came <= each.p90, width, (each.p_met - met) ** 2, weight]
                )
    return found


def test_an_indicator_that_leads_makes_the_forecast_better() -> None:
    briers = []
    growths: tuple[Growth, ...] = ("total", "level")
    for growth in growths:
        found = judged(growth, 6)
        (loss, inside, width, brier, _), (new_loss, new_inside, new_width, new_brier, weight) = (
            np.mean(found[name], axis=0) for name in ("without", "with")
        )
        assert weight > 0.3
        assert new_loss < 0.9 * loss
        assert new_width < 0.9 * width
        assert new_inside == pytest.approx(inside, abs=0.1)
        assert new_inside >= 0.75
        briers.append((brier, new_brier))
    without, with_it = np.mean(briers, axis=0)
    assert with_it < 0.95 * without


@pytest.mark.parametrize("bond", ["none", "coincides"])
def test_an_indicator_that_does_not_lead_stays_out(bond: BondOf) -> None:
    weights = []
    for seed in range(3):
        result, indicator = (each(28) for each in led_by_three_weeks("total", seed, bond))
        plain, heard = on_sundays(result), on_sundays(indicator)
        with_it = drawn(replace(plain, indicators=[heard]))
        weights += [each.indicator_weight for each in with_it.values()]
        if not any(weights):
            without = drawn(plain)
            assert {at: replace(each, made_of="") for at, each in with_it.items()} == {
                at: replace(each, made_of="") for at, each in without.items()
            }
    assert np.mean(weights) < 0.02


def test_of_several_indicators_the_surest_enters() -> None:
    result, indicator = (on_sundays(each(42)) for each in led_by_three_weeks("total", 1))
    _, noise = (on_sundays(each(42)) for each in led_by_three_weeks("total", 2))
    # Half of what it tells is noise.
    both = {day: value + 0.5 * noise.values[day] for day, value in indicator.values.items()}
    blurred, last = replace(indicator, values=both), max(result.values)
    measured = [lead(result, each, last) for each in (indicator, blurred)]
    assert [each.weeks for each in measured] == [3, 3]
    assert measured[0].p_value < measured[1].p_value
    for indicators, number in (([indicator], 1), ([blurred, noise, indicator], 3)):
        entered = [
            each for each in drawn(replace(result, indicators=indicators)).values() if each.date == last
        ]
        assert {each.indicator_no for each in entered} == {number}


def test_what_an_indicator_says_later_changes_nothing() -> None:
    result, indicator = (on_sundays(each(42)) for each in led_by_three_weeks("total", 1))
    known = replace(result, indicators=[indicator])
    tests = back_tests(known, "m", [])
    early = {(each.date, each.horizon): each for each in forecasts(known, tests, "m", {})}
    assert max(each.indicator_weight for each in early.values()) > 0.3
    later = {
        day: v + 50 * (day - START).days if day >= START + timedelta(days=28) else v
        for day, v in indicator.values.items()
    }
    other = replace(result, indicators=[replace(indicator, values=later)])
    changed = {(each.date, each.horizon): each for each in forecasts(other, tests, "m", {})}
    differs = {day for (day, horizon), each in early.items() if each != changed[day, horizon]}
    assert min(differs) == START + timedelta(days=34)


def test_a_back_test_knows_nothing_of_what_an_indicator_says_later() -> None:
    result, indicator = (each(0) for each in led_by_three_weeks("total", 1))
    tests = back_tests(replace(result, indicators=[indicator]), "m", [])
    spoke = [test for test in tests if test.indicator_score is not None]
    assert len(spoke) >= 6
    middle = spoke[3].date
    later = {day: v + 50 * (day - middle).days if day > middle else v for day, v in indicator.values.items()}
    others = back_tests(replace(result, indicators=[replace(indicator, values=later)]), "m", [])
    for test, other in zip(tests, others, strict=True):
        if test.date <= middle:
            assert other.indicator_score == test.indicator_score
    assert [test.indicator_score for test in others] != [test.indicator_score for test in tests]


def test_what_is_kept_is_drawn_again_when_an_indicator_that_entered_changes() -> None:
    bonds: tuple[tuple[BondOf, bool], ...] = (("leads", True), ("none", False))
    for bond, enters in bonds:
        result, indicator = (on_sundays(each(21)) for each in led_by_three_weeks("total", 1, bond))
        known = replace(result, indicators=[indicator])
        tests = back_tests(known, "m", [])
        kept = {
            (each.date, str(each.horizon)): replace(each, p50=-1.0)
            for each in forecasts(known, tests, "m", {})
        }
        last = max(indicator.values)
        other = replace(indicator, values={**indicator.values, last: indicator.values[last] + 5})
        changed = replace(result, indicators=[other])
        again = {each.date: each.p50 for each in forecasts(changed, tests, "m", kept)}
        assert (again.pop(last) != -1.0) == enters
        assert set(again.values()) == {-1.0}
        marked = [replace(test, p50=-1.0) for test in tests]
        assert back_tests(changed, "m", marked) == marked
        before = START - timedelta(days=9)
        other = replace(indicator, values={**indicator.values, before: indicator.values[before] + 5})
        assert -1.0 not in {test.p50 for test in back_tests(replace(result, indicators=[other]), "m", marked)}


def test_a_key_result_without_a_value_at_the_end_of_the_cycle_before_has_forecasts() -> None:
    values = 50 + np.random.default_rng(1).normal(size=CYCLES * CYCLE)
    whole = series(values, 5, growth="level")
    gap = {START - timedelta(days=number) for number in range(1, 15)}
    holed = replace(whole, values={day: value for day, value in whole.values.items() if day not in gap})
    silent = replace(whole, values={day: value for day, value in holed.values.items() if day < START})
    assert {day for day, _ in drawn(holed)} == set(whole.days)
    assert len(back_tests(silent, "m", [])) == 12
    assert drawn(silent) == {}


def test_the_order_of_the_values_does_not_matter() -> None:
    values = totals(np.random.default_rng(5).poisson(2, CYCLES * CYCLE).astype(float))
    known = series(values, 20)
    turned = replace(known, values=dict(reversed(list(known.values.items()))))
    assert drawn(turned) == drawn(known)
    assert isinstance(back_tests(known, "m", [])[0], BackTest)
