"""Known records that a pull should have shown and did not: deleted one by one, or all at once, which is another matter.

A lost permission, or an answer that is empty by mistake, looks like a deletion of everything. Nobody may guess which it is: the
records stay as they are, and a check fails until they are seen again.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from connectors.landing import Manifest

# So many missing records, and such a share of all that are known, are no deletion one by one.
_AT_ONCE = 10
_SHARE = 0.5


@dataclass(frozen=True)
class Counted:
    """What the last look at all records of a stream came to, for one scope of it (empty: all of them).

    ``state``: ``seen``; ``unobserved``, too many are missing at once; ``access lost``, the scope itself cannot be seen any more;
    ``archived``, they are in no list, but there. ``missing`` of the ``known`` records were not found, or are archived.
    """

    source: str
    stream: str
    scope: str
    state: str
    missing: int
    known: int


def is_at_once(missing: str, known: str) -> str:
    """The condition, in SQL, under which so many missing records of the known ones are no deletion one by one."""
    return f"({missing} >= greatest({_AT_ONCE}, {_SHARE} * {known}))"


def note(con: duckdb.DuckDBPyConnection, manifest: Manifest, rows: str | None = None) -> None:
    """Keep what a file came to in place of what was known before. ``rows`` is a query of scope, state, missing and known.

    Without it, or a row of it, everything was seen. Needs the tables of ``create_control_tables``.
    """
    about = [manifest.source, manifest.stream]
    con.execute("DELETE FROM control.counted WHERE source = ? AND stream = ?", about)
    if rows is not None:
        con.execute(f"INSERT INTO control.counted SELECT ?, ?, * FROM ({rows})", about)  # noqa: S608
    con.execute(
        """
        INSERT INTO control.counted SELECT $source, $stream, '', 'seen', 0, 0
        WHERE NOT EXISTS (FROM control.counted WHERE source = $source AND stream = $stream)
        """,
        {"source": manifest.source, "stream": manifest.stream},
    )


def counted(con: duckdb.DuckDBPyConnection) -> list[Counted]:
    """What the last look at all records of each stream came to, in order of source, stream and scope."""
    found = con.execute(
        "SELECT source, stream, scope, state, missing, known FROM control.counted ORDER BY source, stream, scope"
    )
    return [Counted(*row) for row in found.fetchall()]
