"""The README stays true: its commands run, its first screen is the two commands and a picture of what comes out."""

import re
from pathlib import Path

import pytest

from tests.command_line import ROOT, plumbline
from tests.demo_oracles.evenings import RUNS, WEEK_4
from tests.demo_runs import DemoRuns, demo_run
from tests.readme import COMMANDS, README
from tests.starter_run import starter_run

__all__ = ["demo_run", "starter_run"]

OF_THE_DEMO = [
    command[1:]
    for command in COMMANDS
    if command[0] == ".venv/bin/plumbline"
    and command[1] in {"status", "explain", "check"}
    and "--workspace" not in command
]


def test_first_screen_is_the_two_commands_and_a_picture() -> None:
    screen = "\n".join(README.splitlines()[:20])
    assert [command[:2] for command in COMMANDS[:2]] == [["make", "run"], ["make", "test"]]
    assert "make run" in screen
    assert "make test" in screen
    page, table = re.findall(r"!\[.*\]\((.*?)\)", screen)
    assert (ROOT / page).is_file()
    drawn = (ROOT / table).read_text(encoding="utf-8").replace("&#160;", " ")
    assert "FleetLink contracts of EUR 2.2 M won" in drawn


def test_every_make_target_of_the_readme_is_one() -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert {"run", "test", "dev", "lint"} <= named <= targets


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("command", OF_THE_DEMO, ids=" ".join)
def test_commands_on_the_demo_run(command: list[str], demo_run: DemoRuns) -> None:
    answer = plumbline(*command, env={"PLUMBLINE_WORKSPACE": str(demo_run(*RUNS[WEEK_4]))})
    assert answer.code == 0, answer.err
    assert answer.out


def test_commands_of_an_own_company_run(starter_run: Path) -> None:
    assert [command[1] for command in COMMANDS if "acme" in command] == ["init", "check", "run"]
    assert (starter_run / ".plumbline/published/current/site/index.html").is_file()


def test_help_teaches_every_command() -> None:
    said = plumbline("--help")
    assert said.code == 0
    for name in ("init", "check", "run", "status", "explain", "dev", "demo"):
        assert re.search(rf"^\s+{name}\s+\w+", said.out, flags=re.MULTILINE), said.out
    assert "Exit codes" in said.out
