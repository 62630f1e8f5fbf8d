"""A company in which people work, sell and post honestly most of the time, and its records as the systems show them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
START, AS_OF = date(2026, 10, 5), date(2026, 12, 11)
NOW = datetime.combine(AS_OF, time(23, 59), BERLIN).astimezone(UTC)
STATUSES = {"1": "new", "2": "indeterminate", "3": "done"}
OPEN_STAGES = ("a", "b", "c")
STAGES = (*OPEN_STAGES, "won", "lost")


def local_day(moment: datetime) -> date:
    """The day in the cycle's time zone."""
    return moment.astimezone(BERLIN).date()


@dataclass(frozen=True)
class Change:
    """One field of an item or deal, changed once."""

    at: datetime
    by: str
    field: str
    before: str | None
    after: str | None


@dataclass
class Item:
    """An issue with all that happened to it."""

    id: str
    project: str
    type: str
    created: datetime
    labels: list[str]
    estimate: int | None
    changes: list[Change] = field(default_factory=list)
    resolved: datetime | None = None

    @property
    def record(self) -> str:
        return f"jira/issues/{self.id}"

    @property
    def key(self) -> str:
        return f"{self.project}-{self.id}"

    @property
    def moves(self) -> list[Change]:
        return [change for change in self.changes if change.field == "status"]

    @property
    def status(self) -> str:
        return (self.moves[-1].after or "") if self.moves else "1"

    @property
    def done_at(self) -> datetime | None:
        return self.moves[-1].at if self.status == "3" else None

    @property
    def started_at(self) -> datetime | None:
        return next((move.at for move in self.moves if move.after == "2"), self.done_at)


@dataclass
class Deal:
    """An opportunity with all that happened to it."""

    id: str
    name: str
    created: datetime
    changes: list[Change]

    @property
    def record(self) -> str:
        return f"hubspot/deals/{self.id}"

    def last(self, name: str) -> str:
        return [change.after or "" for change in self.changes if change.field == name][-1]

    def entered(self, stages: tuple[str, ...]) -> datetime | None:
        """The last entry from elsewhere into one of the stages, if the deal stands in one."""
        if self.last("dealstage") not in stages:
            return None
        moves = [change for change in self.changes if change.field == "dealstage"]
        return [m.at for m in moves if m.after in stages and m.before not in stages][-1]


@dataclass(frozen=True)
class Posting:
    """One line of the ledger."""

    id: str
    day: date
    posted: date
    account: str
    amount: Decimal
    document: str
    counterparty: str
    description: str

    @property
    def record(self) -> str:
        return f"finance/ledger/{self.id}"


@dataclass(eq=False)
class World:
    """All of it, as it stands in the evening of AS_OF."""

    items: list[Item]
    deals: list[Deal]
    postings: list[Posting]


def random_world(seed: int) -> World:
    """The same world for the same seed."""
    chance = random.Random(seed)
    items = [_item(chance, str(number)) for number in range(700)] + [
        _late_closing(chance, str(number)) for number in range(700, 715)
    ]
    deals = [_deal(chance, str(number)) for number in range(320)]
    return World(items, deals, [_posting(chance, str(number)) for number in range(900)])


def renamed(world: World, chance: random.Random) -> World:
    """The same world with other ids, other people and its records in another order."""
    people = dict(zip("uvwxyz", chance.sample("abcdef", 6), strict=True))
    numbers = Numbers(chance)

    def changes(old: list[Change]) -> list[Change]:
        return [replace(change, by=people[change.by]) for change in old]

    other = World(
        [replace(item, id=numbers.next(), changes=changes(item.changes)) for item in world.items],
        [replace(deal, id=numbers.next(), changes=changes(deal.changes)) for deal in world.deals],
        [replace(posting, id=numbers.next()) for posting in world.postings],
    )
    for records in (other.items, other.deals, other.postings):
        chance.shuffle(records)
    return other


class Numbers:
    """Numbers in no order, each once."""

    def __init__(self, chance: random.Random) -> None:
        self._numbers = iter(chance.sample(range(10_000, 99_999), 9_000))

    def next(self) -> str:
        return str(next(self._numbers))


def _moment(chance: random.Random, first: datetime, days: float) -> datetime:
    return first + timedelta(seconds=round(chance.uniform(0.001, days) * 86400))


