"""A key result never gets greener by removing evidence, by letting a source go stale or by breaking a gate.

One company many times over in one warehouse: the first copy as it is, each other one with something done to its records. The
targets are such that the first copy is just not worse, or just not better, than each status.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dbt.integrity_world import (
    AS_OF,
    BERLIN,
    START,
    Change,
    Deal,
    Item,
    World,
    random_world,
    raw_records,
)
from tests.dbt.scratch_project import LANDED_AT, KeyResult, ScratchProject
from warehouse.connection import connect
from warehouse.control import CheckResult, ConfiguredStream, KeyResultInput, Kind

SEVERITY = {"green": 0, "amber": 1, "red": 2}
COPIES = 13
FRESH_DAYS = 7
EXPECTED = Decimal((AS_OF - START).days + 1) / 91
SYSTEMS = {"jira": "issues", "hubspot": "deals", "finance": "ledger"}
LISTS = ("jira_statuses", "hubspot_pipelines")

DONE = {"table": "work_items", "at": "done_at"}
CLOSED = {"table": "deals", "at": "closed_at"}
BOOKS = {
    "table": "ledger_entries",
    "at": "date",
    "at_is_timestamp": False,
    "column": "amount_company",
    "aggregate": "sum",
}


@dataclass(frozen=True)
class Measure:
    """What is measured, in a system. `from_`: the baseline; none: a band. `adds`: each record can only make it better."""

    system: str
    said: Mapping[str, Any]
    from_: int | None = 0
    adds: bool = False


MEASURES = {
    "finished": Measure("jira", {**DONE, "aggregate": "count"}, adds=True),
    "points": Measure("jira", {**DONE, "aggregate": "sum", "column": "estimate"}, adds=True),
    "lead": Measure("jira", {**DONE, "aggregate": "avg", "column": "lead_time_days"}, 60),
    "usual": Measure("jira", {**DONE, "aggregate": "median", "column": "cycle_time_days"}, 30),
    "bugs": Measure("jira", {**DONE, "aggregate": "ratio", "numerator": "type = 'Bug'"}, 1),
    "waiting": Measure(
        "jira",
        {"table": "work_items", "at": "created_at", "until": "done_at", "aggregate": "level", "window": "as_of"},
        None,
    ),
    "recent": Measure("jira", {**DONE, "aggregate": "count", "window": "rolling", "window_days": 14}, None),
    "won": Measure(
        "hubspot",
        {"table": "deals", "at": "won_at", "aggregate": "sum", "column": "amount_company", "filter": "is_won"},
        adds=True,
    ),
    "win-rate": Measure("hubspot", {**CLOSED, "aggregate": "ratio", "numerator": "is_won"}),
    "sold": Measure("finance", {**BOOKS, "filter": "amount < 0", "negate": True}, adds=True),
    "net": Measure("finance", {**BOOKS, "filter": "account = '4000'", "negate": True}),
    "typical": Measure("finance", {**BOOKS, "aggregate": "avg", "filter": "amount > 0"}, 5000),
    "dear": Measure("finance", {**BOOKS, "aggregate": "p85", "filter": "amount > 0"}, None),
    "share": Measure(
        "finance",
        {**BOOKS, "aggregate": "ratio", "filter": "account = '4000' and amount > 0",
         "against": {**BOOKS, "filter": "account = '5000' and amount > 0"}},
        20,
    ),
    "cost": Measure("finance", {**BOOKS, "filter": "account = '5000'"}, None),
}  # fmt: skip
AIMS = {"green": Decimal(3), "amber": Decimal("0.895"), "red": Decimal("0.695")}
"""The pace at which the first copy stands; a band ends far above its value, or just below."""


@dataclass(frozen=True)
class Harm:
    """What is done to a copy. Shares are of the records of each system.

    `renamed`: postings that are there under another key; `cut`: items with half of their changes; `since`: days for which
    a system brought nothing.
    """

    seed: int = 0
    never_landed: float = 0
    removed: float = 0
    renamed: float = 0
    cut: float = 0
    since: Mapping[str, int] = field(default_factory=dict)
    failing: frozenset[tuple[Kind, str]] = frozenset()


WAYS = ("never_landed", "removed", "renamed", "cut", "stale", "failing")


def _harm(chance: random.Random, way: str) -> Harm:
    """One thing, or several at once."""
    harm = Harm(seed=chance.randrange(10**6))
    shares = [0.01, 0.05, 0.3, 1]
    kinds: list[Kind] = ["gate", "test", "pull", "model"]
    for each in {way: True, **dict.fromkeys(chance.sample(WAYS, chance.choice([0, 0, 1, 2])))}:
        match each:
            case "never_landed":
                harm = replace(harm, never_landed=chance.choice(shares))
            case "removed":
                harm = replace(harm, removed=chance.choice(shares))
            case "renamed":
                harm = replace(harm, renamed=chance.choice(shares))
            case "cut":
                harm = replace(harm, cut=chance.choice(shares))
            case "stale":
                since = {
                    system: chance.randrange(FRESH_DAYS + 1, 60)
                    for system in chance.sample(sorted(SYSTEMS), 2)
                }
                harm = replace(harm, since=since)
            case _:
                harm = replace(harm, failing=frozenset(zip(chance.sample(kinds, 3), SYSTEMS, strict=True)))
    return harm


class Copies(ScratchProject):
    """The project of all copies: a model per measure, which holds the key results of every copy and aim."""

    def __repr__(self) -> str:
        return f"Copies({self.folder})"

    def _write_models(self) -> None:
        for name, measure in MEASURES.items():
            series = "\nunion all\n".join(
                f"select * from (\n{_call('key_result', name, measure, number)}\n) as c{number}"
                for number in range(COPIES)
            )
            self._write(
                f"models/key_results/kr_{name.replace('-', '_')}.sql",
                f"with one as (\n{series}\n)\n{_EACH_AIM}",
            )
        models = ", ".join(f"ref('kr_{name.replace('-', '_')}')" for name in MEASURES)
        self._write("models/key_results/kr_values.sql", f"{{{{ plumbline.union_existing([{models}]) }}}}\n")
        for model, more in (("evidence", ""), ("removed_evidence", ", removed=true")):
            records = "\nunion all\n".join(
                f"select * from (\n{_call('key_result_evidence', name, measure, number, more)}\n) as e"
                for name, measure in MEASURES.items()
                for number in range(COPIES)
            )
            self._write(
                f"models/scorecard/{model}.sql",
                f"with one as (\n{records}\n),\ncontributions as (\n{_EACH_AIM}\n)\n"
                "{{ plumbline.evidence_of('contributions') }}\n",
            )
        self._write("models/handoffs/handoff_items.sql", "{{ plumbline.items_of_none('handoff_id') }}")
        self._write("models/scorecard/kr_work_items.sql", "{{ plumbline.items_of_none('kr_id') }}")

    def aim(self, values: Mapping[str, Decimal]) -> None:
        """Declare every key result, aimed by the values of the first copy."""
        self.key_results = [
            _aimed(f"{name}-{number}-{aim}", measure, values[name], aim)
            for name, measure in MEASURES.items()
            for number in range(COPIES)
            for aim in AIMS
        ]
        self._write_seeds()


_EACH_AIM = (
    "select * exclude (aim) replace (kr_id || '-' || aim as kr_id) from one\n"
    f"cross join (values {', '.join(f'({aim!r})' for aim in AIMS)}) as aims (aim)\n"
)


def _call(macro: str, name: str, measure: Measure, number: int, more: str = "") -> str:
    arguments = {"kr_id": f"{name}-{number}", **_of_copy(measure.said, number)}
    if "against" in measure.said:
        against = _of_copy(measure.said["against"], number)
        arguments["against"] = {key: value for key, value in against.items() if key != "aggregate"}
    return f"{{{{ plumbline.{macro}({', '.join(f'{key}={value!r}' for key, value in arguments.items())}{more}) }}}}"


def _of_copy(said: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A measure over the records of one copy."""
    own = {
        "ledger_entries": f"cost_centre = 'c{number}'",
        "deals": f"source = 'hubspot{number}'",
        "work_items": f"source = 'jira{number}'",
    }
    filters = [own[said["table"]], *([said["filter"]] if "filter" in said else [])]
    return {**said, "filter": " and ".join(filters)}


