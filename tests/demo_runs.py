"""Workspaces of the demo company that have run, shared by all tests and all of pytest's worker processes.

A run takes many seconds, so each is made once for a test session: by whoever asks first, while the others wait.
"""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest
from filelock import FileLock

from tests.command_line import copy_of_demo, plumbline

_RUN_SECONDS = 600


class DemoRuns:
    """`demo_run(day)` is a demo workspace that ran as of that day; `demo_run(day, later)` went on to the later one.

    Tests only read these folders; one that wants to change something or run again works on a copy.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def __call__(self, *days: date) -> Path:
        """The workspace that ran as of these days, one after another; fails the test when a run failed."""
        name = "-".join(f"{day:%m%d}" for day in days)
        place = self._folder / name
        workspace, failure = place / "meridian", place / "failure.txt"
        with FileLock(self._folder / f"{name}.lock"):
            if not place.exists():
                place.mkdir()
                self._before(days, workspace)
                answer = plumbline("run", "-w", workspace, "--as-of", str(days[-1]), timeout=_RUN_SECONDS)
                if answer.code != 0:
                    failure.write_text(answer.err, encoding="utf-8")
        if failure.exists():
            pytest.fail(f"the demo's run as of {days[-1]} failed: {failure.read_text(encoding='utf-8')}")
        return workspace

    def _before(self, days: tuple[date, ...], workspace: Path) -> None:
        if len(days) == 1:
            copy_of_demo(workspace)
        else:
            shutil.copytree(self(*days[:-1]), workspace, symlinks=True)


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> DemoRuns:
    """See `DemoRuns`."""
    base = tmp_path_factory.getbasetemp()
    # Under pytest-xdist each worker has a folder of its own below the session's.
    return DemoRuns((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo_runs")
