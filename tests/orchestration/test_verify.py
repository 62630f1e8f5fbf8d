"""`plumbline verify` on a workspace that has run: everything is whole, or it says what is not and exits with 1."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.ledger import recall_ledger
from orchestration.workspace import Workspace
from scorecard.ledger import Ledger
from tests.command_line import Answer, plumbline
from warehouse.connection import connect


@pytest.fixture(scope="module")
def finished(starter_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two complete runs; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("finished") / "acme"
    shutil.copytree(starter_run, folder, symlinks=True)
    answer = plumbline("run", "-w", folder)
    assert answer.code == 0, answer.err
    return folder


@pytest.fixture
def workspace(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "acme", symlinks=True)
    return tmp_path / "acme"


def state(workspace: Path) -> Path:
    return workspace / ".plumbline"


def verified(workspace: Path) -> Answer:
    return plumbline("verify", "-w", workspace)


def test_nothing_is_wrong_after_two_runs(workspace: Path) -> None:
    answer = verified(workspace)
    assert answer.code == 0, answer.out
    chain = Ledger(state(workspace) / "ledger").read()
    assert f"2 runs, {len(chain.answers)} answers, 6 landed files" in answer.out
    assert chain.head.hash in answer.out
    told = json.loads(plumbline("verify", "--json", "-w", workspace).out)
    assert told == {
        "findings": [],
        "waiting": [],
        "runs": 2,
        "answers": len(chain.answers),
        "landed": 6,
        "head": {"number": chain.head.number, "hash": chain.head.hash},
    }


def test_the_second_run_reports_its_last_day_again_and_nothing_else(workspace: Path) -> None:
    chain = Ledger(state(workspace) / "ledger").read()
    first, second = ([line.answer for line in chain.answers if line.run == run] for run in (1, 2))
    assert second == [answer for answer in first if answer.date == max(each.date for each in first)]
    assert {answer.kr_id for answer in second} == {"revenue-posted", "spend-in-plan"}


def test_the_ledger_is_published_as_it_stands(workspace: Path) -> None:
    chain = Ledger(state(workspace) / "ledger").read()
    parquet = state(workspace) / "published" / "current" / "tables" / "ledger.parquet"
    rows = duckdb.execute(
        "select number, kr_id, date, value, status, hash from read_parquet(?) order by number", [str(parquet)]
    ).fetchall()
    assert rows == [
        (
            line.number,
            line.answer.kr_id,
            line.answer.date,
            line.answer.value,
            line.answer.status,
            line.hash,
        )
        for line in chain.answers
    ]


def change_a_ledger_line(folder: Path) -> None:
    path = folder / "ledger" / "000001.ndjson"
    path.write_bytes(path.read_bytes().replace(b'"value":"', b'"value":"1', 1))


def take_the_last_run_away(folder: Path) -> None:
    (folder / "ledger" / "000002.ndjson").unlink()


def take_the_last_run_and_the_warehouse_away(folder: Path) -> None:
    take_the_last_run_away(folder)
    (folder / "warehouse.duckdb").unlink()


def take_the_last_run_away_and_what_was_published(folder: Path) -> None:
    take_the_last_run_away(folder)
    shutil.rmtree(folder / "published")


def take_the_ledger_away(folder: Path) -> None:
    shutil.rmtree(folder / "ledger")


def change_a_landed_file(folder: Path) -> None:
    path = next(folder.glob("landing/finance/ledger/*.ndjson.gz"))
    content = bytearray(path.read_bytes())
    content[4] ^= 1  # the time in the header of gzip, which no reader looks at
    path.write_bytes(bytes(content))


def remove_a_manifest(folder: Path) -> None:
    next(folder.glob("landing/finance/ledger/*.manifest.json")).unlink()


def change_the_warehouse(folder: Path) -> None:
    with connect(folder / "warehouse.duckdb") as con:
        con.execute("update control.ledger set value = value + 1 where number = 5")


def change_a_version_of_the_strategy(folder: Path) -> None:
    with connect(folder / "warehouse.duckdb") as con:
        con.execute("update control.strategy_versions set value = '1' where field = 'target'")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (change_a_ledger_line, "ledger/000001.ndjson, line 2"),
        (take_the_last_run_away, "published/current/run.json"),
        (take_the_last_run_and_the_warehouse_away, "published/current/run.json"),
        (take_the_last_run_away_and_what_was_published, "warehouse.duckdb"),
        (take_the_ledger_away, "published/current/run.json"),
        (change_a_landed_file, "landing/finance/ledger/"),
        (remove_a_manifest, ".manifest.json"),
        (change_the_warehouse, "number 5"),
        (change_a_version_of_the_strategy, "control.strategy_versions"),
    ],
)
def test_what_was_changed_is_named_with_what_to_do(
    workspace: Path, spoil: Callable[[Path], None], named: str
) -> None:
    spoil(state(workspace))
    answer = verified(workspace)
    assert answer.code == 1
    assert named in answer.out
    assert "The ledger is whole" not in answer.out
    told = json.loads(plumbline("verify", "--json", "-w", workspace).out)
    assert all(finding["what"] and finding["mend"] for finding in told["findings"])


@pytest.mark.parametrize("spoil", [change_a_ledger_line, take_the_last_run_away])
def test_no_run_goes_on_from_a_ledger_that_is_not_what_it_was(
    workspace: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(state(workspace))
    files = {path: path.read_bytes() for path in (state(workspace) / "ledger").iterdir()}
    current = (state(workspace) / "published" / "current").resolve()
    answer = plumbline("run", "-w", workspace)
    assert answer.code == 1
    assert "ledger" in answer.err
    assert "backup" in answer.err
    assert (state(workspace) / "published" / "current").resolve() == current
    assert {path: path.read_bytes() for path in (state(workspace) / "ledger").iterdir()} == files


@pytest.mark.parametrize(
    ("table", "lacking"),
    [
        ("ledger", "true"),
        ("ledger", "run = 2"),
        ("strategy_versions", "true"),
        ("strategy_versions", "field = 'target'"),
    ],
)
def test_the_warehouse_takes_what_its_copy_lacks_from_the_ledger(
    workspace: Path, table: str, lacking: str
) -> None:
    everything = f"select * from control.{table} order by all"
    with connect(state(workspace) / "warehouse.duckdb") as con:
        whole = con.execute(everything).fetchall()
        con.execute(f"delete from control.{table} where {lacking}")
    recall_ledger(Workspace(workspace))
    with connect(state(workspace) / "warehouse.duckdb") as con:
        assert con.execute(everything).fetchall() == whole


def test_before_the_first_run_there_is_nothing_to_verify(tmp_path: Path) -> None:
    assert plumbline("init", tmp_path / "acme").code == 0
    answer = verified(tmp_path / "acme")
    assert answer.code == 2
    assert "plumbline run" in answer.err
