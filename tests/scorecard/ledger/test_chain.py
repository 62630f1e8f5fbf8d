"""The ledger's files: what stands in them, and that no crash leaves one that does not verify."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorecard.ledger import NO_LINE_BEFORE, LedgerError
from scorecard.ledger_landing import check_landing
from tests.command_line import ROOT
from tests.scorecard.ledger.reported import Reporting, answer, three_runs


def test_every_line_names_the_hash_of_the_line_before(tmp_path: Path) -> None:
    company = three_runs(tmp_path)
    previous, number = NO_LINE_BEFORE, 0
    for path in sorted((tmp_path / "ledger").iterdir()):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            content, number = json.loads(line), number + 1
            assert (content["number"], content["previous"]) == (number, previous)
            assert list(content)[-1] == "hash"
            previous = hashlib.sha256(line.partition(',"hash":')[0].encode()).hexdigest()
            assert content["hash"] == previous
    head = company.chain().head
    assert (head.number, head.hash) == (number, previous)


def test_a_run_names_its_strategy_its_code_and_the_files_it_is_made_of(tmp_path: Path) -> None:
    company = three_runs(tmp_path)
    runs = company.chain().runs
    assert [run.run for run in runs] == [1, 2, 3]
    assert {(run.report.strategy, run.report.computation) for run in runs} == {("5" * 64, "c" * 64)}
    named = {
        place: digest
        for run in runs
        for landed in run.inputs
        for place, digest in ((landed.file, landed.sha256), (landed.manifest, landed.manifest_sha256))
    }
    there = {
        str(path.relative_to(company.landing)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in company.files()
        if "landing" in path.parts
    }
    assert named == there
    assert [len(run.inputs) for run in runs] == [2, 2, 2]


@given(reason=st.text(), value=st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_what_is_reported_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, reason: str, value: object
) -> None:
    company = Reporting(tmp_path_factory.mktemp("any"))
    given_answer = answer(1, 1, None if value is None else str(value), reason)
    company.report([given_answer])
    company.report([])
    assert [line.answer for line in company.chain().answers] == [given_answer]


def test_whatever_a_crash_leaves_of_a_file_is_no_part_of_the_ledger(tmp_path: Path) -> None:
    company = three_runs(tmp_path)
    last = tmp_path / "ledger" / "000003.ndjson"
    unfinished, content = last.with_name(last.name + ".part"), last.read_bytes()
    last.unlink()
    before = company.chain().head
    for length in range(0, len(content), 97):
        unfinished.write_bytes(content[:length])
        assert company.chain().head == before
    company.report([answer(1, 1)])
    assert len(company.chain().runs) == 3
    assert not unfinished.exists()


_APPENDING = """
import sys
from pathlib import Path
from tests.scorecard.ledger.reported import Reporting, answer
company = Reporting(Path(sys.argv[1]))
while True:
    company.report(answer(kr, 1) for kr in range(500))
    print("reported", flush=True)
"""


def test_a_ledger_whose_writer_is_killed_verifies_and_goes_on(tmp_path: Path) -> None:
    company = Reporting(tmp_path)
    company.pull(3)
    for killed in range(1, 5):
        process = subprocess.Popen(
            [sys.executable, "-c", _APPENDING, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "reported\n"
        time.sleep(0.013 * killed)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        process.stdout.close()
        assert company.findings() == []
    runs = len(company.chain().runs)
    company.report([answer(1, 1)])
    assert len(company.chain().runs) == runs + 1
    assert {line.run for line in company.chain().answers} == set(range(1, runs + 2))


def test_files_of_an_interrupted_run_wait_for_the_next_one(tmp_path: Path) -> None:
    company = three_runs(tmp_path)
    company.pull(2)
    report = check_landing(company.landing, company.chain())
    assert report.findings == []
    assert len(report.waiting) == 2
    waiting = company.landing / report.waiting[0]
    content = waiting.read_bytes()
    waiting.write_bytes(content + b"\0")
    assert [one.file for one in company.findings()] == [f"landing/{report.waiting[0]}"]
    waiting.write_bytes(content)
    company.report([])
    assert check_landing(company.landing, company.chain()).waiting == []


def test_a_run_does_without_files_that_are_gone_and_says_so(tmp_path: Path) -> None:
    company = three_runs(tmp_path)
    gone = company.chain().runs[0].inputs
    for landed in gone:
        (company.landing / landed.file).unlink()
        (company.landing / landed.manifest).unlink()
    assert len(company.findings()) == 4
    company.report([])
    assert company.chain().runs[-1].given_up == tuple(landed.file for landed in gone)
    assert company.findings() == []


def test_a_file_that_changed_with_its_manifest_goes_into_no_further_run(tmp_path: Path) -> None:
    company = three_runs(tmp_path)
    landed = company.chain().runs[0].inputs[0]
    (company.landing / landed.file).write_bytes(b"other")
    manifest = company.landing / landed.manifest
    digest = hashlib.sha256(b"other").hexdigest()
    manifest.write_text(manifest.read_text().replace(landed.sha256, digest))
    with pytest.raises(LedgerError, match="is not the one that an earlier run reported from"):
        company.report([])


def test_the_example_of_the_method(tmp_path: Path) -> None:
    method = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    example = re.search(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", method)
    assert example is not None
    assert hashlib.sha256(example[1].encode()).hexdigest() == example[2]
    command = re.search(r"sed -n 2p \S+ (.*)\n", method)
    assert command is not None
    company = three_runs(tmp_path)
    line = tmp_path / "ledger" / "000001.ndjson"
    said = subprocess.run(
        f"sed -n 2p {line} {command[1]}", shell=True, capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[0] == company.chain().hashes[2]
