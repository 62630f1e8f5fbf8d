"""What the Jira connector promises of both editions, over HTTP against a site that is edited, pages oddly and fails."""

import gzip
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import InputError, PullFailed, SourceError
from connectors.http import Patience
from connectors.jira.config import JiraCloudConfig
from connectors.landing import Landing
from demo.servers.jira import ADDRESS, AnyJira, JiraServer, JiraSite
from demo.servers.jira_data_center import JiraDataCenterServer
from demo.servers.loopback import Answer, Fault, Request
from orchestration.check_results import of_counts
from tests.connectors.jira_parts import (
    EDITIONS,
    EMAIL,
    PROJECTS,
    START,
    TOKEN,
    Record,
    Serve,
    assert_landed,
    cloud,
    cursors,
    data_center,
    history,
    issue,
    jira_time,
    newest,
    of_stream,
    reached,
    records,
    searches,
    silent,
    site_of,
    source,
)  # fmt: skip
from tests.warehouse.warehouse_parts import current, memory_warehouse
from warehouse.raw import cursors as stored
from warehouse.raw import load

both = pytest.mark.parametrize("serve", EDITIONS)


class EditedWhileServing:
    """A server mixed with this one has its site changed after each page of issues, as people do while a pull runs."""

    site: JiraSite
    edits: list[int]
    gone: set[str]
    clock = START

    def now(self) -> datetime:
        """The time of the last change, also of an issue that is deleted since: clocks do not go back."""
        self.clock = max(self.clock, latest(self.site))
        return self.clock

    def answer(self, request: Request) -> Answer:
        answer: Answer = super().answer(request)  # type: ignore[misc]
        if request.path.endswith(("/search", "/search/jql")) and self.edits and self.site.issues:
            kind, number = divmod(self.edits.pop(), 12)
            changed = self.site.issues[number % len(self.site.issues)]
            moment = self.now() + timedelta(milliseconds=1)
            if kind == 0:
                edit(self.site, changed, moment)
            elif kind == 1:
                move(self.site, changed, moment)
            else:
                self.site.issues.remove(changed)
                self.site.changelogs.pop(changed["id"], None)
                self.gone.add(changed["id"])
        return answer


class EditedCloud(EditedWhileServing, JiraServer):
    pass


class EditedDataCenter(EditedWhileServing, JiraDataCenterServer):
    pass


def edited_cloud(site: JiraSite, page_size: int) -> EditedCloud:
    return EditedCloud(site, EMAIL, TOKEN, page_size)


def edited_data_center(site: JiraSite, page_size: int) -> EditedDataCenter:
    # Histories come with the issues, and are cut.
    return EditedDataCenter(site, f"Bearer {TOKEN}", page_size, history_limit=2, pages_histories=True)


def latest(site: JiraSite) -> datetime:
    return max((datetime.fromisoformat(i["fields"]["updated"]) for i in site.issues), default=START)


def edit(site: JiraSite, edited: Record, moment: datetime) -> None:
    log = site.changelogs.setdefault(edited["id"], [])
    log.append(history(10 * int(edited["id"]) + len(log), moment))
    edited["fields"] = edited["fields"] | {"summary": f"edited at {moment}", "updated": jira_time(moment)}


def move(site: JiraSite, moved: Record, moment: datetime) -> None:
    """An issue goes to the other project: its key changes, its id and its history stay."""
    edit(site, moved, moment)
    [other] = [project for project in PROJECTS if project["id"] != moved["fields"]["project"]["id"]]
    moved["key"] = f"{other['key']}-{moved['id']}"
    moved["fields"] = moved["fields"] | {"project": other}


# One step of a site's life: (issue to edit or add, minutes since the last change; negative ones come late).
steps = st.lists(st.tuples(st.integers(1, 12), st.integers(-50, 900)), max_size=8)
rounds = st.lists(
    st.tuples(steps, st.lists(st.integers(0, 35), max_size=3), st.booleans()), min_size=1, max_size=4
)


