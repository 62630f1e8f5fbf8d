"""`restatements` says of every past day that reads differently now what the difference is made of, as plain Python finds it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.landing import Landing
from connectors.stream import Stream
from orchestration import restatements
from orchestration.restatements import restate
from orchestration.transformation import Transformation
from tests.dbt import restatement_world as oracle
from tests.dbt.restatement_world import EVENINGS, START, State, World
from tests.dbt.scratch_project import KeyResult, ScratchProject
from warehouse.connection import connect
from warehouse.ledger_mirror import LEDGER_COLUMNS, mirror
from warehouse.raw import load, pending

TODAY = EVENINGS[-1]
STREAMS = {
    "issues": ("jira", Stream("issues", (("id",),), ("fields", "updated"))),
    "changelogs": ("jira", Stream("changelogs", (("issueId",), ("id",)), ("created",))),
    "statuses": ("jira", Stream("statuses", (("id",),), None, "snapshot")),
    "deals": ("hubspot", Stream("deals", (("id",),), ("updatedAt",))),
    "pipelines": ("hubspot", Stream("pipelines", (("id",),), None, "snapshot")),
    "ledger": ("finance", Stream("ledger", (("key",),), None, "snapshot")),
}
PIPELINE = {
    "id": "p",
    "label": "P",
    "stages": [
        {"id": "open", "label": "Open", "metadata": {"probability": "0.4", "isClosed": "false"}},
        {"id": "won", "label": "Won", "metadata": {"probability": "1.0", "isClosed": "true"}},
    ],
}

# Two days that were told by something else than the records.
STATUS_TOLD_OTHERWISE = ("steady", date(2026, 10, 8))
VALUE_TOLD_OTHERWISE = ("spent", date(2026, 10, 6))
METHOD = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
EXAMPLE = KeyResult(
    "example",
    {
        "table": "ledger_entries", "aggregate": "sum", "column": "amount", "at": "date", "at_is_timestamp": False,
        "filter": "account in ('x', 'y')",
    },
    target="500",
)  # fmt: skip

Value = Callable[[State, date], Decimal | None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A key result, what it comes to, and what it came to by its first definition, where that was another."""

    kr: KeyResult
    value: Value
    value_by_first_definition: Value | None = None
    first_target: str | None = None
    first_band: tuple[str, str] | None = None


def _money(**said: Any) -> dict[str, Any]:
    return {"table": "ledger_entries", "column": "amount", "at": "date", "at_is_timestamp": False, **said}


def _of(account: str, state: State) -> list[oracle.Fact]:
    return [fact for fact in oracle.postings(state) if fact.kind == account]


def _created_by(state: State, day: date) -> Decimal:
    created = [record["fields"]["created"] for (stream, _), record in state.items() if stream == "issues"]
    return Decimal(sum(oracle.local_day(each) <= day for each in created))


