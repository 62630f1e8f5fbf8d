"""An interrupted run leaves the last published scorecard in place, and the next run completes it with the same result."""

import json
import re
import shutil
import signal
import time
from datetime import date
from pathlib import Path

import duckdb
import pytest

from scorecard.ledger import Answer, Ledger
from tests.command_line import Answer as Reply
from tests.command_line import Command, plumbline


def published(workspace: Path) -> dict[str, bytes]:
    """Every published file of the current run, without run ids, what landed when, and the ledger, which grows with every run."""
    folder = (workspace / ".plumbline" / "published" / "current").resolve()
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    about = json.loads(files.pop("run.json"))
    assert set(about["rows"]) >= {"kr_current", "kr_daily", "flags"}
    del files["tables/source_freshness.parquet"], files["tables/ledger.parquet"]
    freshness = json.loads(files["json/source_freshness.json"])
    timeless = [{key: value for key, value in row.items() if key != "last_landed_at"} for row in freshness]
    files["json/source_freshness.json"] = json.dumps(timeless).encode()
    evidence = duckdb.read_parquet(str(folder / "tables" / "evidence.parquet"))
    files["tables/evidence.parquet"] = str(evidence.project("* exclude (landed_file)").fetchall()).encode()
    del files["site/data.html"]  # it names the run, and when each stream landed
    for name in [name for name in files if name.startswith("site/key-results/")]:
        files[name] = re.sub(rb"<li><code>[^<]*</code>", b"<li>a landed file", files[name])
    return files


def last_told(workspace: Path) -> dict[tuple[str, date], Answer]:
    """By key result and day what the ledger says last of it; every line of it must be whole."""
    chain = Ledger(workspace / ".plumbline" / "ledger").read()
    assert chain.findings == []
    return {(line.answer.kr_id, line.answer.date): line.answer for line in chain.answers}


def killed_when_it_says(workspace: Path, words: str) -> str:
    """Start a run, kill -9 its whole process group as soon as its progress holds the words; what it had said."""
    run = Command("run", "-w", workspace)
    while words not in run.err and not run.ended():
        time.sleep(0.005)
    run.kill()
    answer = run.answer(timeout=60)
    assert answer.code == -signal.SIGKILL, answer.err
    return answer.err


def with_a_new_posting(starter_run: Path, workspace: Path) -> Path:
    """A copy of the starter after its run, into whose ledger something was posted since."""
    shutil.copytree(starter_run, workspace, symlinks=True)
    ledger = workspace / "finance" / "gl_sample.csv"
    posting = f"{date.today()},D1,1,4000,revenue,6100,-12345.67"  # noqa: DTZ011 - the starter's quarter is today's
    ledger.write_text(ledger.read_text() + posting + "\n", encoding="utf-8")
    return workspace


@pytest.fixture(scope="module")
def two_at_once(starter_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Reply]]:
    """A workspace with a new posting on which two runs began at once, and what they answered."""
    workspace = with_a_new_posting(starter_run, tmp_path_factory.mktemp("two") / "acme")
    both = [Command("run", "-w", workspace) for _ in range(2)]
    return workspace, [run.answer(timeout=200) for run in both]


def test_two_runs_at_once_wait_for_each_other(two_at_once: tuple[Path, list[Reply]]) -> None:
    _, answers = two_at_once
    assert [answer.code for answer in answers] == [0, 0], answers
    assert any("waiting" in answer.err for answer in answers), answers


def test_kills_leave_the_published_scorecard_and_the_next_run_completes_it(
    starter_run: Path, two_at_once: tuple[Path, list[Reply]], tmp_path: Path
) -> None:
    workspace = with_a_new_posting(starter_run, tmp_path / "acme")
    before = published(workspace)
    for words in ("loaded finance ledger", "ledger:"):
        killed_when_it_says(workspace, words)
        assert published(workspace) == before
        answer = plumbline("verify", "-w", workspace)
        assert answer.code == 0, answer.out

    answer = plumbline("run", "-w", workspace)
    assert answer.code == 0, answer.err
    whole, _ = two_at_once
    assert published(workspace) == published(whole)
    assert last_told(workspace) == last_told(whole)
    assert plumbline("verify", "-w", workspace).code == 0
    assert published(workspace)["json/kr_current.json"] != before["json/kr_current.json"]
    assert not list((workspace / ".plumbline" / "published").glob("*.part"))
