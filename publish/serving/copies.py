"""The folder from which an audience is answered: the published run itself, or a copy narrowed to what it may see."""

import asyncio
import logging
import os
import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import anyio.to_thread
from filelock import FileLock, Timeout

from publish.audience import Audience, narrow
from publish.reading import NothingPublishedError, Published

log = logging.getLogger("plumbline.serve")


class AlreadyServedError(Exception):
    """Another process keeps copies in the same folder."""


class Copies:
    """Copies of the current run under `cache`, one for each audience that asks, made when it first asks.

    They are made anew by every process, so that none outlives the code that made it, and the folder belongs to one process at a
    time: raises AlreadyServedError when another has it. Everything else below `cache` is removed.
    """

    def __init__(self, published: Path, cache: Path) -> None:
        self._published = published
        self._cache = cache
        # One after the other: each takes a processor for seconds.
        self._making = asyncio.Lock()
        cache.mkdir(parents=True, exist_ok=True)
        self._claim = FileLock(cache / "serving.lock")
        try:
            self._claim.acquire(timeout=0)
        except Timeout as error:
            raise AlreadyServedError(
                "Another `plumbline serve` serves this workspace. Stop it first."
            ) from error
        for left_over in cache.iterdir():
            if left_over.is_dir():
                shutil.rmtree(left_over)

    def close(self) -> None:
        """Let another process have the folder."""
        self._claim.release()

    async def folder(self, audience: Audience) -> Path:
        """The folder of the current run as the audience may see it.

        Raises NothingPublishedError, and whatever `narrow` raises; there is no other folder to fall back on.
        """
        run = self._current()
        if audience.sees_everything:
            return run
        copy = self._cache / run.name / audience.key
        if not copy.is_dir():
            async with self._making:
                if not copy.is_dir():
                    await anyio.to_thread.run_sync(self._make, run, audience, copy)
        return copy

    def _current(self) -> Path:
        try:
            run = (self._published / "current").resolve(strict=True)
        except OSError as error:
            raise NothingPublishedError("Nothing has been published yet.") from error
        if run.parent != self._published.resolve():
            raise NothingPublishedError("`current` does not lead to a published run.")
        return run

    def _make(self, run: Path, audience: Audience, copy: Path) -> None:
        log.info("making the copy of %s for %s", run.name, audience)
        part = copy.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        narrow(Published(self._published, run.name), audience, part)
        part.rename(copy)
        # The run before this one may still be on its way to somebody.
        runs = sorted(folder for folder in self._cache.iterdir() if folder.is_dir())
        for old in runs[:-2]:
            shutil.rmtree(old, ignore_errors=True)


@lru_cache(maxsize=32)
def files_of(folder: Path) -> Mapping[str, Path]:
    """Every regular file below a folder by its path in it, with `/` between the parts, without links and what is behind them.

    A folder is listed once: neither a published run nor a copy of it is ever changed.
    """
    found = {}
    for place, _, names in os.walk(folder, followlinks=False):
        for name in names:
            file = Path(place) / name
            if file.is_file() and not file.is_symlink():
                found[file.relative_to(folder).as_posix()] = file
    return found