@pytest.mark.parametrize("serve", [edited_cloud, edited_data_center])
@settings(max_examples=15)
@given(page_size=st.integers(1, 7), life=rounds)
# The newest issue is deleted while it is pulled, and then another one is edited.
@example(page_size=2, life=[([(1, 0), (2, 61)], [0, 25], False)])
def test_whatever_happens_between_and_during_pulls_the_landed_records_are_the_site(
    serve: Callable[[JiraSite, int], EditedCloud | EditedDataCenter],
    page_size: int,
    life: list[tuple[list[tuple[int, int]], list[int], bool]],
) -> None:
    site = site_of([])
    committed: dict[str, str] = {}
    with TemporaryDirectory() as folder, serve(site, page_size) as server:
        server.edits, server.gone = [], set()
        landing = Landing(Path(folder))
        for changes, edits, crashed in [*life, ([], [], False)]:
            for number, minutes in changes:
                moment = server.now() + timedelta(minutes=minutes)
                known = [i for i in site.issues if i["id"] == str(number)]
                if not known and str(number) not in server.gone:
                    site.issues.append(issue(number, moment, project=number % 2))
                elif known and moment > datetime.fromisoformat(known[0]["fields"]["updated"]):
                    edit(site, known[0], moment)
            server.edits = edits
            try:
                manifests = source(server).pull(committed, landing, silent)
            except PullFailed:
                # Every issue that there was is gone, perhaps in this very pull.
                assert server.gone and not site.issues
                continue
            if not crashed:
                committed = cursors(manifests)
        assert_landed(landing, site, frozenset(server.gone))


@both
@pytest.mark.parametrize("kind", ["edited", "moved", "deleted"])
def test_a_page_is_not_passed_over_when_an_issue_before_it_goes(
    tmp_path: Path, serve: Serve, kind: str
) -> None:
    site = site_of([issue(n, START + timedelta(days=n)) for n in range(1, 10)])
    with (edited_cloud if serve is cloud else edited_data_center)(site, 2) as server:
        # The oldest one, after the first page.
        server.edits, server.gone = [12 * ["edited", "moved", "deleted"].index(kind)], set()
        source(server).pull({}, Landing(tmp_path), silent)
    assert_landed(Landing(tmp_path), site, frozenset(server.gone))


@both
def test_a_site_that_is_edited_faster_than_its_pages_are_read_has_an_end(
    tmp_path: Path, serve: Serve
) -> None:
    site = site_of([issue(n, START + timedelta(hours=n)) for n in range(1, 5)])
    clock = Answer({"serverTime": jira_time(START)})
    edited = edited_cloud if serve is cloud else edited_data_center
    with edited(site, 2) as server:
        server.faults.append(Fault("serverInfo", clock))
        server.edits = [0] * 100
        landed = source(server).pull({}, Landing(tmp_path), silent)
        assert len(searches(server)) < 10
    assert cursors(landed)["issues"] == START.isoformat()


@both
def test_an_empty_answer_where_there_was_data_loses_nothing_and_is_told_when_it_stays(
    tmp_path: Path, serve: Serve
) -> None:
    site = site_of([issue(n, START + timedelta(hours=n)) for n in range(1, 4)])
    empty = Answer({"issues": [], "total": 0})
    landing = Landing(tmp_path)
    with serve(site) as server:
        committed = reached(source(server).pull({}, landing, silent))
        path = "/search/jql" if serve is cloud else "/api/2/search"
        server.faults.append(Fault(path, empty))
        assert reached(source(server).pull(committed, landing, silent)) == committed
        server.faults = [Fault(path, empty, times=-1)]
        with pytest.raises(PullFailed, match="finds no issue at all"):
            source(server).pull(committed, landing, silent)
        site.projects.clear()
        with pytest.raises(InputError, match="sees no project at all"):
            source(server).check()


