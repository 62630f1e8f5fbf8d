"""Boards, sprints, versions and worklogs of a Jira site, of both editions, whatever happens while they are read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import InputError, PullFailed
from connectors.landing import Landing
from demo.servers.jira import JiraSite
from demo.servers.loopback import Answer, Fault, Request
from tests.connectors.jira_parts import (
    EDITIONS,
    PROJECTS,
    START,
    Record,
    Serve,
    cursors,
    data_center,
    issue,
    jira_time,
    newest,
    silent,
    site_of,
    source,
)

both = pytest.mark.parametrize("serve", EDITIONS)


def board(number: int, kind: str = "scrum") -> Record:
    return {"id": number, "name": f"Board {number}", "type": kind}


def sprint(number: int, board_number: int, state: str = "closed") -> Record:
    return {"id": number, "name": f"Sprint {number}", "state": state, "originBoardId": board_number}


def site_with_boards(boards: list[Record], sprints: dict[int, list[Record]]) -> JiraSite:
    site = site_of([issue(1, START)])
    site.boards, site.sprints = boards, sprints
    return site


@both
def test_the_sprints_of_all_boards_arrive_each_once(tmp_path: Path, serve: Serve) -> None:
    ours, theirs = [sprint(n, 1) for n in range(1, 8)], [sprint(8, 2)]
    boards = [board(1), board(2), board(3, "kanban"), board(4, "simple"), board(5, "simple")]
    site = site_with_boards(boards, {1: ours, 2: theirs + ours[:2], 5: [sprint(9, 5)]})
    with serve(site, page_size=3) as server:
        source(server).pull({}, Landing(tmp_path), silent)
        asked = {line.path for line in server.log if line.path.endswith("/sprint")}
    assert list(newest(Landing(tmp_path), "boards").values()) == boards
    assert newest(Landing(tmp_path), "sprints") == {
        str(one["id"]): one for one in [*ours, *theirs, sprint(9, 5)]
    }
    assert {int(path.split("/")[-2]) for path in asked} == {1, 2, 4, 5}


@both
@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_a_list_that_moves_while_it_is_read_loses_nothing(
    tmp_path: Path, serve: Serve, page_size: int
) -> None:
    site = site_with_boards([board(n, "kanban") for n in range(1, 8)], {})
    with serve(site, page_size=page_size) as server:
        served = server.answer

        def answer(request: Request) -> Answer:
            found = served(request)
            if request.path.endswith("/board") and len(site.boards) > 5:
                del site.boards[0]
            return found

        server.answer = answer  # type: ignore[method-assign]
        source(server).pull({}, Landing(tmp_path), silent)
    assert {str(one["id"]) for one in site.boards} <= newest(Landing(tmp_path), "boards").keys()


def test_a_scrum_board_without_sprints_is_a_fault(tmp_path: Path) -> None:
    site = site_with_boards([board(1)], {})
    with data_center(site) as server, pytest.raises(InputError, match="does not support sprints"):
        source(server).pull({}, Landing(tmp_path), silent)


def test_boards_are_asked_for_only_where_there_is_a_field_for_sprints(tmp_path: Path) -> None:
    none = Fault("/rest/agile", Answer({"message": "null for uri"}, 404), times=-1)
    with data_center(site_of([issue(1, START)]), faults=[none]) as server:
        with pytest.raises(InputError, match="404") as caught:
            source(server).check()
        assert caught.value.field == "fields.sprints"
        without = source(server, fields={})
        without.check()
        assert "sprints" not in {manifest.stream for manifest in without.pull({}, Landing(tmp_path), silent)}


@both
def test_the_versions_of_the_configured_projects_arrive(tmp_path: Path, serve: Serve) -> None:
    site = site_of([issue(1, START)])
    site.versions = {
        one["id"]: [{"id": f"{one['id']}{n}", "name": f"v{n}"} for n in range(3)] for one in PROJECTS
    }
    with serve(site) as server:
        source(server, projects=["OPS"]).pull({}, Landing(tmp_path), silent)
    assert list(newest(Landing(tmp_path), "versions").values()) == site.versions["2"]


def worklog(number: int, updated: datetime, seconds: int) -> Record:
    return {"id": str(number), "issueId": "1", "updated": jira_time(updated), "timeSpentSeconds": seconds}


# Of one millisecond: (worklog to write for the first time or again, whether to delete it if it is there).
booked = st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=4)


@settings(max_examples=8)
@given(page_size=st.integers(5, 6), life=st.lists(st.tuples(booked, st.booleans()), min_size=1, max_size=6))
def test_worklogs_written_and_deleted_are_known_as_they_are(
    page_size: int, life: list[tuple[list[tuple[int, bool]], bool]]
) -> None:
    site = site_of([issue(1, START)])
    moment, committed = START, dict[str, str]()
    with TemporaryDirectory() as folder, data_center(site, page_size) as server:
        landing = Landing(Path(folder))
        for steps, crashed in [*life, ([], False)]:
            moment += timedelta(milliseconds=1)
            for number, is_deleted in steps:
                known = [one for one in site.worklogs if one["id"] == str(number)]
                if known and is_deleted:
                    site.worklogs.remove(known[0])
                    site.deleted_worklogs[str(number)] = jira_time(moment)
                elif str(number) not in site.deleted_worklogs:
                    site.worklogs = [one for one in site.worklogs if one not in known]
                    site.worklogs.append(worklog(number, moment, len(site.worklogs)))
            manifests = source(server, worklogs=True).pull(committed, landing, silent)
            committed = committed if crashed else cursors(manifests)
        deleted = newest(landing, "worklog_deletions").keys()
        left = {id_: one for id_, one in newest(landing, "worklogs").items() if id_ not in deleted}
    assert left == {one["id"]: one for one in site.worklogs}
    assert deleted == site.deleted_worklogs.keys()


def test_a_feed_of_worklogs_that_does_not_go_on_fails(tmp_path: Path) -> None:
    values = [{"worklogId": 1, "updatedTime": 5}]
    stuck: dict[str, Any] = {"values": values, "since": 0, "until": 0, "lastPage": False}
    with (
        data_center(site_of([]), faults=[Fault("worklog/updated", Answer(stuck), times=-1)]) as server,
        pytest.raises(PullFailed, match="never ends"),
    ):
        source(server, worklogs=True, start=datetime(1970, 1, 1, tzinfo=UTC).date()).pull(
            {}, Landing(tmp_path), silent
        )