def _aimed(kr_id: str, measure: Measure, value: Decimal, aim: str) -> KeyResult:
    if measure.from_ is None:
        edge = value + (abs(value) * 5 if aim == "green" else -abs(value) / 1000)
        return KeyResult(
            kr_id, measure.said, kind="maintain", baseline="", target="", band=("", f"{edge:.6f}")
        )
    target = measure.from_ + (value - measure.from_) / AIMS[aim] / EXPECTED
    return KeyResult(kr_id, measure.said, baseline=str(measure.from_), target=f"{target:.6f}")


# --- the records of a copy ---------------------------------------------------------------------------------------------


def _company(seed: int) -> World:
    world = random_world(seed)
    return World(world.items[::5], world.deals[::4], world.postings[::6])


def _as_known(world: World, since: Mapping[str, int]) -> World:
    """What had come when a system brought something for the last time."""

    def last(system: str) -> datetime:
        return datetime.combine(AS_OF - timedelta(days=since.get(system, 0)), time(23, 59), BERLIN)

    def items() -> Iterator[Item]:
        for item in world.items:
            if item.created <= last("jira"):
                kept = [change for change in item.changes if change.at <= last("jira")]
                is_closed = any(change.after == "3" for change in kept if change.field == "status")
                yield replace(item, changes=kept, resolved=item.resolved if is_closed else None)

    def deals() -> Iterator[Deal]:
        for deal in world.deals:
            if deal.created <= last("hubspot"):
                yield replace(
                    deal, changes=[change for change in deal.changes if change.at <= last("hubspot")]
                )

    day = last("finance").date()
    postings = [posting for posting in world.postings if posting.day <= day and posting.posted <= day]
    return World(list(items()), list(deals()), postings)


