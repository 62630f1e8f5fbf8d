"""Files that come twice, and files that come again with other content: what stands is what the files say now."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.finance import bulk
from tests.connectors.finance_folder import Folder

HEADER = "Date,Account,Amount,Document\n"


def lines(**amounts: float) -> str:
    return HEADER + "".join(f"2026-10-05,4000,{amount},{document}\n" for document, amount in amounts.items())


KEYED = {"key": ["document"]}


def test_a_file_that_comes_twice_counts_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("gl.csv", lines(A=1, B=2))
    folder.write("gl (1).csv", lines(A=1, B=2), modified=1_100_000_000)
    assert folder.pull() == 2
    assert folder.standing == {"gl.csv:2": "1", "gl.csv:3": "2"}
    assert (folder.files["gl (1).csv"]["state"], folder.files["gl (1).csv"]["same_as"]) == ("copy", "gl.csv")
    folder.write("gl.csv", lines(A=1, B=3))
    assert folder.pull() == 2
    assert folder.standing == {"gl.csv:2": "1", "gl.csv:3": "3"}, (
        "the copy of what has been corrected is none of its own"
    )


def test_a_file_that_is_renamed_counts_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("gl.csv", lines(A=1))
    folder.pull()
    (folder.path / "gl.csv").rename(folder.path / "done-gl.csv")
    assert folder.pull() == 0
    assert folder.standing == {"gl.csv:2": "1"}


@pytest.mark.parametrize("layout", [{}, KEYED])
def test_what_a_corrected_file_says_no_more_is_gone(tmp_path: Path, layout: dict[str, list[str]]) -> None:
    folder = Folder(tmp_path, **layout)
    folder.write("gl.csv", lines(A=1, B=2, C=3))
    folder.pull()
    folder.write("gl.csv", lines(A=1, B=5))
    folder.pull()
    assert sorted(folder.standing.values()) == ["1", "5"]
    (gone,) = [record for record in folder.ledger.values() if record.get("gone")]
    assert (gone["posting"]["amount"], gone["posting"]["document"]) == ("3", "C")
    assert folder.files["gl.csv"]["gone"] == 1
    folder.write("gl.csv", lines(A=1, B=5, C=3))
    folder.pull()
    assert sorted(folder.standing.values()) == ["1", "3", "5"]


def test_a_row_that_another_file_still_says_stays(tmp_path: Path) -> None:
    folder = Folder(tmp_path, **KEYED)
    folder.write("a.csv", lines(A=1, B=2))
    folder.pull()
    folder.write("b.csv", lines(B=7))
    folder.pull()
    folder.write("a.csv", lines(A=1))
    folder.pull()
    assert folder.standing == {"A": "1", "B": "7"}


def test_another_key_in_the_layout_leaves_no_row_under_its_former_key(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("gl.csv", lines(A=1, B=2))
    folder.pull()
    folder.set(**KEYED)
    folder.pull()
    assert folder.standing == {"A": "1", "B": "2"}


def test_a_row_in_quarantine_is_gone_from_what_stands(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("gl.csv", lines(A=1, B=2))
    folder.pull()
    folder.write("gl.csv", lines(A=1, B=2).replace(",2,", ",two,"))
    folder.pull()
    assert folder.standing == {"gl.csv:2": "1"}


def test_that_what_was_landed_before_is_lost_is_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("gl.csv", lines(A=1, B=2))
    folder.pull()
    for path in folder.landing.root.rglob("*.manifest.json"):
        path.unlink()
    folder.write("gl.csv", lines(A=1))
    folder.pull()
    assert folder.files["gl.csv"]["gone"] is None


PLAN = {
    "into": "budget",
    "columns": {"month": "Date", "account": "Account", "amount": "Amount"},
    "key": ["account", "month"],
}
RATES = {
    "into": "rates",
    "columns": {"date": "Date", "currency": "Account", "rate": "Amount"},
    "constants": {},
    "key": ["currency", "date"],
}


def of_days(first: date, amounts: list[int], step: int = 1) -> str:
    """A file with a row a day from the first one on; the account, as the document, is named by the day."""
    days = [first + timedelta(step * n) for n in range(len(amounts))]
    rows = zip(days, amounts, strict=True)
    return HEADER + "".join(f"{day},A{day:%y%m%d},{amount},D{day:%y%m%d}\n" for day, amount in rows)


OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


@pytest.mark.parametrize("at_once", [False, True], ids=["row by row", "many at once"])
@pytest.mark.parametrize("layout", [KEYED, PLAN, RATES], ids=["ledger", "budget", "rates"])
def test_with_a_key_one_name_may_serve_period_after_period(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: dict[str, Any], at_once: bool
) -> None:
    if at_once:
        monkeypatch.setattr(bulk, "_LEAST_BYTES", 0)
    folder = Folder(tmp_path, **layout)
    # A row of each month, as budgets have months.
    year, next_year = of_days(OCTOBER, [1, 2, 3], 31), of_days(date(2027, 1, 2), [4, 5], 31)
    folder.write("gl.csv", year)
    folder.pull()
    folder.write("gl.csv", next_year)
    folder.pull()
    assert sorted(folder.amounts) == ["1", "2", "3", "4", "5"]
    assert (folder.files["gl.csv"]["gone"], folder.files["gl.csv"]["kept"]) == (0, 3)
    folder.write("gl.csv", year.replace("2026-11-01", "2026-10-30"))
    folder.pull()
    folder.write("gl.csv", "".join(year.splitlines(keepends=True)[::2]))
    folder.pull()
    assert sorted(folder.amounts) == ["2", "4", "5"], (
        "of its own days a file says what is gone, of others not"
    )


def test_without_a_key_another_period_under_the_same_name_is_refused_and_takes_nothing(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    folder.write("gl.csv", of_days(OCTOBER, [1] * 31))
    folder.write("gl_old.csv", of_days(date(2026, 9, 1), [2]))
    folder.pull()
    before = folder.standing
    november = of_days(NOVEMBER, [3] * 10)
    folder.write("gl.csv", november)
    folder.pull()
    said = folder.files["gl.csv"]
    assert (said["state"], folder.standing) == ("refused", before)
    assert (
        "its postings are of 2026-11-01 to 2026-11-10, and were of 2026-10-01 to 2026-10-31" in said["reason"]
    )
    assert "a file name of its own" in said["mend"]
    assert folder.pull() == 0
    (folder.path / "gl.csv").rename(folder.path / "gl_november.csv")
    folder.pull()
    assert sorted(folder.amounts) == ["1"] * 31 + ["2"] + ["3"] * 10
    assert folder.files["gl.csv"]["state"] == "gone", "the flag closes"


def test_a_key_is_a_way_out_for_a_file_that_was_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for first, amounts in ((OCTOBER, [1] * 31), (NOVEMBER, [3] * 10)):
        folder.write("gl.csv", of_days(first, amounts))
        folder.pull()
    folder.set(**KEYED)
    folder.pull()
    assert sorted(folder.amounts) == ["1"] * 31 + ["3"] * 10
    folder.set()
    folder.pull()
    assert folder.files["gl.csv"]["state"] == "refused", "rows by place would come in those of October"
    assert sorted(folder.amounts) == ["1"] * 31 + ["3"] * 10


def test_a_window_that_moves_on_loses_no_more_than_a_correction_would(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for day in range(12):
        folder.write("last_30_days.csv", of_days(OCTOBER + timedelta(day), [1] * 30))
        folder.pull()
    assert folder.files["last_30_days.csv"]["state"] == "refused"
    assert folder.ledger["last_30_days.csv:2"]["posting"]["date"] == "2026-10-10"
    folder.set(**KEYED)
    folder.pull()
    assert len(folder.standing) == 32


@pytest.mark.parametrize(
    ("layout", "content", "state", "standing"),
    [
        ({}, HEADER, "refused", 20),
        (KEYED, HEADER, "refused", 20),
        ({}, of_days(OCTOBER, [1] * 10), "refused", 20),
        (KEYED, of_days(OCTOBER, [1] * 10), "read", 20),
        ({}, of_days(OCTOBER, [1] * 11), "read", 11),
        (KEYED, of_days(OCTOBER, [1] * 11), "read", 11),
    ],
)
def test_a_file_that_lost_half_of_its_days_takes_nothing_with_it(
    tmp_path: Path, layout: dict[str, Any], content: str, state: str, standing: int
) -> None:
    folder = Folder(tmp_path, **layout)
    folder.write("gl.csv", of_days(OCTOBER, [1] * 20))
    folder.pull()
    folder.write("gl.csv", content)
    folder.pull()
    assert (folder.files["gl.csv"]["state"], len(folder.standing)) == (state, standing)


def test_a_few_postings_may_be_corrected_away_with_their_days(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("gl.csv", of_days(OCTOBER, [1] * 20))
    folder.pull()
    folder.write("gl.csv", of_days(OCTOBER + timedelta(9), [2] * 20))
    folder.pull()
    assert sorted(folder.amounts) == ["2"] * 20


def test_a_copy_of_another_period_takes_nothing_either(tmp_path: Path) -> None:
    folder = Folder(tmp_path, **KEYED)
    october, november = of_days(OCTOBER, [1] * 31), of_days(NOVEMBER, [2] * 10)
    folder.write("gl.csv", october)
    folder.write("gl_november.csv", november)
    folder.pull()
    folder.write("gl.csv", november)
    folder.pull()
    assert sorted(folder.amounts) == ["1"] * 31 + ["2"] * 10
    folder.write("gl.csv", october.replace("2026-10-20,A261020,1,D261020\n", ""))
    folder.pull()
    assert sorted(folder.amounts) == ["1"] * 30 + ["2"] * 10, (
        "also what stood beside the copy may be corrected"
    )
    folder.set()
    folder.write("gl.csv", november)
    folder.pull()
    assert folder.files["gl.csv"]["state"] == "refused"


def test_another_period_is_refused_where_landing_cannot_tell_what_would_be_lost(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("gl.csv", of_days(OCTOBER, [1] * 3))
    folder.pull()
    for path in folder.landing.root.rglob("*.manifest.json"):
        path.unlink()
    folder.write("gl.csv", of_days(NOVEMBER, [1] * 3))
    folder.pull()
    assert folder.files["gl.csv"]["state"] == "refused"


def test_a_posting_that_went_over_into_another_period_stays_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path, **KEYED)
    october, moved = of_days(OCTOBER, [1] * 31), "2026-11-05,A,7,D261020\n"
    without = october.replace("2026-10-20,A261020,1,D261020\n", "")
    for content in (october, of_days(NOVEMBER, [2] * 10) + moved, of_days(date(2026, 12, 1), [3]), without):
        folder.write("gl.csv", content)
        folder.pull()
    assert folder.standing["D261020"] == "7"
    assert folder.files["gl.csv"]["gone"] == 0


def test_the_same_file_read_with_mended_dates_replaces_all_of_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path, date_format="%d/%m/%Y", **KEYED)
    folder.write("gl.csv", HEADER + "".join(f"10/{n + 1:02}/2026,4000,1,D{n}\n" for n in range(12)))
    folder.pull()
    folder.set(date_format="%m/%d/%Y", key=["document", "date"])
    folder.pull()
    assert {record["posting"]["date"][:7] for record in folder.ledger.values() if "gone" not in record} == {
        "2026-10"
    }


Said = dict[str, tuple[date, int]]


class Oracle:
    """The law of re-sends in plain Python: ``standing`` is what a file said of its days last, document to (day, amount)."""

    def __init__(self, keyed: bool) -> None:
        self.keyed = keyed
        self.standing: Said = {}
        self.last: Said = {}
        self.let_go = 0
        self.gone = 0

    def read(self, now: Said) -> None:
        if now == self.last:
            return
        before = {*self.standing}
        if self.last:
            (first, last), (begin, end) = (
                (min(days), max(days))
                for days in ([day for day, _ in said.values()] for said in (self.last, now))
            )
            left = {document for document, (day, _) in self.last.items() if not begin <= day <= end}
            moved = (begin > first and end > last) or (begin < first and end < last)
            other = moved or (len(left) >= 10 and 2 * len(left) >= len(self.last))
            if other and not self.keyed:
                if len(left) + self.let_go >= 10:
                    return
                self.let_go += len(left)
            stays = left if other and self.keyed else set()
            self.standing = {
                document: (day, amount)
                for document, (day, amount) in self.standing.items()
                if document in stays or (document not in self.last and not begin <= day <= end)
            }
        self.standing |= now
        self.last = now
        self.gone = len(before - {*self.standing})


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), keyed=st.booleans())
def test_after_any_corrections_what_stands_is_what_the_files_say(
    tmp_path_factory: pytest.TempPathFactory, seed: int, keyed: bool
) -> None:
    chance = random.Random(seed)
    folder = Folder(tmp_path_factory.mktemp("resends"), **(KEYED if keyed else {}))
    said: dict[str, Said] = {}
    oracles = {name: Oracle(keyed) for name in "ab"}
    for moment in range(1, 9):
        # No two files speak of one document.
        name = chance.choice("ab")
        begin = chance.choice([0, 0, 5, 20, 40])
        documents = range(begin, begin + chance.choice([3, 12, 25, 40]))
        said[name] = {
            f"{name}{n}": (
                OCTOBER + timedelta(n if chance.random() < 0.95 else n + 30),
                chance.randrange(1, 3),
            )
            for n in documents
            if chance.random() < 0.9 or n == begin
        }
        rows = "".join(f"{day},4000,{amount},{document}\n" for document, (day, amount) in said[name].items())
        folder.write(f"{name}.csv", HEADER + rows, modified=1_000_000_000 + moment)
        if chance.random() < 0.8 or moment == 8:
            folder.pull()
            for each, now in said.items():
                oracles[each].read(now)
                assert not keyed or folder.files[f"{each}.csv"]["gone"] == oracles[each].gone
            standing = sorted(
                (posting["document"], posting["date"], posting["amount"])
                for posting in (
                    record["posting"] for record in folder.ledger.values() if "gone" not in record
                )
            )
            assert standing == sorted(
                (document, str(day), str(amount))
                for oracle in oracles.values()
                for document, (day, amount) in oracle.standing.items()
            )