def _item(chance: random.Random, number: str) -> Item:
    kind = chance.choice(["Story", "Story", "Bug", "Chore"])
    created = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(190 * 86400))
    labels = [label for label in ("red", "green", "blue") if chance.random() < 0.4]
    item = Item(number, chance.choice("PQ"), kind, created, labels, chance.choice([None, 1, 2, 5, 8]))
    at_once = chance.random() < (0.8 if kind == "Chore" else 0.04)
    at = _moment(chance, created, 0.04 if at_once else 6)
    status = "1"
    if not at_once and chance.random() < 0.96:
        _move(item, chance, at, status, "2")
        at, status = _moment(chance, at, 12), "2"
    _move(item, chance, at, status, "3")
    while chance.random() < 0.2:
        at = _moment(chance, at, 25)
        _move(item, chance, at, "3", "2")
        if chance.random() < 0.3:
            break
        at = _moment(chance, at, 10)
        _move(item, chance, at, "2", "3")
    item.changes = [change for change in item.changes if change.at <= NOW]
    closings = [move.at for move in item.moves if move.after == "3"]
    if closings:
        item.resolved = closings[0] - timedelta(
            seconds=chance.randrange(4 * 86400) * (chance.random() < 0.06)
        )
    _edit(item, chance)
    return item


def _late_closing(chance: random.Random, number: str) -> Item:
    """One of the many that one person closes late on a Friday."""
    friday = datetime(2026, 11, 13, 17, chance.randrange(60), tzinfo=BERLIN).astimezone(UTC)
    item = Item(number, "P", "Story", friday - timedelta(days=9), [], 3)
    item.changes = [
        Change(friday - timedelta(days=5), "u", "status", "1", "2"),
        Change(friday, "u", "status", "2", "3"),
    ]
    item.resolved = friday
    return item


def _move(item: Item, chance: random.Random, at: datetime, before: str, after: str) -> None:
    item.changes.append(Change(at, chance.choice("uvwxyz"), "status", before, after))


def _edit(item: Item, chance: random.Random) -> None:
    """Now and then an estimate, the type, a label or the project changes on the way."""
    at = _moment(chance, item.created, 30)
    if at > NOW or chance.random() > 0.25:
        return
    by = chance.choice("uvwxyz")
    match chance.choice(["estimate", "type", "labels", "project"]):
        case "estimate":
            before = None if item.estimate is None else str(item.estimate)
            item.estimate = 13
            item.changes.append(Change(at, by, "estimate", before, "13"))
        case "type" if item.type != "Chore":
            before, item.type = item.type, "Story" if item.type == "Bug" else "Bug"
            item.changes.append(Change(at, by, "type", before, item.type))
        case "labels" if item.labels:
            names = " ".join(item.labels)
            item.labels = item.labels[1:]
            item.changes.append(Change(at, by, "labels", names, " ".join(item.labels)))
        case _:
            before, item.project = item.project, "Q" if item.project == "P" else "P"
            item.changes.append(Change(at, by, "project", before, item.project))
    item.changes.sort(key=lambda change: change.at)


def _deal(chance: random.Random, name: str) -> Deal:
    created = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(150 * 86400))
    changes: list[Change] = []
    state: dict[str, str] = {}
    at = created

    def put(prop: str, value: str) -> None:
        changes.append(Change(at, chance.choice("uvwxyz"), prop, state.get(prop), value))
        state[prop] = value

    close = local_day(created) + timedelta(days=chance.randrange(20, 90))
    put("dealstage", "a")
    put("amount", str(chance.randrange(1, 90) * 1000))
    put("closedate", f"{close}T10:00:00Z")
    ways = ("b", "c", "won") if chance.random() < 0.97 else ("c", "won")
    afterwards = chance.choice([(), (), (), ("b",), ("b", "c", "won"), ("lost",)])
    for number, stage in enumerate((*ways, *afterwards)):
        at = _moment(chance, at, 25 if number < len(ways) else 4)
        put("dealstage", stage if stage != "won" or chance.random() < 0.8 else "lost")
        while chance.random() < 0.35:
            at = _moment(chance, at, 2)
            close += timedelta(days=chance.randrange(-3, 20))
            put("closedate", f"{close}T10:00:00Z")
        if chance.random() < 0.1:
            at = _moment(chance, at, 4)
            put("amount", str(chance.randrange(1, 90) * 1000))
    return Deal(name, f"Deal {name}", created, [change for change in changes if change.at <= NOW])


