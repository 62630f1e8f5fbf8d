"""A company whose records come late, are edited and go, evening by evening; and in plain Python, what was known when.

Nothing here is Plumbline's: a state of knowledge is a dictionary of records, and a value is a loop over it.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
START = date(2026, 10, 5)
EVENINGS = (date(2026, 10, 9), date(2026, 10, 12), date(2026, 10, 14), date(2026, 10, 16), date(2026, 10, 20))
"""The days that runs stand on; the last is today's run, which has reported nothing yet."""

Record = Mapping[str, Any]
Key = tuple[str, str]
State = dict[Key, Record]
"""Records by stream and key."""


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), BERLIN).astimezone(UTC)


def local_day(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(BERLIN).date()


@dataclass(frozen=True)
class Version:
    """A record as it landed on an evening (0 is the first); None: it was missing. `updated`: when the source says it changed."""

    evening: int
    record: Record | None
    updated: datetime | None


@dataclass
class World:
    """What landed when. `landed`: the records of each evening by stream, as the source gives them: all of a snapshot."""

    versions: dict[Key, list[Version]] = field(default_factory=dict)
    landed: list[dict[str, dict[str, Record]]] = field(default_factory=list)

    def then(self, evening: int) -> State:
        """The records as known on that evening."""
        state = {}
        for key, versions in self.versions.items():
            known = [version for version in versions if version.evening <= evening]
            if known and known[-1].record is not None:
                state[key] = known[-1].record
        return state

    def now(self) -> State:
        return self.then(len(EVENINGS) - 1)

    def with_late(self, evening: int) -> State:
        """The same with everything that already was so on that evening, and was only not there yet."""
        cut, known, now = end_of(EVENINGS[evening]), self.then(evening), self.now()
        state = {}
        for key, versions in self.versions.items():
            stream, name = key
            if key in known:
                newest = max(n for n, version in enumerate(versions) if version.evening <= evening)
                for version in versions[newest + 1 :]:
                    if version.record is not None and version.updated is not None and version.updated <= cut:
                        newest = versions.index(version)
                state[key] = versions[newest].record
            elif key in now:
                of_known_item = stream == "changelogs" and ("issues", name.split("/")[0]) in known
                if not of_known_item or (versions[-1].updated or cut) <= cut:
                    state[key] = now[key]
        return {key: record for key, record in state.items() if record is not None}


@dataclass
class _Item:
    created: datetime
    kind: str
    status: str = "1"
    moves: list[tuple[datetime, str, str]] = field(default_factory=list)


def _issue(key: str, item: _Item) -> Record:
    updated = item.moves[-1][0] if item.moves else item.created
    return {
        "id": key,
        "key": f"P-{key}",
        "fields": {
            "project": {"id": "1", "key": "P"},
            "issuetype": {"id": "1", "name": item.kind},
            "status": {"id": item.status},
            "created": item.created.isoformat(),
            "updated": updated.isoformat(),
        },
    }


def _deal(key: str, created: datetime, history: list[tuple[datetime, str, str]]) -> Record:
    """`history`: (when, stage, amount), oldest first."""
    when, stage, amount = history[-1]
    return {
        "id": key,
        "archived": False,
        "updatedAt": when.isoformat(),
        "createdAt": created.isoformat(),
        "properties": {
            "dealstage": stage,
            "pipeline": "p",
            "amount": amount,
            "createdate": created.isoformat(),
        },
        "propertiesWithHistory": {
            "dealstage": [{"value": stage, "timestamp": at.isoformat()} for at, stage, _ in reversed(history)]
        },
    }


def simulate(seed: int) -> World:
    """Five evenings. A third of what changes lands an evening later; some postings are booked days afterwards, some go."""
    chance = random.Random(seed)
    world = World()
    items: dict[str, _Item] = {}
    deals: dict[str, tuple[datetime, list[tuple[datetime, str, str]]]] = {}
    postings: dict[str, Record] = {f"still-{n}": posting(f"still-{n}", START, "9", "7") for n in range(3)}
    waiting: set[Key] = set()
    since = datetime.combine(START, time(6), UTC)
    for evening, day in enumerate(EVENINGS):
        until = end_of(day) - timedelta(hours=1)

        def moment(since: datetime = since, until: datetime = until) -> datetime:
            return (since + (until - since) * chance.random()).replace(microsecond=0)

        touched: set[Key] = set()
        for _ in range(8):
            key = str(chance.randrange(1000, 9999))
            items[key] = _Item(moment(), chance.choice(["Bug", "Story"]))
            touched.add(("issues", key))
            key = str(chance.randrange(1000, 9999))
            created = moment()
            deals[key] = (created, [(created, "open", str(chance.randrange(100, 900)))])
            touched.add(("deals", key))
        for key in chance.sample(sorted(items), len(items) // 2):
            item, at = items[key], moment()
            if at > (item.moves[-1][0] if item.moves else item.created):
                # What is done may be taken up again.
                to = {"1": "3", "2": "3", "3": "2"}[item.status]
                item.moves.append((at, item.status, to))
                item.status = to
                touched.add(("issues", key))
        for key in chance.sample(sorted(deals), len(deals) // 2):
            created, history = deals[key]
            at, stage = moment(), chance.choice(["open", "won", "won"])
            if at > history[-1][0]:
                history.append((at, stage, chance.choice([history[-1][2], str(chance.randrange(100, 900))])))
                touched.add(("deals", key))
        _book(chance, postings, day)

        last = evening == len(EVENINGS) - 1
        due = waiting | touched
        waiting = set() if last else {key for key in due if chance.random() < 1 / 3}
        batch: dict[str, dict[str, Record]] = {"issues": {}, "changelogs": {}, "deals": {}}
        for stream, key in sorted(due - waiting):
            if stream == "deals":
                batch["deals"][key] = _deal(key, *deals[key])
            else:
                batch["issues"][key] = _issue(key, items[key])
                for number, (at, old, new) in enumerate(items[key].moves):
                    change = {"field": "status", "fieldId": "status", "from": old, "to": new}
                    entry = {"issueId": key, "id": str(number), "created": at.isoformat(), "items": [change]}
                    batch["changelogs"][f"{key}/{number}"] = entry
        batch["ledger"] = copy.deepcopy(postings)
        # Before the last run somebody lets a status stand for finished work that did not.
        categories = {
            "1": "new",
            "2": "done" if evening == len(EVENINGS) - 2 else "indeterminate",
            "3": "done",
        }
        batch["statuses"] = {
            number: {"id": number, "name": number, "statusCategory": {"key": key}}
            for number, key in categories.items()
        }
        _take_in(world, evening, batch)
        since = until
    return world


def _book(chance: random.Random, postings: dict[str, Record], day: date) -> None:
    """Nine postings more, some of days that were reported long ago; two go and three are edited."""
    for _ in range(9):
        key = f"p{chance.randrange(10**6)}"
        on = START + timedelta(days=chance.randrange((day - START).days + 1))
        postings[key] = posting(key, on, chance.choice("456"), str(chance.randrange(1, 90)))
    loose = sorted(key for key in postings if not key.startswith("still"))
    for key in chance.sample(loose, 2):
        del postings[key]
    for key in chance.sample(sorted(set(loose) & postings.keys()), 3):
        edited = dict(postings[key]["posting"], amount=str(chance.randrange(1, 90)))
        postings[key] = {"key": key, "posting": edited}


def posting(key: str, on: date, account: str, amount: str) -> Record:
    return {"key": key, "posting": {"date": on.isoformat(), "account": account, "amount": amount}}


def _take_in(world: World, evening: int, batch: dict[str, dict[str, Record]]) -> None:
    world.landed.append(batch)
    updated_at: dict[str, Callable[[Record], str]] = {
        "issues": lambda record: record["fields"]["updated"],
        "changelogs": lambda record: record["created"],
        "deals": lambda record: record["updatedAt"],
    }
    for stream, records in batch.items():
        for key, record in records.items():
            versions = world.versions.setdefault((stream, key), [])
            if not versions or versions[-1].record != record:
                updated = updated_at.get(stream)
                when = datetime.fromisoformat(updated(record)) if updated else None
                versions.append(Version(evening, record, when))
    for (stream, key), versions in world.versions.items():
        if stream == "ledger" and key not in batch["ledger"] and versions[-1].record is not None:
            versions.append(Version(evening, None, None))


# --- what the key results come to, by loops ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fact:
    """A record in time: it counts from `day`, until `until`."""

    day: date
    amount: Decimal
    kind: str = ""
    until: date | None = None


def done_items(state: State) -> Iterable[Fact]:
    done = {
        key
        for (stream, key), status in state.items()
        if stream == "statuses" and status["statusCategory"]["key"] == "done"
    }
    for (stream, key), record in state.items():
        if stream == "issues" and record["fields"]["status"]["id"] in done:
            entries = [
                change["created"]
                for (of, name), change in state.items()
                if of == "changelogs"
                and name.split("/")[0] == key
                and change["items"][0]["to"] in done
                and change["items"][0]["from"] not in done
            ]
            at = max(entries) if entries else record["fields"]["created"]
            yield Fact(local_day(at), Decimal(1), record["fields"]["issuetype"]["name"])


def postings(state: State) -> Iterable[Fact]:
    for (stream, _), record in state.items():
        if stream == "ledger":
            said = record["posting"]
            yield Fact(date.fromisoformat(said["date"]), Decimal(said["amount"]), said["account"])


def deals(state: State) -> Iterable[Fact]:
    """From creation until they were won for the last time; `kind` is the stage."""
    for (stream, _), record in state.items():
        if stream == "deals":
            said = record["properties"]
            stages = list(reversed(record["propertiesWithHistory"]["dealstage"]))
            won = [
                after["timestamp"]
                for before, after in zip([{"value": ""}, *stages], stages, strict=False)
                if after["value"] == "won" and before["value"] != "won"
            ]
            until = local_day(won[-1]) if said["dealstage"] == "won" else None
            yield Fact(local_day(said["createdate"]), Decimal(said["amount"]), said["dealstage"], until)


def won_deals(state: State) -> Iterable[Fact]:
    for fact in deals(state):
        if fact.until is not None:
            yield Fact(fact.until, fact.amount)


def rounded(number: float) -> Decimal:
    return Decimal(number).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def total(facts: Iterable[Fact], day: date, first: date = START) -> Decimal:
    return sum((fact.amount for fact in facts if first <= fact.day <= day), Decimal(0))


def mean(facts: Iterable[Fact], day: date, days: int) -> Decimal | None:
    amounts = [fact.amount for fact in facts if day - timedelta(days=days) < fact.day <= day]
    return rounded(float(sum(amounts)) / len(amounts)) if amounts else None


def middle(facts: Iterable[Fact], day: date) -> Decimal | None:
    amounts = [float(fact.amount) for fact in facts if START <= fact.day <= day]
    return rounded(median(amounts)) if amounts else None


def share(facts: Iterable[Fact], day: date, kind: str) -> Decimal | None:
    kinds = [fact.kind for fact in facts if START <= fact.day <= day]
    return rounded(100 * kinds.count(kind) / len(kinds)) if kinds else None


def standing(facts: Iterable[Fact], day: date) -> Decimal:
    return sum(
        (
            fact.amount
            for fact in facts
            if fact.day <= day and (fact.until is None or day < max(fact.until, START))
        ),
        Decimal(0),
    )
