"""What is asked of HubSpot and Jira Cloud is what their published descriptions know.

Both services describe their APIs as OpenAPI documents, and there are clients that were generated from them: HubSpot's own, and
`jirapi`. Such a client is given the words of each request of ours and sends it again: a word that it does not know falls away, a
wrong one it refuses, and the loopback server sees another request. What the server answers, the client must be able to read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import jirapi
import pytest
from jirapi import models
from pydantic import ValidationError

from connectors.landing import Landing
from connectors.source import Source
from demo.servers.hubspot import HubSpotServer
from demo.servers.jira import JiraServer
from demo.servers.loopback import Logged
from tests.connectors import jira_parts
from tests.connectors.jira_parts import EMAIL, START, history, issue, jira_time, site_of
from tests.connectors.test_hubspot import TOKEN, account, crm, deal

Again = Callable[[str, Logged], object]


class _Sent:
    """A body, as the client takes an answer that it is to read."""

    def __init__(self, body: object) -> None:
        self.data = json.dumps(body)


def hubspot(package: str, api: str, method: str, model: str = "", *words: str) -> Again:
    """HubSpot's client asks again: a method of one of its APIs, with `words` for its path and the `model` of its body."""

    def again(url: str, line: Logged) -> object:
        module = import_module(f"hubspot.{package}")
        client = module.ApiClient(module.Configuration(host=url))
        client.configuration.access_token = TOKEN
        body = [client.deserialize(_Sent(_described(line.body)), model)] if model else []
        return getattr(getattr(module, api)(client), method)(*words, *body, **_typed(line.query))

    return again


def _typed(query: Mapping[str, str]) -> dict[str, Any]:
    types: dict[str, Callable[[str], Any]] = {
        "limit": int,
        "archived": lambda text: text == "true",
        "properties": lambda text: text.split(","),
    }
    return {name: types.get(name, str)(text) for name, text in query.items()}


HUBSPOT: dict[tuple[str, str], Again] = {
    **{
        (method, f"/crm/v3/objects/{kind}{path}"): hubspot(f"crm.{kind}", *client)
        for kind in ("deals", "companies")
        for method, path, client in (
            ("GET", "", ("BasicApi", "get_page")),
            ("POST", "/search", ("SearchApi", "do_search", "PublicObjectSearchRequest")),
            ("POST", "/batch/read", ("BatchApi", "read", "BatchReadInputSimplePublicObjectId")),
        )
    },
    ("POST", "/crm/v4/associations/deals/companies/batch/read"): hubspot(
        "crm.associations.v4",
        "BatchApi",
        "get_page",
        "BatchInputPublicFetchAssociationsBatchRequest",
        "deals",
        "companies",
    ),
    ("GET", "/crm/v3/pipelines/deals"): hubspot("crm.pipelines", "PipelinesApi", "get_all", "", "deals"),
    ("GET", "/crm/v3/owners/"): hubspot("crm.owners", "OwnersApi", "get_page"),
    ("GET", "/crm/v3/properties/deals"): hubspot("crm.properties", "CoreApi", "get_all", "", "deals"),
}


def test_hubspots_own_client_asks_in_the_same_words(tmp_path: Path) -> None:
    content = account(*(deal(number) for number in range(1, 151)), {**deal(200), "archived": True})
    content.companies = [{**deal(number), "propertiesWithHistory": {}} for number in range(10, 14)]
    content.companies_of = {"1": ["10", "11", "12"]}
    with HubSpotServer(content, TOKEN, limits=()) as server:
        pulled_twice(crm(server, companies=True, properties={"product": "amount"}), tmp_path)
        log = different(server.log)
        assert {(line.method, line.path) for line in log} == HUBSPOT.keys()
        for line in log:
            HUBSPOT[line.method, line.path](server.url, line)
            assert asked(server.log[-1]) == asked(line)


_REST = "/rest/api/3"


