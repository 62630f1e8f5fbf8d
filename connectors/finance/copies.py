"""A private copy of an export, unpacked: what is read cannot change any more, and can be read as often as needed."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from connectors.errors import InputError

_BLOCK_BYTES = 1 << 20
# Ledgers shrink by twenty to fifty times in a zip; a bomb is made to shrink by a thousand.
_MOST_TIMES = 200
_ALWAYS_ALLOWED = 100 << 20
_MOST_BYTES = 16 << 30
_PACKED = (".gz", ".zip", ".xlsx", ".xlsm")
_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class Copy:
    """``content`` is unpacked, seekable and on local disk; ``name`` is that of the table itself, without ``.gz``.

    ``sha256`` is that of the file as it came, packed or not.
    """

    name: str
    content: BinaryIO
    sha256: str

    def is_ended(self) -> bool:
        """Whether the text ends with the end of a line, as one does that was written to its end. What is no text always is."""
        self.content.seek(0)
        start = self.content.read(4)
        # In UTF-16 the end of a line has a zero byte beside it.
        self.content.seek(-min(2, self.content.seek(0, os.SEEK_END)), os.SEEK_END)
        end = self.content.read().strip(b"\0")[-1:]
        self.content.seek(0)
        return start in _NO_TEXT or end in (b"", b"\n", b"\r")


def digest_of(opened: Callable[[], BinaryIO]) -> str:
    """The sha256 of a file as it lies there."""
    with opened() as content:
        return hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]


@contextmanager
def copied(opened: Callable[[], BinaryIO], file: str, *, head_bytes: int | None = None) -> Iterator[Copy]:
    """A copy that is gone afterwards; raises InputError for an archive that is broken, ambiguous or a bomb.

    With ``head_bytes`` at least so much of its beginning, which is enough to look at it; packed files are always whole.
    """
    with ExitStack() as stack:
        raw = stack.enter_context(tempfile.TemporaryFile())
        digest = hashlib.sha256()
        with opened() as content:
            while block := content.read(_BLOCK_BYTES):
                digest.update(block)
                raw.write(block)
                if head_bytes and raw.tell() >= head_bytes and not file.lower().endswith(_PACKED):
                    break
        size = raw.tell()
        raw.seek(0)
        ending = file.lower().rpartition(".")[2]
        name, unpacked = file, cast(BinaryIO, raw)
        try:
            if ending == "gz":
                name = file[: -len(".gz")]
                with gzip.GzipFile(fileobj=raw) as packed:
                    unpacked = stack.enter_context(_unpacked(packed, size, file))
            elif ending == "zip":
                with zipfile.ZipFile(raw) as archive:
                    member = _only_member(archive, file)
                    name = member.filename
                    with archive.open(member) as packed:
                        unpacked = stack.enter_context(_unpacked(packed, size, file))
            elif zipfile.is_zipfile(raw):
                # A workbook is a zip as well, and its reader takes whole parts of it into memory.
                raw.seek(0)
                with zipfile.ZipFile(raw) as archive:
                    _refuse_bomb(sum(part.file_size for part in archive.infolist()), size, file)
        except (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, RuntimeError) as error:
            raise InputError(
                f"{file}, line 1: the archive cannot be unpacked ({error})",
                "Pack it again, without a password, or put the file there as it is.",
                file=file,
                line=1,
            ) from None
        unpacked.seek(0)
        yield Copy(name, unpacked, digest.hexdigest())


def _only_member(archive: zipfile.ZipFile, file: str) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not any(part[:1] in "._" for part in member.filename.split("/"))
    ]
    if len(members) != 1:
        names = ", ".join(member.filename for member in members[:5])
        raise InputError(
            f"{file}, line 1: the archive holds {len(members)} files" + (f" ({names})" if names else ""),
            "Pack each export by itself: one file in one archive.",
            file=file,
            line=1,
        )
    return members[0]


def _unpacked(packed: IO[bytes] | gzip.GzipFile, packed_size: int, file: str) -> BinaryIO:
    out = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller's stack closes it
    size = 0
    while block := packed.read(_BLOCK_BYTES):
        size += len(block)
        _refuse_bomb(size, packed_size, file)
        out.write(block)
    return out


def _refuse_bomb(size: int, packed_size: int, file: str) -> None:
    if size > _MOST_BYTES or size > max(_ALWAYS_ALLOWED, packed_size * _MOST_TIMES):
        raise InputError(
            f"{file}, line 1: the archive unpacks to over {size >> 20} MB out of {packed_size >> 10} KB",
            "No export is packed so densely. If it is one all the same, put it there unpacked.",
            file=file,
            line=1,
        )
