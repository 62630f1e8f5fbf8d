"""Every aggregate over every window equals the same number computed day by day in plain Python over the same records."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.dbt.scratch_project import KeyResult, ScratchProject

BERLIN = ZoneInfo("Europe/Berlin")
CYCLE_START = date(2026, 10, 5)
AS_OF = date(2026, 11, 13)
# The history holds one whole period of the cycle's length, and before it days that belong to none.
PERIOD_START = date(2026, 7, 6)
HISTORY_START = date(2026, 7, 1)
DAYS = [PERIOD_START + timedelta(days=number) for number in range((AS_OF - PERIOD_START).days + 1)]
SEEDS = (1, 2)
HISTORY_STARTS = datetime(2026, 8, 1, tzinfo=UTC)
# Midnights in Berlin before and after the change of the clocks, to the second.
EDGES = [datetime(2026, 10, day, hour, 0, 0, tzinfo=UTC) for day in (4, 24, 25) for hour in (21, 22, 23)]


@dataclass(frozen=True)
class Entry:
    """What a record comes down to: when it counts, when it leaves, what it weighs. Days are Berlin's."""

    record: str
    day: date | None
    until: date | None
    amount: Decimal | None
    good: bool
    deleted: bool = False


@dataclass(frozen=True)
class Case:
    """One measure: the arguments of the macro and the same in the oracle's words."""

    aggregate: str
    window: str
    window_days: int = 0
    table: str = "deals"
    weighed: bool = True
    leaves: bool = False
    numerator: bool = False
    against: bool = False
    negate: bool = False

    @property
    def name(self) -> str:
        flags = [
            name for name in ("weighed", "leaves", "numerator", "against", "negate") if getattr(self, name)
        ]
        return "-".join([self.table, self.aggregate, f"{self.window}{self.window_days or ''}", *flags])

    def arguments(self, seed: int) -> dict[str, Any]:
        deals = self.table == "deals"
        found: dict[str, Any] = {
            "table": self.table,
            "aggregate": self.aggregate,
            "column": "amount_company" if self.weighed else None,
            "at": "created_at" if deals else "date",
            "at_is_timestamp": deals,
            "filter": f"source = 'crm{seed}'" if deals else f"cost_centre = '{seed}'",
            "window": self.window,
            "negate": self.negate,
        }
        if self.window_days:
            found["window_days"] = self.window_days
        if self.leaves:
            found["until"] = "closed_at"
        if self.numerator:
            found |= {"numerator": "is_won" if deals else "amount > 0", "scale": 100}
        if self.against:
            found |= {"scale": 100, "against": {
                "table": "budget_days", "column": "amount_company", "at": "date", "at_is_timestamp": False,
                "filter": f"cost_centre = '{seed}'",
            }}  # fmt: skip
        return found


WINDOWS = [("cycle", 0), ("rolling", 28), ("rolling", 3), ("as_of", 0)]
CASES = [
    *(Case(aggregate, *window, weighed=aggregate != "count")
      for aggregate in ("count", "sum", "avg", "median", "p85") for window in WINDOWS),
    *(Case("ratio", *window, weighed=weighed, numerator=True) for weighed in (False, True) for window in WINDOWS),
    *(Case("ratio", *window, table="ledger_entries", against=True) for window in WINDOWS[:3]),
    *(Case(aggregate, "as_of", weighed=aggregate != "count", leaves=True)
      for aggregate in ("count", "sum", "avg", "median", "level")),
    Case("ratio", "as_of", weighed=False, leaves=True, numerator=True),
    Case("level", "as_of", weighed=False),
    Case("sum", "cycle", table="ledger_entries", negate=True),
    Case("count", "rolling", 28, table="ledger_entries"),
]  # fmt: skip


@dataclass(frozen=True)
class World:
    """Random records of one seed, in the wire shape and as the oracle sees them."""

    deals: Mapping[str, Mapping[str, Any]]
    ledger: Mapping[str, Mapping[str, Any]]
    budgets: Mapping[str, Mapping[str, Any]]
    entries: Mapping[str, Sequence[Entry]]


