"""Records that nobody here wrote, sent through the demo's Jira servers and landed: every one arrives as it was."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.landing import Landing
from demo.servers.jira import JiraSite
from tests.connectors.jira_parts import Record, Serve, cloud, data_center, silent, source
from tests.real_records.jira_sites import json_lines, recorded_cloud, titanium


def landed(root: Path, site: JiraSite, serve: Serve = cloud, **config: Any) -> dict[str, list[Record]]:
    """All records of each stream after one pull of a site."""
    with serve(site) as server:
        manifests = source(server, **config).pull({}, Landing(root), silent)
    streams: dict[str, list[Record]] = {}
    for manifest in manifests:
        streams.setdefault(manifest.cursor, []).extend(json_lines(root / manifest.file))
    return streams


def with_fields(issues: list[Record], asked: set[str]) -> dict[str, Record]:
    """Issues by id, with only the fields that a pull asks for."""
    return {
        issue["id"]: issue | {"fields": {n: value for n, value in issue["fields"].items() if n in asked}}
        for issue in issues
    }


def asked_fields(config: Mapping[str, str]) -> set[str]:
    return {
        "summary", "issuetype", "project", "status", "created", "updated", "resolutiondate", "parent", "labels",
        "fixVersions", "issuelinks", "assignee", "reporter", "priority", *config.values(),
    }  # fmt: skip


def by_id(records: list[Record], shape: Record) -> dict[str, Record]:
    """Landed records by id, with the members that the original has."""
    return {record["id"]: {name: record[name] for name in shape if name in record} for record in records}


def histories(records: Iterator[tuple[str, Record]]) -> dict[tuple[str, str], Record]:
    """Histories by issue and id, their time as a point in time, since the service writes it in two ways."""
    return {
        (issue, history["id"]): {n: v for n, v in history.items() if n not in ("issueId", "createdEpoch")}
        | {"created": datetime.fromisoformat(history["created"])}
        for issue, history in records
    }


def test_the_recorded_cloud_site_arrives_whole(real_records: Path, tmp_path: Path) -> None:
    site = recorded_cloud(real_records)
    streams = landed(tmp_path, site)
    own = {"estimate": "customfield_10016", "sprints": "customfield_10020"}
    assert len(site.issues) == 36
    expected = with_fields(site.issues, asked_fields(own))
    assert {
        id_: record["fields"] for id_, record in by_id(streams["issues"], {"id": 0, "fields": 0}).items()
    } == {id_: record["fields"] for id_, record in expected.items()}
    assert histories((record["issueId"], record) for record in streams["changelogs"]) == histories(
        (id_, history) for id_, log in site.changelogs.items() for history in log
    )
    assert len(streams["changelogs"]) == 522 + 279
    assert (streams["statuses"], streams["fields"], streams["projects"]) == (
        site.statuses,
        site.fields,
        site.projects,
    )


def test_ten_years_of_a_public_jira_arrive_whole(real_records: Path, tmp_path: Path) -> None:
    site = titanium(real_records)
    own = {"estimate": "components", "sprints": "closedSprints"}
    streams = landed(tmp_path, site, fields=own)
    assert len(streams["issues"]) == len(site.issues) == 7348
    assert by_id(streams["issues"], site.issues[0]) == with_fields(site.issues, asked_fields(own))


def test_two_of_its_projects_arrive_alone_from_a_data_center(real_records: Path, tmp_path: Path) -> None:
    site = titanium(real_records)
    streams = landed(tmp_path, site, data_center, projects=["ALOY", "MOD"])
    expected = {issue["id"] for issue in site.issues if issue["fields"]["project"]["key"] in ("ALOY", "MOD")}
    assert sorted(issue["id"] for issue in streams["issues"]) == sorted(expected)
    assert len(expected) == 1499 + 367
