"""The starter's workspace after one complete run, made once for all tests and all of pytest's worker processes."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from tests.command_line import plumbline


@pytest.fixture(scope="session")
def starter_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that `plumbline init` made and that ran once; tests work on copies of it."""
    base = tmp_path_factory.getbasetemp()
    # Under pytest-xdist each worker has a folder of its own below the session's.
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "starter_run"
    done = place / "done"
    with FileLock(f"{place}.lock"):
        if not done.exists():
            assert plumbline("init", place / "acme").code == 0
            answer = plumbline("run", "-w", place / "acme")
            assert answer.code == 0, answer.err
            done.touch()
    return place / "acme"
