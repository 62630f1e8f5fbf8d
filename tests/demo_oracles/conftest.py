"""The shared runs of the demo, and what was known on the evening each of them stands on."""

from collections.abc import Callable
from datetime import date
from functools import cache

import pytest

from tests.demo_oracles.known import Known, known_on
from tests.demo_runs import demo_run

__all__ = ["demo_run", "known"]


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Callable[[date], Known]:
    """What the simulated systems held on the evening of a day."""
    return cache(lambda day: known_on(day, tmp_path_factory.mktemp("finance")))
