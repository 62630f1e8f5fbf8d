"""What a run adds to the ledger, and the warehouse's copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.connection import connect
from warehouse.control import create_control_tables
from warehouse.ledger_mirror import ANSWER_COLUMNS, LEDGER_COLUMNS, ledger_head, mirror, strayed, unreported

DAYS = [date(2026, 10, 5), date(2026, 10, 6), date(2026, 10, 7)]
DEFINITIONS = {"a": "da", "b": "db"}


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(tmp_path / "warehouse.duckdb") as connection:
        create_control_tables(connection)
        connection.execute("create schema scorecard; create schema strategy")
        connection.execute(
            """
            create table scorecard.kr_daily as
            select kr_id, date, cast(10 as decimal(28, 6)) as value,
                cast(0.5 as decimal(18, 6)) as progress, 'green' as status, 'pace' as rule, 'fine' as reason
            from (select unnest(['a', 'b']) as kr_id) cross join (select unnest(?) as date)
            """,
            [DAYS],
        )
        connection.execute(
            """
            create table scorecard.kr_current as
            select kr_id, date as as_of, cast(9 as decimal(28, 6)) as value_strict, date + 21 as soon_on,
                cast(1 as decimal(28, 6)) as soon_p10, cast(2 as decimal(28, 6)) as soon_p90,
                cast(0.5 as decimal(9, 6)) as soon_p_met,
                date + 80 as end_on, cast(3 as decimal(28, 6)) as end_p10, cast(4 as decimal(28, 6)) as end_p90,
                cast(0.7 as decimal(9, 6)) as end_p_met
            from scorecard.kr_daily where date = ?
            """,
            [DAYS[-1]],
        )
        connection.execute(
            """
            create table strategy.strategy_key_results as
            select kr_id, cast(0 as decimal(28, 6)) as baseline, cast(100 as decimal(28, 6)) as target,
                cast(null as decimal(28, 6)) as band_low, cast(null as decimal(28, 6)) as band_high
            from (select unnest(['a', 'b']) as kr_id)
            """
        )
        yield connection


def lines(answers: list[Any], first: int, run: int) -> list[dict[str, Any]]:
    """Answers as rows of control.ledger, numbered from `first`."""
    about = dict.fromkeys(("run_id", "strategy", "computation", "version", "previous"), "x")
    moment = {"reported_at": f"2026-10-0{run}T10:00:00.123456Z", "as_of": "2026-10-07", "run": run}
    return [
        {**answer, **about, **moment, "number": number, "hash": f"h{number}"}
        for number, answer in enumerate(answers, start=first)
    ]


def asked(answers: list[Any]) -> list[tuple[str, date]]:
    return [(answer["kr_id"], answer["date"]) for answer in answers]


def test_a_first_run_reports_every_day_and_a_second_only_its_last(con: duckdb.DuckDBPyConnection) -> None:
    first = unreported(con, DEFINITIONS)
    assert asked(first) == [(kr, day) for kr in "ab" for day in DAYS]
    assert set(first[0]) == set(ANSWER_COLUMNS)
    assert {(answer["kr_id"], answer["definition"]) for answer in first} == set(DEFINITIONS.items())
    mirror(con, lines(first, 2, 1))
    assert asked(unreported(con, DEFINITIONS)) == [("a", DAYS[-1]), ("b", DAYS[-1])]


@pytest.mark.parametrize(
    "change",
    [
        "scorecard.kr_daily set value = 11 where date = '2026-10-05' and kr_id = 'b'",
        "scorecard.kr_daily set value = null where date = '2026-10-05' and kr_id = 'b'",
        "scorecard.kr_daily set status = 'amber' where date = '2026-10-05' and kr_id = 'b'",
        "scorecard.kr_daily set rule = 'band' where date = '2026-10-05' and kr_id = 'b'",
        "scorecard.kr_daily set progress = 0.4 where date = '2026-10-05' and kr_id = 'b'",
    ],
)
def test_an_earlier_day_is_reported_again_when_its_answer_is_another(
    con: duckdb.DuckDBPyConnection, change: str
) -> None:
    mirror(con, lines(unreported(con, DEFINITIONS), 2, 1))
    con.execute(f"update {change}")
    second = unreported(con, DEFINITIONS)
    assert asked(second) == [("a", DAYS[-1]), ("b", DAYS[0]), ("b", DAYS[-1])]
    mirror(con, lines(second, 9, 2))
    assert asked(unreported(con, DEFINITIONS)) == [("a", DAYS[-1]), ("b", DAYS[-1])]


def test_other_words_for_the_same_answer_are_no_other_answer(con: duckdb.DuckDBPyConnection) -> None:
    mirror(con, lines(unreported(con, DEFINITIONS), 2, 1))
    con.execute("update scorecard.kr_daily set reason = 'still fine'")
    assert asked(unreported(con, DEFINITIONS)) == [("a", DAYS[-1]), ("b", DAYS[-1])]


@pytest.mark.parametrize("change", ["target = 90", "baseline = 1", "band_low = 3"])
def test_every_day_is_reported_again_under_another_target(
    con: duckdb.DuckDBPyConnection, change: str
) -> None:
    mirror(con, lines(unreported(con, DEFINITIONS), 2, 1))
    con.execute(f"update strategy.strategy_key_results set {change} where kr_id = 'a'")
    assert asked(unreported(con, DEFINITIONS)) == [*(("a", day) for day in DAYS), ("b", DAYS[-1])]


def test_a_value_without_suspect_records_is_reported_for_the_last_day(con: duckdb.DuckDBPyConnection) -> None:
    first = unreported(con, DEFINITIONS)
    strict = {answer["date"]: answer["value_strict"] for answer in first}
    assert strict == {DAYS[0]: None, DAYS[1]: None, DAYS[2]: 9}
    mirror(con, lines(first, 2, 1))
    con.execute("update scorecard.kr_current set as_of = '2026-10-08'")
    assert asked(unreported(con, DEFINITIONS)) == [("a", DAYS[-1]), ("b", DAYS[-1])]


def test_every_day_is_reported_again_under_another_definition(con: duckdb.DuckDBPyConnection) -> None:
    mirror(con, lines(unreported(con, DEFINITIONS), 2, 1))
    assert len(unreported(con, {**DEFINITIONS, "a": "other"})) == 4


def test_the_copy_takes_each_line_once_and_knows_the_newest(con: duckdb.DuckDBPyConnection) -> None:
    assert ledger_head(con) is None
    rows = lines(unreported(con, DEFINITIONS), 2, 1)
    mirror(con, rows[:2])
    mirror(con, rows)
    mirror(con, rows)
    assert con.execute("select number from control.ledger order by 1").fetchall() == [
        (n,) for n in range(2, 8)
    ]
    assert ledger_head(con) == {"number": 7, "hash": "h7"}


@pytest.mark.parametrize("column", [column for column in LEDGER_COLUMNS if column != "number"])
def test_a_change_in_the_copy_is_seen(con: duckdb.DuckDBPyConnection, column: str) -> None:
    rows = lines(unreported(con, DEFINITIONS), 2, 1)
    mirror(con, rows)
    assert strayed(con, rows) == []
    others: dict[str, object] = {
        "VARCHAR": "other", "BIGINT": 7, "DATE": "2026-11-11", "TIMESTAMP WITH TIME ZONE": "2026-11-11T00:00:00Z",
    }  # fmt: skip
    (kind,) = con.execute(f"select typeof({column}) from control.ledger").fetchall()[0]
    value = others.get(kind, Decimal("7.5"))
    con.execute(f"update control.ledger set {column} = ? where number = 4", [value])
    assert strayed(con, rows) == [4]
    assert strayed(con, [row for row in rows if row["number"] != 6]) == [4, 6]
