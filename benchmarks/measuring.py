"""What all benchmarks share: phases of a process with their time and memory, the machine, tables for people and programs."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).parent.parent

# ru_maxrss counts kilobytes, except on macOS, where it counts bytes.
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Phase:
    """One phase of a process.

    `seconds` is what the clock showed, `cpu_seconds` what all threads used of the processors, user and system; neither
    holds the phases that ran within it. `peak_mb` is the most memory (RSS) that the process had held by its end.
    """

    name: str
    seconds: float
    cpu_seconds: float
    peak_mb: float


class Stopwatch:
    """Times the phases of this process; a phase that runs within another is taken out of it."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._cpu_seconds: dict[str, float] = {}
        self._peaks: dict[str, float] = {}
        self._inner: list[tuple[float, float]] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """The block is part of the phase `name`, which may be entered several times."""
        self._inner.append((0.0, 0.0))
        began, cpu_began = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
            inner, cpu_inner = self._inner.pop()
            self._seconds[name] = self._seconds.get(name, 0.0) + seconds - inner
            self._cpu_seconds[name] = self._cpu_seconds.get(name, 0.0) + cpu_seconds - cpu_inner
            self._peaks[name] = peak_mb()
            if self._inner:
                outer, cpu_outer = self._inner[-1]
                self._inner[-1] = (outer + seconds, cpu_outer + cpu_seconds)

    def watch(self, owner: Any, attribute: str, phase: str | Callable[..., str]) -> None:
        """From now on each call of `owner.attribute` is a phase; a callable names it from the call's arguments."""
        watched = getattr(owner, attribute)

        def timed(*arguments: Any, **named: Any) -> Any:
            name = phase if isinstance(phase, str) else phase(*arguments, **named)
            with self.phase(name):
                return watched(*arguments, **named)

        setattr(owner, attribute, timed)

    def phases(self) -> list[Phase]:
        """Every phase that has ended, in the order of their first end."""
        return [
            Phase(name, seconds, self._cpu_seconds[name], self._peaks[name])
            for name, seconds in self._seconds.items()
        ]


def peak_mb() -> float:
    """The most memory (RSS) that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES / 1e6


def in_own_process(*arguments: str, environment: dict[str, str] | None = None) -> tuple[Phase, str]:
    """Run a command to its end: what the whole process took, and what it wrote to standard output.

    Raises RuntimeError with its last words when it fails. Its standard error is shown as it comes.
    """
    # A child starts with its parent's memory as its own peak: this process must stay small for the figure to hold.
    began = time.perf_counter()
    process = subprocess.Popen(
        arguments,
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as stream:
        output = stream.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{output[-2000:]}")
    return Phase("all", seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * _MAXRSS_BYTES / 1e6), output


def machine() -> dict[str, Any]:
    """What the figures were taken on: processors, memory, load before the start, versions, day."""
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processors": os.cpu_count(),
        "memory_gb": round(pages * page / 1e9),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "system": platform.system(),
        "on": date.today().isoformat(),  # noqa: DTZ011 - the day as people on this machine call it
    }


def report(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; numbers get the digits that a reader needs."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*(_digits(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def report_phases(title: str, runs: dict[str, list[Phase]]) -> None:
    """Print the phases of several runs side by side, and their sums."""
    columns = ["phase"]
    for run in runs:
        columns += [f"{run}: s", "CPU s", "peak MB"]
    names = list(dict.fromkeys(phase.name for phases in runs.values() for phase in phases))
    rows: list[list[Any]] = []
    for name in names:
        row: list[Any] = [name]
        for phases in runs.values():
            found = next((phase for phase in phases if phase.name == name), None)
            row += [found.seconds, found.cpu_seconds, found.peak_mb] if found else ["", "", ""]
        rows.append(row)
    rows.append(["all", *(cell for phases in runs.values() for cell in _sums(phases))])
    report(title, columns, rows)


def as_json(**parts: Any) -> str:
    """The figures for programs."""

    def plain(value: Any) -> Any:
        return asdict(value) if isinstance(value, Phase) else str(value)

    return json.dumps({"machine": machine(), **parts}, indent=2, default=plain)


def phases_from_json(text: str) -> list[Phase]:
    """Phases that another process printed with `json.dumps`."""
    return [Phase(**each) for each in json.loads(text)]


def _sums(phases: Sequence[Phase]) -> list[float]:
    return [
        sum(phase.seconds for phase in phases),
        sum(phase.cpu_seconds for phase in phases),
        max(phase.peak_mb for phase in phases),
    ]


def _digits(cell: Any) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"