def _as_a_list(ask: Callable[[jirapi.Jira, Logged], object]) -> Callable[[jirapi.Jira, Logged], object]:
    """Ask, and pass over the answer: this client takes some lists for the one record that they are made of."""

    def again(jira: jirapi.Jira, line: Logged) -> None:
        with pytest.raises(ValidationError, match="should be a valid dictionary"):
            ask(jira, line)

    return again


JIRA: dict[tuple[str, str], Callable[[jirapi.Jira, Logged], object]] = {
    ("GET", "/myself"): lambda jira, _: jira.users.get_current_user(),
    ("GET", "/serverInfo"): lambda jira, _: jira.server_info.get(),
    ("GET", "/project/search"): lambda jira, line: jira.projects.search(
        max_results=int(line.query["maxResults"]),
        order_by=line.query["orderBy"],
        start_at=int(line.query["startAt"]),
    ),
    ("POST", "/search/jql"): lambda jira, line: jira.issues.search_post(
        models.SearchAndReconcileRequest.model_validate(line.body)
    ),
    ("POST", "/changelog/bulkfetch"): lambda jira, line: jira.issues.get_bulk_changelogs(
        models.BulkChangelogRequest.model_validate(line.body)
    ),
    ("GET", "/worklog/updated"): lambda jira, line: jira.issues.worklogs.get_modified_ids(
        since=int(line.query["since"])
    ),
    ("GET", "/worklog/deleted"): lambda jira, line: jira.issues.worklogs.get_deleted_ids(
        since=int(line.query["since"])
    ),
    ("POST", "/worklog/list"): _as_a_list(
        lambda jira, line: jira.issues.worklogs.get_by_ids(models.WorklogIdsRequest.model_validate(line.body))
    ),
    ("GET", "/field"): _as_a_list(lambda jira, _: jira.fields.list()),
    ("GET", "/status"): _as_a_list(lambda jira, _: jira.workflows.statuses.list()),
    ("GET", "/project/1/versions"): _as_a_list(lambda jira, _: jira.projects.versions.list_all("1")),
}


def test_a_client_generated_for_jira_cloud_asks_in_the_same_words(tmp_path: Path) -> None:
    """The API of boards and sprints is described in another document, of which there is no such client."""
    moments = [START + timedelta(minutes=number) for number in range(120)]
    site = site_of(
        [issue(number, moment) for number, moment in enumerate(moments, 1)],
        {str(number): [history(number, moment)] for number, moment in enumerate(moments, 1)},
    )
    site.projects = site.projects[:1]
    site.worklogs = [{"id": "1", "issueId": "1", "updated": jira_time(START)}]
    site.deleted_worklogs = {"2": jira_time(START)}
    with JiraServer(site, EMAIL, jira_parts.TOKEN) as server:
        pulled_twice(jira_parts.source(server, worklogs=True), tmp_path)
        log = [line for line in different(server.log) if line.path.startswith(_REST)]
        assert {(line.method, line.path.removeprefix(_REST)) for line in log} == JIRA.keys()
        client = jirapi.Jira(url=server.url, email=EMAIL, api_token=jira_parts.TOKEN)
        for line in log:
            JIRA[line.method, line.path.removeprefix(_REST)](client, line)
            assert asked(server.log[-1]) == asked(line)
        client.close()


def _described(body: Any) -> Any:
    """Without the order of a search: the description takes each of them for a text, HubSpot's guide for an object."""
    return {name: value for name, value in body.items() if name != "sorts"} if body else body


def pulled_twice(source: Source, folder: Path) -> None:
    """Check the source, and pull it, and then what has changed since."""
    source.check()
    landing = Landing(folder)
    first = source.pull({}, landing, lambda *_: None)
    source.pull({one.cursor: str(one.cursor_to) for one in first}, landing, lambda *_: None)


def different(log: Iterable[Logged]) -> list[Logged]:
    """One of each kind of request: a page, and a next page, which is asked for with one word more."""
    kinds = {(line.method, line.path, *line.query, *(line.body or ())): line for line in log}
    return list(kinds.values())


def asked(line: Logged) -> tuple[str, str, set[str], Any]:
    """A request by its method, path, the words of its query, and its body."""
    return line.method, line.path, set(line.query), _described(line.body)
