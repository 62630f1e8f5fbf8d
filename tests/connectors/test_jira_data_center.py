"""What is particular to Jira Data Center: searches by place, histories that come with the issues, its credentials."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.errors import InputError, PullFailed
from connectors.jira.config import JiraDataCenterConfig
from connectors.jira.connector import JiraDataCenter
from connectors.landing import Landing
from demo.servers.jira import basic
from demo.servers.jira_data_center import JiraDataCenterServer
from demo.servers.loopback import Answer, Fault, Request
from tests.connectors.jira_parts import (
    QUICK,
    START,
    TOKEN,
    Record,
    assert_landed,
    data_center,
    history,
    issue,
    jira_time,
    newest,
    searches,
    silent,
    site_of,
    source,
)


def log_of(issue_number: int, length: int) -> list[Record]:
    return [history(10_000 * issue_number + n, START + timedelta(minutes=n)) for n in range(length)]


@pytest.mark.parametrize("pages_histories", [True, False])
def test_histories_that_are_cut_where_they_come_with_the_issues_are_complete(
    tmp_path: Path, pages_histories: bool
) -> None:
    # Asked for by itself, an issue shows up to twice as many: only a page by page list has all of the third.
    logs = {"1": log_of(1, 5), "2": log_of(2, 20), "3": log_of(3, 350 if pages_histories else 10)}
    site = site_of([issue(n, START + timedelta(days=n)) for n in range(1, 5)], logs)
    limits: dict[str, Any] = {"history_limit": 10, "pages_histories": pages_histories}
    with data_center(site, **limits) as server:
        source(server).pull({}, Landing(tmp_path), silent)
        alone = [line.path.rsplit("/issue/")[1] for line in server.log if "/issue/" in line.path]
    assert_landed(Landing(tmp_path), site)
    pages = {"2/changelog": 1, "3/changelog": 4} if pages_histories else {"2/changelog": 1, "2": 1}
    assert {path: alone.count(path) for path in alone} == pages


def test_a_history_that_stays_cut_fails_the_pull(tmp_path: Path) -> None:
    site = site_of([issue(1, START)], {"1": log_of(1, 21)})
    with (
        data_center(site, history_limit=10) as server,
        pytest.raises(PullFailed, match="issue/1 cuts the history"),
    ):
        source(server).pull({}, Landing(tmp_path), silent)
    assert not newest(Landing(tmp_path), "issues")


def test_an_issue_that_is_gone_before_its_history_was_read_is_no_fault(tmp_path: Path) -> None:
    site = site_of([issue(1, START), issue(2, START)], {"1": log_of(1, 21), "2": log_of(2, 3)})
    gone = Fault("/issue/1", Answer({"errorMessages": ["Issue Does Not Exist"]}, 404), times=2)
    with data_center(site, history_limit=10, faults=[gone]) as server:
        source(server).pull({}, Landing(tmp_path), silent)
    landed = newest(Landing(tmp_path), "changelogs").values()
    assert [record["issueId"] for record in landed] == ["2"] * 3


def test_a_search_that_says_more_than_it_sends_fails(tmp_path: Path) -> None:
    cut = Answer({"startAt": 0, "maxResults": 50, "total": 3, "issues": []})
    with (
        data_center(site_of([issue(1, START)]), faults=[Fault("/search", cut)]) as server,
        pytest.raises(PullFailed, match="says that there are 3 and sends 0"),
    ):
        source(server).pull({}, Landing(tmp_path), silent)


def test_a_search_that_always_sends_the_same_page_fails(tmp_path: Path) -> None:
    page = [issue(n, START - timedelta(days=1)) for n in (1, 2)]
    stuck = Answer({"startAt": 0, "maxResults": 2, "total": 9, "issues": page})
    with data_center(site_of(page), faults=[Fault("/search", stuck, times=-1)]) as server:
        with pytest.raises(PullFailed, match="never sent two pages that fit together"):
            source(server, start=START.date()).pull({}, Landing(tmp_path), silent)
        assert len(searches(server)) < 50


def test_the_issues_of_many_seconds_are_asked_for_by_time_and_those_of_one_by_place(tmp_path: Path) -> None:
    late = START + timedelta(hours=20)
    moments = [START + timedelta(hours=n) for n in range(12)] + [
        late + timedelta(milliseconds=n) for n in range(9)
    ]
    site = site_of([issue(n, moment) for n, moment in enumerate(moments, 1)])
    with data_center(site, page_size=4) as server:
        source(server).pull({}, Landing(tmp_path), silent)
        asked = [(int(body["jql"].split()[2]) / 1000, body["startAt"]) for body in searches(server)]
    assert_landed(Landing(tmp_path), site)
    assert all(start == 0 for bound, start in asked if bound < late.timestamp())
    assert [start for bound, start in asked if bound == late.timestamp()] == [0, 3, 6]


@pytest.mark.parametrize("ahead", [timedelta(days=60), timedelta(days=3650)])
def test_an_issue_that_is_edited_between_search_and_answer_makes_no_others_be_passed_over(
    tmp_path: Path, ahead: timedelta
) -> None:
    site = site_of([issue(n, START - timedelta(days=90 - n)) for n in range(1, 30)])

    class Racing(JiraDataCenterServer):
        def answer(self, request: Request) -> Answer:
            answer = super().answer(request)
            found = answer.body.get("issues") if isinstance(answer.body, dict) else None
            if found and found[-1]["id"] == "10" and "expand" in request.body:
                edited = site.issues[9]["fields"] = found[-1]["fields"]
                edited["updated"] = jira_time(START - timedelta(days=80) + ahead)
            return answer

    with Racing(site, f"Bearer {TOKEN}", 10) as server:
        source(server).pull({}, Landing(tmp_path), silent)
    assert newest(Landing(tmp_path), "issues").keys() == {one["id"] for one in site.issues}


CREDENTIALS: list[tuple[dict[str, str], str, str]] = [
    ({"personal_access_token": TOKEN}, f"Bearer {TOKEN}", "personal_access_token"),
    ({"user": "ada", "password": TOKEN}, basic("ada", TOKEN), "password"),
]


@pytest.mark.parametrize(("given", "header", "field"), CREDENTIALS)
def test_a_token_or_a_password_opens_the_site(given: dict[str, str], header: str, field: str) -> None:
    def check(authorization: str) -> str:
        with JiraDataCenterServer(site_of([]), authorization) as server:
            config = {"type": "jira_data_center", "base_url": server.url, **given}
            return JiraDataCenter("jira", JiraDataCenterConfig.model_validate(config), QUICK).check()

    assert check(header).endswith(
        "answers Plumbline, who sees 2 projects; fields.sprints is not set and may be customfield_10020 (Sprint)"
    )
    with pytest.raises(InputError, match="401") as caught:
        check(header + "x")
    assert caught.value.field == field
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [{}, {"user": "ada"}, {"password": TOKEN}, {"personal_access_token": TOKEN, "user": "ada", "password": TOKEN}],
)  # fmt: skip
def test_one_whole_credential_is_needed(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either personal_access_token or both user and password"):
        JiraDataCenterConfig.model_validate(
            {"type": "jira_data_center", "base_url": "https://jira.example", **given}
        )