def _updated(changes: Sequence[Change], created: datetime) -> str:
    return max([created, *(change.at for change in changes)]).isoformat()


Row = tuple[str, str, str, str, bool, str]
"""Source, stream, key, landed file, whether it was removed, record."""


def _rows(world: World, harm: Harm, number: int) -> dict[str, list[Row]]:
    """The raw rows of a copy by table."""
    chance = random.Random(harm.seed)
    world = _as_known(world, harm.since)
    updated = {
        **{item.id: _updated(item.changes, item.created) for item in world.items},
        **{f"deal {deal.id}": _updated(deal.changes, deal.created) for deal in world.deals},
    }
    rows: dict[str, list[Row]] = {}
    items: set[str] = set()
    cut: dict[str, bool] = {}
    for table, records in raw_records(world):
        system, stream = table.split("_", 1)
        landed = rows.setdefault(table, [])
        for key, record in records.items():
            told, dice = copy.deepcopy(dict(record)), chance.random()
            is_removed = is_renamed = False
            if table == "jira_changelogs":
                item = key.split("/")[0]
                is_cut = cut.setdefault(item, dice < harm.cut) and chance.random() < 0.5
                if item not in items or is_cut:
                    continue
            elif table not in LISTS:
                if dice < harm.never_landed:
                    continue
                is_removed = dice > 1 - harm.removed
                is_renamed = table == "finance_ledger" and not is_removed and chance.random() < harm.renamed
            if table == "jira_issues":
                items.add(key)
                told["fields"]["updated"] = updated[key]
            elif table == "hubspot_deals":
                told["updatedAt"] = updated[f"deal {key}"]
            elif table == "finance_ledger":
                told["posting"]["cost_centre"] = f"c{number}"
            is_gone = is_removed or is_renamed
            place, text = (f"{system}{number}", stream), json.dumps(told)
            landed.append((*place, key, "later" if is_gone else "first", is_gone, text))
            if is_renamed:
                landed.append((*place, f"{key}-again", "later", False, text))
    return rows


def _land(project: Copies, world: World, done: Sequence[Harm]) -> None:
    landed: dict[str, list[Row]] = {}
    for number, harm in enumerate(done):
        for table, rows in _rows(world, harm, number).items():
            landed.setdefault(table, []).extend(rows)
    names = ("source", "stream", "key", "file", "removed", "record")
    unnested = ", ".join(f"unnest(${name}) as {name}" for name in names)
    with connect(project.warehouse) as con:
        for table, rows in landed.items():
            con.execute(f"delete from raw.{table}")
            con.execute(
                f"insert into raw.{table} select source, stream, key, $at, $at, file, removed, record from (select {unnested})",
                {"at": LANDED_AT, **dict(zip(names, zip(*rows, strict=True), strict=True))},
            )


