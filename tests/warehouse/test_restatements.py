"""By which run a day was first told: the first that knew that the day was over."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.warehouse.warehouse_parts import memory_warehouse
from warehouse.ledger_mirror import LEDGER_COLUMNS, mirror
from warehouse.restatements import RestatedDay, Split, record_splits, restated_days

DAY = date(2026, 10, 7)
NOW = Decimal(99)


def at(day: int, hour: int) -> datetime:
    """A time of October in Berlin, where it is two hours later than in UTC."""
    return datetime(2026, 10, day, hour - 2, tzinfo=UTC)


def warehouse(*runs: tuple[datetime, int, int | None]) -> duckdb.DuckDBPyConnection:
    """Each run: when it reported, the day of October that it stood on, and what it told of DAY, if anything."""
    con = memory_warehouse()
    rows: list[dict[str, Any]] = []
    for number, (reported_at, as_of, value) in enumerate(runs, start=1):
        told = {DAY: value, date(2026, 10, as_of): value if as_of == DAY.day else 0}
        for day, said in told.items():
            if said is not None:
                about = {
                    "number": len(rows) + 1,
                    "run": number,
                    "reported_at": reported_at,
                    "as_of": date(2026, 10, as_of),
                }
                answer = {
                    "kr_id": "kr",
                    "date": day,
                    "value": said,
                    "progress": None,
                    "status": "green",
                    "definition": "d",
                }
                sealed = (
                    "run_id",
                    "strategy",
                    "computation",
                    "version",
                    "rule",
                    "reason",
                    "previous",
                    "hash",
                )
                rows.append(
                    {**dict.fromkeys(LEDGER_COLUMNS), **dict.fromkeys(sealed, "-"), **about, **answer}
                )
    mirror(con, rows)
    con.execute("create schema scorecard")
    con.execute(
        """
        create table scorecard.kr_daily as
        select 'kr' as kr_id, ?::date as date, ?::decimal(28, 6) as value, null::decimal(18, 6) as progress, 'green' as status
        """,
        [DAY, NOW],
    )
    return con


def found(
    con: duckdb.DuckDBPyConnection, *, simulated: bool = False, definition: str = "d"
) -> list[RestatedDay]:
    return restated_days(con, {"kr": definition}, "Europe/Berlin", simulated=simulated)


MORNINGS = ((at(7, 6), 7, 10), (at(8, 6), 8, 20), (at(9, 6), 9, 30))


def test_a_day_that_is_not_over_is_not_told_yet() -> None:
    (day,) = found(warehouse(*MORNINGS))
    assert (day.first_value, day.known_at, day.happened_by) == (Decimal(20), at(8, 6), at(8, 6))
    assert (day.value, day.same_definition) == (NOW, True)
    assert found(warehouse(MORNINGS[0])) == []


def test_an_answer_that_stood_the_next_morning_was_told_then() -> None:
    (day,) = found(warehouse(MORNINGS[0], (at(8, 6), 8, None), MORNINGS[2]))
    assert (day.first_value, day.known_at) == (Decimal(10), at(8, 6))


def test_a_day_is_over_at_midnight_where_the_cycle_is() -> None:
    late_evening, after_midnight = (
        datetime(2026, 10, 7, 21, 59, tzinfo=UTC),
        datetime(2026, 10, 7, 22, 0, tzinfo=UTC),
    )
    (day,) = found(warehouse((late_evening, 7, 10), (after_midnight, 7, 20), MORNINGS[2]))
    assert day.first_value == 20
    # What a run that stands on an earlier evening knows ends there.
    assert day.happened_by == after_midnight


def test_a_run_for_an_earlier_day_tells_nothing_of_it() -> None:
    (day,) = found(warehouse(MORNINGS[0], (at(8, 6), 5, None), MORNINGS[2]))
    assert (day.first_value, day.known_at) == (Decimal(30), at(9, 6))


def test_a_simulated_run_stands_at_the_end_of_its_day_whatever_the_clock_says() -> None:
    (day,) = found(warehouse(*MORNINGS), simulated=True)
    assert (day.first_value, day.known_at, day.happened_by) == (
        Decimal(10),
        at(7, 6),
        datetime(2026, 10, 7, 22, tzinfo=UTC),
    )


def test_a_day_that_reads_as_it_was_told_is_not_restated() -> None:
    assert found(warehouse((at(8, 6), 8, int(NOW)))) == []


@pytest.mark.parametrize(("definition", "stays"), [("d", True), ("another", False)])
def test_a_split_stays_until_the_day_or_its_definition_changes(definition: str, stays: bool) -> None:
    con = warehouse(*MORNINGS)
    found(con)
    record_splits(con, [Split("kr", DAY, Decimal(20), Decimal(50), None)], at(10, 6))

    def parts() -> Any:
        return con.execute(
            "select value_then, value_with_late, split_at from control.restated_days"
        ).fetchone()

    (day,) = found(con, definition=definition)
    assert day.same_definition is (definition == "d")
    assert (parts() == (20, 50, at(10, 6))) is stays
    con.execute("update scorecard.kr_daily set value = value + 1")
    found(con)
    assert parts() == (None, None, None)
