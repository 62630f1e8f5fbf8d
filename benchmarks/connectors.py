"""How fast the connectors pull, and with how much memory, beside dlt: `python -m benchmarks.connectors [--records N] [--json]`.

Needs the group `benchmarks` of the dependencies (`uv sync --group benchmarks`). Both pull the same records from one server on
loopback, without latency and with 100 ms for every answer, and write them into a DuckDB file: ours by its connector, landing and
load; dlt by its REST source into its DuckDB destination, nothing unnested. Each runs in a process of its own, twice, and the
quicker run counts; the server has its answers ready from the first on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.measuring import REPOSITORY, Phase, as_json, in_own_process, report
from demo.servers.hubspot import CrmAccount, HubSpotServer
from demo.servers.jira import JiraServer, JiraSite
from demo.servers.loopback import Answer, Fault, LoopbackServer, Request

_TOKEN, _EMAIL = "benchmark", "a@example.com"
_START = datetime(2026, 1, 5, tzinfo=UTC)
_ANSWERS = 10**9


def main() -> None:
    """Measure and report; or, called by itself, be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="deals, and half as many issues")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--as", dest="role", nargs="+", default=["parent"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    role, *about = asked.role
    if role == "parent":
        _compare(asked.records, for_programs=asked.json)
    else:
        {"server": _serve, "plumbline": _pull, "dlt": _pull_by_dlt}[role](*about)


