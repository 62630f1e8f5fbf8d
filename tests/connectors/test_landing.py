"""What landing promises: records as they came, and nothing that a crash could pass off as a finished pull."""

import gzip
import hashlib
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.landing import Landing, Manifest
from connectors.stream import Stream

ISSUES = Stream("issues", key=(("id",),), updated_at=("fields", "updated"))
STATUSES = Stream("statuses", key=(("id",),), updated_at=None, mode="snapshot")

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def land(landing: Landing, records: list[dict[str, Any]], stream: Stream = ISSUES) -> Manifest:
    with landing.open("jira", "jira", stream, None, "3") as writer:
        writer.write(records)
    return writer.manifest


def lines(landing: Landing, manifest: Manifest) -> list[Any]:
    return [
        json.loads(line) for line in gzip.decompress((landing.root / manifest.file).read_bytes()).splitlines()
    ]


def files(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


@given(st.lists(st.dictionaries(texts, values, max_size=4), max_size=20))
def test_records_arrive_as_they_came_one_per_line(records: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        landing = Landing(Path(folder))
        manifest = land(landing, records)
        content = gzip.decompress((landing.root / manifest.file).read_bytes()).decode()
        assert [json.loads(line) for line in content.split("\n")[:-1]] == records
        assert content.split("\n")[-1] == ""
        assert manifest.rows == len(records)


def test_a_manifest_describes_its_file(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    before = datetime.now(UTC)
    with landing.open("jira", "jira", ISSUES, "2026-10-29T00:00:00+00:00", "jira-cloud-rest-3") as writer:
        writer.write([{"id": "1"}, {"id": "2"}])
        writer.write([{"id": "3"}])
        writer.cursor_to = "2026-10-30T00:00:00+00:00"
    manifest = writer.manifest
    content = (tmp_path / manifest.file).read_bytes()
    assert (manifest.source, manifest.system, manifest.stream, manifest.mode) == (
        "jira",
        "jira",
        "issues",
        "incremental",
    )
    assert (manifest.key, manifest.updated_at) == ((("id",),), ("fields", "updated"))
    assert (manifest.cursor_from, manifest.cursor_to) == (
        "2026-10-29T00:00:00+00:00",
        "2026-10-30T00:00:00+00:00",
    )
    assert (manifest.rows, manifest.bytes) == (3, len(content))
    assert manifest.sha256 == hashlib.sha256(content).hexdigest()
    assert before <= manifest.started_at <= manifest.finished_at <= datetime.now(UTC)
    assert landing.manifests() == [manifest]


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    records = [{"id": str(n), "text": "é" * n} for n in range(50)]
    landing = Landing(tmp_path)
    assert land(landing, records).sha256 == land(landing, records).sha256


def test_a_pull_without_records_still_moves_the_cursor(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    with landing.open("jira", "jira", ISSUES, "a", "3") as writer:
        writer.cursor_to = "b"
    assert (writer.manifest.rows, writer.manifest.cursor_to) == (0, "b")
    assert lines(landing, writer.manifest) == []


def test_a_cursor_that_is_not_set_stays_where_it_was(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    with landing.open("jira", "jira", ISSUES, "a", "3") as writer:
        writer.write([{"id": "1"}])
    assert writer.manifest.cursor_to == "a"


def test_snapshots_say_that_they_are_whole(tmp_path: Path) -> None:
    assert land(Landing(tmp_path), [{"id": "1"}], STATUSES).mode == "snapshot"


@pytest.mark.parametrize("records_before", [0, 1, 5000])
def test_a_pull_that_fails_leaves_nothing_but_a_part_file_which_the_next_removes(
    tmp_path: Path, records_before: int
) -> None:
    def breaking_off() -> Iterator[dict[str, Any]]:
        yield from ({"id": str(n), "text": "x" * 500} for n in range(records_before))
        raise ConnectionError("the line is dead")

    landing = Landing(tmp_path)
    kept = land(landing, [{"id": "1"}], STATUSES)
    with (
        pytest.raises(ConnectionError),
        landing.open("jira", "jira", ISSUES, None, "3") as writer,
    ):
        writer.write(breaking_off())
    assert [name for name in files(tmp_path / "jira" / "issues") if not name.endswith(".part")] == []
    assert len(files(tmp_path / "jira" / "issues")) == 1
    assert landing.manifests() == [kept]
    with pytest.raises(RuntimeError, match="not finished"):
        _ = writer.manifest
    again = land(landing, [{"id": "2"}])
    assert len(files(tmp_path / "jira" / "issues")) == 2
    assert landing.manifests() == [kept, again]


def test_a_pull_that_is_killed_leaves_nothing_that_counts(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from connectors.landing import Landing;"
        "from connectors.stream import Stream;"
        "writer = Landing(Path(sys.argv[1])).open('jira', 'jira', Stream('issues', (('id',),), None), None, '3');"
        "writer.__enter__(); writer.write({'id': str(n), 'text': 'x' * 500} for n in range(20000));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert [name.endswith(".ndjson.gz.part") for name in files(tmp_path)] == [True]
    assert Landing(tmp_path).manifests() == []
    land(Landing(tmp_path), [{"id": "1"}])
    assert not any(name.endswith(".part") for name in files(tmp_path))


def test_a_file_whose_manifest_was_never_written_does_not_count_and_is_removed(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    orphan = tmp_path / land(landing, [{"id": "1"}]).file
    for manifest in tmp_path.rglob("*.manifest.json"):
        manifest.unlink()
    assert landing.manifests() == []
    land(landing, [{"id": "2"}])
    assert not orphan.exists()


def test_manifests_come_in_the_order_of_finishing(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    with landing.open("jira", "jira", ISSUES, None, "3") as first:
        with landing.open("jira", "jira", STATUSES, None, "3") as second:
            second.write([{"id": "1"}])
        first.write([{"id": "1"}])
    assert [manifest.stream for manifest in landing.manifests()] == ["statuses", "issues"]
    assert land(landing, []) == landing.manifests()[-1]


def test_half_a_surrogate_pair_does_not_end_the_pull(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    manifest = land(landing, [json.loads(r'{"id": "1", "cut": "x\ud83d", "whole": "\ud83d\ude00é"}')])
    assert lines(landing, manifest) == [{"id": "1", "cut": "x\ufffd", "whole": "😀é"}]


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        land(Landing(tmp_path), [{"id": "1", "amount": float("nan")}])


@pytest.mark.parametrize("name", ["../jira", "", "a/b", ".hidden"])
def test_a_source_cannot_land_outside_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="landing folder"):
        Landing(tmp_path).open(name, "jira", ISSUES, None, "3")
    assert files(tmp_path) == []


def test_memory_stays_flat_whatever_the_number_of_records(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    tracemalloc.start()
    try:
        with landing.open("jira", "jira", ISSUES, None, "3") as writer:
            writer.write({"id": str(n), "text": "x" * 1000} for n in range(30_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert writer.rows == 30_000
    assert peak < 8 * 2**20
