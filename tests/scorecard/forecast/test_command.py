"""`plumbline forecast` as a user runs it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from scorecard.forecast import Observations, target_probability
from tests.command_line import Answer, plumbline
from tests.scorecard.forecast.organisations import organisation, parts

HEADER = "group,cycle,elapsed,done,scope,hit\n"


def lines(rows: Observations, ended: bool) -> str:
    columns = (rows.group, rows.cycle, rows.elapsed, rows.done, rows.scope)
    hits = rows.hit.astype(int).astype(str) if ended else [""] * len(rows)
    return "".join(",".join(map(str, row)) + "\n" for row in zip(*columns, hits, strict=True))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    history, now = parts(organisation(2, cycles=12))
    (tmp_path / "H.csv").write_text(HEADER + lines(history, ended=True))
    (tmp_path / "N.csv").write_text(HEADER + lines(now, ended=False))
    return tmp_path / "H.csv", tmp_path / "N.csv"


def forecast(files: tuple[Path, Path], *more: str | Path) -> Answer:
    return plumbline("forecast", "--history", files[0], "--now", files[1], *more)


def test_the_rows_come_back_as_they_were_with_a_probability(files: tuple[Path, Path]) -> None:
    answer = forecast(files)
    assert (answer.code, answer.err) == (0, "")
    came = list(csv.reader(files[1].read_text().splitlines()))
    given = list(csv.reader(answer.out.splitlines()))
    assert given[0] == [*came[0], "p_hit"]
    assert [row[:-1] for row in given[1:]] == came[1:]
    history, now = parts(organisation(2, cycles=12))
    assert [float(row[-1]) for row in given[1:]] == pytest.approx(
        target_probability(history, now).p_hit, abs=1e-6
    )


def test_json_and_file_say_the_same(files: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "answer.csv"
    assert forecast(files, "--out", out).out == ""
    answer = json.loads(forecast(files, "--json").out)
    assert [row["p_hit"] for row in answer["rows"]] == [
        float(row["p_hit"]) for row in csv.DictReader(out.open())
    ]
    assert answer["method"]["cycles"] == 32


def test_other_columns_other_order_and_other_words_are_welcome(files: tuple[Path, Path]) -> None:
    history, now = files
    plain = [line.split(",") for line in history.read_text().splitlines()]
    words = {"1": "TRUE", "0": "false", "hit": "hit"}
    turned = "".join(
        f'{words[row[5]]},{row[4]},{row[3]},{row[2]},{row[0]},{row[1]},"a, b"\r\n' for row in plain
    )
    turned = turned.replace('"a, b"', "note", 1)
    expected = forecast(files).out
    history.write_bytes(b"\xef\xbb\xbf" + turned.encode())
    now.write_text("".join(line.rpartition(",")[0] + "\n" for line in now.read_text().splitlines()))
    probabilities = [line.rpartition(",")[2] for line in forecast(files).out.splitlines()]
    assert probabilities == [line.rpartition(",")[2] for line in expected.splitlines()]


def test_a_running_cycle_says_nothing_about_itself(files: tuple[Path, Path]) -> None:
    expected = forecast(files).out
    history, now = files
    both = now.read_text().replace(HEADER, "").replace(",\n", ",1\n")
    history.write_text(history.read_text() + both)
    answer = forecast(files)
    assert answer.out == expected
    assert "left out 16 cycles" in answer.err


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        ("a,1,1.2,1,2,1", "elapsed", "from 0 to 1"),
        ("a,1,0.5,,2,1", "done", "is empty"),
        ("a,1,0.5,-1,2,1", "done", "0 or more"),
        ("a,1,0.5,1,nan,1", "scope", "`nan`"),
        ("a,1,0.5,1,inf,1", "scope", "`inf`"),
        ("a,,0.5,1,2,1", "cycle", "is empty"),
        (",1,0.5,1,2,1", "group", "is empty"),
        ("a,1,0.5,1,2,yes", "hit", "`yes` is neither 1 nor 0"),
        ("a,1,0.5,1,2,", "hit", "belongs into the file of --now"),
        ("b,7,0.5,1,2,0", "hit", "line 2"),
        ("a,1,0.5,1,2", "", "5 cells"),
        ("a,1,0,5,1,2,1", "", "7 cells"),
    ],
)
def test_a_wrong_row_is_named_with_file_line_and_field(
    files: tuple[Path, Path], row: str, field: str, said: str
) -> None:
    files[0].write_text(f"{HEADER}b,7,0.5,1,2,1\n\n{row}\n")
    answer = forecast(files)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith(f"{files[0]}:4: {field}")
    assert said in answer.err


@pytest.mark.parametrize(
    ("which", "text", "said"),
    [
        (0, "", "is empty"),
        (0, HEADER, "at least one ended cycle"),
        (0, "group,cycle,elapsed,done,scope\n", "hit: this column is missing"),
        (1, "group,cycle,elapsed,done,scope,done\n", "done: this column is there twice"),
        (1, "group,cycle,elapsed,done,scope,p_hit\n", "p_hit: the file has this column already"),
        (1, None, "Check the path"),
    ],
)
def test_a_wrong_file_is_named(files: tuple[Path, Path], which: int, text: str | None, said: str) -> None:
    if text is None:
        files[which].unlink()
    else:
        files[which].write_text(text)
    answer = forecast(files)
    assert answer.code == 2
    assert str(files[which]) in answer.err
    assert said in answer.err


def test_a_file_of_wrong_rows_does_not_flood_the_terminal(files: tuple[Path, Path]) -> None:
    files[1].write_text(HEADER + "a,1,2,1,1,\n" * 500)
    answer = forecast(files)
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 21
    assert "480 problems more" in answer.err


def test_no_running_cycle_is_no_error(files: tuple[Path, Path]) -> None:
    files[1].write_text(HEADER)
    assert forecast(files).out == HEADER.strip() + ",p_hit\n"
    assert np.isclose(json.loads(forecast(files, "--json").out)["method"]["brier"], 0.12, atol=0.12)
