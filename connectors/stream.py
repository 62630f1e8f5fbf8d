"""A stream: one kind of record of a source, and how its records are told apart."""

from dataclasses import dataclass
from typing import Literal

JsonPath = tuple[str, ...]
Mode = Literal["incremental", "snapshot", "census"]


@dataclass(frozen=True)
class Stream:
    """One kind of record of a source.

    The texts found at the paths of ``key``, joined by "/", are a record's natural key. ``updated_at`` is the path to
    an ISO timestamp with offset; ``None`` means that the time of landing stands for it. A pull of a ``snapshot``
    stream brings every record there is, so that one which is missing has been deleted; an ``incremental`` pull
    brings what changed and says nothing about the rest. A ``census`` of a stream counts its records without bringing
    them: see :mod:`connectors.census`. ``scope`` is then the path in the stream's own records to the thing that records
    belong to and vanish with, such as a project; ``None`` where all belong together.
    """

    name: str
    key: tuple[JsonPath, ...]
    updated_at: JsonPath | None
    mode: Mode = "incremental"
    scope: JsonPath | None = None
