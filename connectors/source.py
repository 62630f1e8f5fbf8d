"""What every connector offers: its streams, a check of the connection, and a pull into landing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from connectors.landing import Landing, Manifest
from connectors.stream import Stream

# Called with source, stream and the rows landed so far in this pull, from any thread.
Progress = Callable[[str, str, int], None]


class Source(Protocol):
    """One configured outside system.

    ``name`` is its name in ``plumbline.yml``; ``system`` ("jira", "hubspot", "salesforce", "finance") prefixes its raw tables.
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
        """Land what changed since ``cursors`` (stream name to cursor), one or more files per stream; raises SourceError.

        A stream without a cursor is pulled from its start. The cursors to go on from are in the manifests; they
        count only once the caller has committed them together with the data. What had landed when it raised counts
        too: the next pull goes on from there.
        """
        ...
