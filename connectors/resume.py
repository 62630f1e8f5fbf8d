"""A pull that may break off: until it is finished its cursor says where to go on, so that what has landed is not pulled again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, Self

from pydantic import AwareDatetime, BaseModel

from connectors.bookmarks import moved_on


class Page(NamedTuple):
    """Records, and from where a pull that breaks off after them can go on; None where it cannot."""

    records: list[dict[str, Any]]
    go_on: str | None


class Pull(BaseModel):
    """A pull; as JSON it is the cursor of one that is not finished.

    ``began`` by the system's clock, ``since`` which change (None: everything), ``before`` the cursor it started from, ``after``
    where it goes on.
    """

    began: AwareDatetime
    since: AwareDatetime | None
    before: str | None
    after: str | None = None

    @classmethod
    def unfinished(cls, cursor: str | None) -> Self | None:
        """The pull that a cursor tells of; None when the last one was finished."""
        return cls.model_validate_json(cursor) if cursor and cursor.startswith("{") else None

    def going_on(self, after: str) -> str:
        """The cursor from which this pull goes on after a page."""
        return self.model_copy(update={"after": after}).model_dump_json()

    def finished(self, newest: datetime | None) -> str:
        """The cursor of the whole pull: the newest change that it saw, if any, but never past its start."""
        return moved_on(self.before, min(newest or self.began, self.began))
