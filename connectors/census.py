"""A census: which records of a stream there are, without their content, so that deleted ones are found.

Systems tell what changed, hardly ever what was deleted. So every few days the ids are counted. A record of a census is
``{"id": text, "scope": text or null}``; ``id`` is the natural key of the stream. A scope that the account can see has a record
also when nothing is in it, without an id: what is missing of a scope that cannot be seen any more may well be there still. With
``"archived": true`` the record is there, but put away where lists do not show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from connectors.landing import LandingWriter, census_cursor
from connectors.stream import JsonPath, Stream


def census_of(stream: Stream, scope: JsonPath | None) -> Stream:
    """The census of a stream; ``scope`` as in :class:`Stream`."""
    return Stream(stream.name, key=(("id",),), updated_at=None, mode="census", scope=scope)


def is_due(cursors: Mapping[str, str], stream: Stream, every_days: int) -> bool:
    """Whether a census of the stream was last taken ``every_days`` days ago or longer, or never."""
    last = cursors.get(census_cursor(stream.name))
    if last is None:
        return True
    return datetime.now(UTC) - datetime.fromisoformat(last) >= timedelta(days=every_days)


def write_census(writer: LandingWriter, scopes: Iterable[tuple[str | None, Iterable[list[str]]]]) -> None:
    """Write a census that is taken now: each scope that the account can see, with pages of the ids in it."""
    writer.cursor_to = datetime.now(UTC).isoformat()
    for scope, pages in scopes:
        writer.write([{"id": None, "scope": scope}])
        for ids in pages:
            writer.write({"id": one, "scope": scope} for one in ids)


def write_archived(writer: LandingWriter, scope: str, ids: Iterable[str]) -> None:
    """Add records of a scope that are there, but in no list."""
    writer.write({"id": one, "scope": scope, "archived": True} for one in ids)
