"""What the tests of the served pages share: the demo company on the Friday of week 4."""

from pathlib import Path

import pytest

from tests.demo_oracles.evenings import RUNS, WEEK_4
from tests.demo_runs import DemoRuns, demo_run

__all__ = ["demo_run"]


@pytest.fixture(scope="session")
def published_demo(demo_run: DemoRuns) -> Path:
    """The folder of published runs of the demo company."""
    return demo_run(*RUNS[WEEK_4]) / ".plumbline" / "published"
