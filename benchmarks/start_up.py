"""How long commands take before and beside their work: `python -m benchmarks.start_up [--json]`.

Each command and each import runs in a process of its own; the quickest of three counts, as what slows one down is other work on
the machine. The imports hold what a library imports itself, so they do not add up.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.demo import copy_of_demo
from benchmarks.measuring import Phase, as_json, in_own_process, report

_PLUMBLINE = str(Path(sys.executable).with_name("plumbline"))
_TRIES = 3
_LIBRARIES = (
    "typer",
    "rich",
    "requests",
    "pydantic",
    "duckdb",
    "sqlglot",
    "openpyxl",
    "pandas",
    "dagster",
    "dagster_dbt",
    "dbt.cli.main",
    "great_expectations",
)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        commands = _commands(copy_of_demo(Path(folder) / "demo"))
    bare = _quickest(sys.executable, "-c", "")
    imports = {name: _beyond(_quickest(sys.executable, "-c", f"import {name}"), bare) for name in _LIBRARIES}
    if asked.json:
        print(as_json(commands=commands, python=bare, imports=imports))
        return
    columns = ["", "s", "CPU s", "peak MB"]
    report("Commands", columns, [_row(name, phase) for name, phase in commands.items()])
    report(
        f"Imports, beyond the {bare.seconds:.2f} s and {bare.peak_mb:.0f} MB of Python itself",
        columns,
        [_row(name, phase) for name, phase in imports.items()],
    )


def _commands(workspace: Path) -> dict[str, Phase]:
    """The commands on a demo workspace that has been refreshed, and so has something to show."""
    environment = {"PLUMBLINE_WORKSPACE": str(workspace)}
    in_own_process(_PLUMBLINE, "run", environment=environment)
    return {
        f"plumbline {arguments}": _quickest(_PLUMBLINE, *arguments.split(), environment=environment)
        for arguments in ("--help", "status", "status --json", "explain win-rate", "check")
    }


def _quickest(*arguments: str, environment: dict[str, str] | None = None) -> Phase:
    tries = [in_own_process(*arguments, environment=environment)[0] for _ in range(_TRIES)]
    return min(tries, key=lambda phase: phase.seconds)


def _beyond(phase: Phase, bare: Phase) -> Phase:
    return Phase(
        phase.name,
        phase.seconds - bare.seconds,
        phase.cpu_seconds - bare.cpu_seconds,
        phase.peak_mb - bare.peak_mb,
    )


def _row(name: str, phase: Phase) -> list[object]:
    return [name, phase.seconds, phase.cpu_seconds, phase.peak_mb]


if __name__ == "__main__":
    main()