_COUNTED = (
    "select '{0}' as kr_id, calendar.date, cast(count(items.item_id) as decimal(28, 6)) as value,\n"
    "    count(items.item_id) as records\n"
    "from {{{{ ref('calendar') }}}} as calendar\n"
    "left join {{{{ ref('work_items') }}}} as items on {{{{ plumbline.local_date('items.created_at') }}}} <= calendar.date\n"
    "where calendar.is_reported group by calendar.date\n"
)
CASES = [
    Case(
        KeyResult("spent", _money(aggregate="sum", filter="account = '4'")),
        lambda state, day: oracle.total(_of("4", state), day),
    ),
    Case(
        KeyResult("mean", _money(aggregate="avg", window="rolling", window_days=6, filter="account in ('4', '5', '6')")),
        lambda state, day: oracle.mean((fact for fact in oracle.postings(state) if fact.kind in "456"), day, 6),
    ),
    Case(
        KeyResult("done", {"table": "work_items", "aggregate": "count", "at": "done_at"}),
        lambda state, day: oracle.total(oracle.done_items(state), day),
    ),
    Case(
        KeyResult(
            "bugs",
            {"table": "work_items", "aggregate": "ratio", "at": "done_at", "numerator": "type = 'Bug'", "scale": 100},
            unit="%",
        ),
        lambda state, day: oracle.share(oracle.done_items(state), day, "Bug"),
    ),
    Case(
        KeyResult("middle", {"table": "deals", "aggregate": "median", "column": "amount", "at": "won_at"}),
        lambda state, day: oracle.middle(oracle.won_deals(state), day),
    ),
    Case(
        KeyResult(
            "pipeline",
            {
                "table": "deals", "aggregate": "level", "column": "amount", "at": "created_at", "until": "closed_at",
                "window": "as_of",
            },
        ),
        lambda state, day: oracle.standing(oracle.deals(state), day),
    ),
    Case(KeyResult("created", sql=_COUNTED.format("created")), _created_by),
    # Its filter said something else until the third run, its target until today.
    Case(
        KeyResult("redefined", _money(aggregate="sum", filter="account in ('5', '6')"), target="400"),
        lambda state, day: oracle.total([*_of("5", state), *_of("6", state)], day),
        value_by_first_definition=lambda state, day: oracle.total(_of("5", state), day),
        first_target="300",
    ),
    Case(
        KeyResult("band", _money(aggregate="sum", window="rolling", window_days=5, filter="account = '6'"),
                  kind="maintain", baseline="", target="", band=("40", "160")),
        lambda state, day: oracle.total(_of("6", state), day, day - timedelta(days=4)),
        first_band=("", "90"),
    ),
    Case(
        KeyResult("steady", _money(aggregate="count", column=None, filter="account = '9'")),
        lambda state, day: Decimal(len([fact for fact in _of("9", state) if fact.day <= day])),
    ),
]  # fmt: skip
# A table that is named by itself, without an alias, is not found where it is computed again.
BROKEN = KeyResult(
    "broken", sql=_COUNTED.format("broken").replace(" as items", "").replace("items.", "work_items.")
)


@dataclass
class Restated:
    """A world that was told evening by evening, and what is found of it today."""

    project: ScratchProject
    world: World
    told: list[Row]
    transformation: Transformation

    def first(self, kr_id: str, day: date) -> Row:
        return next(row for row in self.told if (row["kr_id"], row["date"]) == (kr_id, day))

    def restate(self) -> None:
        definitions = dict.fromkeys([*(case.kr.id for case in CASES), BROKEN.id, EXAMPLE.id], "2")
        restate(self.project.warehouse, self.transformation, definitions, "Europe/Berlin", simulated=True)

    def rows(self) -> dict[tuple[str, date], Row]:
        found = self.project.rows("select * from scorecard.restatements")
        assert len({(row["kr_id"], row["date"]) for row in found}) == len(found)
        return {(row["kr_id"], row["date"]): row for row in found}


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def _days(until: date) -> list[date]:
    return [START + timedelta(days=number) for number in range((until - START).days + 1)]


def _progress(
    case: Case, value_of: Callable[[date], Decimal | None], day: date, target: str, band: Sequence[str]
) -> Decimal | None:
    if case.kr.kind == "maintain":
        low, high = (_number(end) for end in band)
        values = [value_of(each) or Decimal(0) for each in _days(day)]
        inside = [v for v in values if (low is None or v >= low) and (high is None or v <= high)]
        return oracle.rounded(len(inside) / len(values))
    value = value_of(day)
    return None if value is None else oracle.rounded(float(value) / float(target))


def _answers(case: Case, world: World, evening: int) -> list[Row]:
    """What the run of an evening says of a key result on every day so far."""
    state, is_old = world.then(evening), evening < 2 and case.value_by_first_definition is not None
    value_by = case.value_by_first_definition if is_old and case.value_by_first_definition else case.value
    target, band = case.first_target or case.kr.target, case.first_band or case.kr.band

    def value_of(day: date) -> Decimal | None:
        return value_by(state, day)

    return [
        {
            "kr_id": case.kr.id, "date": day, "value": value_of(day),
            "baseline": _number(case.kr.baseline), "target": _number(target),
            "band_low": _number(band[0]), "band_high": _number(band[1]),
            "progress": _progress(case, value_of, day, target, band),
            "rule": "pace", "reason": "told", "definition": "1" if is_old else "2",
        }
        for day in _days(EVENINGS[evening])
    ]  # fmt: skip