def _compare(records: int, *, for_programs: bool) -> None:
    runs: dict[str, dict[str, Phase]] = {}
    numbers: dict[str, int] = {}
    for system, size in (("hubspot", records), ("jira", records // 2)):
        for latency in (0, 100):
            with _server(system, size, latency) as url, tempfile.TemporaryDirectory() as folder:
                for program in ("plumbline", "dlt"):
                    name = f"{system}, {latency} ms: {program}"
                    tries = [
                        _child(program, system, url, f"{folder}/{program}{number}") for number in range(2)
                    ]
                    phase, numbers[name] = min(tries, key=lambda one: one[0].seconds)
                    runs.setdefault(f"{system}, {latency} ms", {})[program] = phase
    if for_programs:
        print(as_json(runs=runs, records=numbers))
        return
    rows = []
    for name, both in runs.items():
        ours, theirs = both["plumbline"], both["dlt"]
        speed = {one: numbers[f"{name}: {one}"] / both[one].seconds for one in both}
        rows.append(
            [
                name,
                numbers[f"{name}: plumbline"],
                numbers[f"{name}: dlt"],
                speed["plumbline"],
                speed["dlt"],
                speed["plumbline"] / speed["dlt"],
                ours.peak_mb,
                theirs.peak_mb,
                ours.peak_mb / theirs.peak_mb,
            ]
        )
    columns = ["", "records", "dlt's", "a second", "dlt", "ratio", "peak MB", "dlt", "ratio"]
    report("Records pulled and written", columns, rows)


def _child(program: str, system: str, url: str, folder: str) -> tuple[Phase, int]:
    phase, output = in_own_process(
        sys.executable, "-m", "benchmarks.connectors", "--as", program, system, url, folder
    )
    seconds, number = json.loads(output.splitlines()[-1])
    return replace(phase, seconds=seconds), number


@contextmanager
def _server(system: str, records: int, latency: int) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.connectors", "--as", "server", system, str(records), str(latency)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("done")


def _serve(system: str, records: str, latency: str) -> None:
    faults = [Fault(delay=int(latency) / 1000, times=_ANSWERS)] if int(latency) else []
    made: LoopbackServer
    if system == "hubspot":
        made = _ReadyHubSpot(
            CrmAccount([_deal(n) for n in range(1, int(records) + 1)]), _TOKEN, faults, limits=()
        )
    else:
        issues = [_issue(n) for n in range(1, int(records) + 1)]
        histories = {issue["id"]: [_history(issue, n) for n in range(3)] for issue in issues}
        projects = [{"id": "10000", "key": "P", "name": "P"}]
        fields = [{"id": name, "name": name} for name in ("customfield_10016", "customfield_10020")]
        site = JiraSite(issues, histories, [], fields, projects)
        made = _ReadyJira(site, _EMAIL, _TOKEN, faults=faults)
    with made as server:
        print(server.url, flush=True)
        sys.stdin.read()


class _Ready(LoopbackServer):
    """Makes each answer once."""

    def answer(self, request: Request) -> Answer:
        """The answer of before, where the same was asked."""
        kept: dict[tuple[str, str, bytes], Answer] = self.__dict__.setdefault("kept", {})
        key = (request.path, json.dumps(dict(request.query), sort_keys=True), request.sent)
        if key not in kept:
            made = super().answer(request)
            kept[key] = replace(made, body=json.dumps(made.body).encode())
        self.log.clear()
        return kept[key]


class _ReadyHubSpot(_Ready, HubSpotServer):
    pass


class _ReadyJira(_Ready, JiraServer):
    pass


def _moment(number: int) -> datetime:
    return _START + timedelta(minutes=number)


def _deal(number: int) -> dict[str, Any]:
    at = _moment(number).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values = {"dealname": f"Deal {number}", "dealstage": "new", "amount": "100.50", "closedate": at}
    return {
        "id": str(number),
        "properties": values | {"hs_object_id": str(number), "createdate": at, "hs_lastmodifieddate": at},
        "propertiesWithHistory": {
            name: [{"value": value, "timestamp": at, "sourceType": "CRM_UI"}] * 3
            for name, value in values.items()
        },
        "createdAt": at,
        "updatedAt": at,
        "archived": False,
    }


def _issue(number: int) -> dict[str, Any]:
    at = _moment(number).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    fields = {
        "summary": f"Issue {number}", "project": {"id": "10000", "key": "P", "name": "P"}, "created": at, "updated": at,
        "issuetype": {"id": "1", "name": "Story"}, "labels": ["one", "two"], "fixVersions": [], "issuelinks": [],
        "status": {"id": "3", "name": "Done", "statusCategory": {"id": 3, "key": "done", "name": "Done"}},
        "assignee": {"accountId": f"5b10a2844c20165700ede21{number % 10}", "displayName": "Somebody"},
    }  # fmt: skip
    return {"id": str(10_000 + number), "key": f"P-{number}", "fields": fields}


def _history(issue: dict[str, Any], number: int) -> dict[str, Any]:
    item = {"field": "status", "fieldtype": "jira", "fieldId": "status", "from": "1", "to": "3"}
    return {"id": f"{issue['id']}{number}", "created": issue["fields"]["created"], "items": [item]}


def _pull(system: str, url: str, folder: str) -> None:
    import time

    from connectors.hubspot import HubSpot, HubSpotConfig
    from connectors.jira import JiraCloud
    from connectors.jira_config import JiraCloudConfig
    from connectors.landing import Landing
    from connectors.source import Source
    from warehouse.connection import connect
    from warehouse.control import create_control_tables
    from warehouse.raw import create_raw_tables, load, pending

    began = time.perf_counter()
    source: Source
    if system == "hubspot":
        source = HubSpot(
            "crm", HubSpotConfig.model_validate({"type": "hubspot", "base_url": url, "access_token": _TOKEN})
        )
    else:
        account = {"type": "jira_cloud", "base_url": url, "email": _EMAIL, "api_token": _TOKEN}
        # Of the streams that dlt is not told to pull, only the short lists.
        without = {"worklogs": False, "fields": {"estimate": None, "sprints": None}}
        source = JiraCloud("jira", JiraCloudConfig.model_validate(account | without))
    landing = Landing(Path(folder))
    source.pull({}, landing, lambda *_: None)
    rows = 0
    with connect(Path(folder) / "warehouse.duckdb") as con:
        create_control_tables(con)
        create_raw_tables(con)
        for manifest in pending(con, landing):
            rows += load(con, landing.root, manifest).inserted
    print(json.dumps([time.perf_counter() - began, rows]))


def _pull_by_dlt(system: str, url: str, folder: str) -> None:
    import os
    import time

    os.environ |= {
        "HOME": folder,
        "DLT_DATA_DIR": folder,
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
    }
    dlt: Any = import_module("dlt")
    rest_api: Any = import_module("dlt.sources.rest_api")

    began = time.perf_counter()
    names = "dealname,dealstage,amount,closedate"
    resource: dict[str, Any]
    if system == "hubspot":
        client = {"base_url": url, "auth": {"type": "bearer", "token": _TOKEN}}
        resource = {
            "name": "deals",
            "max_table_nesting": 0,
            "endpoint": {
                "path": "crm/v3/objects/deals",
                "params": {
                    "limit": 50,
                    "properties": names,
                    "propertiesWithHistory": names,
                    "archived": "false",
                },
                "data_selector": "results",
                "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
            },
        }
    else:
        client = {"base_url": url, "auth": {"type": "http_basic", "username": _EMAIL, "password": _TOKEN}}
        resource = {
            "name": "issues",
            "max_table_nesting": 0,
            "endpoint": {
                "path": "rest/api/3/search/jql",
                "method": "POST",
                "json": {
                    "jql": "updated >= 0 ORDER BY updated ASC",
                    "maxResults": 100,
                    "fields": [
                        "summary",
                        "project",
                        "created",
                        "updated",
                        "issuetype",
                        "labels",
                        "status",
                        "assignee",
                    ],
                },
                "data_selector": "issues",
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "nextPageToken",
                    "cursor_body_path": "nextPageToken",
                },
            },
        }
    source = rest_api.rest_api_source({"client": client, "resources": [resource]})
    destination = dlt.destinations.duckdb(f"{folder}/warehouse.duckdb")
    Path(folder).mkdir(parents=True, exist_ok=True)
    pipeline = dlt.pipeline("benchmark", pipelines_dir=folder, destination=destination, dataset_name="raw")
    pipeline.run(source)
    counts = pipeline.last_trace.last_normalize_info.row_counts
    print(json.dumps([time.perf_counter() - began, counts[resource["name"]]]))


if __name__ == "__main__":
    main()
