"""What `target_probability` promises: better than pace and a crude look, calibrated, and the laws that make it credible."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from benchmarks.forecast import MODELS, auc, pace_rule
from scorecard.forecast import Observations, target_probability
from scorecard.forecast.observations import situations, usual_scopes
from scorecard.forecast.pace_view import learn_pace_view
from scorecard.forecast.similar_cycles import SimilarCycles
from tests.scorecard.forecast.organisations import organisation, parts

HISTORY, NOW = parts(organisation(1))
FORETOLD = target_probability(HISTORY, NOW)


def test_ranks_and_weighs_better_than_the_pace_rule_and_a_crude_reference_class() -> None:
    scored: dict[str, list[tuple[float, float]]] = {name: [] for name in MODELS}
    for seed in range(4):
        history, now = parts(organisation(seed, groups=6, cycles=60))
        for name, model in MODELS.items():
            p_hit = model(history, now)
            scored[name].append((auc(now.hit, p_hit), float(np.mean((p_hit - now.hit) ** 2))))
    rank, brier = ({name: np.mean(found, axis=0)[part] for name, found in scored.items()} for part in (0, 1))
    assert rank["ours"] > max(rank["linear pace"], rank["crude class"]) + 0.01
    assert brier["ours"] < min(brier["linear pace"], brier["crude class"]) - 0.01


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    score = np.array([0.2, 0.9, 0.4, 0.4, 0.7, 0.1])
    hit = np.array([False, True, True, False, False, False])
    pairs = [
        (score[h] > score[m]) + (score[h] == score[m]) / 2
        for h, m in product(np.flatnonzero(hit), np.flatnonzero(~hit))
    ]
    assert auc(hit, score) == pytest.approx(np.mean(pairs))


def test_probabilities_come_true_as_often_as_they_say() -> None:
    history, now = parts(organisation(7, groups=12, cycles=150), every=2)
    p_hit = target_probability(history, now).p_hit
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        inside = (p_hit >= low) & (p_hit < low + 0.2)
        assert np.mean(now.hit[inside]) == pytest.approx(np.mean(p_hit[inside]), abs=0.12)


def test_more_done_is_never_a_worse_chance() -> None:
    assert FORETOLD.not_monotone == []
    steps = np.linspace(0, 2.5, 120)
    points = list(product((0.0, 0.3, 0.65, 1.0), (8.0, 40.0), ("g0", "g2", "unseen")))
    rows = [(group, elapsed, step * scope, scope) for elapsed, scope, group in points for step in steps]
    group, elapsed, done, scope = (list(column) for column in zip(*rows, strict=True))
    names = [str(number) for number in range(len(rows))]
    looks = Observations(
        group, names, np.array(elapsed), np.array(done), np.array(scope), np.zeros(len(rows), dtype=np.bool_)
    )
    chance = target_probability(HISTORY, looks).p_hit.reshape(len(points), len(steps))
    assert (np.diff(chance, axis=1) >= -1e-9).all()
    at_start = np.array([elapsed == 0 for elapsed, _, _ in points])
    assert (chance[~at_start, -1] > chance[~at_start, 0]).all()


def test_a_history_that_contradicts_that_law_beyond_chance_is_followed_and_named() -> None:
    dice = np.random.default_rng(3)
    untracked = dice.random(300) < 0.5
    done = np.where(untracked, 0.0, 6.0)
    hit = dice.random(300) < np.where(untracked, 0.9, 0.1)
    names = [str(number) for number in range(300)]
    history = Observations(["kept late"] * 300, names, np.full(300, 0.5), done, np.full(300, 10.0), hit)
    two = Observations(
        ["kept late"] * 2, ["a", "b"], np.full(2, 0.5), np.array([0.0, 6.0]), np.full(2, 10.0), hit[:2]
    )
    found = target_probability(history, two)
    assert found.not_monotone == ["kept late"]
    assert found.p_hit[0] > 0.7
    assert found.p_hit[1] < 0.3


@settings(max_examples=4)
@given(st.permutations(range(len(HISTORY))), st.permutations(range(len(NOW))))
def test_order_of_rows_changes_nothing(history: list[int], now: list[int]) -> None:
    again = target_probability(HISTORY.take(np.array(history)), NOW.take(np.array(now)))
    assert (again.p_hit == FORETOLD.p_hit[now]).all()


def test_names_of_groups_and_cycles_change_nothing() -> None:
    def renamed(rows: Observations) -> Observations:
        turned = [str(hash(name) % 9973) + name[::-1] for name in rows.group]
        return replace(rows, group=turned, cycle=[f"{-int(name[1:])}" for name in rows.cycle])

    assert (target_probability(renamed(HISTORY), renamed(NOW)).p_hit == FORETOLD.p_hit).all()


def test_the_unit_of_a_group_changes_nothing() -> None:
    def rescaled(rows: Observations) -> Observations:
        unit = np.where(np.array(rows.group) == "g1", 0.125, 3.7)
        return replace(rows, done=rows.done * unit, scope=rows.scope * unit)

    assert target_probability(rescaled(HISTORY), rescaled(NOW)).p_hit == pytest.approx(
        FORETOLD.p_hit, abs=1e-6
    )


def test_a_look_is_foretold_from_itself_and_earlier_ones_only() -> None:
    early = np.flatnonzero(NOW.elapsed < 0.7)
    assert (target_probability(HISTORY, NOW.take(early)).p_hit == FORETOLD.p_hit[early]).all()


def test_a_cycle_weighs_the_same_however_often_it_was_looked_at() -> None:
    twice = HISTORY.take(np.repeat(np.arange(len(HISTORY)), 2))
    assert target_probability(twice, NOW).p_hit == pytest.approx(FORETOLD.p_hit, abs=0.02)


def test_an_unseen_group_gets_the_habits_of_the_whole() -> None:
    everybody = organisation(1, groups=14)
    unseen = np.isin(everybody.group, ["g0", "g1", "g2", "g3"])
    history, now = everybody.take(np.flatnonzero(~unseen)), everybody.take(np.flatnonzero(unseen))
    p_hit = target_probability(history, now).p_hit
    assert auc(now.hit, p_hit) > auc(now.hit, pace_rule(history, now))
    assert np.mean((p_hit - now.hit) ** 2) < np.mean((pace_rule(history, now) - now.hit) ** 2)


numbers = st.sampled_from([0.0, 1e-9, 0.5, 1.0, 3.0, 1e12])


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.floats(0, 1), numbers, numbers),
        min_size=2,
        max_size=30,
    ),
    st.integers(1, 63),
)
def test_any_input_gets_a_probability_between_0_and_1(
    rows: list[tuple[str, int, float, float, float]], hits: int
) -> None:
    group, cycle, elapsed, done, scope = zip(*rows, strict=True)
    hit = np.array([bool(hits >> number & 1) for number in cycle])
    some = Observations(
        group, [str(number) for number in cycle], np.array(elapsed), np.array(done), np.array(scope), hit
    )
    p_hit = target_probability(some, some).p_hit
    assert ((p_hit > 0) & (p_hit < 1)).all()


def test_without_a_history_there_is_no_forecast() -> None:
    with pytest.raises(ValueError, match="no history"):
        target_probability(HISTORY.take(np.array([], dtype=np.int64)), NOW)


def test_the_pace_view_is_where_its_penalised_likelihood_is_flat() -> None:
    groups = {group: number for number, group in enumerate(sorted(set(HISTORY.group)))}
    at = situations(HISTORY, groups, usual_scopes(HISTORY))
    hit = HISTORY.hit.astype(float)
    view = learn_pace_view(at, hit, len(groups), hold=4.0)

    def loss(intercepts: np.ndarray) -> float:
        own = view.groups.copy()
        own[:, 0] += intercepts
        odds = replace(view, groups=own, doubts=0 * view.doubts).log_odds(at, at.progress)[
            np.arange(len(at)), np.arange(len(at))
        ]
        surprise = -(hit * np.log(expit(odds)) + (1 - hit) * np.log(expit(-odds)))
        return float((at.weight * surprise).sum() + 4.0 * (own**2).sum() / 2)

    best = loss(np.zeros(len(groups)))
    for step in (*np.eye(len(groups)) * 0.05, *np.eye(len(groups)) * -0.05):
        assert loss(step) > best


def test_the_reference_class_by_hand() -> None:
    """The worked example of docs/method.md."""
    three = Observations(
        ["ours", "ours", "theirs"],
        ["1", "2", "3"],
        np.array([0.5, 0.5, 0.5]),
        np.array([4.0, 6.0, 4.0]),
        np.full(3, 10.0),
        np.array([False, True, True]),
    )
    at = situations(three, {"ours": 0, "theirs": 1}, {})
    now = at.take(np.array([0]))
    near = np.exp(-((0.2 / 0.12) ** 2) / 2)
    base = (2 + 0.5) / (3 + 1)
    whole = (near + 1 + 3 * base) / (1 + near + 1 + 3)
    group = (near + 6 * whole) / (1 + near + 6)
    assert expit(
        SimilarCycles(at, three.hit.astype(float)).log_odds(now, np.array([0.4]))[0, 0]
    ) == pytest.approx(group)
    assert (near, base, whole, group) == pytest.approx((0.249, 0.625, 0.595, 0.527), abs=5e-4)
