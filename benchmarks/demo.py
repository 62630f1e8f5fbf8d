"""Where the time of the demo company's refresh goes: `python -m benchmarks.demo [--json]`.

Cold is the first refresh in a fresh copy of the workspace, warm the second, with nothing new in the sources.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from benchmarks.measuring import REPOSITORY, as_json, report_phases
from benchmarks.refresh_phases import RefreshFigures, measured_refresh, report_nodes

DEMO = REPOSITORY / "demo" / "workspace"


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = cold_and_warm(copy_of_demo(Path(folder) / "demo"))
    if asked.json:
        print(as_json(**{name: vars(run) for name, run in runs.items()}))
        return
    report_phases("Refresh of the demo company", {name: run.phases for name, run in runs.items()})
    report_nodes(runs)


def copy_of_demo(into: Path) -> Path:
    """A fresh copy of the demo's workspace, without anything computed."""
    shutil.copytree(DEMO, into, ignore=shutil.ignore_patterns(".plumbline"))
    return into


def cold_and_warm(workspace: Path) -> dict[str, RefreshFigures]:
    """The first and the second refresh of a workspace."""
    return {name: measured_refresh(workspace) for name in ("cold", "warm")}


if __name__ == "__main__":
    main()
