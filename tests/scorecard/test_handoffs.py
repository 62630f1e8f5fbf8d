"""The drawn finish of a hand-off against the exact distribution, and the laws that it keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scorecard.handoffs import HORIZON_DAYS, HandoffDay, handoff_finish, working_days_left

MONDAY = date(2026, 10, 5)
CHRISTMAS = [date(2026, 12, 25), date(2027, 1, 1)]

days = st.builds(
    HandoffDay,
    handoff_id=st.sampled_from(["a", "b", "c"]),
    date=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    done=st.integers(0, 60),
    open=st.integers(0, 60),
    under_way=st.integers(0, 10),
    returned=st.integers(0, 10),
    done_in_window=st.integers(0, 60),
    delivery_days_in_window=st.integers(0, 20),
    working_days_in_window=st.integers(0, 20),
    giver_done_in_4_weeks=st.integers(0, 200),
    giver_open=st.integers(0, 300),
)


def _working_days_until(start: date, end: date) -> int:
    following = (start + timedelta(days=number) for number in range(1, (end - start).days + 1))
    return sum(day.weekday() < 5 and day not in CHRISTMAS for day in following)


@pytest.mark.parametrize(
    "day",
    [
        HandoffDay("it", MONDAY, 12, 4, 0, 0, 12, 12, 20, 100, 40),
        HandoffDay("it", MONDAY, 0, 20, 0, 0, 0, 0, 20, 100, 40),
        HandoffDay("it", MONDAY, 3, 1, 0, 1, 3, 3, 6, 100, 40),
        HandoffDay("it", MONDAY, 30, 16, 0, 0, 30, 3, 20, 100, 40),
        HandoffDay("it", MONDAY, 2, 8, 5, 4, 2, 2, 10, 100, 40),
        HandoffDay("it", MONDAY, 60, 60, 0, 0, 60, 19, 20, 100, 60),
    ],
    ids=["steady", "not begun", "nearly done", "in batches", "under way and returned", "well known"],
)
def test_the_draws_agree_with_the_exact_distribution(day: HandoffDay) -> None:
    finish = handoff_finish(day, CHRISTMAS)
    batch = max((20 - 20 * 0.95**day.done_in_window + 2) / (day.delivery_days_in_window + 2), 1)
    habit = day.giver_done_in_4_weeks / 20 * (day.open + day.done) / (day.giver_open + day.done) / batch
    deliveries = (day.done_in_window + day.under_way) / batch + 2
    shape = 1 / (1 / deliveries + 1 / 25)
    observed = day.working_days_in_window + 2 / habit
    left = max(day.open / (1 - day.returned / (day.done + day.returned + 2)) / batch, 1)
    assert finish.items_per_week == pytest.approx(5 * batch * deliveries / observed)
    for share, on in ((0.5, finish.p50_on), (0.85, finish.p85_on)):
        # A gamma time at a gamma rate is a beta prime.
        exact = stats.betaprime.ppf(share, left, shape) * observed * shape / deliveries
        if on is None:
            assert exact > 0.95 * HORIZON_DAYS
        else:
            assert _working_days_until(MONDAY, on) == pytest.approx(exact, rel=0.05, abs=1)


def test_however_much_was_seen_the_weeks_to_come_may_differ() -> None:
    """The band of a hand-off that is known by a thousand deliveries, against the exact one of a rate known by 25."""
    day = HandoffDay(
        "it", MONDAY, 1000, 1000, 0, 0, 1000, 20, 20, giver_done_in_4_weeks=1000, giver_open=1000
    )
    low, high = np.quantile(working_days_left(day), (0.1, 0.9))
    exact = stats.invgamma.ppf((0.1, 0.9), 1 / (1 / 1002 + 1 / 25))
    assert high / low == pytest.approx(exact[1] / exact[0], rel=0.03)


def test_it_looks_no_slower_for_being_nearly_finished() -> None:
    begun = HandoffDay("it", MONDAY, 10, 30, 0, 0, 10, 10, 20, giver_done_in_4_weeks=40, giver_open=60)
    nearly = replace(begun, done=38, open=2, giver_open=32)
    assert handoff_finish(nearly, []).items_per_week == pytest.approx(
        handoff_finish(begun, []).items_per_week
    )


def test_a_batch_is_one_proof_of_throughput() -> None:
    even = HandoffDay("it", MONDAY, 12, 12, 0, 0, 12, 12, 20, giver_done_in_4_weeks=40, giver_open=60)
    at_once = replace(even, delivery_days_in_window=1)
    steady, lumpy = (np.quantile(working_days_left(day), (0.1, 0.9)) for day in (even, at_once))
    assert lumpy[0] < steady[0]
    assert lumpy[1] > steady[1]


def test_what_comes_back_must_be_delivered_again() -> None:
    smooth = HandoffDay("it", MONDAY, 8, 12, 0, 0, 8, 8, 20, giver_done_in_4_weeks=40, giver_open=60)
    returning = replace(smooth, returned=10)
    assert np.median(working_days_left(returning)) > 1.7 * np.median(working_days_left(smooth))


@given(days)
def test_it_is_never_done_before_the_day_and_the_likely_end_comes_first(day: HandoffDay) -> None:
    finish = handoff_finish(day, CHRISTMAS)
    assert finish == handoff_finish(day, CHRISTMAS)
    assert finish.sure_on == finish.p85_on
    surer = handoff_finish(day, CHRISTMAS, confidence=0.95).sure_on
    assert surer is None or (finish.p85_on is not None and surer >= finish.p85_on)
    assert handoff_finish(day, CHRISTMAS, confidence=0.5).sure_on == finish.p50_on
    if finish.p85_on is not None:
        assert finish.p50_on is not None
        assert day.date < finish.p50_on <= finish.p85_on
        assert finish.p85_on.weekday() < 5
        assert finish.p85_on not in CHRISTMAS


@given(days, st.integers(1, 40))
def test_more_left_to_do_is_never_done_sooner(day: HandoffDay, more: int) -> None:
    # By a giver whose list grows by nothing else, so that its habit stays the same.
    day = replace(day, open=max(day.open, 1), giver_open=day.open + 200)
    later = replace(
        day, open=day.open + more, giver_done_in_4_weeks=0, done_in_window=max(day.done_in_window, 1)
    )
    sooner = replace(day, giver_done_in_4_weeks=0, done_in_window=max(day.done_in_window, 1))
    first, second = handoff_finish(sooner, []), handoff_finish(later, [])
    assert first.items_per_week == second.items_per_week
    if second.p85_on is not None:
        assert first.p85_on is not None
        assert (first.p85_on - day.date).days <= 1.1 * (second.p85_on - day.date).days + 4


def test_what_never_moves_is_not_in_sight() -> None:
    still = HandoffDay("it", MONDAY, 0, 5, 0, 0, 0, 0, 20, giver_done_in_4_weeks=0, giver_open=50)
    assert handoff_finish(still, []) == handoff_finish(still, [])
    assert handoff_finish(still, []).p85_on is None
    assert handoff_finish(still, []).items_per_week == 0


def test_the_example_in_the_method_is_right() -> None:
    day = HandoffDay("it", MONDAY, 0, 20, 0, 0, 0, 0, 20, giver_done_in_4_weeks=100, giver_open=40)
    finish = handoff_finish(day, [])
    assert round(finish.items_per_week, 2) == 0.48
    assert finish.p85_on is None
    shape = 2 / (1 + 2 / 25)
    assert round(stats.betaprime.ppf(0.85, 20, shape) * 20.8 * shape / 2) == 651
    text = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
    example = next(part for part in text.split("*Example.*") if part.startswith(" 20 items are open"))
    for number in ("2.5 a day", "20.8 days", "0.48 items a week", "1.852", "651\nworking days"):
        assert number in example