@both
@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
def test_issues_updated_in_the_same_millisecond_all_arrive(
    tmp_path: Path, page_size: int, serve: Serve
) -> None:
    site = site_of([issue(n, START) for n in range(1, 8)], {"3": [history(1, START), history(2, START)]})
    with serve(site, page_size) as server:
        source(server).pull({}, Landing(tmp_path), silent)
    assert_landed(Landing(tmp_path), site)


@both
def test_a_second_pull_brings_only_the_look_back(tmp_path: Path, serve: Serve) -> None:
    site = site_of([issue(n, START + timedelta(hours=n)) for n in range(1, 11)])
    landing = Landing(tmp_path)
    with serve(site) as server:
        first = source(server).pull({}, landing, silent)
        searched = len(searches(server))
        second = source(server, look_back_minutes=90).pull(cursors(first), landing, silent)
        assert (
            reached(second)
            == reached(first)
            == dict.fromkeys(["issues", "changelogs"], "2026-10-01T10:00:00+00:00")
        )
        assert [record["id"] for record in records(landing, of_stream(second, "issues"))] == ["9", "10"]
        bound = int((START + timedelta(hours=8, minutes=30)).timestamp() * 1000)
        assert searches(server)[searched]["jql"].startswith(f"updated >= {bound} ORDER BY updated ASC")


@both
def test_the_cursor_never_passes_the_start_of_the_pull_by_the_sites_clock(
    tmp_path: Path, serve: Serve
) -> None:
    clock = Answer({"serverTime": "2026-10-01T07:30:00.000+0200"})
    site = site_of([issue(n, START + timedelta(hours=n)) for n in range(1, 11)])
    with serve(site, faults=[Fault("serverInfo", clock)]) as server:
        landed = source(server).pull({}, Landing(tmp_path), silent)
    assert reached(landed) == dict.fromkeys(["issues", "changelogs"], "2026-10-01T05:30:00+00:00")


@both
def test_the_cursor_does_not_go_back_when_the_newest_issue_is_deleted(tmp_path: Path, serve: Serve) -> None:
    site = site_of([issue(n, START + timedelta(minutes=n)) for n in range(1, 4)])
    with serve(site) as server:
        first = source(server).pull({}, Landing(tmp_path), silent)
        site.issues.pop()
        assert reached(source(server).pull(cursors(first), Landing(tmp_path), silent)) == reached(first)


@both
@pytest.mark.parametrize("behind", ["issues", "changelogs"])
def test_the_older_cursor_counts_when_only_one_was_committed(
    tmp_path: Path, serve: Serve, behind: str
) -> None:
    site = site_of([issue(n, START + timedelta(days=n)) for n in range(1, 4)])
    with serve(site) as server:
        committed = cursors(source(server).pull({}, Landing(tmp_path), silent))
        older = committed | {behind: (START + timedelta(days=2)).isoformat()}
        again = source(server).pull(older, Landing(tmp_path), silent)
        assert {m.cursor: m.rows for m in again}["issues"] == 2
        never = {stream: cursor for stream, cursor in committed.items() if stream != behind}
        again = source(server).pull(never, Landing(tmp_path), silent)
        assert {m.cursor: m.rows for m in again}["issues"] == 3


@both
def test_what_is_asked_for_is_named_and_bounded(tmp_path: Path, serve: Serve) -> None:
    site = site_of([issue(1, START), issue(2, START, project=1)])
    with serve(site) as server:
        config: dict[str, Any] = {
            "projects": ["PLAT"],
            "start": date(2026, 9, 1),
            "fields": {"estimate": None, "sprints": "sprint", "epic": "epic"},
        }
        source(server, **config).pull({}, Landing(tmp_path), silent)
        asked = searches(server)[0]
    bound = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp() * 1000)
    assert asked["jql"].startswith(f'project in ("PLAT") AND updated >= {bound} ORDER BY updated ASC')
    assert "*all" not in asked["fields"]
    assert {"sprint", "epic"} <= set(asked["fields"])
    assert list(newest(Landing(tmp_path), "issues")) == ["1"]


