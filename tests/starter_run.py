"""The starter's workspace after the README's commands, run once for all tests and all of pytest's worker processes."""

import os
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

from tests.command_line import ROOT, environment
from tests.readme import COMMANDS


@pytest.fixture(scope="session")
def starter_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that the README's commands for an own company made and ran; tests work on copies of it."""
    base = tmp_path_factory.getbasetemp()
    # Under pytest-xdist each worker has a folder of its own below the session's.
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "starter_run"
    done = place / "done"
    with FileLock(f"{place}.lock"):
        if not done.exists():
            place.mkdir()
            for command in COMMANDS:
                if "acme" in command:
                    _run(command, place)
            done.touch()
    return place / "acme"


def _run(command: list[str], folder: Path) -> None:
    """Run the installed script itself, as its user would."""
    done = subprocess.run(
        [str(ROOT / command[0]), *command[1:]],
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
