"""A Jira site for both editions: issues with three changes each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demo.servers.jira import JiraSite

# What dlt is told to ask for; our connectors ask for a few more.
FIELDS = ["summary", "project", "created", "updated", "issuetype", "labels", "status", "assignee"]
# Of the streams that dlt is not told to pull, ours brings the short lists only.
WITHOUT = {"worklogs": False, "fields": {"estimate": None, "sprints": None}}
_START = datetime(2026, 1, 5, tzinfo=UTC)


def site(records: int) -> JiraSite:
    """A site with so many issues in one project."""
    from demo.servers.jira import JiraSite

    issues = [_issue(n) for n in range(1, records + 1)]
    histories = {issue["id"]: [_history(issue, n) for n in range(3)] for issue in issues}
    projects = [{"id": "10000", "key": "P", "name": "P"}]
    fields = [{"id": name, "name": name} for name in ("customfield_10016", "customfield_10020")]
    return JiraSite(issues, histories, [], fields, projects)


def _issue(number: int) -> dict[str, Any]:
    at = (_START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
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