def test_long_changelogs_are_complete(tmp_path: Path) -> None:
    log = [history(n, START + timedelta(minutes=n)) for n in range(2500)]
    site = site_of([issue(1, START), issue(2, START)], {"1": log, "2": [history(9000, START)]})
    with JiraServer(site, EMAIL, TOKEN) as server:
        source(server).pull({}, Landing(tmp_path), silent)
        asked = [line for line in server.log if line.path.endswith("/bulkfetch")]
    assert len(asked) == 3
    assert_landed(Landing(tmp_path), site)


@pytest.mark.parametrize(
    ("sent", "landed"),
    [
        (1790584137824, "2026-09-28T08:28:57.824+00:00"),
        (1790584137, "2026-09-28T08:28:57.000+00:00"),
        ("2026-09-28T10:28:57.824+0200", "2026-09-28T10:28:57.824+0200"),
    ],
)
def test_the_time_of_a_history_is_text_whatever_was_sent(
    tmp_path: Path, sent: int | str, landed: str
) -> None:
    sent_history = history(7, START) | {"created": sent}
    answer = Answer({"issueChangeLogs": [{"issueId": "1", "changeHistories": [sent_history]}]})
    with JiraServer(site_of([issue(1, START)]), EMAIL, TOKEN, faults=[Fault("bulkfetch", answer)]) as server:
        source(server).pull({}, Landing(tmp_path), silent)
    [record] = newest(Landing(tmp_path), "changelogs").values()
    assert (record["issueId"], record["created"]) == ("1", landed)
    assert record.get("createdEpoch") == (sent if isinstance(sent, int) else None)


def test_memory_stays_flat_since_no_page_is_read_ahead_of_its_changelogs(tmp_path: Path) -> None:
    site = site_of([issue(n, START) for n in range(1, 41)])
    with JiraServer(site, EMAIL, TOKEN, page_size=4) as server:
        source(server).pull({}, Landing(tmp_path), silent)
        kinds = [
            line.path.rsplit("/", 1)[1]
            for line in server.log
            if line.method == "POST" and line.body.get("fields") != ["id"]
        ]
    searched = fetched = 0
    for kind in kinds:
        searched += kind == "jql"
        fetched += kind == "bulkfetch"
        assert searched - fetched <= 2
    assert (searched, fetched) == (10, 10)


def test_progress_is_told_page_by_page(tmp_path: Path) -> None:
    told: list[tuple[str, str, int]] = []
    site = site_of([issue(n, START) for n in range(1, 6)], {"1": [history(1, START)]})
    with JiraServer(site, EMAIL, TOKEN, page_size=2) as server:
        source(server).pull({}, Landing(tmp_path), lambda *step: told.append(step))
    assert [rows for _, stream, rows in told if stream == "issues"] == [2, 4, 5]
    assert [rows for _, stream, rows in told if stream == "changelogs"][-1] == 1


def test_is_last_is_not_trusted(tmp_path: Path) -> None:
    site = site_of([issue(n, START) for n in range(1, 6)])

    class Lying(JiraServer):
        def answer(self, request: Request) -> Answer:
            answer = super().answer(request)
            if "isLast" in (answer.body if isinstance(answer.body, dict) else {}):
                return Answer(answer.body | {"isLast": not answer.body["isLast"]})
            return answer

    with Lying(site, EMAIL, TOKEN, page_size=2) as server:
        source(server).pull({}, Landing(tmp_path), silent)
    assert_landed(Landing(tmp_path), site)