def _told(world: World, told_at: Sequence[datetime], statuses: dict[tuple[str, date], str]) -> Iterator[Row]:
    """The lines of the ledger: every run says what is new to it or reads otherwise than before. The last run has not told yet."""
    last: dict[tuple[str, date], Row] = {}
    number = 0
    for evening, moment in enumerate(told_at[:-1]):
        answers = [row for case in CASES for row in _answers(case, world, evening)]
        broken = [
            {**row, "kr_id": BROKEN.id, "value": Decimal(-1)} for row in _answers(CASES[0], world, evening)
        ]
        for row in [*answers, *broken, _example_told()]:
            key = (row["kr_id"], row["date"])
            if key == VALUE_TOLD_OTHERWISE:
                row["value"] += 1000
            if last.get(key) != row:
                last[key], number = row, number + 1
                about = {
                    "run": evening + 1,
                    "run_id": f"r{evening}",
                    "reported_at": moment,
                    "as_of": EVENINGS[evening],
                }
                sealed = dict.fromkeys(("strategy", "computation", "version", "previous", "hash"), "-")
                status = statuses[key]
                if key == STATUS_TOLD_OTHERWISE:
                    status = "red" if status == "green" else "green"
                yield {
                    **dict.fromkeys(LEDGER_COLUMNS),
                    **row,
                    **about,
                    **sealed,
                    "number": number,
                    "status": status,
                }


def _table(header: str) -> list[dict[str, str]]:
    """The table of the section on restatements whose first column is headed so."""
    (section,) = [part for part in METHOD.split("\n## ") if part.startswith("Restatements\n")]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    start = next(number for number, cells in enumerate(lines) if cells[0] == header)
    names, rows = lines[start], lines[start + 2 :]
    return [dict(zip(names, row, strict=True)) for row in rows if len(row) == len(names)]


def _example_told() -> Row:
    told = Decimal(_table("told")[0]["told"])
    return {
        "kr_id": EXAMPLE.id, "date": START, "value": told, "baseline": Decimal(0),
        "target": Decimal(400), "band_low": None, "band_high": None, "progress": told / 400, "rule": "pace",
        "reason": "told", "definition": "1",
    }  # fmt: skip


def _example_postings(column: str) -> dict[str, oracle.Record]:
    return {
        row["posting"]: oracle.posting(row["posting"], START, row["account"], row[column])
        for row in _table("posting")
        if row[column].isdigit()
    }


def _restated(folder: Path, seed: int) -> Restated:
    """Land evening after evening, note when each run told what, and build everything today."""
    world, chance = oracle.simulate(seed), random.Random(seed)
    project = ScratchProject(folder, [*(case.kr for case in CASES), BROKEN, EXAMPLE])
    project.write()
    landing, told_at = Landing(folder / "landing"), []
    for evening, landed in enumerate(world.landed):
        batch = {
            **landed,
            "ledger": landed["ledger"] | _example_postings("now" if evening == len(EVENINGS) - 1 else "then"),
        }
        if evening == 0:
            batch |= {"pipelines": {"p": PIPELINE}}
        for name, records in batch.items():
            system, stream = STREAMS[name]
            with landing.open(system, system, stream, None, "1") as writer:
                writer.write(chance.sample(list(records.values()), len(records)))
        with connect(project.warehouse) as con:
            for manifest in pending(con, landing):
                load(con, landing.root, manifest)
        told_at.append(datetime.now(UTC))
    project.begin(TODAY)
    project.build()
    days = project.rows("select kr_id, date, status from scorecard.kr_daily")
    statuses = {(row["kr_id"], row["date"]): row["status"] for row in days}
    restated = Restated(project, world, list(_told(world, told_at, statuses)), Transformation(folder))
    with connect(project.warehouse) as con:
        mirror(con, restated.told)
    restated.restate()
    return restated


@pytest.fixture(scope="module", params=[1])
def restated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Restated:
    return _restated(tmp_path_factory.mktemp("restated"), request.param)


PARTS = ("from_late", "from_edited", "from_definition")