def _posting(chance: random.Random, number: str) -> Posting:
    day = date(2026, 8, 25) + timedelta(days=chance.randrange((AS_OF - date(2026, 8, 25)).days + 1))
    if chance.random() < 0.3:
        day = chance.choice([date(2026, 10, 30), date(2026, 11, 2), date(2026, 11, 30), date(2026, 12, 1)])
    amount = Decimal(chance.choice(["1000", "-1000", "250.50", "-250.50", "733.10", "90", "-2000"]))
    posted = day + timedelta(days=chance.choice([0, 0, 1, 2, 7, 45]))
    if chance.random() < 0.1:
        # The last day on which the month is open, and the first on which it is not.
        posted = (day.replace(day=1) + timedelta(days=32)).replace(day=chance.choice([15, 16]))
    document = f"D{chance.randrange(400)}" if chance.random() < 0.8 else ""
    return Posting(
        number,
        day,
        min(AS_OF, posted),
        chance.choice(["4000", "5000"]),
        amount,
        document,
        chance.choice(["A", "B", "C", ""]),
        "text",
    )


def raw_records(world: World) -> Iterator[tuple[str, Mapping[str, Mapping[str, Any]]]]:
    """The raw tables and their records by key."""
    yield "jira_issues", {item.id: _issue(item) for item in world.items}
    yield (
        "jira_changelogs",
        {
            f"{item.id}/{number}": _history(item, number, change)
            for item in world.items
            for number, change in enumerate(item.changes)
        },
    )
    yield (
        "jira_statuses",
        {key: {"id": key, "name": key, "statusCategory": {"key": to}} for key, to in STATUSES.items()},
    )
    yield "hubspot_deals", {deal.id: _hubspot(deal) for deal in world.deals}
    probability = dict.fromkeys(OPEN_STAGES, "0.5") | {"won": "1.0", "lost": "0.0"}
    stages = [
        {"id": stage, "label": stage, "metadata": {"probability": probability[stage]}} for stage in STAGES
    ]
    yield "hubspot_pipelines", {"p": {"id": "p", "label": "P", "stages": stages}}
    yield "finance_ledger", {posting.id: _line(posting) for posting in world.postings}


def _issue(item: Item) -> Mapping[str, Any]:
    fields = {
        "project": {"id": item.project, "key": item.project},
        "issuetype": {"id": item.type, "name": item.type},
        "status": {"id": item.status},
        "created": item.created.isoformat(),
        "updated": NOW.isoformat(),
        "resolutiondate": item.resolved.isoformat() if item.resolved else None,
        "labels": item.labels,
        "customfield_10016": item.estimate,
    }
    return {"id": item.id, "key": item.key, "fields": fields}


_FIELDS: Mapping[str, Callable[[Item, str], Mapping[str, str]]] = {
    "status": lambda _, value: {"id": value, "text": value},
    "estimate": lambda _, value: {"text": value},
    "type": lambda _, value: {"id": value, "text": value},
    "labels": lambda _, value: {"text": value},
    "project": lambda item, value: {"text": f"{value}-{item.id}"},
}
_NAMES = {
    "estimate": {"field": "Story Points", "fieldId": "customfield_10016"},
    "type": {"field": "issuetype", "fieldId": "issuetype"},
    "project": {"field": "Key"},
}


def _history(item: Item, number: int, change: Change) -> Mapping[str, Any]:
    before = _FIELDS[change.field](item, change.before) if change.before is not None else {}
    after = _FIELDS[change.field](item, change.after) if change.after is not None else {}
    line = {
        **_NAMES.get(change.field, {"field": change.field, "fieldId": change.field}),
        "from": before.get("id"),
        "fromString": before.get("text"),
        "to": after.get("id"),
        "toString": after.get("text"),
    }
    return {
        "issueId": item.id,
        "id": str(number),
        "created": change.at.isoformat(),
        "author": {"accountId": change.by},
        "items": [line],
    }


def _hubspot(deal: Deal) -> Mapping[str, Any]:
    names = ("dealstage", "amount", "closedate")
    versions = {
        name: [
            {"value": change.after, "timestamp": change.at.isoformat(), "updatedByUserId": change.by}
            for change in reversed(deal.changes)
            if change.field == name
        ]
        for name in names
    }
    properties = {
        "dealname": deal.name,
        "pipeline": "p",
        "createdate": deal.created.isoformat(),
        **{name: deal.last(name) for name in names},
    }
    return {
        "id": deal.id,
        "archived": False,
        "properties": properties,
        "propertiesWithHistory": versions,
        "createdAt": deal.created.isoformat(),
        "updatedAt": NOW.isoformat(),
    }


def _line(posting: Posting) -> Mapping[str, Any]:
    return {
        "key": posting.id,
        "posting": {
            "date": posting.day.isoformat(),
            "posted_at": posting.posted.isoformat(),
            "account": posting.account,
            "amount": str(posting.amount),
            "document": posting.document,
            "counterparty": posting.counterparty,
            "description": posting.description,
        },
    }
