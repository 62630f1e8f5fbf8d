"""The census of issues. An issue that is archived is in no search any more, and is not gone: it still opens by its id.

So what the last census had found and the search finds no more is asked for one by one.
"""

from __future__ import annotations

import gzip
import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

import numpy as np

from connectors.census import write_archived, write_census
from connectors.jira import streams
from connectors.jira.api import JiraApi
from connectors.landing import Landing, LandingWriter

# So many issues of a project that is listed no more are tried: where none of them opens, access to it was lost.
_TRIED = 20
_A_PAGE = 1_000

Scopes = Mapping[str, "array[int]"]


def last_counted(landing: Landing, source: str) -> Scopes:
    """The ids that the last census of a source found, by the id of their project; nothing before the first one."""
    census = streams.COUNTED_ISSUES
    for manifest in reversed(landing.manifests()):
        if (manifest.source, manifest.stream, manifest.mode) == (source, census.name, census.mode):
            found: dict[str, array[int]] = {}
            with gzip.open(landing.root / manifest.file) as lines:
                for record in map(json.loads, lines):
                    if record["id"] is not None:
                        found.setdefault(record["scope"], array("q")).append(int(record["id"]))
            return found
    return {}


def count_issues(
    writer: LandingWriter,
    api: JiraApi,
    before: Scopes,
    listed: Iterable[tuple[str, Iterable[list[str]]]],
    may_be_archived: Callable[[str], bool],
) -> None:
    """Write the ids of all issues by project as ``listed``, and of those that were ``before`` and still open by their id.

    ``may_be_archived``: whether a project that is not among the listed ones may be archived, rather than not wanted.
    """
    now, scopes = array("q"), set[str]()

    def noted() -> Iterator[tuple[str, Iterator[list[str]]]]:
        for scope, pages in listed:
            scopes.add(scope)
            yield scope, _noted(pages, now)

    write_census(writer, noted())
    known = np.frombuffer(now, np.int64) if now else np.empty(0, np.int64)
    for scope, ids in before.items():
        missing = map(str, np.setdiff1d(np.frombuffer(ids, np.int64), known).tolist())
        if scope not in scopes:
            tried = list(islice(missing, _TRIED)) if may_be_archived(scope) else []
            there = list(api.open_by_id(tried))
            write_archived(writer, scope, there)
            if not there:
                continue
        while page := list(islice(missing, _A_PAGE)):
            write_archived(writer, scope, api.open_by_id(page))


def _noted(pages: Iterable[list[str]], now: array[int]) -> Iterator[list[str]]:
    for ids in pages:
        now.extend(map(int, ids))
        yield ids
