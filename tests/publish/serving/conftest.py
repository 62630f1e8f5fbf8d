"""What the tests of the served pages share: the demo company as of 30 October."""

from datetime import date
from pathlib import Path

import pytest

from tests.demo_runs import DemoRuns, demo_run

__all__ = ["demo_run"]


@pytest.fixture(scope="session")
def published_demo(demo_run: DemoRuns) -> Path:
    """The folder of published runs of the demo company."""
    return demo_run(date(2026, 10, 30)) / ".plumbline" / "published"
