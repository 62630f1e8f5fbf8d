"""Great Expectations inside the process that also runs dbt: on one file, in silence, and without what it needs no more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from expectations.gates import run_gates
from expectations.suites import Check, Suite, no_rows, present

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "CREATE SCHEMA staging; CREATE TABLE staging.things AS SELECT 1 AS id, NULL::INTEGER AS name"
        )
    return path


def _things(*checks: Check) -> Suite:
    return Suite("staging", "things", ("id",), checks)


def test_the_shim_is_still_needed(warehouse: Path) -> None:
    # When this fails, Great Expectations reads from DuckDB by itself: keep_duckdb_open can go.
    plain = """
import sys, great_expectations as gx, great_expectations.expectations as gxe
context = gx.get_context(mode="ephemeral")
source = context.data_sources.add_sql(name="plain", connection_string="duckdb:///" + sys.argv[1])
batch = source.add_query_asset(name="things", query="SELECT * FROM staging.things").add_batch_definition("all").get_batch()
print(batch.validate(gxe.ExpectColumnValuesToNotBeNull(column="id")).success)
"""
    command = [sys.executable, "-W", "ignore", "-c", plain, str(warehouse)]
    answer = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False"], "the id is there: plain Great Expectations gets it right now"


def test_gates_run_beside_an_open_connection_of_the_process_and_leave_it_usable(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as held:
        held.execute("CREATE TEMP TABLE mine AS SELECT 42 AS answer")
        results = run_gates(warehouse, [_things(present("id", "Things without an id"))], lambda *_: None)
        assert [result.passed for result in results] == [True, True]
        assert held.execute("SELECT answer FROM mine").fetchall() == [(42,)]
        held.execute("INSERT INTO staging.things VALUES (2, NULL)")


def test_gates_let_go_of_the_warehouse(warehouse: Path) -> None:
    run_gates(warehouse, [_things(present("id", "Things without an id"))], lambda *_: None)
    other = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('DROP TABLE staging.things')"
    subprocess.run([sys.executable, "-c", other, str(warehouse)], check=True)


def test_gates_see_what_the_process_wrote_since(warehouse: Path) -> None:
    suite = _things(present("name", "Things without a name"))
    with duckdb.connect(str(warehouse)) as held:
        assert not all(result.passed for result in run_gates(warehouse, [suite], lambda *_: None))
        held.execute("UPDATE staging.things SET name = 7")
        assert all(result.passed for result in run_gates(warehouse, [suite], lambda *_: None))


def test_a_missing_table_is_a_failed_gate(warehouse: Path) -> None:
    suite = Suite("scorecard", "kr_current", ("kr_id",), (present("kr_id", "Key results without an id"),))
    (result,) = run_gates(warehouse, [suite], lambda *_: None)
    assert (result.subject, result.check, result.passed) == ("scorecard.kr_current", "table_there", False)
    assert result.message.startswith("The table scorecard.kr_current is not there")


def test_a_check_that_cannot_be_computed_fails_with_a_reason_and_the_others_go_on(warehouse: Path) -> None:
    suite = _things(
        present("colour", "Things without a colour"),
        no_rows("nonsense", "no_such_function(id)", "Things that make no sense"),
        present("id", "Things without an id"),
    )
    there, colour, nonsense, present_id = run_gates(warehouse, [suite], lambda *_: None)
    assert there.passed
    assert present_id.passed
    assert not colour.passed
    assert "Could not be checked" in colour.message
    assert "colour" in colour.message
    assert not nonsense.passed
    assert "no_such_function" in nonsense.message


def test_an_expectation_that_does_not_exist_fails_its_table_with_a_reason(warehouse: Path) -> None:
    suite = _things(Check("odd", "ExpectTheUnexpected", "Odd things"), present("id", "Things without an id"))
    _, odd, fine = run_gates(warehouse, [suite], lambda *_: None)
    assert not odd.passed
    assert not fine.passed
    assert "ExpectTheUnexpected" in odd.message


def test_gates_write_no_file_and_call_nobody(warehouse: Path, tmp_path: Path) -> None:
    watched = """
import json, os, sys
told = []
def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        told.append(["write", str(args[0])])
    elif event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "os.mkdir", "tempfile.mkdtemp", "subprocess.Popen"):
        told.append([event, str(args)])
import duckdb_engine, great_expectations.expectations  # what Python compiles on import is not at stake
sys.addaudithook(watch)
from pathlib import Path
from expectations.gates import run_gates
from expectations.suites import Suite, present
suite = Suite("staging", "things", ("id",), (present("id", "i"), present("name", "n")))
results = run_gates(Path(sys.argv[1]), [suite], lambda *_: None)
assert [result.passed for result in results] == [True, True, False], results
print(json.dumps(told))
"""
    home = tmp_path / "home"
    home.mkdir()
    answer = subprocess.run(
        [sys.executable, "-B", "-c", watched, str(warehouse)],
        cwd=home,
        env={"PYTHONPATH": str(_ROOT), "HOME": str(home), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout.splitlines()[-1]) == []
    assert list(home.iterdir()) == []
    assert "Calculating" not in answer.stderr
