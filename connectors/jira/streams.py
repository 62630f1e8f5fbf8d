"""What is pulled of a Jira site, whichever edition it is."""

from __future__ import annotations

from connectors.census import census_of
from connectors.stream import Stream

ISSUES = Stream("issues", key=(("id",),), updated_at=("fields", "updated"))
COUNTED_ISSUES = census_of(ISSUES, scope=("fields", "project", "id"))
CHANGELOGS = Stream("changelogs", key=(("issueId",), ("id",)), updated_at=("created",))
STATUSES = Stream("statuses", key=(("id",),), updated_at=None, mode="snapshot")
PROJECTS = Stream("projects", key=(("id",),), updated_at=None, mode="snapshot")
FIELDS = Stream("fields", key=(("id",),), updated_at=None, mode="snapshot")
VERSIONS = Stream("versions", key=(("id",),), updated_at=None, mode="snapshot")
BOARDS = Stream("boards", key=(("id",),), updated_at=None, mode="snapshot")
SPRINTS = Stream("sprints", key=(("id",),), updated_at=None, mode="snapshot")
WORKLOGS = Stream("worklogs", key=(("id",),), updated_at=("updated",))
WORKLOG_DELETIONS = Stream("worklog_deletions", key=(("worklogId",),), updated_at=("updatedTime",))

# Named one by one: "*all" brings every text and attachment of an issue, a hundred times the bytes.
FIELDS_OF_ISSUES = (
    "summary", "issuetype", "project", "status", "created", "updated", "resolutiondate", "parent", "labels",
    "fixVersions", "issuelinks", "assignee", "reporter", "priority",
)  # fmt: skip
