"""The pages of the demo on the Friday of week 4, and of week 11 after runs in weeks 3 and 4."""

from pathlib import Path

import pytest

from tests.browser import browser
from tests.demo_oracles.evenings import RUNS, WEEK_4, WENT_ON
from tests.demo_runs import DemoRuns, demo_run

__all__ = ["browser", "demo_run"]


@pytest.fixture(scope="session")
def week_4(demo_run: DemoRuns) -> Path:
    """The published run; its pages stand in `site`."""
    return (demo_run(*RUNS[WEEK_4]) / ".plumbline/published/current").resolve()


@pytest.fixture(scope="session")
def week_11(demo_run: DemoRuns) -> Path:
    """The same, for the run of week 11 that went on from weeks 3 and 4."""
    return (demo_run(*WENT_ON) / ".plumbline/published/current").resolve()
