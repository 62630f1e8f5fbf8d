"""Finance exports in a folder: general ledgers and budgets as CSV or XLSX files.

A file is read when its content or its layout is new, whole and row by row; unchanged files are not read again. Rows that
stand in a file as before land as the same record, so that loading finds nothing to change in them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

import fsspec
from fsspec.utils import glob_translate

from connectors.errors import InputError, PullFailed
from connectors.finance_layouts import FinanceFilesConfig, Layout
from connectors.finance_postings import Export, Record
from connectors.landing import Landing, Manifest
from connectors.source import Progress
from connectors.stream import Stream

__all__ = ["FinanceFiles", "FinanceFilesConfig", "Layout"]

# What a posting is made of. Raised when the records of an unchanged file would come out differently, so that all
# files are read again.
_RECORD_VERSION = "1"
_BLOCK_BYTES = 1 << 20
_ROWS_BETWEEN_PROGRESS = 20_000
_ROWS_CHECKED = 20
_NAMED_IN_CHECK = 5
# A spreadsheet program's lock files, hidden files, and files still on their way.
_NOT_EXPORTS = re.compile(r"(^|.*/)(~\$|\.)[^/]*|.*\.(part|tmp|crdownload)")

# Landing time stands for the time of update: the time of a file would be news for each of its rows whenever it grows.
LEDGER = Stream("ledger", key=(("key",),), updated_at=None)
BUDGETS = Stream("budgets", key=(("key",),), updated_at=None)
_STREAMS = {"ledger": LEDGER, "budget": BUDGETS}


@dataclass(frozen=True)
class _File:
    path: str
    size: int
    modified: datetime


class FinanceFiles:
    """The finance exports of one folder; a :class:`connectors.source.Source`.

    A relative ``config.folder`` starts at ``root``, the workspace. The cursor of a stream is JSON text, a mapping from
    file to the hash of its layout and content.
    """

    system = "finance"

    def __init__(self, name: str, config: FinanceFilesConfig, root: Path) -> None:
        self.name = name
        self._config = config
        self._root = root

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that the layouts fill."""
        into = {layout.into for layout in self._config.layouts}
        return tuple(stream for kind, stream in _STREAMS.items() if kind in into)

    def check(self) -> str:
        """List the folder and read the first rows of every export; says what each layout found and what none did."""
        files = self._list()
        exports = self._exports(files)
        found = []
        for number, layout in enumerate(self._config.layouts, start=1):
            matched = [export for export, _ in exports if export.layout is layout]
            rows = 0
            for export in matched:
                rows += self._head(export)
            found.append(
                f"layout {number} ({layout.match} into {layout.into}): "
                + (f"{len(matched)} file{'s'[: len(matched) != 1]}" if matched else "no file yet")
            )
            if matched and not rows:
                found[-1] += " without rows"
        taken = {export.file for export, _ in exports}
        if left := [file for file in files if file not in taken]:
            shown = ", ".join(left[:_NAMED_IN_CHECK]) + (", ..." if len(left) > _NAMED_IN_CHECK else "")
            found.append(f"no layout for {shown}")
        return f"{self.name}: {self._config.folder} has " + "; ".join(found)

    def addresses(self) -> Mapping[str, str]:
        """None: a row of an export is found by its file and row, which the record names."""
        return {}

    def pull(self, cursors: Mapping[str, str], landing: Landing, progress: Progress) -> list[Manifest]:
        """Land the rows of every file that is new or changed, oldest file first: where keys meet, the later wins.

        Raises InputError for a file that is not what its layout says; nothing of that stream is landed then.
        """
        exports = self._exports(self._list())
        manifests = []
        for stream in self.streams:
            mine = [(export, file) for export, file in exports if _STREAMS[export.layout.into] is stream]
            read = _cursor(cursors.get(stream.name))
            with landing.open(
                self.name, self.system, stream, cursors.get(stream.name), _RECORD_VERSION
            ) as writer:
                for export, file in mine:
                    fingerprint = self._fingerprint(export)
                    if read.get(export.name) == fingerprint:
                        continue
                    writer.write(self._records(export, writer.rows, stream, progress))
                    self._refuse_changed(export.file, file)
                    read[export.name] = fingerprint
                progress(self.name, stream.name, writer.rows)
                writer.cursor_to = json.dumps(read, sort_keys=True, ensure_ascii=False)
            manifests.append(writer.manifest)
        return manifests

    @cached_property
    def _folder(self) -> tuple[fsspec.AbstractFileSystem, str]:
        """The file system and the path of the folder on it; nothing is opened before it is needed."""
        folder = self._config.folder
        try:
            files, path = fsspec.core.url_to_fs(folder if "://" in folder else str(self._root / folder))
        except (ImportError, ValueError) as error:
            raise InputError(
                f"{self.name}: the folder {folder!r} cannot be opened ({error})",
                "Correct folder, or install the fsspec package for this kind of address.",
                field="folder",
            ) from None
        return files, path

    def _list(self) -> dict[str, _File]:
        """Every file under the folder by its path relative to it, oldest first."""
        files, folder = self._folder
        with self._faults(None):
            if not files.isdir(folder):
                raise InputError(
                    f"{self.name}: there is no folder {self._config.folder}",
                    "Correct folder, or create it and put the exports there.",
                    field="folder",
                )
            found = {}
            for path, info in files.find(folder, detail=True).items():
                name = path.removeprefix(folder).lstrip("/")
                if not _NOT_EXPORTS.fullmatch(name):
                    found[name] = _File(path, info["size"], files.modified(path))
        return dict(sorted(found.items(), key=lambda item: (item[1].modified, item[0])))

    def _exports(self, files: Mapping[str, _File]) -> list[tuple[Export, _File]]:
        patterns = [(re.compile(glob_translate(layout.match)), layout) for layout in self._config.layouts]
        exports: list[tuple[Export, _File]] = []
        for name, file in files.items():
            taken: dict[tuple[str, str | None], Layout] = {}
            for pattern, layout in patterns:
                if not pattern.fullmatch(name):
                    continue
                other = taken.setdefault((layout.into, layout.sheet), layout)
                if other is not layout:
                    raise InputError(
                        f"{self.name}: {name} is matched by two layouts into {layout.into}, "
                        f"{other.match!r} and {layout.match!r}",
                        "Narrow match of one of them: every row must be read once.",
                        field="layouts",
                        file=name,
                    )
                exports.append((Export(name, layout, self._opener(name, file)), file))
        return exports

    def _opener(self, name: str, file: _File) -> Callable[[], BinaryIO]:
        def opened() -> BinaryIO:
            with self._faults(name):
                return cast(BinaryIO, self._folder[0].open(file.path, "rb"))

        return opened

    def _head(self, export: Export) -> int:
        """Read the first rows of an export, so that a wrong layout shows before anything is pulled."""
        with self._faults(export.file):
            return sum(1 for _ in itertools.islice(export.records(), _ROWS_CHECKED))

    def _records(self, export: Export, before: int, stream: Stream, progress: Progress) -> Iterator[Record]:
        """The records of an export; ``before`` are the rows that landed in this pull already."""
        with self._faults(export.file):
            for rows, record in enumerate(export.records(), start=before + 1):
                if rows % _ROWS_BETWEEN_PROGRESS == 0:
                    progress(self.name, stream.name, rows)
                yield record

    def _fingerprint(self, export: Export) -> str:
        """The hash of a file's layout and content: a layout that is mended reads its files again."""
        digest = hashlib.sha256(f"{_RECORD_VERSION}\n{export.layout.model_dump_json()}\n".encode())
        with self._faults(export.file), export.opened() as content:
            while block := content.read(_BLOCK_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def _refuse_changed(self, name: str, file: _File) -> None:
        files, _ = self._folder
        with self._faults(name):
            now = _File(file.path, files.size(file.path), files.modified(file.path))
        if now != file:
            raise PullFailed(
                f"{self.name}: {name} changed while it was read",
                "Run again when the export has been written to its end.",
            )

    @contextmanager
    def _faults(self, file: str | None) -> Iterator[None]:
        """Turn what a file system raises into this project's errors."""
        where = f"{self._config.folder}/{file}" if file else self._config.folder
        try:
            yield
        except PermissionError:
            raise InputError(
                f"{self.name}: {where} may not be read",
                "Give the account that runs this the right to read it.",
                field="folder",
                file=file,
            ) from None
        except FileNotFoundError:
            raise PullFailed(
                f"{self.name}: {where} is gone since the folder was listed", "Run again."
            ) from None
        except OSError as error:
            raise PullFailed(
                f"{self.name}: {where} could not be read ({error.strerror or type(error).__name__})",
                "Check that the folder can be reached, and run again.",
                field="folder",
            ) from None


def _cursor(text: str | None) -> dict[str, str]:
    return dict(json.loads(text)) if text else {}