@pytest.mark.parametrize("path", ["search/jql", "bulkfetch"])
def test_a_page_token_that_comes_twice_fails(tmp_path: Path, path: str) -> None:
    stuck = Answer(
        {"issues": [issue(1, START)], "issueChangeLogs": [], "nextPageToken": "again", "isLast": False}
    )
    with JiraServer(
        site_of([issue(1, START)]), EMAIL, TOKEN, faults=[Fault(path, stuck, times=50)]
    ) as server:
        with pytest.raises(PullFailed, match="token for the second time"):
            source(server).pull({}, Landing(tmp_path), silent)
        assert len(server.log) < 15
    assert not {"issues", "changelogs"} & {manifest.stream for manifest in Landing(tmp_path).manifests()}


WRONG_SHAPES: list[tuple[str, object]] = [
    ("myself", []),
    ("serverInfo", {}),
    ("serverInfo", {"serverTime": "2026-10-01T07:30:00"}),
    ("field", {}),
    ("status", [{"name": "without an id"}]),
    ("project", {}),
    ("project", {"values": [{"key": "PLAT"}]}),
    ("search/jql", {}),
    ("search/jql", []),
    ("search/jql", {"issues": None}),
    ("search/jql", {"issues": [{"id": "1"}]}),
    ("bulkfetch", {}),
    ("bulkfetch", {"issueChangeLogs": [{"issueId": "1"}]}),
]


@pytest.mark.parametrize(("path", "body"), WRONG_SHAPES)
def test_an_answer_of_the_wrong_shape_fails_and_is_no_empty_page(
    tmp_path: Path, path: str, body: object
) -> None:
    wrong = Fault(path, Answer(body))
    with (
        JiraServer(site_of([issue(1, START)]), EMAIL, TOKEN, faults=[wrong]) as server,
        pytest.raises(PullFailed, match=path),
    ):
        source(server).pull({}, Landing(tmp_path), silent)
    assert not {"issues", "changelogs"} & {manifest.stream for manifest in Landing(tmp_path).manifests()}


@pytest.mark.parametrize(
    ("serve", "path"), [(cloud, "search/jql"), (cloud, "bulkfetch"), (data_center, "/search")]
)
def test_a_pull_that_fails_midway_lands_no_issues_and_the_next_brings_all(
    tmp_path: Path, serve: Serve, path: str
) -> None:
    site = site_of([issue(n, START) for n in range(1, 9)], {"8": [history(1, START)]})
    landing = Landing(tmp_path)
    with serve(site, page_size=2) as server:
        server.faults.append(Fault(path, Answer({}, 503), after=2, times=50))
        with pytest.raises(PullFailed, match="503"):
            source(server, Patience(attempts=2, first_wait=0.001)).pull({}, landing, silent)
        left = [p for stream in ("issues", "changelogs") for p in (tmp_path / "jira" / stream).iterdir()]
        assert left
        assert all(p.name.endswith(".part") for p in left)
        server.faults.clear()
        source(server).pull({}, landing, silent)
    assert_landed(landing, site)
    assert not list(tmp_path.rglob("*.part"))


def test_a_pull_that_fails_does_not_wait_for_changelogs_that_are_tried_again(tmp_path: Path) -> None:
    site = site_of([issue(n, START) for n in range(1, 9)])
    faults = [Fault("bulkfetch", Answer({}, 503), times=-1), Fault("search/jql", Answer({}, 400), after=1)]
    started = time.monotonic()
    with (
        JiraServer(site, EMAIL, TOKEN, page_size=2, faults=faults) as server,
        pytest.raises(InputError, match="400"),
    ):
        source(server, Patience(first_wait=60)).pull({}, Landing(tmp_path), silent)
    assert time.monotonic() - started < 10


