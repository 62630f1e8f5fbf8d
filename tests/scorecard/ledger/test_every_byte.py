"""Whatever is changed in the ledger or in what has landed is found, and named."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scorecard.ledger import Finding
from tests.scorecard.ledger.reported import Reporting, answer, three_runs

KINDS = ("ledger/*.ndjson", "landing/*/*/*.ndjson.gz", "landing/*/*/*.manifest.json")
WHITE = b" \t\r\n\x0b\x00"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Reporting:
    company = three_runs(tmp_path_factory.mktemp("sound"))
    assert company.findings() == []
    return company


@pytest.fixture
def company(sound: Reporting, tmp_path: Path) -> Reporting:
    """A copy to spoil."""
    shutil.copytree(sound.folder, tmp_path / "state")
    return Reporting(tmp_path / "state")


def spoilt(company: Reporting, path: Path, content: bytes) -> list[Finding]:
    """What is found with other content in one file, which is put back afterwards."""
    before = path.read_bytes()
    assert content != before
    path.write_bytes(content)
    found = company.findings()
    path.write_bytes(before)
    return found


def names(found: list[Finding], path: Path) -> bool:
    return any(one.file.endswith(path.name) and one.mend for one in found)


def test_each_of_a_thousand_changes_of_one_byte_is_found(company: Reporting) -> None:
    chance = random.Random(20261005)
    unseen = []
    for number in range(1000):
        path = chance.choice(sorted(company.folder.glob(KINDS[number % len(KINDS)])))
        content = bytearray(path.read_bytes())
        at = chance.randrange(len(content))
        content[at] = chance.choice([byte for byte in range(256) if byte != content[at]])
        if not names(spoilt(company, path, bytes(content)), path):
            unseen.append((path.name, at))
    assert unseen == []
    assert company.findings() == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_byte_of_a_file_is_free(company: Reporting, kind: str) -> None:
    path = min(company.folder.glob(kind), key=lambda file: file.stat().st_size)
    content = path.read_bytes()
    for at in range(len(content)):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        assert names(spoilt(company, path, changed), path), at


@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_put_in_or_taken_out_is_found(company: Reporting, kind: str) -> None:
    chance = random.Random(7)
    path = min(company.folder.glob(kind), key=lambda file: file.stat().st_size)
    content = path.read_bytes()
    for at in [0, len(content) - 1, *(chance.randrange(len(content)) for _ in range(20))]:
        assert names(spoilt(company, path, content[:at] + content[at + 1 :]), path), at
        for byte in WHITE:
            assert names(spoilt(company, path, content[:at] + bytes([byte]) + content[at:]), path), at
    for end in WHITE:
        assert names(spoilt(company, path, content + bytes([end])), path)


def _remove(lines: list[bytes]) -> list[bytes]:
    return lines[:2] + lines[3:]


def _repeat(lines: list[bytes]) -> list[bytes]:
    return lines[:2] + lines[1:]


def _exchange(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1], *lines[3:]]


def _cut(lines: list[bytes]) -> list[bytes]:
    return lines[:-1]


def _behead(lines: list[bytes]) -> list[bytes]:
    return lines[1:]


def _empty(lines: list[bytes]) -> list[bytes]:
    return []


@pytest.mark.parametrize("spoil", [_remove, _repeat, _exchange, _cut, _behead, _empty])
@pytest.mark.parametrize("run", [2, 3])
def test_a_row_out_of_its_place_is_found(
    company: Reporting, spoil: Callable[[list[bytes]], list[bytes]], run: int
) -> None:
    path = company.folder / "ledger" / f"00000{run}.ndjson"
    lines = path.read_bytes().splitlines(keepends=True)
    assert names(spoilt(company, path, b"".join(spoil(lines))), path)


def forged(company: Reporting, line: int, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a line of the second run and give it a hash that fits."""
    path = company.folder / "ledger" / "000002.ndjson"
    lines = path.read_bytes().split(b"\n")
    row = json.loads(lines[line - 1])
    change(row)
    del row["hash"]
    body = json.dumps(row, separators=(",", ":")).removesuffix("}").encode()
    lines[line - 1] = body + b',"hash":"' + hashlib.sha256(body).hexdigest().encode() + b'"}'
    path.write_bytes(b"\n".join(lines))


def test_a_changed_row_with_a_hash_that_fits_breaks_the_next_link(company: Reporting) -> None:
    forged(company, 3, lambda row: row["answer"].update(value="99.000000"))
    assert [(one.file, one.line) for one in company.findings()] == [("ledger/000002.ndjson", 4)]


@pytest.mark.parametrize("change", [{"number": 77}, {"run": 1}, {"note": "hello"}])
def test_the_last_row_keeps_its_place_and_its_form_whatever_its_hash(
    company: Reporting, change: dict[str, Any]
) -> None:
    (company.folder / "ledger" / "000003.ndjson").unlink()
    forged(company, 5, lambda row: row.update(change))
    assert [(one.file, one.line) for one in company.findings()] == [("ledger/000002.ndjson", 5)]


def test_a_last_row_written_anew_is_found_by_whoever_knows_its_hash(company: Reporting) -> None:
    (company.folder / "ledger" / "000003.ndjson").unlink()
    head = company.chain().head
    forged(company, 5, lambda row: row["answer"].update(value="99.000000"))
    assert company.findings() == []
    assert company.chain().lacks(head)


def test_a_ledger_file_missing_in_the_middle_exchanged_or_strange_is_found(company: Reporting) -> None:
    folder = company.folder / "ledger"
    first, second = folder / "000001.ndjson", folder / "000002.ndjson"
    content = second.read_bytes()
    second.unlink()
    assert company.findings()[0].file == "ledger/000002.ndjson"
    second.write_bytes(first.read_bytes())
    assert names(company.findings(), second)
    second.write_bytes(content)
    (folder / "note.txt").write_text("hello")
    assert [one.file for one in company.findings()] == ["ledger/note.txt"]


def test_a_cut_end_is_found_by_whoever_knows_the_newest_hash(company: Reporting) -> None:
    head = company.chain().head
    assert not company.chain().lacks(head)
    (company.folder / "ledger" / "000003.ndjson").unlink()
    assert company.findings() == []
    assert company.chain().lacks(head)
    company.report([answer(0, 0, "2.000000")])
    assert company.chain().lacks(head)


def test_a_landed_file_missing_or_added_is_found(company: Reporting, sound: Reporting) -> None:
    for path in [path for path in company.files() if "landing" in path.parts]:
        content = path.read_bytes()
        path.unlink()
        assert names(company.findings(), path), path
        path.write_bytes(content)
    assert company.findings() == []
    manifest = next(company.landing.glob("jira/issues/*.manifest.json"))
    forged = manifest.with_name("20261001T000000.000000Z-00000000.manifest.json")
    forged.write_bytes(manifest.read_bytes())
    assert [one.file for one in company.findings()] == [f"landing/jira/issues/{forged.name}"]
