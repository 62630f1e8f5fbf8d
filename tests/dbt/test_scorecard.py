"""Status, rule, flags and doubts equal what plain Python makes of the same series and the same check results."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.dbt.scratch_project import KeyResult, ScratchProject
from warehouse.control import CheckResult, ConfiguredStream, KeyResultInput

START, END, AS_OF = date(2026, 10, 5), date(2027, 1, 3), date(2026, 12, 30)
HOLIDAY = date(2026, 12, 25)
DAYS = [START + timedelta(days=number) for number in range((AS_OF - START).days + 1)]
STEPS = ((date(2026, 10, 19), Decimal(20)), (date(2026, 11, 16), Decimal(60)), (END, Decimal(100)))
SEVERITY = {"green": 0, "amber": 1, "red": 2}
PATIENCE = 3
"""Days in a row that are better, before a status is."""
Series = Mapping[date, Decimal | None]


@dataclass(frozen=True)
class Judged:
    """What the oracle says of one key result on one day."""

    status: str
    rule: str
    progress: float | None
    pace: float | None
    firing: Mapping[str, str]
    day_status: str


def _wandering(chance: random.Random, drift: float, noise: float, gaps: float) -> Series:
    """A series that drifts, jumps, rests for weeks and has days without a value."""
    value, series = 0.0, {}
    rests = chance.randrange(5, 50)
    for number, day in enumerate(DAYS):
        if not rests <= number < rests + 20:
            value += drift + chance.gauss(0, noise)
        series[day] = None if chance.random() < gaps else Decimal(str(round(value, 3)))
    return series


def _model(kr_id: str, series: Series) -> str:
    rows = ", ".join(f"(date '{day}', {'null' if value is None else value})" for day, value in series.items())
    return (
        f"select '{kr_id}' as kr_id, days.day as date, cast(days.number as decimal(28, 6)) as value,\n"
        f"    cast(3 as bigint) as records\n"
        f"from {{{{ ref('calendar') }}}} as calendar\n"
        f"inner join (values {rows}) as days (day, number) on days.day = calendar.date\n"
    )


def _key_results() -> Iterator[tuple[KeyResult, Series]]:
    steps = [(str(day), str(value)) for day, value in STEPS]
    for seed in range(3):
        chance = random.Random(seed)
        for pace in ("linear", "working_days", "steps"):
            series = _wandering(
                chance, drift=chance.uniform(0.4, 1.6), noise=chance.choice([0, 0.1, 2]), gaps=0.03
            )
            name = f"reach-{pace}-{seed}"
            yield (
                KeyResult(name, pace=pace, steps=steps if pace == "steps" else (), sql=_model(name, series)),
                series,
            )
        falling = {
            day: None if value is None else 50 - value / 4
            for day, value in _wandering(chance, 1.1, 0.5, 0).items()
        }
        name = f"down-{seed}"
        yield KeyResult(name, baseline="50", target="25", sql=_model(name, falling)), falling
        for band in (("-1", "1"), ("", "0.5"), ("0", "")):
            series = _wandering(chance, drift=0, noise=0.6, gaps=0.05)
            name = f"maintain{band[0]}to{band[1]}-{seed}"
            yield KeyResult(name, kind="maintain", band=band, sql=_model(name, series)), series


KEY_RESULTS = {each.id: (each, series) for each, series in _key_results()}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    project = ScratchProject(
        tmp_path_factory.mktemp("scorecard"),
        [*(each for each, _ in KEY_RESULTS.values()), KeyResult("absent", missing=True)],
    )
    project.write()
    project.begin(AS_OF)
    project.build("kr_current", "flags", "objective_current", "function_current")
    return project


@pytest.mark.parametrize("kr_id", KEY_RESULTS)
def test_every_day_is_judged_as_the_oracle_judges_it(scored: ScratchProject, kr_id: str) -> None:
    rows = {
        row["date"]: row for row in scored.rows(f"select * from scorecard.kr_daily where kr_id = '{kr_id}'")
    }
    oracle = _judge(*KEY_RESULTS[kr_id])
    assert sorted(rows) == DAYS
    for day, expected in oracle.items():
        row = rows[day]
        assert (row["status"], row["rule"]) == (expected.status, expected.rule), (day, row)
        assert row["day_status"] == expected.day_status, (day, row)
        assert row["reason"].startswith(f"Still {row['status']}, as on ") == (
            expected.status != expected.day_status
        )
        for name, number in (("progress", expected.progress), ("pace", expected.pace)):
            assert (
                row[name] is None if number is None else float(row[name]) == pytest.approx(number, abs=2e-6)
            ), (day, name)
        assert row["reason"].endswith(".")
        assert row["inputs"].startswith("{")


@pytest.mark.parametrize("kr_id", KEY_RESULTS)
def test_flags_are_the_stretches_in_which_a_rule_fires(scored: ScratchProject, kr_id: str) -> None:
    rows = scored.rows(f"select * from scorecard.flags where kind = 'key_result' and subject = '{kr_id}'")
    expected = {}
    for rule in ("pace", "band", "stalled", "untrusted"):
        days = [day for day, judged in _judge(*KEY_RESULTS[kr_id]).items() if rule in judged.firing]
        for first, last in _stretches(days):
            expected[rule, first] = None if last == AS_OF else last + timedelta(days=1)
    assert {(row["rule"], row["opened_on"]): row["closed_on"] for row in rows} == expected
    assert all(row["is_open"] == (row["closed_on"] is None) for row in rows)


def test_the_cases_reach_every_status_and_every_rule(scored: ScratchProject) -> None:
    seen = scored.rows("select distinct rule, status from scorecard.kr_daily order by all")
    assert {(row["rule"], row["status"]) for row in seen} == {
        ("pace", "green"), ("pace", "amber"), ("pace", "red"), ("band", "green"), ("band", "red"),
        ("stalled", "amber"), ("untrusted", "amber"),
    }  # fmt: skip


def test_the_cases_hold_a_status_and_let_it_go(scored: ScratchProject) -> None:
    seen = scored.rows(
        "select distinct day_status, status from scorecard.kr_daily where status <> day_status"
    )
    assert {(row["day_status"], row["status"]) for row in seen} == {
        ("green", "amber"), ("green", "red"), ("amber", "red"),
    }  # fmt: skip


def test_the_current_row_is_the_last_day_and_says_since_when(scored: ScratchProject) -> None:
    rows = {row["kr_id"]: row for row in scored.rows("select * from scorecard.kr_current")}
    assert set(rows) == {*KEY_RESULTS, "absent"}
    for kr_id, (key_result, series) in KEY_RESULTS.items():
        oracle = _judge(key_result, series)
        since = AS_OF
        while since > START and oracle[since - timedelta(days=1)].status == oracle[AS_OF].status:
            since -= timedelta(days=1)
        assert (rows[kr_id]["as_of"], rows[kr_id]["status"], rows[kr_id]["since"]) == (
            AS_OF,
            oracle[AS_OF].status,
            since,
        )


def test_a_key_result_without_a_model_is_amber_with_the_reason(scored: ScratchProject) -> None:
    (row,) = scored.rows("select * from scorecard.kr_daily where kr_id = 'absent'")
    assert (row["date"], row["value"], row["status"], row["rule"]) == (AS_OF, None, "amber", "untrusted")
    assert "kr_absent" in row["reason"]


def test_an_objective_is_as_weak_as_its_weakest_key_result(scored: ScratchProject) -> None:
    (row,) = scored.rows("select * from scorecard.objective_current")
    statuses = [_judge(*each)[AS_OF].status for each in KEY_RESULTS.values()] + ["amber"]
    assert (row["green"], row["amber"], row["red"]) == tuple(
        statuses.count(colour) for colour in ("green", "amber", "red")
    )
    assert row["status"] == "red"
    assert row["key_results"] == len(statuses)
    (function,) = scored.rows("select * from scorecard.function_current")
    assert (function["function_id"], function["head_name"]) == ("f1", "Head")
    shared = ("status", "progress", "key_results", "green", "amber", "red", "weakest_kr_id", "as_of")
    assert {name: function[name] for name in shared} == {name: row[name] for name in shared}


def _judge(key_result: KeyResult, series: Series) -> dict[date, Judged]:
    judged, inside = {}, 0
    for number, day in enumerate(DAYS, start=1):
        value = series[day]
        firing: dict[str, str] = {}
        progress = pace = None
        if value is None:
            firing["untrusted"] = "amber"
        elif key_result.kind == "maintain":
            low, high = (Decimal(edge) if edge else None for edge in key_result.band)
            is_inside = (low is None or value >= low) and (high is None or value <= high)
            inside += is_inside
            progress = inside / number
            if not is_inside:
                firing["band"] = "red"
        else:
            baseline, target = Decimal(key_result.baseline), Decimal(key_result.target)
            progress = float((value - baseline) / (target - baseline))
            expected = _expected(key_result, day)
            pace = progress / expected if expected else None
            if pace is not None and pace < 0.9:
                firing["pace"] = "red" if pace < 0.7 else "amber"
            if progress < 1 and _is_stalled(series, day):
                firing["stalled"] = "amber"
        own_rule = "band" if key_result.kind == "maintain" else "pace"
        order = [
            (rule, firing[rule])
            for colour in ("red", "amber")
            for rule in ("untrusted", "band", "pace", "stalled")
            if firing.get(rule) == colour
        ]
        rule, status = order[0] if order else (own_rule, "green")
        judged[day] = Judged(status, rule, progress, pace, firing, status)
    return _held(judged)


def _held(judged: Mapping[date, Judged]) -> dict[date, Judged]:
    """The same day by day, getting worse at once and better only after three days in a row that have a value and are better."""
    held: dict[date, Judged] = {}
    standing: Judged | None = None
    better: list[Judged] = []
    for day, today in judged.items():
        if today.progress is not None:
            better = [*better, today]
            if standing is None or SEVERITY[today.status] >= SEVERITY[standing.status]:
                standing, better = today, []
            elif len(better) == PATIENCE:
                worst = max(SEVERITY[each.status] for each in better)
                place = max(n for n, each in enumerate(better) if SEVERITY[each.status] == worst)
                standing, better = better[place], better[place + 1 :]
        stands = standing if standing and SEVERITY[standing.status] > SEVERITY[today.status] else today
        held[day] = replace(today, status=stands.status, rule=stands.rule)
    return held


def _expected(key_result: KeyResult, day: date) -> float:
    if key_result.pace == "steps":
        return max((float(value) / 100 for on_date, value in STEPS if on_date <= day), default=0)
    cycle = [START + timedelta(days=number) for number in range((END - START).days + 1)]
    if key_result.pace == "working_days":
        cycle = [each for each in cycle if each.weekday() < 5 and each != HOLIDAY]
    return len([each for each in cycle if each <= day]) / len(cycle)


def _is_stalled(series: Series, day: date) -> bool:
    earlier, now = series.get(day - timedelta(days=14)), series[day]
    if earlier is None or now is None:
        return False
    values = [series[each] for each in DAYS if each <= day]
    moves = [
        float(after - before)
        for before, after in pairwise(values)
        if before is not None and after is not None
    ]
    noise = 2 * statistics.stdev(moves) if len(moves) > 1 else 0
    return round(abs(float(now - earlier)), 6) <= round(noise, 6)


def _stretches(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    first = None
    for day in days:
        first = first or day
        if day + timedelta(days=1) not in days:
            yield first, day
            first = None


GATE = CheckResult("gate", "raw.jira_issues", "ids_are_unique", False, "warn", "2 ids come twice", 2)
MENDED = CheckResult("gate", "raw.jira_issues", "ids_are_unique", True, "warn", "", 0)
STREAMS = [
    ConfiguredStream("jira", "jira", "issues", 2),
    ConfiguredStream("finance", "finance", "ledger", 10),
    ConfiguredStream("finance", "finance", "budgets", None),
]
INPUTS = [
    KeyResultInput("steady", "raw.jira_issues", "jira", "issues"),
    KeyResultInput("steady", "flow.work_items", None, None),
    KeyResultInput("costs", "raw.finance_ledger", "finance", "ledger"),
]


KINDS_OF_FAILURE = {
    "pulled": CheckResult("pull", "jira.issues", "pulled", False, "error", "timed out"),
    "modelled": CheckResult("model", "flow.work_items", "built", False, "error", "out of memory"),
    "incomplete": CheckResult(
        "quarantine", "finance.ledger", "rows", False, "warn", "1 row could not be read.", 1
    ),
    "tested": CheckResult("test", "flow.deals", "deal_id_is_unique", False, "warn", "1 row", 1),
    "built": CheckResult("model", "key_results.kr_built", "built", False, "error", "a cast failed"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """Key results far ahead of their pace, over an issue of the 28th and a posting of the 29th of October."""
    ahead = {day: Decimal(number * 5) for number, day in enumerate(DAYS, start=1)}
    names = ["steady", "costs", *KINDS_OF_FAILURE]
    project = ScratchProject(
        tmp_path_factory.mktemp("doubts"),
        [KeyResult(name, target="10", sql=_model(name, ahead)) for name in names],
    )
    project.write()
    project.land("jira_issues", {"1": {"id": "1", "fields": {"updated": "2026-10-28T23:30:00.000+0100"}}})
    posting = {"date": "2026-10-29", "account": "4", "amount": "1.00"}
    ahead_of_time = {**posting, "date": "2026-12-01"}
    project.land(
        "finance_ledger", {"a": {"key": "a", "posting": posting}, "b": {"key": "b", "posting": ahead_of_time}}
    )
    project.begin(date(2026, 10, 29))
    project.build()
    return project


@pytest.fixture
def doubted(base: ScratchProject) -> ScratchProject:
    """The same before anything was ever checked."""
    base.rows("delete from control.check_results")
    return base


def _statuses(project: ScratchProject) -> dict[str, tuple[str, str]]:
    rows = project.rows("select kr_id, status, rule from scorecard.kr_current")
    return {row["kr_id"]: (row["status"], row["rule"]) for row in rows}


def _two(project: ScratchProject) -> tuple[str, str]:
    """The statuses of the key result over issues and of the one over postings."""
    statuses = _statuses(project)
    return statuses["steady"][0], statuses["costs"][0]


def _flags(project: ScratchProject) -> dict[tuple[str, str], tuple[date, date | None]]:
    rows = project.rows("select kind, subject, opened_on, closed_on from scorecard.flags")
    return {(row["kind"], row["subject"]): (row["opened_on"], row["closed_on"]) for row in rows}


def test_a_failed_gate_makes_only_its_descendants_amber_until_it_passes(doubted: ScratchProject) -> None:
    first, second, third = date(2026, 10, 28), date(2026, 10, 29), date(2026, 10, 30)
    doubted.begin(first, "r1")
    doubted.control(STREAMS, INPUTS, [GATE])
    doubted.judge_anew()
    assert _two(doubted) == ("amber", "amber")
    assert _flags(doubted)["freshness", "finance.ledger"] == (first, None)

    doubted.begin(second, "r2")
    doubted.control(STREAMS, INPUTS, [GATE])
    doubted.judge_anew()
    assert _two(doubted) == ("amber", "green")
    assert _flags(doubted) == {
        ("gate", "raw.jira_issues"): (first, None),
        ("key_result", "steady"): (first, None),
    }
    (reason,) = doubted.rows("select reason from scorecard.kr_current where kr_id = 'steady'")
    assert (
        reason["reason"]
        == "Not to be trusted. The gate ids_are_unique on raw.jira_issues failed: 2 ids come twice."
    )
    before = [doubted.rows(f"select * from scorecard.{table} order by all") for table in _PUBLIC]

    doubted.begin(second, "r3")
    doubted.control(STREAMS, INPUTS, [GATE])
    doubted.judge_anew()
    assert [doubted.rows(f"select * from scorecard.{table} order by all") for table in _PUBLIC] == before

    doubted.begin(third, "r4")
    doubted.control(STREAMS, INPUTS, [MENDED])
    doubted.judge_anew()
    assert _two(doubted) == ("green", "green")
    assert _flags(doubted) == {
        ("gate", "raw.jira_issues"): (first, third),
        ("key_result", "steady"): (first, third),
    }


def test_a_check_that_is_gone_from_its_subject_is_over(doubted: ScratchProject) -> None:
    doubted.begin(date(2026, 10, 29), "r1")
    doubted.control(STREAMS, INPUTS, [GATE])
    doubted.begin(date(2026, 10, 30), "r2")
    other = CheckResult("gate", "raw.jira_issues", "another", True, "warn", "", 0)
    doubted.control(STREAMS, INPUTS, [other])
    doubted.judge_anew()
    assert _flags(doubted)["gate", "raw.jira_issues"] == (date(2026, 10, 29), date(2026, 10, 30))


def test_anything_that_fails_on_the_way_to_a_key_result_takes_its_green(doubted: ScratchProject) -> None:
    inputs = [
        KeyResultInput("pulled", "raw.jira_issues", "jira", "issues"),
        KeyResultInput("modelled", "flow.work_items", None, None),
        KeyResultInput("tested", "flow.deals", None, None),
        KeyResultInput("incomplete", "raw.finance_ledger", "finance", "ledger"),
    ]
    doubted.begin(date(2026, 10, 29))
    doubted.control(STREAMS, inputs, list(KINDS_OF_FAILURE.values()))
    doubted.judge_anew()
    statuses = _statuses(doubted)
    assert {name: statuses[name] for name in KINDS_OF_FAILURE} == dict.fromkeys(
        KINDS_OF_FAILURE, ("amber", "untrusted")
    )
    assert statuses["steady"] == ("green", "pace")
    for check in KINDS_OF_FAILURE.values():
        assert _flags(doubted)[check.kind, check.subject] == (date(2026, 10, 29), None)


def test_an_unusual_volume_and_other_fields_are_flags_and_doubt_no_key_result(
    doubted: ScratchProject,
) -> None:
    doubted.begin(date(2026, 10, 29))
    unusual = CheckResult("volume", "jira.issues", "usual", False, "warn", "0 records")
    changed = CheckResult("schema", "jira.issues", "fields", False, "warn", "new is color")
    doubted.control(STREAMS, INPUTS, [unusual, changed])
    doubted.judge_anew()
    assert _two(doubted) == ("green", "green")
    since = (date(2026, 10, 29), None)
    assert _flags(doubted) == {("volume", "jira.issues"): since, ("schema", "jira.issues"): since}
    assert doubted.rows("select severity, sentence from scorecard.flags order by kind") == [
        {"severity": "amber", "sentence": "new is color"},
        {"severity": "amber", "sentence": "0 records"},
    ]


def test_a_stale_stream_is_found_by_the_dates_of_its_records(doubted: ScratchProject) -> None:
    doubted.begin(date(2026, 10, 31))
    doubted.control(STREAMS, INPUTS)
    doubted.judge_anew()
    rows = {row["stream"]: row for row in doubted.rows("select * from scorecard.source_freshness")}
    seen = {
        stream: (row["newest_record_on"], row["days_behind"], row["stale"], row["rows"])
        for stream, row in rows.items()
    }
    assert seen == {
        "issues": (date(2026, 10, 28), 3, True, 1),
        "ledger": (date(2026, 10, 29), 2, False, 2),
        "budgets": (None, None, False, 0),
    }
    assert _two(doubted) == ("amber", "green")
    assert _flags(doubted)["freshness", "jira.issues"] == (date(2026, 10, 31), None)
    (current,) = doubted.rows("select data_through from scorecard.kr_current where kr_id = 'steady'")
    assert current["data_through"] == date(2026, 10, 28)


_PUBLIC = ("kr_daily", "kr_current", "objective_current", "function_current", "flags", "source_freshness")
