"""Landing: immutable compressed NDJSON files, one per stream and pull, each with a manifest that says what it is.

A file counts only when its manifest exists, and the manifest is written last: a crash leaves nothing that could be
taken for a finished pull.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

from connectors.stream import JsonPath, Mode, Stream

Record = Mapping[str, Any]

# Level 1 costs a third of the default's time and a fifth more bytes; landing is read once or twice.
_COMPRESSION_LEVEL = 1
# Records are compressed in slices of about this many bytes: large enough to be fast, small enough to keep memory flat.
SLICE_BYTES = 1 << 20
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_DATA = ".ndjson.gz"
_MANIFEST = ".manifest.json"
_UNFINISHED = ".part"


class Manifest(BaseModel):
    """What one landed file holds. Times are UTC; ``bytes`` and ``sha256`` are those of the compressed file.

    ``key``, ``updated_at`` and ``scope`` are JSON paths as in :class:`Stream`; ``file`` is relative to the landing root.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    system: str
    stream: str
    key: tuple[JsonPath, ...]
    updated_at: JsonPath | None
    mode: Mode
    scope: JsonPath | None = None
    cursor_from: str | None
    cursor_to: str | None
    rows: int
    bytes: int
    sha256: str
    started_at: AwareDatetime
    finished_at: AwareDatetime
    api_version: str
    file: str

    @property
    def cursor(self) -> str:
        """The name of the cursor that this file moves on: a census has one beside that of its stream."""
        return census_cursor(self.stream) if self.mode == "census" else self.stream

    @property
    def place(self) -> str:
        """Where the manifest itself lies, relative to the landing root."""
        return self.file.removesuffix(_DATA) + _MANIFEST


def census_cursor(stream: str) -> str:
    """The name of the cursor of a stream's census: when it was last taken, as ISO time."""
    return f"{stream}.census"


