"""The demo's Jira server speaks as the real one does, also when it is asked something it must refuse."""

import base64
from collections.abc import Iterator

import pytest
import requests

from demo.servers.jira import JiraServer, JiraSite
from demo.servers.loopback import Answer, Fault, RateLimit

SITE = JiraSite(
    issues=[
        {
            "id": str(number),
            "key": f"PLAT-{number}",
            "fields": {
                "summary": f"Issue {number}",
                "project": {"id": "1", "key": "PLAT", "name": "Platform"},
                "created": "2026-10-01T00:00:00.000+0200",
                "updated": f"2026-10-{number:02d}T00:00:00.000+0200",
            },
        }
        for number in range(1, 11)
    ],
    projects=[{"id": "1", "key": "PLAT", "name": "Platform"}],
)
CREDENTIAL = ("ada@example.com", "very-secret-token")
BOUND = "updated >= 1000"


@pytest.fixture
def server() -> Iterator[JiraServer]:
    with JiraServer(SITE, *CREDENTIAL, page_size=4) as running:
        yield running


def search(server: JiraServer, jql: str, **more: object) -> requests.Response:
    url = f"{server.url}/rest/api/3/search/jql"
    return requests.post(url, json={"jql": jql, "fields": ["summary"]} | more, auth=CREDENTIAL, timeout=10)


def keys(response: requests.Response) -> list[int]:
    assert response.status_code == 200, response.text
    return [int(issue["id"]) for issue in response.json()["issues"]]


@pytest.mark.parametrize(
    ("jql", "found"),
    [
        ("updated >= 2026-10-08 ORDER BY updated ASC", [9, 10]),
        ('updated >= "2026-10-07 22:00" order by updated asc', [8, 9, 10]),
        ("updated >= 1791410400000 ORDER BY updated", [8, 9, 10]),
        ("updated > 1791410400000 ORDER BY updated", [9, 10]),
        ('project in ("PLAT") AND updated < "2026/10/02" ORDER BY updated ASC', [1, 2]),
        ("project = Platform and updated <= 2026-10-02 ORDER BY updated DESC", [2, 1]),
        ("created >= 2026-09-01 ORDER BY id DESC", [10, 9, 8, 7]),
    ],
)
def test_queries_find_and_order(server: JiraServer, jql: str, found: list[int]) -> None:
    assert keys(search(server, jql)) == found


@pytest.mark.parametrize(
    ("jql", "message"),
    [
        ("", "Unbounded JQL"),
        ("ORDER BY updated ASC", "Unbounded JQL"),
        ('project in ("NOPE")', "The value 'NOPE' does not exist for the field 'project'"),
        ("assignee = ada", "Field 'assignee' does not exist"),
        ("updated >= yesterday", "Date value 'yesterday'"),
        ("updated ~ 3", "Expecting a comparison"),
        ("updated >= 1 OR created >= 1", "Expecting AND"),
        ("updated >= 1 ORDER BY rank", "Not able to sort"),
        ("updated >= 1 ORDER BY updated ASC nonsense", "Expecting the end"),
        ("project in (PLAT", "Expecting )"),
        ("updated >=", "Expecting more"),
        ('summary = "open', "not understood"),
    ],
)
def test_what_is_not_understood_is_refused(server: JiraServer, jql: str, message: str) -> None:
    answer = search(server, jql)
    assert answer.status_code == 400
    assert message in answer.json()["errorMessages"][0]


def test_pages_go_on_from_their_token_and_end_without_one(server: JiraServer) -> None:
    first = search(server, f"{BOUND} ORDER BY updated ASC").json()
    second = search(server, f"{BOUND} ORDER BY updated ASC", nextPageToken=first["nextPageToken"]).json()
    third = search(server, f"{BOUND} ORDER BY updated ASC", nextPageToken=second["nextPageToken"]).json()
    pages = [[issue["id"] for issue in page["issues"]] for page in (first, second, third)]
    assert pages == [["1", "2", "3", "4"], ["5", "6", "7", "8"], ["9", "10"]]
    assert (first["isLast"], third["isLast"], "nextPageToken" in third) == (False, True, False)
    assert search(server, BOUND, nextPageToken="made up").status_code == 400


def test_fields_are_selected_and_without_a_list_only_ids_come(server: JiraServer) -> None:
    assert search(server, BOUND).json()["issues"][0]["fields"].keys() == {"summary"}
    assert "fields" not in search(server, BOUND, fields=None).json()["issues"][0]
    assert search(server, BOUND, fields=["*all"]).json()["issues"][0]["fields"].keys() == {
        "summary",
        "project",
        "created",
        "updated",
    }


@pytest.mark.parametrize("header", [None, "Basic " + base64.b64encode(b"ada@example.com:wrong").decode()])
def test_strangers_are_refused(server: JiraServer, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    assert requests.get(f"{server.url}/rest/api/3/myself", headers=headers, timeout=10).status_code == 401


def test_a_bulk_fetch_takes_a_thousand_issues_and_no_more(server: JiraServer) -> None:
    url = f"{server.url}/rest/api/3/changelog/bulkfetch"
    for count, status in [(1000, 200), (1001, 400), (0, 400)]:
        body = {"issueIdsOrKeys": [str(n) for n in range(count)]}
        assert requests.post(url, json=body, auth=CREDENTIAL, timeout=10).status_code == status


def test_faults_and_limits_come_on_order_and_are_logged(server: JiraServer) -> None:
    server.faults.append(Fault("search", Answer({}, 503), after=1))
    server.limits.append(RateLimit("search", requests=2, seconds=60))
    statuses = [search(server, BOUND).status_code for _ in range(4)]
    assert statuses == [200, 503, 200, 429]
    assert [line.status for line in server.log] == statuses


def test_nothing_is_answered_after_the_end() -> None:
    with JiraServer(SITE, *CREDENTIAL) as server, requests.Session() as session:
        url = f"{server.url}/rest/api/3/myself"
        assert session.get(url, auth=CREDENTIAL, timeout=10).status_code == 200
        server.__exit__(None, None, None)
        with pytest.raises(requests.ConnectionError):
            session.get(url, auth=CREDENTIAL, timeout=10)
        server.__enter__()