@both
@settings(max_examples=10)
@given(
    faults=st.lists(
        st.builds(
            Fault,
            path=st.sampled_from(["", "search", "bulkfetch", "project", "status"]),
            answer=st.sampled_from([None, None, Answer({}, 503), Answer({}, 429, {"Retry-After": "0"})]),
            reset=st.booleans(),
            half=st.booleans(),
            cut=st.booleans(),
            after=st.integers(0, 6),
        ),
        max_size=6,
    )
)
def test_transient_faults_change_nothing_of_what_is_landed(serve: Serve, faults: list[Fault]) -> None:
    site = site_of([issue(n, START) for n in range(1, 8)], {"2": [history(n, START) for n in range(25)]})
    with TemporaryDirectory() as folder, serve(site, page_size=2, faults=faults) as server:
        landing = Landing(Path(folder))
        source(server).pull({}, landing, silent)
        assert_landed(landing, site)


def test_a_wrong_token_is_found_before_anything_is_landed(tmp_path: Path) -> None:
    with JiraServer(site_of([issue(1, START)]), EMAIL, "another-token") as server:
        with pytest.raises(InputError, match="401") as caught:
            source(server).pull({}, Landing(tmp_path), silent)
        with pytest.raises(InputError):
            source(server).check()
    assert caught.value.field == "api_token"
    assert not list(tmp_path.rglob("*"))


@both
def test_a_project_that_is_not_there_is_the_users_to_mend(tmp_path: Path, serve: Serve) -> None:
    with serve(site_of([issue(1, START)])) as server:
        jira = source(server, projects=["PLAT", "PALT"])
        for attempt in (jira.check, lambda: jira.pull({}, Landing(tmp_path), silent)):
            with pytest.raises(InputError, match="PALT") as caught:
                attempt()
            assert caught.value.field == "projects"


@both
@pytest.mark.parametrize("name", ["PLAT", "1", "Platform"])
def test_a_project_may_be_named_by_key_id_or_name(tmp_path: Path, serve: Serve, name: str) -> None:
    with serve(site_of([issue(1, START), issue(2, START, project=1)])) as server:
        source(server, projects=[name]).pull({}, Landing(tmp_path), silent)
    assert list(newest(Landing(tmp_path), "issues")) == ["1"]


def test_more_projects_than_a_page_are_all_pulled(tmp_path: Path) -> None:
    site = site_of([])
    site.projects = [{"id": str(n), "key": f"P{n}", "name": f"P {n}"} for n in range(1, 131)]
    with JiraServer(site, EMAIL, TOKEN) as server:
        source(server, projects=["P130"]).pull({}, Landing(tmp_path), silent)
    assert list(newest(Landing(tmp_path), "projects").values()) == site.projects


@both
def test_check_says_whom_it_reached_and_which_field_is_missing(
    serve: Serve,
) -> None:
    with serve(site_of([])) as server:
        assert (
            source(server).check()
            == f"jira: {server.url} answers Plumbline, who sees 2 projects and 0 boards"
        )
        with pytest.raises(InputError, match=r"customfield_10016 \(Story Points\)") as caught:
            source(server, fields={"estimate": "customfield_10999"}).check()
        assert caught.value.field == "fields.estimate"


@both
def test_issues_open_on_the_site_even_where_the_api_answers_elsewhere(
    serve: Serve,
) -> None:
    with serve(site_of([])) as server:
        assert source(server).addresses() == {"issues": f"{ADDRESS}/browse/"}


@pytest.mark.parametrize(
    "told",
    [
        None,
        "",
        "javascript:alert(1)",
        "http://site.example",
        "https://u:p@site.example",
        "https://a.example/\x1b]8;;",
        7,
    ],
)
def test_no_link_is_made_of_an_address_that_is_none(told: object) -> None:
    fault = Fault("serverInfo", Answer({"baseUrl": told, "serverTime": jira_time(START)}))
    with (
        JiraServer(site_of([]), EMAIL, TOKEN, faults=[fault]) as server,
        pytest.raises(PullFailed, match="baseUrl"),
    ):
        source(server).addresses()


