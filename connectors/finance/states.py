"""What is remembered of each finance export between two pulls: the cursor of a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class State:
    """``version`` hashes the layout and content that were read last, empty when none ever was; ``content`` the content alone.

    ``same_as`` names the file whose copy this is. ``refused`` is the version that could not be read. ``first`` and ``last``
    are the days of its postings (ISO; of budgets the months), None without any. ``beside`` is the earlier version of which
    days outside these still stand; ``let_go`` counts postings of such days that were taken for corrected ones.
    """

    version: str
    content: str
    same_as: str | None = None
    refused: str | None = None
    first: str | None = None
    last: str | None = None
    beside: str | None = None
    let_go: int = 0


def states(cursor: str | None) -> dict[str, State]:
    """The states by file; a cursor of an older kind knows of none, so that all files are read again."""
    found = json.loads(cursor) if cursor else {}
    return {name: State(**state) for name, state in found.items() if isinstance(state, dict)}


def states_text(read: Mapping[str, State]) -> str:
    """The cursor that :func:`states` reads."""
    return json.dumps(
        {name: asdict(state) for name, state in read.items()}, sort_keys=True, ensure_ascii=False
    )
