"""Observations read from CSV, and the answer written beside them. A wrong cell is named by file, line and field."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from scorecard.forecast.observations import Observations
from scorecard.forecast.target_probability import TargetForecast
from strategy import InputErrors, Problem

ANSWER = "p_hit"
_NAMES = ("group", "cycle")
_NUMBERS = ("elapsed", "done", "scope")
_OUTCOMES = {"1": True, "true": True, "0": False, "false": False}
_MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Table:
    """A CSV file as it came: its header, and each row with the line it starts on."""

    file: Path
    header: list[str]
    rows: list[tuple[int, list[str]]]

    def cell(self, row: int, column: str) -> str:
        """A cell of row number `row`, without the blanks around it; empty when there is no such column."""
        return self.rows[row][1][self.header.index(column)].strip() if column in self.header else ""


def read_history(file: Path) -> Observations:
    """Cycles that have ended: columns group, cycle, elapsed, done, scope, hit. InputErrors when one is wrong."""
    table = _read(file, required=(*_NAMES, *_NUMBERS, "hit"))
    if not table.rows:
        raise InputErrors(
            [Problem(file, 1, "", "there is no row under the header", "Give at least one ended cycle.")]
        )
    return _observations(table, ended=True)


def read_now(file: Path) -> tuple[Table, Observations]:
    """Running cycles: the same columns, of which `hit` may be empty or absent and is not read."""
    table = _read(file, required=(*_NAMES, *_NUMBERS))
    if ANSWER in table.header:
        mend = "Take the column out: the answer adds it."
        raise InputErrors([Problem(file, 1, ANSWER, "the file has this column already", mend)])
    return table, _observations(table, ended=False)


def write_csv(table: Table, forecast: TargetForecast, to: TextIO) -> None:
    """The rows as they came, in their order, and `p_hit`."""
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow([*table.header, ANSWER])
    writer.writerows([*cells, f"{p:.6f}"] for (_, cells), p in zip(table.rows, forecast.p_hit, strict=True))


def write_json(table: Table, forecast: TargetForecast, to: TextIO) -> None:
    """The same rows for programs, with how the probabilities were found; what is not known is null."""
    rows = [
        dict(zip(table.header, cells, strict=True)) | {ANSWER: round(float(p), 6)}
        for (_, cells), p in zip(table.rows, forecast.p_hit, strict=True)
    ]
    known = {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(forecast).items()
        if name != ANSWER
    }
    json.dump({"method": known, "rows": rows}, to, indent=2, ensure_ascii=False)
    to.write("\n")


def _read(file: Path, required: tuple[str, ...]) -> Table:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            lines = list(_lines(csv.reader(text, strict=True)))
    except OSError as error:
        raise InputErrors(
            [Problem(file, 1, "", f"cannot be read ({error.strerror})", "Check the path.")]
        ) from None
    except UnicodeDecodeError:
        raise InputErrors([Problem(file, 1, "", "is not UTF-8 text", "Save it as CSV in UTF-8.")]) from None
    except csv.Error as error:
        raise InputErrors([Problem(file, 1, "", f"is no sound CSV ({error})", "Check its quotes.")]) from None
    if not lines:
        raise InputErrors([Problem(file, 1, "", "is empty", f"Give it the columns {', '.join(required)}.")])
    header = [name.strip() for name in lines[0][1]]
    problems = [
        Problem(file, lines[0][0], name, "this column is missing", f"The columns are {', '.join(required)}.")
        for name in required
        if name not in header
    ]
    problems += [
        Problem(file, lines[0][0], name, "this column is there twice", "Keep one of them.")
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    mend = "Check its commas and quotes; a decimal sign is a point."
    problems += [
        Problem(file, line, "", f"this row has {len(cells)} cells, the header has {len(header)}", mend)
        for line, cells in lines[1:]
        if len(cells) != len(header)
    ]
    _refuse(problems)
    return Table(file, header, lines[1:])


def _lines(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the line they start on."""
    line = 1
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1  # type: ignore[attr-defined]  # csv.reader has it, its protocol does not


def _observations(table: Table, ended: bool) -> Observations:
    problems: list[Problem] = []

    def wrong(row: int, column: str, what: str, mend: str) -> None:
        problems.append(Problem(table.file, table.rows[row][0], column, what, mend))

    def number(row: int, column: str) -> float:
        text = table.cell(row, column)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        highest = 1.0 if column == "elapsed" else math.inf
        if not 0 <= value <= highest or math.isinf(value):
            span = "from 0 to 1, the share of the cycle's time" if column == "elapsed" else "of 0 or more"
            wrong(
                row, column, f"`{text}` is no number {span}" if text else "is empty", f"Give a number {span}."
            )
        return value

    everything = range(len(table.rows))
    for row in everything:
        for column in _NAMES:
            if not table.cell(row, column):
                wrong(row, column, "is empty", f"Name the {column}.")
    elapsed, done, scope = (
        np.array([number(row, column) for row in everything], dtype=np.float64) for column in _NUMBERS
    )
    outcomes = [_OUTCOMES.get(table.cell(row, "hit").lower()) if ended else False for row in everything]
    seen: dict[tuple[str, str], int] = {}
    for row, outcome in enumerate(outcomes):
        if outcome is None:
            text = table.cell(row, "hit")
            what = f"`{text}` is neither 1 nor 0" if text else "is empty"
            wrong(
                row,
                "hit",
                what,
                "Say with 1 or 0 how the cycle ended; a running one belongs into the file of --now.",
            )
            continue
        first = seen.setdefault((table.cell(row, "group"), table.cell(row, "cycle")), row)
        if outcomes[first] != outcome:
            what = f"is not what line {table.rows[first][0]} says of the same cycle"
            wrong(row, "hit", what, "A cycle ends one way: make its rows agree, or name its cycles apart.")
    _refuse(problems)
    group, cycle = ([table.cell(row, column) for row in everything] for column in _NAMES)
    return Observations(group, cycle, elapsed, done, scope, np.array(outcomes, dtype=np.bool_))


def _refuse(problems: list[Problem]) -> None:
    """Raise them, the first twenty by line; the rest are counted."""
    if len(problems) <= _MOST_PROBLEMS:
        if problems:
            raise InputErrors(problems)
        return
    problems.sort(key=lambda problem: problem.line)
    more = Problem(
        problems[_MOST_PROBLEMS].file,
        problems[_MOST_PROBLEMS].line,
        "",
        f"from here on there are {len(problems) - _MOST_PROBLEMS} problems more",
        "Mend the ones above first.",
    )
    raise InputErrors([*problems[:_MOST_PROBLEMS], more])
