"""Running the installed `plumbline` command as a user would: another process, its own environment."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLUMBLINE = Path(sys.executable).with_name("plumbline")
DEMO_WORKSPACE = ROOT / "demo" / "workspace"


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without anything that speaks of another workspace."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PLUMBLINE_", "DAGSTER_"))
    }
    return {**kept, **(extra or {})}


def plumbline(*arguments: str | Path, env: Mapping[str, str] | None = None, timeout: float = 200) -> Answer:
    """Run the command to its end."""
    done = subprocess.run(
        [str(PLUMBLINE), *map(str, arguments)],
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def copy_of_demo(folder: Path) -> Path:
    """A workspace of its own with the demo's files and none of its state."""
    shutil.copytree(DEMO_WORKSPACE, folder, ignore=shutil.ignore_patterns(".plumbline"))
    return folder
