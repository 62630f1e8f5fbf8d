"""Cursors that are a moment: from which change on to pull, and how far a pull got."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta


def changed_since(cursor: str | None, start: date | None, look_back_minutes: int) -> datetime | None:
    """From which change on to pull: the cursor less the look-back, but nothing before ``start`` (UTC); None: everything."""
    floor = datetime.combine(start, time.min, UTC) if start else None
    if cursor is None:
        return floor
    since = datetime.fromisoformat(cursor) - timedelta(minutes=look_back_minutes)
    return max(since, floor) if floor else since


def moved_on(before: str | None, bookmark: datetime) -> str:
    """The bookmark as a cursor. It never goes back, as it would once the newest record is deleted or a clock is set back."""
    if before is not None:
        bookmark = max(bookmark, datetime.fromisoformat(before))
    return bookmark.astimezone(UTC).isoformat(timespec="milliseconds")
