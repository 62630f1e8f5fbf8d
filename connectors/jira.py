"""Jira Cloud: issues with their complete changelogs, statuses, projects and fields over REST API v3."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from types import TracebackType
from typing import Self

from connectors.errors import InputError
from connectors.http import HttpClient, Patience
from connectors.jira_api import JiraApi, JsonObject
from connectors.jira_config import JiraCloudConfig, JiraFields
from connectors.landing import Landing, LandingWriter, Manifest
from connectors.source import Progress
from connectors.stream import Stream

__all__ = ["JiraCloud", "JiraCloudConfig", "JiraFields"]

ISSUES = Stream("issues", key=(("id",),), updated_at=("fields", "updated"))
CHANGELOGS = Stream("changelogs", key=(("issueId",), ("id",)), updated_at=("created",))
STATUSES = Stream("statuses", key=(("id",),), updated_at=None, mode="snapshot")
PROJECTS = Stream("projects", key=(("id",),), updated_at=None, mode="snapshot")
FIELDS = Stream("fields", key=(("id",),), updated_at=None, mode="snapshot")

API_VERSION = "jira-cloud-rest-3"

# Named one by one: "*all" brings every text and attachment of an issue, a hundred times the bytes.
_FIELDS = (
    "summary", "issuetype", "project", "status", "created", "updated", "resolutiondate", "parent", "labels",
    "fixVersions", "issuelinks", "assignee", "reporter", "priority",
)  # fmt: skip
# A search without any bound is refused, so even the first pull has one, from before the first Jira.
_BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)


class JiraCloud:
    """A Jira Cloud site as a source.

    Issues are pulled by when they were updated, and with each page of them their changelogs; both go on from the same
    cursor, the newest update seen but never past the start of the pull by the site's own clock. What was changed
    while the pull ran is thus pulled again. ``patience`` bounds retries.
    """

    system = "jira"
    streams = (ISSUES, CHANGELOGS, STATUSES, PROJECTS, FIELDS)

    def __init__(self, name: str, config: JiraCloudConfig, patience: Patience | None = None) -> None:
        self.name = name
        self._config = config
        self._patience = patience

    def check(self) -> str:
        """Who the site takes us for and what it shows; raises SourceError, also for projects or fields it lacks."""
        with self._api() as api:
            account = api.account_name()
            projects = api.projects()
            self._require_projects(projects)
            self._require_fields(api.fields())
        return f"{self.name}: {self._config.base_url} answers {account}, who sees {len(projects)} projects"

    def addresses(self) -> Mapping[str, str]:
        """Issues open by their key, also by one that they had before they were moved."""
        with self._api() as api:
            return {ISSUES.name: f"{api.site_address()}/browse/"}

    def pull(self, cursors: Mapping[str, str], landing: Landing, progress: Progress) -> list[Manifest]:
        """Land the issues updated since the cursors less the look-back, their changelogs, and the snapshots."""
        with self._api() as api:
            api.account_name()
            sync_start = api.server_time()
            projects = api.projects()
            self._require_projects(projects)
            return [
                self._land_snapshot(PROJECTS, projects, landing, progress),
                self._land_snapshot(STATUSES, api.statuses(), landing, progress),
                self._land_snapshot(FIELDS, api.fields(), landing, progress),
                *self._land_issues(api, sync_start, cursors, landing, progress),
            ]

    @contextmanager
    def _api(self) -> Iterator[JiraApi]:
        credential = (self._config.email.get_secret_value(), self._config.api_token.get_secret_value())
        client = HttpClient(self.name, self._config.base_url, auth=credential, patience=self._patience)
        try:
            yield JiraApi(self.name, client)
        finally:
            client.close()

    def _land_snapshot(
        self, stream: Stream, records: Iterable[JsonObject], landing: Landing, progress: Progress
    ) -> Manifest:
        with landing.open(self.name, self.system, stream, None, API_VERSION) as writer:
            writer.write(records)
        progress(self.name, stream.name, writer.rows)
        return writer.manifest

    def _land_issues(
        self,
        api: JiraApi,
        sync_start: datetime,
        cursors: Mapping[str, str],
        landing: Landing,
        progress: Progress,
    ) -> list[Manifest]:
        since = self._since(cursors)
        newest = since
        with (
            self._writer(ISSUES, cursors, landing) as issues,
            self._writer(CHANGELOGS, cursors, landing) as changelogs,
            _Beside(api, changelogs) as histories,
        ):
            for page in api.issues(self._jql(since), self._fields()):
                histories.land_for([issue["id"] for issue in page])
                issues.write(page)
                newest = max([newest, *(api.updated(issue) for issue in page)])
                progress(self.name, ISSUES.name, issues.rows)
                progress(self.name, CHANGELOGS.name, changelogs.rows)
            histories.finish()
            issues.cursor_to = changelogs.cursor_to = self._cursor(cursors, newest, sync_start)
        progress(self.name, CHANGELOGS.name, changelogs.rows)
        return [issues.manifest, changelogs.manifest]

    def _writer(self, stream: Stream, cursors: Mapping[str, str], landing: Landing) -> LandingWriter:
        return landing.open(self.name, self.system, stream, cursors.get(stream.name), API_VERSION)

    def _since(self, cursors: Mapping[str, str]) -> datetime:
        """From which update on to pull: the older of the two cursors, since a crash may have committed only one."""
        start = self._config.start
        floor = datetime.combine(start, time(), UTC) if start else _BEGINNING
        committed = [cursors.get(stream.name) for stream in (ISSUES, CHANGELOGS)]
        moments = [datetime.fromisoformat(cursor) for cursor in committed if cursor]
        if len(moments) < len(committed):
            return floor
        return max(floor, min(moments) - timedelta(minutes=self._config.look_back_minutes))

    def _cursor(self, cursors: Mapping[str, str], newest: datetime, sync_start: datetime) -> str:
        cursor = min(newest, sync_start)
        if committed := cursors.get(ISSUES.name):
            # The look-back, or an issue deleted since, must not move it back.
            cursor = max(cursor, datetime.fromisoformat(committed))
        return cursor.astimezone(UTC).isoformat()

    def _jql(self, since: datetime) -> str:
        # Milliseconds since 1970: a date would be read in the account's time zone.
        bound = (since - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        names = ", ".join(json.dumps(name, ensure_ascii=False) for name in self._config.projects or ())
        within = f"project in ({names}) AND " if names else ""
        return f"{within}updated >= {bound} ORDER BY updated ASC"

    def _fields(self) -> list[str]:
        own = (self._config.fields.estimate, self._config.fields.sprints)
        return [*_FIELDS, *(field for field in own if field)]

    def _require_projects(self, visible: Iterable[JsonObject]) -> None:
        known = {str(project.get(part)) for project in visible for part in ("id", "key", "name")}
        if missing := sorted(set(self._config.projects or ()) - known):
            raise InputError(
                f"{self.name}: the account sees no project {' or '.join(missing)} at {self._config.base_url}",
                "Correct projects, or give the account the permission to browse them.",
                field="projects",
            )

    def _require_fields(self, existing: Iterable[JsonObject]) -> None:
        known = {str(field["id"]): field for field in existing}
        for role, field in self._config.fields:
            if field is not None and field not in known:
                likely = [f"{id_} ({f.get('name')})" for id_, f in known.items() if _may_be(role, f)]
                hint = (
                    f"It may be {' or '.join(likely)}." if likely else "Leave it empty if the site has none."
                )
                raise InputError(
                    f"{self.name}: the site has no field {field}",
                    f"Set fields.{role} to the id of the field that holds it. {hint}",
                    field=f"fields.{role}",
                )


def _may_be(role: str, field: JsonObject) -> bool:
    kind = str((field.get("schema") or {}).get("custom", ""))
    if role == "sprints":
        return kind.endswith(":gh-sprint")
    return kind.endswith(":jsw-story-points") or "point" in str(field.get("name", "")).lower()


class _Beside:
    """Lands the changelogs of one page of issues in a thread, while the next page is on its way.

    One page at most is under way, so memory stays flat. When the pull ends by an error, the thread's requests end too.
    """

    def __init__(self, api: JiraApi, writer: LandingWriter) -> None:
        self._api = api
        self._writer = writer
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="jira-changelogs")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def land_for(self, issue_ids: Sequence[str]) -> None:
        """Start on the changelogs of these issues, once those of the last page are landed."""
        self.finish()
        if issue_ids:
            self._under_way = self._thread.submit(self._land, issue_ids)

    def finish(self) -> None:
        """Wait for what is under way; raises what it raised."""
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._api.close()
        self._thread.shutdown()

    def _land(self, issue_ids: Sequence[str]) -> None:
        for page in self._api.changelogs(issue_ids):
            self._writer.write(page)
