"""What every test shares: where the real records lie, and that a skip is a failure where everything can be had."""

import gc
import os
import tempfile
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from pluggy import Result

# The same examples every time, so that a change is judged by what it changed; looking for the reason of a failure line by line
# takes minutes where a test compiles or loads. How long an example takes says nothing on a busy machine.
settings.register_profile(
    "plumbline",
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    print_blob=True,
)
settings.load_profile("plumbline")

# As in a run of the program: little of what is made becomes garbage by cycles.
gc.set_threshold(50_000, 20, 100)

ROOT = Path(__file__).parent.parent
REAL_RECORDS = ROOT.parent / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """A folder for what dbt's templates compile to, for this process, its workers and the commands that they run."""
    if "KEPT_TEMPLATES" not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="plumbline-templates-")
        config.add_cleanup(folder.cleanup)
        os.environ["KEPT_TEMPLATES"] = folder.name


# Tests that run the whole program or build a warehouse.
_LONG = ("orchestration", "demo_oracles", "real_records", "dbt")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that no worker is left with one at the end; within a file the order stays.

    Folders take turns, those of the demo one in three: files of one folder wait for the same workspaces to be made.
    """
    files = dict.fromkeys(item.path.relative_to(ROOT / "tests") for item in items)
    turns: Counter[str] = Counter()
    places = {}
    for file in files:
        room = file.parts[0]
        long = room in _LONG
        places[file] = (turns[room], _LONG.index(room)) if long else (len(files), 0)
        turns[room] += 3 if room == "demo_oracles" else 1
    items.sort(key=lambda item: places[item.path.relative_to(ROOT / "tests")])


@pytest.fixture(scope="session")
def real_records() -> Path:
    """The folder of real records that nobody here wrote; tests that need it skip where it is absent."""
    if not REAL_RECORDS.is_dir():
        pytest.skip(f"the folder of real records is not there: {REAL_RECORDS}")
    return REAL_RECORDS


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, "Result[pytest.TestReport]", None]:
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("PLUMBLINE_TESTS_MUST_RUN") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped where it must run: {report.longrepr}"