@dataclass(frozen=True)
class Built:
    """What dbt made of all worlds."""

    worlds: Mapping[int, World]
    series: Mapping[str, Mapping[date, tuple[Decimal | None, int]]]
    evidence: Mapping[str, Sequence[Mapping[str, Any]]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    key_results = [KeyResult(f"{case.name}-{seed}", case.arguments(seed)) for case in CASES for seed in SEEDS]
    project = ScratchProject(
        tmp_path_factory.mktemp("measures") / "work space",
        key_results,
        variables={"history_start": HISTORY_START.isoformat()},
    )
    project.write()
    worlds = {seed: _world(random.Random(seed), seed) for seed in SEEDS}
    for seed, world in worlds.items():
        project.land("hubspot_deals", world.deals, source=f"crm{seed}")
        project.land("hubspot_pipelines", {"p": _PIPELINE}, source=f"crm{seed}")
        project.land("finance_ledger", world.ledger)
        project.land("finance_budgets", world.budgets)
    project.begin(AS_OF)
    project.build("kr_values", "evidence")
    series: dict[str, dict[date, tuple[Decimal | None, int]]] = {}
    for row in project.rows("select * from key_results.kr_values"):
        series.setdefault(row["kr_id"], {})[row["date"]] = (row["value"], row["records"])
    evidence: dict[str, list[dict[str, Any]]] = {}
    for row in project.rows("select * from scorecard.evidence"):
        evidence.setdefault(row["kr_id"], []).append(row)
    return Built(worlds, series, evidence)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_measure_equals_the_oracle_on_every_day(built: Built, case: Case, seed: int) -> None:
    series = built.series[f"{case.name}-{seed}"]
    assert sorted(series) == DAYS
    for day in DAYS:
        value, records = series[day]
        expected, counted = _oracle(case, built.worlds[seed], day)
        assert records == counted, day
        if expected is None:
            assert value is None, day
        else:
            assert value is not None, day
            assert float(value) == pytest.approx(float(expected), rel=1e-9, abs=1e-6), day


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_evidence_gives_the_value_again(built: Built, case: Case) -> None:
    name = f"{case.name}-{SEEDS[0]}"
    rows = built.evidence.get(name, [])
    value, records = built.series[name][AS_OF]
    upper = [row for row in rows if row["part"] != "denominator" or case.numerator]
    assert len(upper) == records
    assert value is not None
    assert float(value) == pytest.approx(_value_of_evidence(case, rows), rel=1e-6, abs=1e-3)


def test_the_cases_are_not_empty_everywhere(built: Built) -> None:
    empty = [name for name, series in built.series.items() if not any(value for value, _ in series.values())]
    assert empty == []


def _value_of_evidence(case: Case, rows: Sequence[Mapping[str, Any]]) -> float:
    parts = {
        part: [float(row["contribution"]) for row in rows if row["part"] == part]
        for part in ("value", "numerator", "denominator")
    }
    if case.aggregate == "ratio":
        above, below = sum(parts["numerator"]), sum(parts["denominator"])
        if case.against:
            return 100 * above / below
        return 100 * above / ((above + below) if case.weighed else len(rows))
    found = _AGGREGATES[case.aggregate]([Decimal(str(each)) for each in parts["value"]])
    assert found is not None
    return float(found)


def _oracle(case: Case, world: World, day: date) -> tuple[Decimal | None, int]:
    held = [entry for entry in world.entries[case.table] if _holds(entry, case, day)]
    amounts = [Decimal(1) if not case.weighed else entry.amount for entry in held]
    weighed = [
        (amount, entry.good) for amount, entry in zip(amounts, held, strict=True) if amount is not None
    ]
    values = [amount for amount, _ in weighed]
    if case.aggregate != "ratio":
        result = _AGGREGATES[case.aggregate](values)
        return (-result if case.negate and result is not None else result), len(values)
    above, below = sum(values, Decimal()), sum(values, Decimal())
    if case.against:
        below = sum(
            (entry.amount or Decimal() for entry in world.entries["budget_days"] if _holds(entry, case, day)),
            Decimal(),
        )
    else:
        above = sum((amount for amount, good in weighed if good), Decimal())
    return (100 * above / below if below else None), len(values)


def _holds(entry: Entry, case: Case, day: date) -> bool:
    if entry.day is None or entry.deleted or entry.day > day:
        return False
    if case.leaves and entry.until is not None and entry.until <= day:
        return False
    if case.window == "cycle":
        return entry.day >= (CYCLE_START if day >= CYCLE_START else PERIOD_START)
    return case.window == "as_of" or (day - entry.day).days < case.window_days


def _percentile(values: Sequence[Decimal], share: float) -> Decimal | None:
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * Decimal(str(place - low))


_AGGREGATES: Mapping[str, Callable[[Sequence[Decimal]], Decimal | None]] = {
    "count": lambda values: Decimal(len(values)),
    "sum": lambda values: sum(values, Decimal()),
    "level": lambda values: sum(values, Decimal()),
    "avg": lambda values: sum(values, Decimal()) / len(values) if values else None,
    "median": lambda values: _percentile(values, 0.5),
    "p85": lambda values: _percentile(values, 0.85),
}

_PIPELINE = {
    "id": "p",
    "label": "Pipeline",
    "stages": [
        {"id": "new", "label": "New", "metadata": {"isClosed": "false", "probability": "0.2"}},
        {"id": "won", "label": "Won", "metadata": {"isClosed": "true", "probability": "1.0"}},
        {"id": "lost", "label": "Lost", "metadata": {"isClosed": "true", "probability": "0.0"}},
    ],
}


def _world(chance: random.Random, seed: int) -> World:
    deals, deal_entries = _deals(chance, seed)
    ledger, ledger_entries = _ledger(chance, seed)
    budgets, budget_entries = _budgets(chance, seed)
    entries = {"deals": deal_entries, "ledger_entries": ledger_entries, "budget_days": budget_entries}
    return World(deals, ledger, budgets, entries)


def _deals(chance: random.Random, seed: int) -> tuple[dict[str, dict[str, Any]], list[Entry]]:
    records, entries = {}, []
    for number in range(120):
        created = _instant(chance)
        open_for = timedelta(seconds=chance.choice([0, 60, chance.randrange(60 * 86400)]))
        closed = created + open_for if chance.random() < 0.6 else None
        stage = chance.choice(["won", "lost"]) if closed else "new"
        amount = Decimal(chance.randrange(-20000, 900000)) / 100 if chance.random() < 0.9 else None
        archived = chance.random() < 0.1
        history = [{"value": "new", "timestamp": created.isoformat()}]
        if closed:
            history.insert(0, {"value": stage, "timestamp": _wire(closed, chance)})
        records[str(number)] = {
            "id": str(number),
            "properties": {
                "dealname": "d",
                "pipeline": "p",
                "dealstage": stage,
                "amount": "" if amount is None else str(amount),
            },
            "propertiesWithHistory": {"dealstage": history},
            "createdAt": _wire(created, chance),
            "updatedAt": _wire(created, chance),
            "archived": archived,
        }
        until = closed.astimezone(BERLIN).date() if closed else None
        day = created.astimezone(BERLIN).date()
        entries.append(Entry(f"crm{seed}/deals/{number}", day, until, amount, stage == "won", archived))
    return records, entries


def _ledger(chance: random.Random, seed: int) -> tuple[dict[str, dict[str, Any]], list[Entry]]:
    records, entries = {}, []
    for number in range(80):
        day = _instant(chance).date()
        amount = Decimal(chance.randrange(-50000, 100000)) / 100
        key = f"s{seed}/{number}"
        posting = {"date": day.isoformat(), "account": "4", "cost_centre": str(seed), "amount": str(amount)}
        records[key] = {"key": key, "posting": posting}
        entries.append(Entry(f"finance/ledger/{key}", day, None, amount, amount > 0))
    return records, entries


def _budgets(chance: random.Random, seed: int) -> tuple[dict[str, dict[str, Any]], list[Entry]]:
    """A month's amount, spread by the oracle as a plain fraction."""
    records, entries = {}, []
    for month, days in ((8, 31), (9, 30), (10, 31), (11, 30), (12, 31)):
        amount = Decimal(chance.randrange(100000, 900000)) / 100
        key = f"s{seed}/{month}"
        posting = {
            "month": f"2026-{month:02}-01",
            "account": "4",
            "cost_centre": str(seed),
            "amount": str(amount),
        }
        records[key] = {"key": key, "posting": posting}
        entries += [
            Entry(key, date(2026, month, day), None, amount / days, True) for day in range(1, days + 1)
        ]
    return records, entries


def _instant(chance: random.Random) -> datetime:
    if chance.random() < 0.1:
        return chance.choice(EDGES) - timedelta(seconds=chance.choice([0, 1]))
    return HISTORY_STARTS + timedelta(seconds=chance.randrange(115 * 86400))


def _wire(instant: datetime, chance: random.Random) -> str:
    """The same instant as different systems write it."""
    offset = chance.choice([0, 1, 8, -5])
    local = instant + timedelta(hours=offset)
    texts: Iterator[str] = iter([
        instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
        local.strftime("%Y-%m-%dT%H:%M:%S.000") + f"{'-' if offset < 0 else '+'}{abs(offset):02}00",
        str(int(instant.timestamp() * 1000)),
    ])  # fmt: skip
    return chance.choice(list(texts))