@both
def test_an_empty_site_is_a_pull_like_any_other(tmp_path: Path, serve: Serve) -> None:
    with serve(site_of([])) as server:
        first = source(server).pull({}, Landing(tmp_path), silent)
        source(server).pull(cursors(first), Landing(tmp_path), silent)
    assert {m.cursor: m.rows for m in first} == {
        "issues": 0,
        # Each project, though nothing is in it.
        "issues.census": 2,
        "changelogs": 0,
        "statuses": 1,
        "projects": 2,
        "fields": 2,
        "versions": 0,
        "boards": 0,
        "sprints": 0,
    }
    assert set(reached(first)) == {"issues", "changelogs"}


def test_secrets_are_in_nothing_that_is_written_or_shown(tmp_path: Path) -> None:
    with JiraServer(site_of([issue(1, START)]), EMAIL, TOKEN) as server:
        jira = source(server)
        jira.pull({}, Landing(tmp_path), silent)
        server.faults.append(Fault(answer=Answer({"message": f"bad {TOKEN}"}, 403)))
        with pytest.raises(SourceError) as caught:
            jira.check()
        shown = repr(vars(jira)) + str(caught.value)
    written = "".join(
        gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
        for path in tmp_path.rglob("*")
        if path.is_file()
    )
    for secret in (TOKEN, EMAIL):
        assert secret not in shown + written


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://acme.atlassian.net"},
        {"base_url": "acme.atlassian.net"},
        {"base_url": "https://ada:pass@acme.atlassian.net"},
        {"projects": []},
        {"look_back_minutes": -1},
        {"fields": {"estimate": "Story Points"}},
        {"api_tokn": "x"},
    ],
)
def test_a_wrong_configuration_is_refused_without_showing_secrets(wrong: dict[str, object]) -> None:
    right = {
        "type": "jira_cloud",
        "base_url": "https://acme.atlassian.net",
        "email": EMAIL,
        "api_token": TOKEN,
    }
    assert JiraCloudConfig.model_validate(right).look_back_minutes == 60
    with pytest.raises(ValidationError) as caught:
        JiraCloudConfig.model_validate(right | wrong)
    assert TOKEN not in str(caught.value.errors(include_input=False))


@both
def test_a_pull_that_dies_goes_on_from_its_last_whole_file(tmp_path: Path, serve: Serve) -> None:
    hours = range(1, 2301)
    site = site_of(
        [issue(n, START + timedelta(hours=n)) for n in hours], {"5": [history(1, START)], "2300": [history(2, START)]}
    )  # fmt: skip
    landing = Landing(tmp_path)
    with serve(site) as server:
        search = "search/jql" if serve is cloud else "/api/2/search"
        pages = 21 if serve is cloud else 43
        server.faults.append(Fault(search, Answer({}, 503), after=pages, times=50))
        with pytest.raises(PullFailed, match="503"):
            source(server, Patience(attempts=2, first_wait=0.001)).pull({}, landing, silent)
        server.faults.clear()
        done = [m for m in landing.manifests() if m.stream in {"issues", "changelogs"}]
        rows = of_stream(done, "issues").rows
        assert 2000 <= rows < 2100
        assert of_stream(done, "changelogs").rows == 1
        first_of_last_page = {(START + timedelta(hours=rows - n)).isoformat() for n in range(100)}
        assert set(reached(done).values()) < first_of_last_page
        again = source(server, look_back_minutes=0).pull(cursors(done), landing, silent)
    assert 300 <= of_stream(again, "issues").rows <= 400
    assert_landed(landing, site)


