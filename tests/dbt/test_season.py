"""The pace seasonal expects what earlier periods had reached by the same day, as plain Python finds it in the postings."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction

import pytest

from tests.dbt.scratch_project import KeyResult, ScratchProject

START, END, AS_OF = date(2026, 10, 5), date(2027, 1, 3), date(2026, 12, 30)
LENGTH = (END - START).days + 1
# The history holds four whole periods and, before them, a day that belongs to none.
HISTORY_START = START - timedelta(days=4 * LENGTH + 1)
POSTINGS = {"sum": "1", "count": "1", "young": "2", "one-empty": "3"}
"""Key result -> the account that it measures."""


def _postings() -> list[tuple[date, str, int]]:
    """Day, account and amount: account 2 has existed for one period only, account 3 has one without any posting."""
    chance = random.Random(8)
    found = []
    for number in range((AS_OF - HISTORY_START).days + 1):
        day = HISTORY_START + timedelta(days=number)
        period = (START - day).days // LENGTH if day < START else -1
        for account in ("1", "2", "3"):
            if (account == "2" and period > 0) or (account == "3" and period == 1):
                continue
            # Much of a period comes at its end.
            late = (START - timedelta(days=1) - day).days % LENGTH < 20
            found += [
                (day, account, chance.randrange(-20, 100)) for _ in range(chance.randrange(4 if late else 2))
            ]
    return found


ENTRIES = _postings()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """Four seasonal key results over the same ledger."""
    key_results = [
        KeyResult(
            name,
            {
                "table": "ledger_entries", "aggregate": "count" if name == "count" else "sum", "at": "date",
                "at_is_timestamp": False, "filter": f"account = '{account}'",
                **({} if name == "count" else {"column": "amount"}),
            },
            kind="accumulate", target="5000", pace="seasonal",
        )
        for name, account in POSTINGS.items()
    ]  # fmt: skip
    project = ScratchProject(
        tmp_path_factory.mktemp("season"), key_results, variables={"history_start": HISTORY_START.isoformat()}
    )
    project.write()
    project.land(
        "finance_ledger",
        {
            str(number): {
                "key": str(number),
                "posting": {"date": day.isoformat(), "account": account, "amount": str(amount)},
            }
            for number, (day, account, amount) in enumerate(ENTRIES)
        },
    )
    project.begin(AS_OF)
    project.build("kr_daily")
    return project


def _shares(name: str, day: date) -> list[Fraction]:
    """What share of its total each earlier period had reached by the day that stands where `day` does."""
    shares = []
    for back in range(1, 5):
        first = START - timedelta(days=back * LENGTH)
        weights = [
            (on, 1 if name == "count" else amount)
            for on, account, amount in ENTRIES
            if account == POSTINGS[name] and first <= on < first + timedelta(days=LENGTH)
        ]
        total = sum(weight for _, weight in weights)
        by_then = sum(weight for on, weight in weights if on <= day - timedelta(days=back * LENGTH))
        shares += [Fraction(by_then, total)] if total else []
    return shares


@pytest.mark.parametrize("name", POSTINGS)
def test_every_day_expects_the_average_share_of_the_periods_before(built: ScratchProject, name: str) -> None:
    rows = built.rows(
        f"select date, expected_progress, pace, progress from scorecard.kr_daily where kr_id = '{name}'"
    )
    assert len(rows) == (AS_OF - START).days + 1
    for row in rows:
        shares = _shares(name, row["date"])
        assert len(shares) == {"young": 1, "one-empty": 3}.get(name, 4)
        elapsed = Fraction((row["date"] - START).days + 1, LENGTH)
        expected = sum(shares, Fraction(0)) / len(shares) if len(shares) > 1 else elapsed
        assert float(row["expected_progress"]) == pytest.approx(float(expected), abs=2e-6), row["date"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sum", " That is the season of the 4 periods before."),
        ("one-empty", " That is the season of the 3 periods before."),
        ("young", " It has no season yet (1 of the 2 earlier periods that this takes), so an even pace is expected."),
    ],
)  # fmt: skip
def test_the_sentence_says_what_was_expected(built: ScratchProject, name: str, said: str) -> None:
    reasons = built.rows(f"select reason from scorecard.rule_pace where kr_id = '{name}'")
    assert all(row["reason"].endswith(said) for row in reasons)