def _say_what_failed(project: Copies, done: Sequence[Harm]) -> None:
    project.control(
        [
            ConfiguredStream(f"{system}{number}", system, stream, FRESH_DAYS)
            for number in range(COPIES)
            for system, stream in SYSTEMS.items()
        ],
        [
            KeyResultInput(key_result.id, _node(system, number), f"{system}{number}", SYSTEMS[system])
            for key_result in project.key_results
            for name, number in [_parts(key_result.id)[:2]]
            for system in [MEASURES[name].system]
        ],
        [
            CheckResult(kind, _node(system, number), "broken", False, "warn", "it does not hold")
            for number, harm in enumerate(done)
            for kind, system in harm.failing
        ],
    )


def _node(system: str, number: int) -> str:
    return f"staging.{system}{number}"


def _parts(kr_id: str) -> tuple[str, int, str]:
    name, number, aim = kr_id.rsplit("-", 2)
    return name, int(number), aim


# --- the promise -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    made = Copies(tmp_path_factory.mktemp("greener"))
    made.write()
    made.aim(dict.fromkeys(MEASURES, Decimal(1)))
    made.dbt("seed")
    return made


def _compute(project: Copies, world: World, done: Sequence[Harm]) -> None:
    _land(project, world, done)
    project.begin(AS_OF)
    project.rows("delete from control.check_results")
    project.dbt("run", "--full-refresh", "--select", "+kr_values")
    values = project.rows(
        f"select kr_id, value from key_results.kr_values where date = '{AS_OF}' and kr_id like '%-0-green'"
    )
    project.aim({_parts(row["kr_id"])[0]: row["value"] for row in values})
    _say_what_failed(project, done)
    project.dbt("seed", "--select", "strategy_key_results", "strategy_measures")
    project.dbt("run", "--select", "+kr_current", "--exclude", "+kr_values")


_TOLD = """
    select kr_current.*, strict.removed, today.day_status, before.status as status_before_doubt
    from scorecard.kr_current
    inner join scorecard.kr_strict as strict on strict.kr_id = kr_current.kr_id
    inner join scorecard.kr_daily as today on today.kr_id = kr_current.kr_id and today.date = kr_current.as_of
    left join (select kr_id, min(opened_on) as since from scorecard.kr_doubts where is_open group by kr_id) as doubts
        on doubts.kr_id = kr_current.kr_id
    left join scorecard.kr_daily as before on before.kr_id = kr_current.kr_id and before.date = doubts.since - 1
"""


@settings(max_examples=1, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.integers(1, 2**32))
def test_nothing_done_to_the_records_makes_a_key_result_greener(project: Copies, seed: int) -> None:
    chance = random.Random(seed)
    done = [Harm(), *(_harm(chance, WAYS[number % len(WAYS)]) for number in range(1, COPIES))]
    _compute(project, _company(seed), done)
    told = {_parts(row["kr_id"]): row for row in project.rows(_TOLD)}
    first = {(name, aim): row for (name, number, aim), row in told.items() if number == 0}
    assert all(row["status"] == "green" for (_, aim), row in first.items() if aim == "green")
    assert all(row["day_status"] != "green" for (_, aim), row in first.items() if aim != "green")
    for (name, number, aim), row in told.items():
        measure, harm, whole = MEASURES[name], done[number], first[name, aim]
        now = SEVERITY[row["status"]]
        is_stale = measure.system in harm.since
        is_broken = any(system == measure.system for _, system in harm.failing)
        about = (name, aim, harm, row, whole)
        if is_stale or is_broken:
            assert now >= SEVERITY["amber"], about
            assert now >= SEVERITY[row["status_before_doubt"]], about
        if measure.adds and not is_stale:
            assert now >= SEVERITY[whole["status"]], about
        if measure.system == "finance" and not is_stale and not harm.never_landed:
            assert now >= SEVERITY[whole["day_status"]], about
        if measure.system == "finance" and not harm.removed:
            assert not row["removed"], about