class Landing:
    """The landing folder ``root``: ``<root>/<source>/<stream>/<pull_id>.ndjson.gz`` and its manifest beside it.

    A census has a folder of its own, ``<stream>.census``, so that it can be taken while the stream is pulled.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(
        self, source: str, system: str, stream: Stream, cursor_from: str | None, api_version: str
    ) -> LandingWriter:
        """A writer for one pull of one stream; what an interrupted pull of that stream left is removed first."""
        for name in (source, stream.name):
            if not _PLAIN_NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot name a landing folder; use letters, digits, '-' and '_'")
        pull = _Pull(source, system, stream, cursor_from, api_version, started_at=datetime.now(UTC))
        folder = self.root / pull.folder
        folder.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(folder)
        return LandingWriter(self.root, pull)

    def manifests(self) -> list[Manifest]:
        """The manifests of all finished pulls, in order of finishing."""
        found = [
            Manifest.model_validate_json(path.read_bytes()) for path in self.root.glob(f"*/*/*{_MANIFEST}")
        ]
        return sorted(found, key=lambda manifest: (manifest.finished_at, manifest.file))


@dataclass(frozen=True)
class _Pull:
    source: str
    system: str
    stream: Stream
    cursor_from: str | None
    api_version: str
    started_at: datetime

    @property
    def folder(self) -> Path:
        name = self.stream.name
        return Path(self.source, census_cursor(name) if self.stream.mode == "census" else name)


class LandingWriter:
    """Streams the records of one pull to files, normally one; a context manager. ``rows`` counts all of them.

    On a clean exit the file is flushed to disk and renamed into place, then its manifest is written. On an exception
    only an unfinished ``.part`` file remains, beside the files that were finished before by ``cut``.
    """

    def __init__(self, root: Path, pull: _Pull) -> None:
        self.rows = 0
        self.cursor_to = pull.cursor_from
        self.manifests: list[Manifest] = []
        self._root = root
        self._pull = pull

    def __enter__(self) -> Self:
        self._begin()
        return self

    def cut(self, cursor_to: str) -> None:
        """Finish the file and begin another one: a pull that dies goes on from ``cursor_to``, not from its start."""
        self.cursor_to = cursor_to
        self._finish()
        self._begin()

    def _begin(self) -> None:
        pull_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
        folder = self._root / self._pull.folder
        self._data_path = folder / f"{pull_id}{_DATA}"
        self._manifest_path = folder / f"{pull_id}{_MANIFEST}"
        self._rows_before = self.rows
        self._cursor_from = self.cursor_to
        self._file = _unfinished(self._data_path).open("xb")
        self._sha256 = hashlib.sha256()
        self._bytes = 0
        self._pending = bytearray()

    def write(self, records: Iterable[Record]) -> None:
        """Append records, one JSON object per line, as they came."""
        for record in records:
            self._pending += line_of(record)
            self.rows += 1
            if len(self._pending) >= SLICE_BYTES:
                self._append_pending()

    def write_packed(self, packed: bytes, rows: int) -> None:
        """Append so many records that :func:`pack` made of their lines."""
        if self._pending:
            self._append_pending()
        self._append(packed)
        self.rows += rows

    def _append_pending(self) -> None:
        self._append(pack(self._pending))
        self._pending.clear()

    def _append(self, packed: bytes) -> None:
        # Counted and hashed on their way, so that the file is not read again for its hash.
        self._file.write(packed)
        self._sha256.update(packed)
        self._bytes += len(packed)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._file.close()
            return
        self._finish()

    def _finish(self) -> None:
        if self._pending or not self._bytes:
            self._append_pending()
        _sync(self._file)
        self._file.close()
        _unfinished(self._data_path).replace(self._data_path)
        manifest = self._describe()
        _write_atomically(self._manifest_path, manifest.model_dump_json(indent=2).encode() + b"\n")
        self.manifests.append(manifest)

    @property
    def manifest(self) -> Manifest:
        """The manifest of the last file; only there after a clean exit."""
        if not self.manifests:
            raise RuntimeError(f"the pull of {self._pull.source}.{self._pull.stream.name} has not finished")
        return self.manifests[-1]

    def _describe(self) -> Manifest:
        pull, stream = self._pull, self._pull.stream
        return Manifest(
            source=pull.source,
            system=pull.system,
            stream=stream.name,
            key=stream.key,
            updated_at=stream.updated_at,
            mode=stream.mode,
            scope=stream.scope,
            cursor_from=self._cursor_from,
            cursor_to=self.cursor_to,
            rows=self.rows - self._rows_before,
            bytes=self._bytes,
            sha256=self._sha256.hexdigest(),
            started_at=pull.started_at,
            finished_at=datetime.now(UTC),
            api_version=pull.api_version,
            file=self._data_path.relative_to(self._root).as_posix(),
        )


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def pack(lines: bytes | bytearray) -> bytes:
    """Whole lines compressed by themselves: a landed file is any number of these, one behind the other."""
    # A fixed time: the same records give the same bytes.
    return gzip.compress(lines, _COMPRESSION_LEVEL, mtime=0)


def line_of(record: Record) -> bytes:
    """A record as landing writes it: one line of JSON in UTF-8."""
    text = _encode(record)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        # Half a surrogate pair (a text cut in the middle of an emoji) is no valid UTF-8 and would end the load.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode() + b"\n"


def _remove_unfinished(folder: Path) -> None:
    for path in folder.glob(f"*{_UNFINISHED}"):
        path.unlink(missing_ok=True)
    for path in folder.glob(f"*{_DATA}"):
        if not path.with_name(path.name.removesuffix(_DATA) + _MANIFEST).exists():
            path.unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    return path.with_name(path.name + _UNFINISHED)


def _write_atomically(path: Path, content: bytes) -> None:
    with _unfinished(path).open("wb") as file:
        file.write(content)
        _sync(file)
    _unfinished(path).replace(path)
    _sync_folder(path.parent)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    # Without this a power cut can forget the rename although the content is on disk.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
