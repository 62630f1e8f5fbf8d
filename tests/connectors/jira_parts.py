"""A Jira site in small, served as either edition, and what raw would hold of it after some pulls."""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from connectors.http import Patience
from connectors.jira.config import JiraCloudConfig, JiraDataCenterConfig
from connectors.jira.connector import Jira, JiraCloud, JiraDataCenter
from connectors.landing import Landing, Manifest
from demo.servers.jira import AnyJira, JiraServer, JiraSite
from demo.servers.jira_data_center import JiraDataCenterServer

EMAIL, TOKEN = "ada@example.com", "very-secret-token"
QUICK = Patience(first_wait=0.001)
START = datetime(2026, 10, 1, tzinfo=UTC)
STATUSES = [{"id": "1", "name": "To Do", "statusCategory": {"id": 2, "key": "new"}}]
FIELDS = [
    {"id": "customfield_10016", "name": "Story Points", "schema": {"type": "number"}},
    {
        "id": "customfield_10020",
        "name": "Sprint",
        "schema": {"custom": "com.pyxis.greenhopper.jira:gh-sprint"},
    },
]
PROJECTS = [{"id": "1", "key": "PLAT", "name": "Platform"}, {"id": "2", "key": "OPS", "name": "Operations"}]

Record = dict[str, Any]


def jira_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def issue(number: int, updated: datetime, project: int = 0, **fields: object) -> Record:
    own = PROJECTS[project]
    base = {
        "summary": f"Issue {number}",
        "project": own,
        "created": jira_time(START),
        "updated": jira_time(updated),
    }
    return {"id": str(number), "key": f"{own['key']}-{number}", "fields": base | fields}


def history(number: int, created: datetime, to: str = "3") -> Record:
    change = {"field": "status", "fieldtype": "jira", "fieldId": "status", "from": "1", "to": to}
    return {
        "id": str(number),
        "author": {"accountId": "u1"},
        "created": jira_time(created),
        "items": [change],
    }


def site_of(issues: list[Record], changelogs: dict[str, list[Record]] | None = None) -> JiraSite:
    return JiraSite(issues, changelogs or {}, STATUSES, FIELDS, list(PROJECTS))


def cloud(site: JiraSite, page_size: int = 100, **more: Any) -> JiraServer:
    return JiraServer(site, EMAIL, TOKEN, page_size, **more)


def data_center(site: JiraSite, page_size: int = 100, **more: Any) -> JiraDataCenterServer:
    return JiraDataCenterServer(site, f"Bearer {TOKEN}", page_size, **more)


Serve = Callable[..., AnyJira]
EDITIONS: list[Serve] = [cloud, data_center]


def source(server: AnyJira, patience: Patience = QUICK, **config: object) -> Jira:
    """The source of a site that is served; without worklogs unless they are asked for."""
    given = {"base_url": server.url, "worklogs": False} | config
    if isinstance(server, JiraServer):
        given |= {"type": "jira_cloud", "email": EMAIL, "api_token": TOKEN}
        return JiraCloud("jira", JiraCloudConfig.model_validate(given), patience)
    fields = {"estimate": "customfield_10016", "sprints": "customfield_10020"}
    given = {"type": "jira_data_center", "personal_access_token": TOKEN, "fields": fields} | given
    return JiraDataCenter("jira", JiraDataCenterConfig.model_validate(given), patience)


def silent(source_: str, stream: str, rows: int) -> None:
    pass


def cursors(manifests: list[Manifest]) -> dict[str, str]:
    return {manifest.cursor: manifest.cursor_to for manifest in manifests if manifest.cursor_to}


def reached(manifests: list[Manifest]) -> dict[str, str]:
    """How far the issues and their changelogs got."""
    return {name: cursor for name, cursor in cursors(manifests).items() if name in ("issues", "changelogs")}


def of_stream(manifests: list[Manifest], stream: str) -> Manifest:
    return next(manifest for manifest in manifests if manifest.cursor == stream)


def records(landing: Landing, manifest: Manifest) -> Iterator[Record]:
    with gzip.open(landing.root / manifest.file, "rt", encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


def at(record: Record, path: tuple[str, ...]) -> Any:
    for step in path:
        record = record[step]
    return record


def newest(landing: Landing, stream: str) -> dict[str, Record]:
    """What raw would hold of a stream: of each key the newest record, of equals the one landed last."""
    kept: dict[str, tuple[datetime, Record]] = {}
    for manifest in landing.manifests():
        if manifest.cursor != stream:
            continue
        for record in records(landing, manifest):
            key = "/".join(str(at(record, path)) for path in manifest.key)
            moment = instant(at(record, manifest.updated_at)) if manifest.updated_at else START
            if key not in kept or moment >= kept[key][0]:
                kept[key] = (moment, record)
    return {key: record for key, (_, record) in kept.items()}


def instant(told: str | int) -> datetime:
    return datetime.fromtimestamp(told / 1000, UTC) if isinstance(told, int) else datetime.fromisoformat(told)


def as_pulled(site: JiraSite, projects: tuple[str, ...] = ("PLAT", "OPS")) -> dict[str, Record]:
    return {i["id"]: i["fields"] for i in site.issues if i["fields"]["project"]["key"] in projects}


def histories_of(site: JiraSite) -> dict[str, Record]:
    return {f"{id_}/{h['id']}": plain(h) for id_, log in site.changelogs.items() for h in log}


def plain(record: Record) -> Record:
    """A history with its time as a point in time and without what landing adds."""
    rest = {name: value for name, value in record.items() if name not in ("issueId", "createdEpoch")}
    return rest | {"created": datetime.fromisoformat(record["created"])}


def assert_landed(landing: Landing, site: JiraSite, gone: frozenset[str] = frozenset()) -> None:
    """What was landed is the site, whatever it may also hold of issues that are ``gone``."""
    issues, changelogs = newest(landing, "issues"), newest(landing, "changelogs")
    assert {key: one["fields"] for key, one in issues.items() if key not in gone} == as_pulled(site)
    assert {key: plain(one) for key, one in changelogs.items() if one["issueId"] not in gone} == histories_of(
        site
    )


def searches(server: AnyJira) -> list[Record]:
    """What was searched for, but for the census, which asks for no field that is kept."""
    asked = [line.body for line in server.log if line.method == "POST" and "search" in line.path]
    return [body for body in asked if body["fields"] not in (["id"], ["updated"])]
