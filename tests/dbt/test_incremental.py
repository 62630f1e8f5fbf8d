"""Evening after evening only what is new is read, and staging and flow come out as if they had been built from everything."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from connectors.landing import Landing
from connectors.stream import Stream
from tests.dbt.scratch_project import ScratchProject
from warehouse.connection import connect
from warehouse.control import mark_built
from warehouse.raw import load, pending

EVENINGS = 5
UPDATED = ("updatedAt",)
# Of all records: what is missing was deleted.
STREAMS = {
    "jira": (
        Stream("issues", (("id",),), ("fields", "updated"), "snapshot"),
        Stream("changelogs", (("issueId",), ("id",)), ("created",)),
        Stream("statuses", (("id",),), None, "snapshot"),
        Stream("fields", (("id",),), None, "snapshot"),
        Stream("sprints", (("id",),), None, "snapshot"),
    ),
    "hubspot": (
        Stream("deals", (("id",),), UPDATED),
        Stream("pipelines", (("id",),), None, "snapshot"),
    ),
    "salesforce": (
        Stream("opportunities", (("Id",),), ("SystemModstamp",)),
        Stream("opportunity_history", (("Id",),), ("SystemModstamp",)),
        Stream("field_history", (("Id",),), ("CreatedDate",)),
        Stream("stages", (("Id",),), ("SystemModstamp",), "snapshot"),
    ),
    "finance": (
        Stream("ledger", (("key",),), None, "snapshot"),
        Stream("budgets", (("key",),), None, "snapshot"),
    ),
}
World = dict[str, dict[str, Any]]


def _history(chance: random.Random, choices: str, now: datetime) -> list[dict[str, Any]]:
    times = sorted(
        (now - timedelta(minutes=chance.randrange(90000)) for _ in range(chance.randrange(4))), reverse=True
    )
    return [{"value": chance.choice(choices), "timestamp": moment.isoformat()} for moment in times]


def _issue(chance: random.Random, number: int, now: datetime) -> dict[str, Any]:
    sprints = [
        {
            "id": sprint,
            "name": f"S{sprint}",
            "state": chance.choice(["active", "closed"]),
            "startDate": now.isoformat(),
        }
        for sprint in chance.sample(range(4), chance.randrange(3))
    ]
    links = [
        {"id": str(100 * number + to), "type": {"name": "Blocks", "outward": "blocks"}, "outwardIssue": {"id": str(to)}}
        for to in chance.sample(range(30), chance.randrange(3)) if to != number
    ]  # fmt: skip
    fields = {
        "project": {"id": "1", "key": chance.choice("PQ")},
        # The site does not list status 4, so that only issues tell of it.
        "status": {"id": chance.choice("123" if now.day < 24 else "1234"), "statusCategory": {"key": "done"}},
        "created": "2026-10-01T08:00:00.000+0200",
        "updated": now.isoformat(),
        "parent": {"id": str(chance.randrange(30))},
        "labels": chance.sample(["a", "b"], chance.randrange(3)),
        "customfield_10016": chance.randrange(9),
        "customfield_10020": sprints,
        "issuelinks": links,
    }
    return {"id": str(number), "key": f"X-{number}", "fields": fields}


def _changelog(chance: random.Random, issue: int, number: int, now: datetime) -> dict[str, Any]:
    items = [
        {"field": "status", "fieldId": "status", "from": chance.choice("1234"), "to": chance.choice("1234")}
        for _ in range(chance.randrange(3))
    ]
    return {"issueId": str(issue), "id": str(number), "created": now.isoformat(), "items": items}


def _deal(chance: random.Random, number: int, now: datetime) -> dict[str, Any]:
    properties = {
        "dealstage": chance.choice("ow"),
        "pipeline": "p",
        "amount": str(chance.randrange(99)),
        "createdate": now.isoformat(),
    }
    history = {"dealstage": _history(chance, "ow", now), "amount": _history(chance, "123", now)}
    return {
        "id": str(number),
        "archived": chance.random() < 0.2,
        "properties": properties,
        "propertiesWithHistory": history,
        UPDATED[0]: now.isoformat(),
    }  # fmt: skip


def _opportunity(chance: random.Random, number: int, now: datetime) -> dict[str, Any]:
    return {
        "Id": f"006{number}",
        "Name": f"Deal {number}",
        "IsDeleted": chance.random() < 0.2,
        "StageName": chance.choice("ow"),
        "Amount": float(chance.randrange(99)),
        "CreatedDate": now.isoformat(),
        "SystemModstamp": now.isoformat(),
    }


def _versions(
    chance: random.Random, number: int, evening: int, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A row of an opportunity's history and one of the history of its fields, of now or from before what is known."""
    changed = (now - timedelta(minutes=chance.randrange(4000))).isoformat()
    about = {
        "OpportunityId": f"006{number}",
        "CreatedDate": changed,
        "SystemModstamp": now.isoformat(),
    }
    state = {
        "StageName": chance.choice("ow"),
        "Amount": chance.choice([None, 1.0, 2.5]),
        "CloseDate": "2026-10-30",
    }
    owner = {
        "Field": chance.choice(["Owner", "Name"]),
        "OldValue": "005A",
        "NewValue": chance.choice(["005B", "Ada"]),
    }
    return about | state | {"Id": f"008{evening}/{number}"}, about | owner | {"Id": f"017{evening}/{number}"}


