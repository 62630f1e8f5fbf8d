"""One pull of a Jira site into landing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from types import TracebackType
from typing import Protocol, Self

from connectors.census import is_due
from connectors.errors import PullFailed
from connectors.jira import streams
from connectors.jira.api import EPOCH, IssuePage, JiraApi, JsonObject, WorklogChange
from connectors.jira.config import JiraConfig
from connectors.jira.count import count_issues, last_counted
from connectors.landing import Landing, LandingWriter, Manifest
from connectors.source import Progress
from connectors.stream import Stream

# Issues per file, about: a pull that dies goes on from the last whole one.
_A_FILE = 2_000
# A search without any bound is refused, so even the first pull has one, from before the first Jira.
_BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)


class Pulled(Protocol):
    """The source that is pulled."""

    @property
    def name(self) -> str: ...

    @property
    def system(self) -> str: ...

    @property
    def api_version(self) -> str: ...


@dataclass(frozen=True)
class JiraPull:
    """One pull, which ``began`` by the site's own clock.

    Issues are pulled by when they were updated, and with each page of them their changelogs; both go on from the same
    cursor, the newest update seen but never past the start of the pull. What was changed while the pull ran is thus
    pulled again.
    """

    source: Pulled
    config: JiraConfig
    api: JiraApi
    cursors: Mapping[str, str]
    landing: Landing
    progress: Progress
    began: datetime

    def land(self, projects: list[JsonObject]) -> Iterator[Manifest]:
        """Land every stream of the source; raises SourceError."""
        api = self.api
        yield self._land_list(streams.PROJECTS, projects)
        yield self._land_list(streams.STATUSES, api.statuses())
        yield self._land_list(streams.FIELDS, api.fields())
        yield self._land_list(streams.VERSIONS, api.versions(self._chosen(projects)))
        yield from self._land_issues()
        if is_due(self.cursors, streams.ISSUES, self.config.census_days):
            yield self._count_issues(projects)
        if self.config.fields.sprints:
            # After the issues: a sprint that is completed in between has its end by the list.
            boards = api.boards()
            yield self._land_list(streams.BOARDS, boards)
            yield self._land_list(streams.SPRINTS, api.sprints(boards))
        if self.config.worklogs:
            yield self._land_worklogs(streams.WORKLOGS, "updated", api.worklogs)
            yield self._land_worklogs(streams.WORKLOG_DELETIONS, "deleted", lambda changes: changes)

    def _chosen(self, projects: Iterable[JsonObject]) -> list[JsonObject]:
        wanted = set(self.config.projects or ())
        return [
            p for p in projects if not wanted or {str(p.get(part)) for part in ("id", "key", "name")} & wanted
        ]

    def _land_list(self, stream: Stream, records: Iterable[JsonObject]) -> Manifest:
        with self._writer(stream) as writer:
            writer.write(records)
        self._tell(stream, writer)
        return writer.manifest

    def _land_issues(self) -> list[Manifest]:
        since = self._since(streams.ISSUES, streams.CHANGELOGS)
        newest, cut_at = since, 0
        with (
            self._writer(streams.ISSUES) as issues,
            self._writer(streams.CHANGELOGS) as changelogs,
            _Beside(self.api, changelogs) as histories,
        ):
            for page in self.api.issues(since, self.config.projects or (), self._fields()):
                histories.land_for(page)
                issues.write(page.issues)
                updates = [self.api.updated(issue) for issue in page.issues]
                newest = max([newest, *updates])
                self._tell(streams.ISSUES, issues)
                self._tell(streams.CHANGELOGS, changelogs)
                # Oldest update first; but one that was edited after it was found shows its new time at its old place.
                reached = min(updates, default=since)
                if reached > self.began:
                    # What comes after it will be pulled next time; people may edit faster than pages can be read.
                    break
                if issues.rows - cut_at >= _A_FILE:
                    histories.finish()
                    changelogs.cut(self._cursor(streams.ISSUES, reached))
                    issues.cut(self._cursor(streams.ISSUES, reached))
                    cut_at = issues.rows
            histories.finish()
            if not issues.rows:
                self._require_any_issue()
            issues.cursor_to = self._cursor(streams.ISSUES, newest)
            changelogs.cursor_to = issues.cursor_to
        self._tell(streams.CHANGELOGS, changelogs)
        return [*issues.manifests, *changelogs.manifests]

    def _count_issues(self, projects: list[JsonObject]) -> Manifest:
        """The census: the ids of all issues by project; a project without any is in it, too."""
        visible = {project["id"] for project in projects}
        with self._writer(streams.COUNTED_ISSUES) as writer:
            count_issues(
                writer,
                self.api,
                last_counted(self.landing, self.source.name),
                (
                    (project["id"], self.api.issue_ids(self._floor(), project["key"]))
                    for project in self._chosen(projects)
                ),
                may_be_archived=lambda project: project not in visible and not self.config.projects,
            )
        return writer.manifest

    def _require_any_issue(self) -> None:
        """Tell a site on which nothing happened from one that shows nothing any more."""
        committed = self.cursors.get(streams.ISSUES.name)
        if committed is None or datetime.fromisoformat(committed) <= self._floor():
            return
        page = next(self.api.issues(self._floor(), self.config.projects or (), ("updated",)), None)
        if page is None or not page.issues:
            raise PullFailed(
                f"{self.source.name}: the search finds no issue at all, where there were some before",
                "Give the account the permission to browse the projects again; until then what is known stays as it is.",
            )

    def _land_worklogs(
        self,
        stream: Stream,
        kind: WorklogChange,
        records_of: Callable[[list[JsonObject]], list[JsonObject]],
    ) -> Manifest:
        since = self._since(stream)
        newest = since
        with self._writer(stream) as writer:
            for changes in self.api.worklog_changes(kind, since):
                writer.write(records_of(changes))
                newest = max([newest, *(EPOCH + timedelta(milliseconds=c["updatedTime"]) for c in changes)])
                self._tell(stream, writer)
            writer.cursor_to = self._cursor(stream, newest)
        return writer.manifest

    def _writer(self, stream: Stream) -> LandingWriter:
        cursor = self.cursors.get(stream.name) if stream.mode == "incremental" else None
        source = self.source
        return self.landing.open(source.name, source.system, stream, cursor, source.api_version)

    def _tell(self, stream: Stream, writer: LandingWriter) -> None:
        self.progress(self.source.name, stream.name, writer.rows)

    def _floor(self) -> datetime:
        start = self.config.start
        return datetime.combine(start, time(), UTC) if start else _BEGINNING

    def _since(self, *together: Stream) -> datetime:
        """From which update on to pull: the oldest of the cursors, since a crash may have committed only one."""
        committed = [self.cursors.get(stream.name) for stream in together]
        moments = [datetime.fromisoformat(cursor) for cursor in committed if cursor]
        if len(moments) < len(committed):
            return self._floor()
        return max(self._floor(), min(moments) - timedelta(minutes=self.config.look_back_minutes))

    def _cursor(self, stream: Stream, newest: datetime) -> str:
        cursor = min(newest, self.began)
        if committed := self.cursors.get(stream.name):
            # The look-back, or an issue deleted since, must not move it back.
            cursor = max(cursor, datetime.fromisoformat(committed))
        return cursor.astimezone(UTC).isoformat()

    def _fields(self) -> list[str]:
        return [*streams.FIELDS_OF_ISSUES, *(field for _, field in self.config.fields if field)]


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

    def land_for(self, page: IssuePage) -> None:
        """Start on the changelogs of these issues, once those of the last page are landed."""
        self.finish()
        self._under_way = self._thread.submit(self._land, page)

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

    def _land(self, page: IssuePage) -> None:
        self._writer.write(page.histories)
        if page.without_histories:
            for histories in self._api.changelogs(page.without_histories):
                self._writer.write(histories)