def _expected(restated: Restated, case: Case) -> dict[date, Row]:
    """What the table must say of a key result, from the records alone."""
    world, found = restated.world, {}
    now, late = world.now(), [world.with_late(evening) for evening in range(len(EVENINGS))]
    for day in _days(EVENINGS[-2]):
        first = restated.first(case.kr.id, day)
        evening = first["run"] - 1
        value, told = case.value(now, day), first["value"]
        progress = _progress(case, lambda on: case.value(now, on), day, case.kr.target, case.kr.band)
        if (value, progress) == (told, first["progress"]) and (case.kr.id, day) != STATUS_TOLD_OTHERWISE:
            continue
        then, with_late = case.value(world.then(evening), day), case.value(late[evening], day)
        row: Row = {"difference": None, **dict.fromkeys(PARTS)}
        if value == told:
            row = dict.fromkeys(row, Decimal(0))
        elif value is not None and told is not None:
            row["difference"] = value - told
            comes_again = first["definition"] == "1" or then == told
            if then is not None and with_late is not None and comes_again:
                row |= {
                    "from_late": with_late - then,
                    "from_edited": value - with_late,
                    "from_definition": then - told,
                }
        by_old = _progress(
            case,
            lambda on: case.value(now, on),
            day,
            case.first_target or case.kr.target,
            case.first_band or case.kr.band,
        )
        row["progress_from_target"] = None if progress is None or by_old is None else progress - by_old
        found[day] = row
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kr.id)
def test_a_difference_is_split_as_the_records_say(restated: Restated, case: Case) -> None:
    expected = _expected(restated, case)
    found = {day: row for (kr_id, day), row in restated.rows().items() if kr_id == case.kr.id}
    assert found.keys() == expected.keys()
    for day, row in expected.items():
        assert {name: found[day][name] for name in row} == row, day
        assert found[day]["is_split"] == (row["from_late"] is not None)


def test_every_part_is_seen_and_all_of_them_add_up(restated: Restated) -> None:
    rows = list(restated.rows().values())
    assert all(row["is_split"] == (row["unsplit_reason"] is None) for row in rows)
    split = [row for row in rows if row["is_split"]]
    for row in split:
        assert sum(row[part] for part in PARTS) == row["difference"]
    for part in (*PARTS, "progress_from_value", "progress_from_target"):
        assert len([row for row in split if row[part]]) > 3, part
    assert [row for row in split if row["from_late"] and row["from_edited"] and row["from_definition"]]
    for row in rows:
        if row["progress_from_value"] is not None:
            assert (
                row["progress_from_value"] + row["progress_from_target"]
                == row["progress"] - row["reported_progress"]
            )
    restated.project.dbt("test", "--select", "restatements")


def test_what_cannot_be_split_says_why_and_harms_nothing_else(restated: Restated) -> None:
    rows = restated.rows()
    broken = [row for (kr_id, _), row in rows.items() if kr_id == BROKEN.id]
    assert len(broken) == len(_days(EVENINGS[-2]))
    assert all(
        "It could not be computed: " in row["unsplit_reason"] and row["from_late"] is None for row in broken
    )
    otherwise = rows[VALUE_TOLD_OTHERWISE]
    assert otherwise["unsplit_reason"].endswith(f"{otherwise['reported_value']} was told.")
    (status,) = [row for (kr_id, _), row in rows.items() if kr_id == STATUS_TOLD_OTHERWISE[0]]
    assert status["date"] == STATUS_TOLD_OTHERWISE[1]
    assert (status["is_split"], status["difference"]) == (True, 0)
    assert status["reported_status"] != status["status"]


def test_the_example_of_the_method(restated: Restated) -> None:
    (said,) = _table("told")
    row = restated.rows()[EXAMPLE.id, START]
    assert (row["reported_value"], row["value"]) == (Decimal(said["told"]), Decimal(said["now"]))
    for name in (*PARTS, "progress_from_value", "progress_from_target"):
        assert row[name] == Decimal(said[name]), name


def test_a_run_splits_so_many_and_the_next_goes_on(
    restated: Restated, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = restated.rows()
    needed = {key for key, row in complete.items() if row["difference"]}
    with connect(restated.project.warehouse) as con:
        con.execute("delete from control.restated_days")
    monkeypatch.setattr(restatements, "_GROUPS", 4)
    counts = []
    for _ in range(3):
        restated.restate()
        rows = restated.rows()
        waiting = {key for key in needed if "waits for the next" in (rows[key]["unsplit_reason"] or "")}
        counts.append(len(waiting))
        told_at = [{rows[key]["first_reported_at"] for key in keys} for keys in (waiting, needed - waiting)]
        assert not waiting or max(told_at[0]) <= min(told_at[1])
    assert counts[0] > counts[1] > counts[2] == 0
    assert rows == complete
