"""Running the installed `plumbline` command as a user would: another process, its own environment.

Its libraries take seven seconds to import, so all commands of one test worker start as forks of a process that has imported
them. What the installed script itself does is held by the tests of the README.
"""

import importlib.metadata
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parent.parent
PLUMBLINE = Path(sys.executable).with_name("plumbline")
DEMO_WORKSPACE = ROOT / "demo" / "workspace"

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.libraries"])


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


class Command:
    """A `plumbline` command under way; `code` is negative when a signal ended it."""

    def __init__(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> None:
        self._said = Path(tempfile.mkdtemp(prefix="plumbline-command-"))
        words = [str(PLUMBLINE), *map(str, arguments)]
        self._process = FORKS.Process(
            target=_command, args=(words, environment(env), self._said), daemon=False
        )
        self._process.start()

    @property
    def err(self) -> str:
        """What it has written to standard error so far."""
        file = self._said / "err"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def ended(self) -> bool:
        return not self._process.is_alive()

    def kill(self) -> None:
        """SIGKILL for it and every process that it started."""
        assert self._process.pid is not None
        os.killpg(self._process.pid, signal.SIGKILL)

    def answer(self, timeout: float) -> Answer:
        """Wait for its end. Raises TimeoutError when it takes longer than `timeout` seconds."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            self.kill()
            raise TimeoutError(f"not done after {timeout} s: {self.err}")
        out, err = (self._said / "out").read_text(encoding="utf-8"), self.err
        shutil.rmtree(self._said)
        return Answer(code, out, err)


def _command(words: list[str], env: Mapping[str, str], said: Path) -> NoReturn:
    """What the installed script does, in a process of its own group whose output goes to files."""
    os.setsid()
    for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
        with (said / name).open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv = words
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="plumbline")
    sys.exit(script.load()())


def plumbline(*arguments: str | Path, env: Mapping[str, str] | None = None, timeout: float = 200) -> Answer:
    """Run the command to its end. A workspace that dbt has not parsed yet begins with what it parsed of another one."""
    parsed = _parsed_by_dbt(arguments)
    if parsed and not parsed.exists() and _PARSED:
        parsed.parent.mkdir(parents=True, exist_ok=True)
        parsed.write_bytes(_PARSED[0])
    answer = Command(*arguments, env=env).answer(timeout)
    if parsed and parsed.exists() and not _PARSED:
        _PARSED.append(parsed.read_bytes())
    return answer


# dbt looks itself whether what it finds there is of use, and parses what differs.
_PARSED: list[bytes] = []


def _parsed_by_dbt(arguments: tuple[str | Path, ...]) -> Path | None:
    """Where dbt keeps what it parsed of the workspace that is to run."""
    if arguments[:1] != ("run",) or "-w" not in arguments:
        return None
    workspace = Path(arguments[arguments.index("-w") + 1])
    parsed = workspace / ".plumbline" / "dbt" / "target" / "partial_parse.msgpack"
    return parsed if (workspace / "plumbline.yml").exists() else None


def copy_of_demo(folder: Path) -> Path:
    """A workspace of its own with the demo's files and none of its state."""
    shutil.copytree(DEMO_WORKSPACE, folder, ignore=shutil.ignore_patterns(".plumbline"))
    return folder
