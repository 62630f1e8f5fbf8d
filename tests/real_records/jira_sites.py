"""The recorded Jira sites, as the demo's Jira server serves them."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from demo.servers.jira import JiraSite

Record = dict[str, Any]


def json_lines(path: Path) -> list[Record]:
    """The records of a file with one JSON object a line, packed or not."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return [json.loads(line) for line in content.split(b"\n") if line]


def recorded_cloud(real_records: Path) -> JiraSite:
    """The site recorded from Jira Cloud: 33 issues with their changelogs, and those of three more."""
    folder = real_records / "jira_cloud_recorded"
    issues = json_lines(folder / "issues.jsonl")
    changelogs = {issue["id"]: issue.pop("changelog")["histories"] for issue in issues}
    for entry in json_lines(folder / "changelogs.jsonl"):
        changelogs.setdefault(str(entry["input"]["issue_id"]), []).append(entry["body"])
    # The recording holds changelogs of three issues whose own bodies it does not hold.
    for id_ in changelogs.keys() - {issue["id"] for issue in issues}:
        times = dict.fromkeys(("created", "updated"), changelogs[id_][-1]["created"])
        issues.append(
            {"id": id_, "key": f"EE-{id_}", "fields": {"project": issues[0]["fields"]["project"]} | times}
        )
    statuses, fields, projects = (
        json_lines(folder / f"{name}.jsonl") for name in ("statuses", "fields", "projects")
    )
    return JiraSite(issues, changelogs, statuses, fields, projects)


def with_field(site: JiraSite, field: str) -> JiraSite:
    """The site with a field listed that its issues have, though the recording lists only some of its fields."""
    assert any(field in issue["fields"] for issue in site.issues)
    return replace(site, fields=[*site.fields, {"id": field, "name": field}])


def titanium(real_records: Path) -> JiraSite:
    """The dump of a public Jira, which lists neither changelogs nor statuses nor fields."""
    issues = json_lines(real_records / "jira_titanium" / "issues.jsonl.gz")
    projects = {issue["fields"]["project"]["id"]: issue["fields"]["project"] for issue in issues}
    return JiraSite(issues, projects=list(projects.values()))
