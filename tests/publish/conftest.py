"""The published run of the demo on the Friday of week 4, and that of week 11 after runs in weeks 3 and 4."""

from pathlib import Path

import pytest

from tests.demo_oracles.evenings import RUNS, WEEK_4, WENT_ON
from tests.demo_runs import DemoRuns, demo_run

__all__ = ["demo_run"]


@pytest.fixture(scope="session")
def week_4(demo_run: DemoRuns) -> Path:
    """The folder of the run."""
    return (demo_run(*RUNS[WEEK_4]) / ".plumbline/published/current").resolve()


@pytest.fixture(scope="session")
def week_11(demo_run: DemoRuns) -> Path:
    """The same, for the run that went on."""
    return (demo_run(*WENT_ON) / ".plumbline/published/current").resolve()