@both
def test_deleted_issues_are_found_by_a_census_and_those_of_a_lost_project_are_not_deleted(
    tmp_path: Path, serve: Serve
) -> None:
    site = site_of([issue(n, START + timedelta(seconds=n // 3), project=n % 2) for n in range(1, 10)])
    landing, con = Landing(tmp_path), memory_warehouse()

    def pull(server: AnyJira) -> tuple[set[str], bool]:
        """The issues that are deleted by now, and whether they were counted."""
        manifests = source(server).pull(stored(con, "jira"), landing, silent)
        for manifest in manifests:
            load(con, tmp_path, manifest)
        gone = {key for key, _, deleted in current(con) if deleted}
        return gone, any(manifest.mode == "census" for manifest in manifests)

    with serve(site, page_size=2) as server:
        assert pull(server) == (set(), True)
        del site.issues[2]
        assert pull(server) == (set(), False)
        con.execute(
            "UPDATE control.cursors SET cursor = ? WHERE stream = 'issues.census'", [START.isoformat()]
        )
        move(site, site.issues[0], START + timedelta(minutes=30))
        assert pull(server) == ({"3"}, True)
        con.execute(
            "UPDATE control.cursors SET cursor = ? WHERE stream = 'issues.census'", [START.isoformat()]
        )
        lost = site.projects.pop()
        site.issues = [one for one in site.issues if one["fields"]["project"] is not lost]
        assert pull(server) == ({"3"}, True)
    states = con.execute("SELECT scope, state FROM control.counted WHERE state <> 'seen'").fetchall()
    assert states == [(lost["id"], "access lost")]


@both
def test_archived_issues_and_projects_are_not_deleted(tmp_path: Path, serve: Serve) -> None:
    site = site_of([issue(n, START + timedelta(seconds=n), project=n % 2) for n in range(1, 61)])
    landing, con = Landing(tmp_path), memory_warehouse()

    def pull(server: AnyJira) -> tuple[set[str], list[tuple[Any, ...]]]:
        """The issues that are deleted by now, and what was counted otherwise than seen; nothing is asked that need not be."""
        server.log.clear()
        for manifest in source(server, census_days=0).pull(stored(con, "jira"), landing, silent):
            load(con, tmp_path, manifest)
        told = con.execute(
            "SELECT scope, state, missing FROM control.counted WHERE state <> 'seen' ORDER BY ALL"
        ).fetchall()
        return {key for key, _, deleted in current(con) if deleted}, told

    def opened(server: AnyJira) -> int:
        return sum("/issue/" in line.path for line in server.log)

    with serve(site, page_size=25) as server:
        assert (pull(server), opened(server)) == ((set(), []), 0)
        site.archived = {"3", "4", "5"}
        site.issues = [one for one in site.issues if one["id"] != "7"]
        told = [("1", "archived", 1), ("2", "archived", 2)]
        assert (pull(server), opened(server)) == (({"7"}, told), 4)
        [check] = [result for result in of_counts(con) if result.subject == "jira.issues"]
        assert check.passed and "3 are archived" in check.message
        # Asked again, as one may be deleted or restored later.
        site.archived = {"4", "5"}
        site.issues = [one for one in site.issues if one["id"] != "5"]
        assert (pull(server), opened(server)) == (({"5", "7"}, [("1", "archived", 1)]), 2)
        # A whole project, with more issues than are tried first.
        project = site.projects.pop()
        its_own = {one["id"] for one in site.issues if one["fields"]["project"] is project}
        site.archived |= its_own
        told = [("1", "archived", 1), ("2", "archived", 28)]
        assert (pull(server), opened(server)) == (({"5", "7"}, told), 29)
        # One that opens to nobody any more is not asked for issue by issue.
        site.archived -= its_own
        assert pull(server) == ({"5", "7"}, [("1", "archived", 1), ("2", "access lost", 28)])
        assert opened(server) == 21
        # Nor is one that is not wanted any more.
        site.projects.append(project)
        assert pull(server) == ({"5", "7"}, [("1", "archived", 1)])
        for manifest in source(server, census_days=0, projects=["PLAT"]).pull(
            stored(con, "jira"), landing, silent
        ):
            load(con, tmp_path, manifest)
        assert opened(server) == 2
    assert {key for key, _, deleted in current(con) if deleted} == {"5", "7"}
