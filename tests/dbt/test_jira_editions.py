"""One Jira site, as either edition serves it, gives the same flow: pulled twice over HTTP, moved and completed in between."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import pytest

from connectors.jira.config import JiraCloudConfig, JiraDataCenterConfig
from connectors.jira.connector import Jira, JiraCloud, JiraDataCenter
from connectors.jira.streams import CHANGELOGS
from connectors.jira.streams import FIELDS as FIELDS_LIST
from connectors.landing import Landing
from connectors.stream import Stream
from demo.servers.jira import JiraServer, JiraSite
from demo.servers.jira_data_center import JiraDataCenterServer
from tests.dbt.scratch_project import ScratchProject
from warehouse.connection import connect
from warehouse.control import mark_built
from warehouse.raw import cursors, load, pending

Record = dict[str, Any]

ESTIMATE, SPRINTS, EPIC = "customfield_10016", "customfield_10020", "customfield_10014"
FIELDS = [
    {"id": ESTIMATE, "name": "Story Points", "custom": True, "schema": {"type": "number"}},
    {"id": SPRINTS, "name": "Sprint", "custom": True, "schema": {"type": "array"}},
    {"id": EPIC, "name": "Epic Link", "custom": True, "schema": {"type": "any"}},
    {"id": "status", "name": "Status", "custom": False, "schema": {"type": "status"}},
]
CATEGORIES = {"1": "new", "2": "indeterminate", "3": "done"}
STATUSES = [
    {"id": id_, "name": f"Status {id_}", "statusCategory": {"key": key}} for id_, key in CATEGORIES.items()
]
PROJECTS = [{"id": "10", "key": "PLAT", "name": "Platform"}, {"id": "20", "key": "OPS", "name": "Operations"}]
BOARDS = [
    {"id": 1, "name": "Platform", "type": "scrum"},
    {"id": 2, "name": "Operations", "type": "kanban"},
]


STATUS = ("status", "status")


def sprint(number: int, state: str, completed: str | None = None) -> Record:
    shown = {
        "id": number, "name": f"Sprint {number}, the one", "state": state, "startDate": "2026-10-05T08:00:00.000Z",
        "endDate": "2026-10-19T08:00:00.000Z",
    }  # fmt: skip
    return shown | ({"completeDate": completed} if completed else {})


def issue(number: int, level: int, above: str | None, updated: str, *sprints: Record) -> Record:
    kind = {1: "Epic", 0: "Story", -1: "Sub-task"}[level]
    fields = {
        "summary": f"Issue {number}",
        "issuetype": {"id": str(level), "name": kind, "hierarchyLevel": level},
        "project": PROJECTS[0],
        "status": STATUSES[0],
        "created": "2026-10-01T10:00:00.000+0200",
        "updated": updated,
        "assignee": {"accountId": f"user-{number}"},
        "reporter": {"accountId": "ada"},
        "labels": ["a"],
        ESTIMATE: 3.0,
        SPRINTS: list(sprints) or None,
    }
    return {
        "id": str(number),
        "key": f"PLAT-{number}",
        "fields": fields | ({"parent": {"id": above}} if above else {}),
    }


def change(number: int, at: str, field: tuple[str, str], old: str, new: str) -> Record:
    name, field_id = field
    kind = "custom" if field_id.startswith("custom") else "jira"
    texts = {"from": None, "fromString": old, "to": None, "toString": new}
    if name == "status":
        texts = {"from": old, "fromString": f"Status {old}", "to": new, "toString": f"Status {new}"}
    item = {"field": name, "fieldtype": kind, "fieldId": field_id} | texts
    return {"id": str(number), "author": {"accountId": "ada"}, "created": at, "items": [item]}


def before() -> JiraSite:
    """An epic with a story of two sprints, which has a sub-task; the second sprint is active."""
    old, current = sprint(6, "closed", "2026-10-04T08:00:00.000Z"), sprint(7, "active")
    listed = [old, current, sprint(8, "future")]
    early = "2026-10-06T10:00:00.000+0200"
    return JiraSite(
        issues=[
            issue(1, 1, None, early),
            issue(2, 0, "1", early, old, current),
            issue(3, -1, "2", early),
        ],
        changelogs={
            "2": [
                change(21, "2026-10-05T10:00:00.000+0200", STATUS, "1", "2"),
                change(22, "2026-10-05T11:00:00.000+0200", ("Story Points", ESTIMATE), "2", "3"),
                change(23, early, ("Sprint", SPRINTS), "6", "6, 7"),
            ]
        },
        statuses=STATUSES,
        fields=FIELDS,
        projects=PROJECTS,
        boards=BOARDS,
        sprints={1: listed},
    )


def after() -> JiraSite:
    """The story is done, later its epic moves to another project; last the sprint is completed, which touches no issue."""
    site = copy.deepcopy(before())
    epic, story, _ = site.issues
    done, moved = "2026-10-20T10:00:00.000+0200", "2026-10-21T10:00:00.000+0200"
    story["fields"] |= {"status": STATUSES[2], "updated": done}
    site.changelogs["2"].append(change(24, done, STATUS, "2", "3"))
    epic["key"] = "OPS-9"
    epic["fields"] |= {"project": PROJECTS[1], "updated": moved}
    site.changelogs["1"] = [change(11, moved, ("Key", "Key"), "PLAT-1", "OPS-9")]
    site.sprints[1][1] = sprint(7, "closed", "2026-10-22T08:00:00.000Z")
    return site


def as_data_center(site: JiraSite) -> JiraSite:
    """The same site in the shapes of Data Center: users by key, sprints as texts, epics by key, changes without field ids."""
    other = copy.deepcopy(site)
    first_keys = {one["id"]: f"PLAT-{one['id']}" for one in site.issues}
    for one in other.issues:
        fields = one["fields"]
        for user in ("assignee", "reporter"):
            fields[user] = {"key": fields[user]["accountId"], "name": "renamed"}
        if fields["issuetype"].pop("hierarchyLevel") == 0:
            # It is not touched when the epic moves, so it was last pulled with the key of that time.
            fields[EPIC] = first_keys[fields.pop("parent")["id"]]
        fields[SPRINTS] = [as_text(told) for told in fields[SPRINTS] or ()] or None
    for log in other.changelogs.values():
        for entry in log:
            entry["author"] = {"name": entry["author"]["accountId"]}
            del entry["items"][0]["fieldId"]
    return other


def as_text(told: Record) -> str:
    completed = told.get("completeDate", "<null>")
    return (
        f"com.atlassian.greenhopper.service.sprint.Sprint@1f2e[id={told['id']},rapidViewId=1,"
        f"state={told['state'].upper()},name={told['name']},startDate={told['startDate']},endDate={told['endDate']},"
        f"completeDate={completed},activatedDate=<null>,sequence={told['id']},goal=all, of=it,autoStartStop=false]"
    )


@contextmanager
def served(source: str, site: JiraSite) -> Iterator[Jira]:
    fields = {"estimate": ESTIMATE, "sprints": SPRINTS, "epic": EPIC}
    if source == "cloud":
        with JiraServer(site, "ada@example.com", "secret") as server:
            given = {
                "type": "jira_cloud",
                "email": "ada@example.com",
                "api_token": "secret",
                "fields": fields,
            }
            yield JiraCloud(source, JiraCloudConfig.model_validate({"base_url": server.url} | given))
    else:
        with JiraDataCenterServer(as_data_center(site), "Bearer secret", history_limit=2) as center:
            config = {"type": "jira_data_center", "personal_access_token": "secret", "fields": fields}
            yield JiraDataCenter(
                source, JiraDataCenterConfig.model_validate({"base_url": center.url} | config)
            )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    folder = tmp_path_factory.mktemp("editions")
    project = ScratchProject(folder, members=[("f1", "project", "PLAT"), ("f2", "project", "OPS")])
    project.write()
    project.begin(date(2026, 10, 30))
    landing = Landing(folder / "landing")
    for site in (before(), after()):
        for source in ("cloud", "center"):
            with connect(project.warehouse) as con:
                committed = cursors(con, source)
            with served(source, site) as jira:
                jira.pull(committed, landing, lambda *_: None)
        with connect(project.warehouse) as con:
            for manifest in pending(con, landing):
                load(con, landing.root, manifest)
    project.build("sprint_items", "work_items", "work_item_changes")
    return project


def of_both(project: ScratchProject, table: str) -> list[Record]:
    """The rows of a flow table, which are the same for both sources."""

    def rows(source: str) -> list[Record]:
        found = project.rows(f"select * from flow.{table} where _record like '{source}/%' order by all")
        plain = [
            {
                name: value.removeprefix(f"{source}/") if isinstance(value, str) else value
                for name, value in row.items()
                if name != "source"
            }
            for row in found
        ]
        return sorted(plain, key=str)

    cloud = rows("cloud")
    assert rows("center") == cloud
    return cloud


def test_an_issue_that_moved_keeps_its_id_and_history_and_its_items_their_epic(
    project: ScratchProject,
) -> None:
    stored = project.rows("select _source, _key from raw.jira_issues order by all")
    assert [(row["_source"], row["_key"]) for row in stored] == [
        (source, id_) for source in ("center", "cloud") for id_ in "123"
    ]
    items = {row["item_id"]: row for row in of_both(project, "work_items")}
    assert {id_: (row["key"], row["function_id"], row["epic_id"], row["epic_key"]) for id_, row in items.items()} == {
        "1": ("OPS-9", "f2", None, None),
        "2": ("PLAT-2", "f1", "1", "OPS-9"),
        "3": ("PLAT-3", "f1", "1", "OPS-9"),
    }  # fmt: skip
    assert (items["2"]["assignee_id"], items["2"]["estimate"]) == ("user-2", 3)
    assert items["2"]["done_at"] == datetime.fromisoformat("2026-10-20T10:00:00+02:00")
    changes = [(row["item_id"], row["field"], row["by_id"]) for row in of_both(project, "work_item_changes")]
    assert sorted(change for change in changes if change[0] == "2") == [
        ("2", "estimate", "ada"), ("2", "sprint", "ada"), ("2", "status", "ada"), ("2", "status", "ada"),
    ]  # fmt: skip
    assert [change[0] for change in changes].count("1") == 1


def test_a_sprint_ends_when_its_board_says_so(project: ScratchProject) -> None:
    sprints = {row["sprint_id"]: row for row in of_both(project, "sprint_items")}
    assert {id_: (row["sprint_name"], row["sprint_state"]) for id_, row in sprints.items()} == {
        "6": ("Sprint 6, the one", "closed"),
        "7": ("Sprint 7, the one", "closed"),
    }
    completed = datetime.fromisoformat("2026-10-22T08:00:00+00:00")
    assert (sprints["7"]["completed_at"], sprints["7"]["done_in_sprint"]) == (completed, True)
    assert not sprints["6"]["done_in_sprint"]


def test_what_an_issue_tells_of_a_sprint_is_the_same_of_both_editions(project: ScratchProject) -> None:
    """A sprint that no board lists, as its board is hidden or gone, is known from its issues."""
    told = project.rows("select * exclude (landed_at, _record) from staging.stg_jira__sprints order by all")
    by_source = [
        [row | {"_source": ""} for row in told if row["_source"] == source] for source in ("cloud", "center")
    ]
    assert by_source[0] == by_source[1]
    assert sorted((row["issue_id"] or "", row["sprint_id"]) for row in by_source[0]) == [
        ("", "6"), ("", "7"), ("", "8"), ("2", "6"), ("2", "7"),
    ]  # fmt: skip


def test_a_renamed_field_keeps_its_history_and_gives_meaning_to_what_came_before_it_was_known(
    project: ScratchProject,
) -> None:
    landing = Landing(project.folder / "landing")
    later = change(25, "2026-10-23T10:00:00.000+0200", ("Points", ESTIMATE), "3", "5")
    del later["items"][0]["fieldId"]
    renamed = [field | ({"name": "Points"} if field["id"] == ESTIMATE else {}) for field in FIELDS]
    news: list[tuple[Stream, list[Record]]] = [
        (CHANGELOGS, [{"issueId": "2"} | later]),
        (FIELDS_LIST, renamed),
    ]
    told = []
    for stream, records in news:
        with connect(project.warehouse) as con:
            mark_built(con, "definition")
        with landing.open("center", "jira", stream, None, "1") as writer:
            writer.write(records)
        with connect(project.warehouse) as con:
            load(con, landing.root, writer.manifest)
        project.dbt("run", "--select", "stg_jira__changelogs", "stg_jira__fields", "work_item_changes")
        told.append(
            [
                row["field"]
                for row in project.rows("select * from flow.work_item_changes order by _record")
                if row["_record"] in ("center/changelogs/2/22", "center/changelogs/2/25")
            ]
        )
    assert told == [["estimate", "Points"], ["estimate", "estimate"]]
