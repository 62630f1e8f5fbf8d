"""One writer to the warehouse at a time, across processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from warehouse.connection import WarehouseBusyError


@contextmanager
def writer_lock(
    warehouse: Path, *, timeout: float, waiting: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the right to write to the warehouse file for the length of the block.

    ``waiting`` is told once, in a sentence, when another process has the lock. Waits at most ``timeout`` seconds,
    then raises WarehouseBusyError. The operating system frees the lock when its holder dies. Within one thread of one
    process the lock is not reentrant: taking it twice waits for itself.
    """
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(warehouse.with_name(warehouse.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if waiting is not None:
            waiting(f"Another run is writing to {warehouse}; waiting up to {timeout:g} s for it to finish.")
        _acquire(lock, warehouse, timeout)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, warehouse: Path, timeout: float) -> None:
    try:
        lock.acquire(timeout=timeout, poll_interval=0.2)
    except Timeout as error:
        raise WarehouseBusyError(
            f"Another run is still writing to {warehouse} after {timeout:g} s. "
            f"Wait until it has finished, or end that process, then run again."
        ) from error
