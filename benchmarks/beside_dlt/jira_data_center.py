"""Jira Data Center's issues, with their changelogs on the same pages for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.beside_dlt.jira_site import FIELDS, WITHOUT, site

if TYPE_CHECKING:
    from connectors.source import Source
    from demo.servers.loopback import Fault, LoopbackServer

_TOKEN = "benchmark"


def serve(records: int, faults: list[Fault]) -> LoopbackServer:
    """A site with so many issues."""
    from benchmarks.beside_dlt.ready import Ready
    from demo.servers.jira_data_center import JiraDataCenterServer

    class Server(Ready, JiraDataCenterServer):
        pass

    return Server(site(records), f"Bearer {_TOKEN}", faults=faults)


def source(url: str) -> Source:
    """Our connector."""
    from connectors.jira.config import JiraDataCenterConfig
    from connectors.jira.connector import JiraDataCenter

    described = {"type": "jira_data_center", "base_url": url, "personal_access_token": _TOKEN}
    return JiraDataCenter("jira", JiraDataCenterConfig.model_validate(described | WITHOUT))


def dlt(url: str) -> dict[str, Any]:
    """The same for dlt's REST source."""
    endpoint = {
        "path": "rest/api/2/search",
        "method": "POST",
        "json": {"jql": "updated >= 0 ORDER BY updated ASC", "fields": FIELDS, "expand": ["changelog"]},
        "data_selector": "issues",
        "paginator": {
            "type": "offset",
            "limit": 50,
            "offset_body_path": "startAt",
            "limit_body_path": "maxResults",
            "total_path": "total",
        },
    }
    return {
        "client": {"base_url": url, "auth": {"type": "bearer", "token": _TOKEN}},
        "resources": [{"name": "issues", "max_table_nesting": 0, "endpoint": endpoint}],
    }
