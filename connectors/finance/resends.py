"""What a file said before and says no more: found in what was landed of it, and marked as gone."""

from __future__ import annotations

import gzip
import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from connectors.finance.copies import copied
from connectors.finance.layouts import Layout
from connectors.finance.postings import Reading, Record
from connectors.finance.states import states
from connectors.landing import Landing

Other = tuple[str, Layout, Callable[[], BinaryIO]]


def landed_with(landing: Landing, stream: tuple[str, str], name: str, version: str) -> Path | None:
    """The landed file of a (source, stream) that brought a version of an export: the cursor knew of it only afterwards.

    None when it is in landing no more.
    """
    for manifest in reversed(landing.manifests()):
        if (manifest.source, manifest.stream) != stream:
            continue
        before, after = states(manifest.cursor_from).get(name), states(manifest.cursor_to).get(name)
        if after is not None and after.version == version and (before is None or before.version != version):
            return landing.root / manifest.file
    return None


def gone_records(landed: Path, name: str, hashes: array[int], others: Sequence[Other]) -> Iterator[Record]:
    """The records of a file in the pull ``landed`` whose keys are not among ``hashes``, each marked ``gone``.

    Where one of the ``others``, files that know their rows by a key of their own, still says the same key, its record comes
    instead.
    """
    now = np.sort(np.frombuffer(hashes, dtype=np.int64)) if hashes else np.empty(0, np.int64)
    gone = {}
    for record in _landed(landed, name):
        key = record["key"]
        place = np.searchsorted(now, hash(key))
        if place == len(now) or now[place] != hash(key):
            gone[key] = record
    for file, layout, opened in others if gone else ():
        with copied(opened, file) as copy:
            for record in Reading(file, layout, copy).records():
                if record["key"] in gone:
                    gone[record["key"]] = record
    for record in gone.values():
        yield record | {"gone": True} if record["file"] == name else record


def _landed(landed: Path, name: str) -> Iterator[Record]:
    written = f'"file":{json.dumps(name, ensure_ascii=False)},'.encode()
    with gzip.open(landed) as lines:
        for line in lines:
            # Most lines of a large pull are of other files.
            if written in line:
                record = json.loads(line)
                if record["file"] == name and not record.get("gone"):
                    yield record
