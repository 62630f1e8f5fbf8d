"""Files that come twice, and files that come again with other content: what stands is what the files say now."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), keyed=st.booleans())
def test_after_any_corrections_what_stands_is_what_the_files_say(
    tmp_path_factory: pytest.TempPathFactory, seed: int, keyed: bool
) -> None:
    chance = random.Random(seed)
    folder = Folder(tmp_path_factory.mktemp("resends"), **(KEYED if keyed else {}))
    said: dict[str, dict[str, int]] = {}
    for moment in range(1, 6):
        # With keys of their own no two files speak of one document, without any two rows may be equal.
        name = chance.choice("ab")
        documents = chance.sample([f"{name}{n}" for n in range(6)], chance.randrange(1, 6))
        said[name] = {document: chance.randrange(1, 4) for document in documents}
        folder.write(f"{name}.csv", lines(**said[name]), modified=1_000_000_000 + moment)
        if chance.random() < 0.7:
            folder.pull()
    folder.pull()
    standing = sorted((record["posting"]["document"], Decimal(record["posting"]["amount"]))
                      for record in folder.ledger.values() if "gone" not in record)  # fmt: skip
    assert standing == sorted(
        (document, Decimal(amount)) for each in said.values() for document, amount in each.items()
    )
