"""Forecasts of series: against exact distributions, against simulated worlds, and their laws."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, t

from scorecard.forecast import (
    blend,
    forecast_accumulate,
    forecast_indicated,
    forecast_level,
    leading,
    log_density,
    reference_class,
    view_weights,
)
from scorecard.forecast.accumulate import _urn
from scorecard.forecast.observations import Floats

METHOD = Path(__file__).parents[3] / "docs" / "method.md"
AHEAD = 21
Series = Callable[[np.random.Generator, int], Floats]


def autoregression(dice: np.random.Generator, days: int, kept: float) -> Floats:
    level = np.zeros(days)
    for day in range(1, days):
        level[day] = kept * level[day - 1] + dice.normal()
    return level


INCREMENTS: dict[str, Series] = {
    "steady": lambda dice, days: dice.poisson(3, days).astype(float),
    "weekdays only": lambda dice, days: dice.poisson(4, days) * (np.arange(days) % 7 < 5).astype(float),
    "few and large": lambda dice, days: (dice.random(days) < 0.1) * dice.lognormal(3, 1, days),
    "good weeks follow good weeks": lambda dice, days: dice.poisson(
        3 * np.exp(autoregression(dice, days, 0.9) / 5)
    ).astype(float),
}
LEVELS: dict[str, Series] = {
    "noise": lambda dice, days: 50 + dice.normal(size=days),
    "walk": lambda dice, days: np.cumsum(dice.normal(size=days)),
    "returning": lambda dice, days: autoregression(dice, days, 0.93),
    "trend": lambda dice, days: 0.2 * np.arange(days) + dice.normal(0, 3, days),
    "drifting": lambda dice, days: np.cumsum(dice.normal(0, 0.2, days)) + dice.normal(0, 2, days),
}


def coverage(
    kinds: dict[str, Series], foretell: Callable[[Floats], tuple[Floats, float]]
) -> dict[str, float]:
    """Of each kind the share of 60 worlds in which what came lies in the 80 % band."""
    inside = {}
    for name, kind in kinds.items():
        found = []
        for seed in range(60):
            draws, actual = foretell(kind(np.random.default_rng(seed), 200 + AHEAD))
            low, high = np.quantile(draws, [0.1, 0.9])
            found.append(low <= actual <= high)
        inside[name] = float(np.mean(found))
    return inside


def test_the_80_percent_band_of_a_total_covers_what_comes() -> None:
    found = coverage(
        INCREMENTS, lambda days: (forecast_accumulate(days[:200], [AHEAD])[:, 0], days[200:].sum())
    )
    assert 0.75 <= np.mean(list(found.values())) <= 0.85, found
    assert all(0.65 <= share <= 0.95 for share in found.values()), found


def test_the_80_percent_band_of_a_level_covers_what_comes() -> None:
    found = coverage(LEVELS, lambda days: (forecast_level(days[:200], [AHEAD])[:, 0], days[199 + AHEAD]))
    assert 0.75 <= np.mean(list(found.values())) <= 0.85, found
    assert all(0.65 <= share <= 0.95 for share in found.values()), found


def test_the_urn_gives_the_exact_beta_binomial_distribution() -> None:
    picks = _urn(5, 12, np.random.default_rng(0))
    winners = (picks < 2).sum(axis=1)
    exact = betabinom(12, 2, 3).pmf(np.arange(13))
    assert np.bincount(winners, minlength=13) / len(winners) == pytest.approx(exact, abs=0.02)


def test_the_mean_of_a_total_is_its_past_mean_and_weekdays_keep_their_habits() -> None:
    days = np.tile([5.0, 0, 0, 0, 0, 0, 0], 20)
    assert forecast_accumulate(days, [0, 1, 6, 7, 14], total=100)[0] == pytest.approx(
        [100, 105, 105, 105, 110]
    )
    days = np.random.default_rng(1).gamma(2, 1, 140)
    assert forecast_accumulate(days, [21]).mean() == pytest.approx(21 * days.mean(), rel=0.02)


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(0, 90))
def test_a_total_that_never_fell_does_not_fall_and_the_same_past_gives_the_same_answer(
    past: list[float], ahead: int
) -> None:
    draws = forecast_accumulate(np.array(past), [ahead], total=7.0)
    assert (draws >= 7.0).all()
    assert (draws == forecast_accumulate(np.array(past), [ahead], total=7.0)).all()


def test_a_level_without_movement_stays_and_one_on_a_line_goes_on() -> None:
    assert forecast_level(np.full(100, 4.0), [0, 21]) == pytest.approx(4.0)
    assert np.median(forecast_level(np.arange(200.0), [10])) == pytest.approx(209, abs=3)


def test_the_reference_class_goes_on_as_the_cycles_that_stood_here_did() -> None:
    shares = np.array([0.0, 0.5, 1.0])
    slow = np.array([[0, 10 + n / 10, 20 + n / 10] for n in range(10)])
    late = np.array([[0, 30 + n / 10, 100 + n / 10] for n in range(10)])
    paths = np.vstack([slow, late])
    assert np.median(reference_class(paths, shares, 0.5, 10.0)) == pytest.approx(20, abs=5)
    assert np.median(reference_class(paths, shares, 0.5, 30.0)) == pytest.approx(100, abs=5)
    assert reference_class(paths, shares, 1.0, 55.0) == pytest.approx(55.0)
    with pytest.raises(ValueError, match="needs 3"):
        reference_class(paths[:2], shares, 0.5, 10.0)


def test_the_worked_example_of_an_indicator() -> None:
    """The worked example of docs/method.md."""
    text = METHOD.read_text(encoding="utf-8").split("*Example of an indicator*")[1]
    rows = re.findall(
        r"^\| (\d+) \| (\d*) ?\| (\d+) \|$", text.split("In three back-tests")[0], flags=re.MULTILINE
    )
    assert [int(number) for number, _, _ in rows] == list(range(1, 11))
    moves = np.array([float(move) for _, move, _ in rows if move])
    weeks = np.array([float(grown) for _, _, grown in rows])
    draws = forecast_indicated(np.repeat(weeks[:8] / 7, 7), moves, 2, [7, 14, 21], 100.0)
    assert draws[:, :2] == pytest.approx(np.tile(100 + np.cumsum(weeks[8:]), (4000, 1)))
    # The third week is drawn from the past: its mean is that of the eight weeks.
    assert draws[:, 2].mean() == pytest.approx(128 + weeks[:8].mean(), rel=0.01)
    assert draws[:, 2].std() > 1
    weights = view_weights(np.log([[0.1, 0.3], [0.1, 0.3], [0.2, 0.1]]), (1.0, 0.0))
    assert weights[1] == pytest.approx(0.388, abs=5e-4)
    assert "0.1, 0.1, 0.2 to what came, it 0.3, 0.3, 0.1: it weighs 0.388." in text
    assert list(view_weights(np.empty((0, 2)), (1.0, 0.0))) == [1.0, 0.0]


def test_an_indicator_tells_the_weeks_of_its_lead_and_its_band_covers_what_comes() -> None:
    inside, narrower = [], []
    for seed in range(100):
        dice = np.random.default_rng(seed)
        moves = dice.normal(size=32)
        slope = -6 if seed % 2 else 6
        weeks = 20 + slope * moves[:-3] + 3 * dice.normal(size=29)
        days, known = np.repeat(weeks[:26] / 7, 7), moves[3:29]
        told, own = forecast_indicated(days, known, 3, [21])[:, 0], forecast_accumulate(days, [21])[:, 0]
        low, high = np.quantile(told, [0.1, 0.9])
        inside.append(low <= weeks[26:].sum() <= high)
        narrower.append((high - low) / np.ptp(np.quantile(own, [0.1, 0.9])))
    assert 0.75 <= np.mean(inside) <= 0.9
    assert np.mean(narrower) < 0.7


def test_an_indicator_that_stood_still_tells_nothing_and_a_short_past_is_refused() -> None:
    days = np.random.default_rng(1).poisson(2, 182).astype(float)
    still = forecast_indicated(days, np.zeros(25), 3, [21], 7.0)
    assert still.mean() == pytest.approx(forecast_accumulate(days, [21], 7.0).mean(), rel=0.05)
    assert (forecast_indicated(days, np.arange(25.0) % 5 * 99, 3, [21, 80], 7.0) >= 7.0).all()
    with pytest.raises(ValueError, match="at least 7 weeks"):
        forecast_indicated(days, np.ones(6), 3, [21])


def test_the_weights_are_those_of_the_best_log_score_of_the_past_and_the_credited_forecasts() -> None:
    density = np.array([[0.1, 0.3], [0.4, 0.3], [0.2, 0.1], [0.1, 0.5]])
    tried = np.linspace(0.0005, 0.9995, 2000)
    scores = np.log(density[:, :1] * tried + density[:, 1:] * (1 - tried)).sum(axis=0)
    for credited in ((2.0, 2.0), (1.0, 0.0)):
        held = scores + credited[0] * np.log(tried) + credited[1] * np.log(1 - tried)
        assert view_weights(np.log(density), credited)[0] == pytest.approx(tried[held.argmax()], abs=1e-3)


def test_cycles_that_ended_alike_have_a_band_as_wide_as_they_were_uneven() -> None:
    shares = np.arange(14) / 13
    dice = np.random.default_rng(7)
    widths = []
    for uneven in (0, 1, 2):
        weeks = np.array([5.0 + uneven * dice.permutation([-2, -1, -1, 0, 0, 0, 1, 1, 2]) for _ in range(4)])
        begun = np.full((4, 4), 5.0)
        paths = np.cumsum(np.hstack([np.zeros((4, 1)), begun, weeks]), axis=1)
        draws = reference_class(paths, shares, 4 / 13, 20.0)
        assert np.median(draws) == pytest.approx(65, abs=0.5)
        widths.append(np.ptp(np.quantile(draws, [0.1, 0.9])))
    assert widths[0] == pytest.approx(0, abs=1e-6)
    assert widths[2] == pytest.approx(2 * widths[1], rel=0.05)
    # As one more cycle would count whose weeks are independent: 9 of them, beside the 4 that there are.
    weekly = np.std([0] * 4 + [-2, -1, -1, 0, 0, 0, 1, 1, 2], ddof=1)
    spread = weekly * np.sqrt(9 / 5) * 1.06 * 4**-0.2
    assert widths[1] == pytest.approx(spread * 2 * t(3).ppf(0.9), rel=0.1)


def test_a_total_that_fell_in_no_earlier_cycle_does_not_fall() -> None:
    shares = np.arange(14) / 13
    steps = np.random.default_rng(8).poisson(1, (4, 13)).astype(float)
    steps[:, 11:] = [[0, 0], [0, 1], [0, 0], [0, 0]]
    paths = np.cumsum(np.hstack([np.zeros((4, 1)), steps]), axis=1)
    draws = reference_class(paths, shares, 11 / 13, 12.0)
    assert draws.min() == 12.0
    assert draws.max() > 13.0
    assert reference_class(-paths, shares, 11 / 13, 12.0).min() < 12.0


def test_the_blend_weighs_the_view_that_foretold_the_past() -> None:
    dice = np.random.default_rng(2)
    sharp, wrong = dice.normal(10, 1, 4000), dice.normal(20, 1, 4000)
    came = dice.normal(10, 1, 30)
    tested = np.array([[log_density(view, actual) for view in (sharp, wrong)] for actual in came])
    assert tested[:, 0] == pytest.approx(-((came - 10) ** 2) / 2 - np.log(np.sqrt(2 * np.pi)), abs=0.3)
    weights = view_weights(tested)
    assert weights[0] > 0.9
    found = blend([sharp, wrong], weights, lambda values: values >= 10.0)
    assert found.p50 == pytest.approx(10, abs=0.3)
    falling = blend([sharp, wrong], weights, lambda values: values <= 10.0)
    assert found.p_target + falling.p_target == pytest.approx(1)
    assert list(view_weights(np.empty((0, 2)))) == [0.5, 0.5]
    untested = blend([sharp, wrong], np.array([0.5, 0.5]), lambda values: values >= 15.0)
    assert untested.p_target == pytest.approx(0.5, abs=0.01)


def test_the_worked_example_of_a_blend() -> None:
    """The worked example of docs/method.md."""
    weights = view_weights(np.log([[0.2, 0.1], [0.1, 0.3]]))
    assert weights == pytest.approx((0.481, 0.519), abs=5e-4)
    views = [np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])]
    found = blend(views, weights, lambda values: values >= 4.0)
    assert found.p_target == pytest.approx(0.481 / 4 + 0.519 * 3 / 4, abs=5e-4)


@pytest.mark.parametrize("lead", [0, 3])
def test_a_true_lead_is_found_and_measured(lead: int) -> None:
    found = []
    for seed in range(20):
        dice = np.random.default_rng(seed)
        moves = dice.normal(size=60)
        result = np.roll(moves, lead) + dice.normal(size=60)
        found.append(leading(np.cumsum(moves)[8:], np.cumsum(result)[8:]))
    assert sum((each.verdict, each.weeks) == ("leads" if lead else "coincides", lead) for each in found) >= 18


def test_chance_passes_for_evidence_in_about_one_of_twenty() -> None:
    verdicts = []
    for seed in range(100):
        dice = np.random.default_rng(seed)
        verdicts.append(leading(np.cumsum(dice.normal(size=50)), np.cumsum(dice.normal(size=50))).verdict)
    assert verdicts.count("no evidence") >= 89
    assert leading(np.ones(50), np.arange(50.0)).verdict == "no evidence"
