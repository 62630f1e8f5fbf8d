"""Jira Cloud's issues and changelogs. dlt pulls the issues alone: its source has no second request for each page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.beside_dlt.jira_site import FIELDS, WITHOUT, site

if TYPE_CHECKING:
    from connectors.source import Source
    from demo.servers.loopback import Fault, LoopbackServer

_TOKEN, _EMAIL = "benchmark", "a@example.com"


def serve(records: int, faults: list[Fault]) -> LoopbackServer:
    """A site with so many issues."""
    from benchmarks.beside_dlt.ready import Ready
    from demo.servers.jira import JiraServer

    class Server(Ready, JiraServer):
        pass

    return Server(site(records), _EMAIL, _TOKEN, faults=faults)


def source(url: str) -> Source:
    """Our connector."""
    from connectors.jira.config import JiraCloudConfig
    from connectors.jira.connector import JiraCloud

    described = {"type": "jira_cloud", "base_url": url, "email": _EMAIL, "api_token": _TOKEN}
    return JiraCloud("jira", JiraCloudConfig.model_validate(described | WITHOUT))


def dlt(url: str) -> dict[str, Any]:
    """The same for dlt's REST source."""
    endpoint = {
        "path": "rest/api/3/search/jql",
        "method": "POST",
        "json": {"jql": "updated >= 0 ORDER BY updated ASC", "maxResults": 100, "fields": FIELDS},
        "data_selector": "issues",
        "paginator": {"type": "cursor", "cursor_path": "nextPageToken", "cursor_body_path": "nextPageToken"},
    }
    return {
        "client": {
            "base_url": url,
            "auth": {"type": "http_basic", "username": _EMAIL, "password": _TOKEN},
        },
        "resources": [{"name": "issues", "max_table_nesting": 0, "endpoint": endpoint}],
    }