def _line(chance: random.Random, key: str, dated: Mapping[str, str]) -> dict[str, Any]:
    posting = {
        **dated,
        "account": chance.choice("45"),
        "amount": str(chance.randrange(99)),
        "cost_centre": "c",
    }
    return {"key": key, "posting": posting}


def _some_news(world: World, chance: random.Random, evening: int, now: datetime) -> None:
    """A third of the records are new or different, some are gone; now and then a status or a stage means something else."""
    for number in chance.sample(range(30), 10):
        world["issues"][str(number)] = _issue(chance, number, now)
        world["deals"][str(number)] = _deal(chance, number, now)
        if chance.random() < 0.7:
            world["opportunities"][str(number)] = _opportunity(chance, number, now)
        state, owner = _versions(chance, number, evening, now)
        world["opportunity_history"][state["Id"]], world["field_history"][owner["Id"]] = state, owner
        world["changelogs"][f"{evening}/{number}"] = _changelog(chance, number, 100 * evening + number, now)
        world["ledger"][str(number)] = _line(chance, str(number), {"date": now.date().isoformat()})
        world["budgets"][str(number)] = _line(chance, str(number), {"month": "2026-10"})
    for stream in ("issues", "ledger", "budgets"):
        world[stream].pop(chance.choice(sorted(world[stream])))
    world["sprints"] = {
        str(sprint): {"id": sprint, "name": f"L{sprint}", "state": chance.choice(["active", "closed"])}
        for sprint in chance.sample(range(4), 2)
    }
    world["fields"] = {"f": {"id": "f", "name": f"Field {evening}"}}
    if evening % 3 == 0:
        categories = {status: chance.choice(["new", "indeterminate", "done"]) for status in "123"}
        world["statuses"] = {
            status: {"id": status, "name": status, "statusCategory": {"key": key}}
            for status, key in categories.items()
        }
        stages = [
            {"id": stage, "label": stage, "metadata": {"probability": chance.choice(["0", "0.5", "1"])}}
            for stage in "ow"
        ]
        world["stages"] = {
            stage: {"Id": stage, "ApiName": stage, "MasterLabel": stage, "SystemModstamp": now.isoformat()}
            | {name: chance.random() < 0.5 for name in ("IsClosed", "IsWon")}
            for stage in "ow"
        }
        world["pipelines"] = {"p": {"id": "p", "label": "P", "stages": stages}}


def _land(landing: Landing, before: World, world: World) -> None:
    for system, streams in STREAMS.items():
        for stream in streams:
            records = world[stream.name]
            if stream.mode == "incremental":
                records = {
                    key: it for key, it in records.items() if before.get(stream.name, {}).get(key) != it
                }
            with landing.open(system, system, stream, None, "1") as writer:
                writer.write(records.values())


def _staging_and_flow(warehouse: Path) -> dict[str, list[tuple[Any, ...]]]:
    with connect(warehouse) as con:
        return dict(_tables(con))


def _tables(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    named = "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('staging', 'flow')"
    for (name,) in con.execute(named).fetchall():
        # Where a listed version stands in an array tells only of its order.
        yield name, con.execute(f"select * from {name} order by all").fetchall()


def test_an_incremental_build_gives_what_a_full_one_gives(tmp_path: Path) -> None:
    chance = random.Random(0)
    project = ScratchProject(
        tmp_path,
        members=[
            ("f1", "project", "P"),
            ("f2", "project", "Q"),
            ("f1", "pipeline", "p"),
            ("f2", "cost_centre", "c"),
        ],
    )
    project.write()
    project.begin(date(2026, 10, 30))
    project.dbt("seed")
    build = ["run", "--select", "config.schema:staging", "config.schema:flow"]
    landing = Landing(tmp_path / "landing")
    world: World = {stream.name: {} for streams in STREAMS.values() for stream in streams}
    sizes = []
    for evening in range(EVENINGS):
        before = copy.deepcopy(world)
        _some_news(world, chance, evening, datetime(2026, 10, 20 + evening, 18, tzinfo=UTC))
        _land(landing, before, world)
        with connect(project.warehouse) as con:
            # Also when a file comes late.
            for manifest in sorted(pending(con, landing), key=lambda _: chance.random()):
                load(con, landing.root, manifest)
        project.dbt(*build)
        # A build that broke off before it could say that it was done is done again.
        if evening != 2:
            with connect(project.warehouse) as con:
                mark_built(con, "definition")
        sizes.append(len(_staging_and_flow(project.warehouse)["flow.work_item_changes"]))
    incremental = _staging_and_flow(project.warehouse)
    project.dbt(*build, "--full-refresh")
    full = _staging_and_flow(project.warehouse)
    assert incremental.keys() == full.keys()
    for name, rows in full.items():
        assert incremental[name] == rows, name
    assert sizes == sorted(sizes)
    empty = {name for name, rows in full.items() if not rows}
    assert {name.partition("__")[2] for name in empty} <= {"projects", "owners", "rates", "fields", "sprints"}
