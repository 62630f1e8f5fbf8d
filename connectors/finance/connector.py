"""Finance exports in a folder: general ledgers and budgets as text or XLSX files, packed or not.

A file is read when its content or its layout is new, whole and row by row; unchanged files are not read again. Rows that
stand in a file as before land as the same record, so that loading finds nothing to change in them; rows that stand in it no
more land once again, marked as gone. What became of every row is said in the stream ``files``, one record per file.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.utils import glob_translate

from connectors.errors import InputError, PullFailed
from connectors.finance.copies import copied, digest_of
from connectors.finance.layouts import FinanceFilesConfig, Layout
from connectors.finance.postings import Account, Reading, Record
from connectors.finance.resends import Replaced, Resend, gone_records, replaced
from connectors.finance.states import State, states, states_text
from connectors.landing import Landing, LandingWriter, Manifest
from connectors.source import Progress
from connectors.stream import Stream

__all__ = ["FinanceFiles", "FinanceFilesConfig", "Layout"]

# What a posting is made of. Raised when the records of an unchanged file would come out differently, so that all
# files are read again.
_RECORD_VERSION = "2"
_ROWS_BETWEEN_PROGRESS = 20_000
_ROWS_CHECKED = 20
# Of a large file only so much is looked at: a million rows prove its forms.
_HEAD_BYTES = 64 << 20
_NAMED_IN_CHECK = 5
# A file whose last line has no end may still be being written, or never get one.
_UNENDED_SECONDS = 10
# A spreadsheet program's lock files, hidden files, and files still on their way.
_NOT_EXPORTS = re.compile(r"(^|.*/)(~\$|\.)[^/]*|.*\.(part|tmp|crdownload)")

# Landing time stands for the time of update: the time of a file would be news for each of its rows whenever it grows.
LEDGER = Stream("ledger", key=(("key",),), updated_at=None)
BUDGETS = Stream("budgets", key=(("key",),), updated_at=None)
RATES = Stream("rates", key=(("key",),), updated_at=None)
FILES = Stream("files", key=(("key",),), updated_at=None)
_STREAMS = {"ledger": LEDGER, "budget": BUDGETS, "rates": RATES}


@dataclass(frozen=True)
class _File:
    path: str
    size: int
    modified: datetime

    @property
    def age(self) -> float:
        """Seconds since it was last written; a time to come says nothing of that."""
        modified = self.modified if self.modified.tzinfo else self.modified.replace(tzinfo=UTC)
        seconds = (datetime.now(UTC) - modified).total_seconds()
        return seconds if seconds >= 0 else float("inf")


@dataclass(frozen=True)
class _Export:
    """One file (one sheet of a workbook) seen through one layout."""

    file: str
    layout: Layout
    opened: Callable[[], BinaryIO]
    age: float

    @property
    def name(self) -> str:
        # The sheet belongs to the name: one workbook may hold ledger and budget, or a sheet per month.
        return f"{self.file}#{self.layout.sheet}" if self.layout.sheet else self.file

    @property
    def stream(self) -> Stream:
        return _STREAMS[self.layout.into]


class _Refusal(Exception):  # noqa: N818 - it says what happened
    """A file turned out to be none of its layout when rows of it had been written already."""

    def __init__(self, name: str, error: InputError) -> None:
        self.name, self.error = name, error
        super().__init__(name)


class FinanceFiles:
    """The finance exports of one folder; a :class:`connectors.source.Source`.

    A relative ``config.folder`` starts at ``root``, the workspace. The cursor of a stream is JSON text, a mapping from
    file to what was read of it.
    """

    system = "finance"

    def __init__(self, name: str, config: FinanceFilesConfig, root: Path) -> None:
        self.name = name
        self._config = config
        self._root = root

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that the layouts fill, and the one that accounts for every file."""
        return (*self._filled, FILES)

    def check(self) -> str:
        """List the folder and read the first rows of every export; says what each layout found and what none did.

        Raises InputError when a layout can read none of its files.
        """
        files = self._list()
        exports = self._exports(files)
        found = []
        for number, layout in enumerate(self._config.layouts, start=1):
            matched = [export for export in exports if export.layout is layout]
            rows, broken = 0, []
            for export in matched:
                try:
                    rows += self._head(export)
                except InputError as error:
                    broken.append(error)
            if broken and len(broken) == len(matched):
                raise broken[0]
            found.append(
                f"layout {number} ({layout.match} into {layout.into}): "
                + (f"{len(matched)} file{'s'[: len(matched) != 1]}" if matched else "no file yet")
            )
            if matched and not rows:
                found[-1] += " without rows"
            if broken:
                found[-1] += f", {len(broken)} not readable ({broken[0].message})"
        taken = {export.file for export in exports}
        if left := [file for file in files if file not in taken]:
            shown = ", ".join(left[:_NAMED_IN_CHECK]) + (", ..." if len(left) > _NAMED_IN_CHECK else "")
            found.append(f"no layout for {shown}")
        return f"{self.name}: {self._config.folder} has " + "; ".join(found)

    def addresses(self) -> Mapping[str, str]:
        """None: a row of an export is found by its file and row, which the record names."""
        return {}

    def pull(self, cursors: Mapping[str, str], landing: Landing, progress: Progress) -> list[Manifest]:
        """Land the rows of every file that is new or changed, oldest file first, and an account of each.

        A file that is not what its layout says is refused whole, its earlier rows stand, and the others land; raises
        InputError when a layout can read none of its files. A file that is still being written waits for the next pull.
        """
        files, unsettled = self._settled()
        exports = self._exports(files)
        refused: dict[str, InputError] = {}
        while True:
            try:
                with ExitStack() as stack:
                    # The account of the files, opened last, is closed first: what is in quarantine is known before its file
                    # counts as read.
                    writers = {
                        stream.name: stack.enter_context(
                            landing.open(
                                self.name, self.system, stream, cursors.get(stream.name), _RECORD_VERSION
                            )
                        )
                        for stream in self.streams
                    }
                    for stream in self._filled:
                        pull = _Pull(
                            source=self.name,
                            stream=stream,
                            exports=[export for export in exports if export.stream is stream],
                            read=states(cursors.get(stream.name)),
                            refused=refused,
                            landing=landing,
                            writer=writers[stream.name],
                            accounts=writers[FILES.name],
                            progress=progress,
                        )
                        self._fill(pull, unsettled)
                return [writer.manifest for writer in writers.values()]
            except _Refusal as refusal:
                # What was written of it cannot be taken back: everything is written anew without it.
                refused[refusal.name] = refusal.error

    def _fill(self, pull: _Pull, unsettled: set[str]) -> None:
        for export in pull.exports:
            with self._faults(export.file):
                if export.file in unsettled:
                    pull.let_wait(export)
                else:
                    pull.take(export)
        pull.part_from_absent()
        pull.refuse_useless_layouts()
        pull.progress(self.name, pull.stream.name, pull.writer.rows)
        pull.writer.cursor_to = states_text(pull.read)

    @property
    def _filled(self) -> tuple[Stream, ...]:
        into = {layout.into for layout in self._config.layouts}
        return tuple(stream for kind, stream in _STREAMS.items() if kind in into)

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

    def _settled(self) -> tuple[dict[str, _File], set[str]]:
        """The files of the folder, and the names of those that are still being written.

        Young files are looked at once more when they are old enough; one that has changed meanwhile is not settled.
        """
        before = self._list()
        seconds = self._config.settle_seconds
        ages = [file.age for file in before.values() if file.age < seconds]
        if not ages:
            return before, set()
        time.sleep(seconds - min(ages))
        files = self._list()
        return files, {name for name, file in files.items() if before.get(name) != file}

    def _exports(self, files: Mapping[str, _File]) -> list[_Export]:
        patterns = [(re.compile(glob_translate(layout.match)), layout) for layout in self._config.layouts]
        exports: list[_Export] = []
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
                exports.append(_Export(name, layout, self._opener(name, file), file.age))
        return exports

    def _opener(self, name: str, file: _File) -> Callable[[], BinaryIO]:
        def opened() -> BinaryIO:
            with self._faults(name):
                return cast(BinaryIO, self._folder[0].open(file.path, "rb"))

        return opened

    def _head(self, export: _Export) -> int:
        """Read the first rows of an export, so that a wrong layout shows before anything is pulled."""
        with self._faults(export.file), copied(export.opened, export.file, head_bytes=_HEAD_BYTES) as copy:
            reading = Reading(export.file, export.layout, copy)
            rows = sum(1 for _ in itertools.islice(reading.records(), _ROWS_CHECKED))
            if not rows:
                reading.refuse_if_any()
            return rows

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


