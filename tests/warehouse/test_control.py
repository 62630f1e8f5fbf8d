"""The control tables hold the current run and everything that checks ever said."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.warehouse.warehouse_parts import memory_warehouse, rows
from warehouse.control import (
    CheckResult,
    ConfiguredStream,
    KeyResultInput,
    begin_run,
    create_control_tables,
    current_run,
    latest_checks,
    record_checks,
    run_checks,
    set_addresses,
    set_kr_inputs,
    set_streams,
)


@pytest.mark.parametrize(
    ("as_of", "zone", "ends"),
    [
        (date(2026, 10, 23), "Europe/Berlin", datetime(2026, 10, 23, 22, tzinfo=UTC)),
        # The day on which the clocks go back has 25 hours.
        (date(2026, 10, 25), "Europe/Berlin", datetime(2026, 10, 25, 23, tzinfo=UTC)),
        (date(2026, 10, 30), "America/New_York", datetime(2026, 10, 31, 4, tzinfo=UTC)),
        # Here midnight does not exist on the day after: the day begins at one o'clock.
        (date(2024, 9, 7), "America/Santiago", datetime(2024, 9, 8, 4, tzinfo=UTC)),
    ],
)
def test_a_run_ends_with_its_day_in_the_cycles_time_zone(as_of: date, zone: str, ends: datetime) -> None:
    con = memory_warehouse()
    begin_run(con, "before", date(2020, 1, 1), zone)
    run = begin_run(con, "now", as_of, zone)
    assert run.as_of_at == ends
    assert current_run(con) == run
    assert rows(con, "SELECT run_id, as_of, as_of_at FROM control.run") == [("now", as_of, ends)]


def test_streams_and_inputs_are_replaced_as_a_whole() -> None:
    con = memory_warehouse()
    set_streams(
        con, [ConfiguredStream("a", "jira", "issues", None), ConfiguredStream("b", "hubspot", "deals", 2)]
    )
    set_streams(con, [ConfiguredStream("a", "jira", "issues", None)])
    assert rows(con, "FROM control.streams") == [("a", "jira", "issues", None)]
    set_kr_inputs(con, [KeyResultInput("kr", "flow.work_items", None, None)])
    set_kr_inputs(con, [KeyResultInput("kr", "raw.jira_issues", "a", "issues")])
    assert rows(con, "FROM control.kr_inputs") == [("kr", "raw.jira_issues", "a", "issues")]
    set_streams(con, [])
    assert rows(con, "FROM control.streams") == []


def test_a_source_that_could_not_be_asked_keeps_its_addresses() -> None:
    con = memory_warehouse()
    set_addresses(con, {"a": {"issues": "https://a.example/"}, "b": {"deals": "https://b.example/"}})
    set_addresses(con, {"b": {"deals": "https://new.example/"}, "files": {}})
    assert set(rows(con, "FROM control.addresses")) == {
        ("a", "issues", "https://a.example/"),
        ("b", "deals", "https://new.example/"),
    }


def test_check_results_are_kept_and_the_last_of_each_check_is_known() -> None:
    con = memory_warehouse()
    failed = CheckResult("gate", "staging.stg_jira__issues", "status_present", False, "error", "It's 3.", 3)
    passed = CheckResult("gate", "staging.stg_jira__issues", "status_present", True, "error", "Holds.")
    other = CheckResult("pull", "acme.issues", "pull", True, "error", "Holds.")
    begin_run(con, "one", date(2026, 10, 30), "UTC")
    record_checks(con, [failed, other])
    assert latest_checks(con) == [failed, other]
    begin_run(con, "two", date(2026, 10, 31), "UTC")
    record_checks(con, [failed, passed])
    create_control_tables(con)
    assert latest_checks(con) == [passed, other]
    assert run_checks(con, "one") == [failed, other]
    assert run_checks(con, "two") == [failed, passed]
    assert rows(con, "SELECT DISTINCT run_id, as_of FROM control.check_results ORDER BY 1") == [
        ("one", date(2026, 10, 30)),
        ("two", date(2026, 10, 31)),
    ]


def test_checks_belong_to_a_run() -> None:
    con = memory_warehouse()
    assert current_run(con) is None
    with pytest.raises(RuntimeError, match="begin_run"):
        record_checks(con, [])
