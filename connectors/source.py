"""What every connector offers: its streams, a check of the connection, and a pull into landing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from connectors.landing import Landing, Manifest

JsonPath = tuple[str, ...]
Mode = Literal["incremental", "snapshot"]

# Called with source, stream and the rows landed so far in this pull.
Progress = Callable[[str, str, int], None]


@dataclass(frozen=True)
class Stream:
    """One kind of record of a source.

    The texts found at the paths of ``key``, joined by "/", are a record's natural key. ``updated_at`` is the path to
    an ISO timestamp with offset; ``None`` means that the time of landing stands for it. A pull of a ``snapshot``
    stream brings every record there is, so that one which is missing has been deleted; an ``incremental`` pull
    brings what changed and says nothing about the rest.
    """

    name: str
    key: tuple[JsonPath, ...]
    updated_at: JsonPath | None
    mode: Mode = "incremental"


class Source(Protocol):
    """One configured outside system.

    ``name`` is its name in ``plumbline.yml``; ``system`` ("jira", "hubspot", "finance") prefixes its raw tables.
    """

    @property
    def name(self) -> str: ...

    @property
    def system(self) -> str: ...

    @property
    def streams(self) -> tuple[Stream, ...]: ...

    def check(self) -> str:
        """Try the connection and say in one line what was reached; raises SourceError."""
        ...

    def addresses(self) -> Mapping[str, str]:
        """Where people open the records of a stream, by stream: a record's own name is added to the address.

        Asks the system; raises SourceError. What has no address of its own, as the rows of a file, is left out.
        """
        ...

    def pull(self, cursors: Mapping[str, str], landing: Landing, progress: Progress) -> list[Manifest]:
        """Land what changed since ``cursors`` (stream name to cursor), one file per stream; raises SourceError.

        A stream without a cursor is pulled from its start. The cursors to go on from are in the manifests; they
        count only once the caller has committed them together with the data.
        """
        ...