@dataclass(frozen=True)
class _Pull:
    """One stream in one pull: what is read of each file, and what is said of it. ``read`` becomes the new cursor."""

    source: str
    stream: Stream
    exports: Sequence[_Export]
    read: dict[str, State]
    refused: dict[str, InputError]
    landing: Landing
    writer: LandingWriter
    accounts: LandingWriter
    progress: Progress

    def take(self, export: _Export) -> None:
        """Read a file that is new or changed; one that cannot be read is refused and keeps what it said before."""
        content = digest_of(export.opened)
        version = hashlib.sha256(
            f"{_RECORD_VERSION}\n{export.layout.model_dump_json()}\n{content}".encode()
        ).hexdigest()
        before = self.read.get(export.name)
        if before is not None and version == (before.refused or before.version):
            return
        try:
            if export.name in self.refused:
                raise self.refused[export.name]
            self._take_new(export, State(version, content), before)
        except InputError as error:
            self.refused[export.name] = error
            self.read[export.name] = replace(before or State("", ""), refused=version)
            self._say(export, "refused", reason=error.message, mend=error.mend, row=error.line)

    def let_wait(self, export: _Export) -> None:
        """Leave a file for the next pull: it is still being written. What was said of it before stands."""
        if export.name not in self.read:
            self._say(export, "waiting", reason="it is still being written")

    def part_from_absent(self) -> None:
        """Forget refused files that are in the folder no more; what was read of a file stays when it leaves."""
        there = {export.name for export in self.exports}
        for name in [name for name, state in self.read.items() if state.refused and name not in there]:
            state = self.read[name]
            self.accounts.write([_account(name, self.stream.name, "gone")])
            if state.version:
                self.read[name] = replace(state, refused=None)
            else:
                del self.read[name]

    def refuse_useless_layouts(self) -> None:
        """Raise when a layout can read none of its files: then it is the layout that is wrong."""
        for layout in {id(export.layout): export.layout for export in self.exports}.values():
            names = [export.name for export in self.exports if export.layout is layout]
            wrong = [name for name in names if name in self.refused]
            if wrong and not any(self.read[name].version for name in names if name in self.read):
                raise self.refused[wrong[0]]

    def _take_new(self, export: _Export, state: State, before: State | None) -> None:
        same = next(
            (
                name
                for name, other in self.read.items()
                if name != export.name and other.version == state.version and not other.same_as
            ),
            None,
        )
        if same is not None:
            other = self.read[same]
            state = replace(state, same_as=same, first=other.first, last=other.last)
            told = self._replace_earlier(export, before, state, array("q"))
            self._say(export, "copy", same_as=same, **told)
            return
        with copied(export.opened, export.file) as copy:
            is_ended = export.age > _UNENDED_SECONDS or copy.is_ended()
            if copy.sha256 != state.content or not is_ended:
                self.let_wait(export)
                return
            is_resend = before is not None and bool(before.version)
            reading = Reading(export.file, export.layout, copy, is_resend=is_resend)
            packed = reading.packed()
            # What cannot be read at all is refused before anything of it was written.
            first = list(itertools.islice(packed, 1))
            try:
                for lines, rows in itertools.chain(first, packed):
                    self._land(lines, rows)
                account = reading.account
                state = replace(state, first=account.first, last=account.last)
                told = self._replace_earlier(export, before, state, reading.hashes)
            except InputError as error:
                raise _Refusal(export.name, error) from None
            self._say(export, "read", account, **told)

    def _land(self, packed: bytes, rows: int) -> None:
        before = self.writer.rows // _ROWS_BETWEEN_PROGRESS
        self.writer.write_packed(packed, rows)
        if self.writer.rows // _ROWS_BETWEEN_PROGRESS > before:
            self.progress(self.source, self.stream.name, self.writer.rows)

    def _replace_earlier(
        self, export: _Export, before: State | None, now: State, hashes: array[int]
    ) -> dict[str, Any]:
        """Land what the file said before and says no more, marked as gone, and remember ``now``; gives what to tell of it.

        Raises InputError where the file must not replace what it said.
        """
        this = Replaced(now, (), 0)
        if before is not None and before.version:
            stream = (self.source, self.stream.name)
            resend = Resend(export.name, before, now, hashes, is_keyed=bool(export.layout.key))
            this = replaced(self.landing, stream, resend)
        self.read[export.name] = this.state
        rows = self.writer.rows
        self.writer.write(gone_records(this.gone or (), self._said_elsewhere(export)))
        return {"gone": None if this.gone is None else self.writer.rows - rows, "kept": this.kept}

    def _said_elsewhere(self, export: _Export) -> Iterator[Record]:
        """The records of the other files that stand and know their rows by a key of their own."""
        for other in self.exports:
            if other.name != export.name and other.layout.key and self._stands(other.name):
                try:
                    with copied(other.opened, other.file) as copy:
                        yield from Reading(other.file, other.layout, copy).records()
                except InputError as error:
                    raise _Refusal(other.name, error) from None

    def _stands(self, name: str) -> bool:
        state = self.read.get(name)
        if state is None or name in self.refused:
            return False
        return bool(state.version) and not state.same_as and not state.refused

    def _say(self, export: _Export, state: str, account: Account | None = None, **more: Any) -> None:
        self.accounts.write([_account(export.name, self.stream.name, state, account, **more)])


def _account(
    name: str, stream: str, state: str, account: Account | None = None, **more: Any
) -> dict[str, Any]:
    """The record of a file: ``state`` is read, copy, refused, waiting or gone."""
    about: dict[str, Any] = {
        "key": f"{stream}/{name}",
        "file": name,
        "stream": stream,
        "state": state,
        **more,
    }
    if account is not None:
        about |= {
            "rows": account.rows,
            "loaded": account.loaded,
            "quarantined": len(account.quarantine),
            "no_data": sum(account.no_data.values()),
            "no_data_by_kind": account.no_data,
            "postings": account.postings,
            "first": account.first,
            "last": account.last,
            "forms": account.forms,
            "quarantine": account.quarantine,
        }
    return about
