"""What a load promises, record by record."""

from __future__ import annotations

import base64
import gzip
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from connectors.landing import Landing
from connectors.stream import Stream
from tests.warehouse.warehouse_parts import (
    ISSUES,
    STATUSES,
    current,
    everything,
    issue,
    land,
    memory_warehouse,
    rows,
    versions,
)
from warehouse import merge
from warehouse.connection import little_memory
from warehouse.merge import Batch, LoadResult
from warehouse.raw import RAW_TABLES, LoadError, create_raw_tables, cursors, load, pending
from warehouse.vanished import counted


def test_all_raw_tables_are_there_before_anything_was_landed() -> None:
    con = memory_warehouse()
    create_raw_tables(con)
    found = {
        row[0]
        for row in rows(con, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'raw'")
    }
    assert found == {*RAW_TABLES, *(f"{table}__superseded" for table in RAW_TABLES)}


def test_the_first_load_keeps_the_newest_version_and_the_older_ones_beside_it(tmp_path: Path) -> None:
    con = memory_warehouse()
    old, new = issue("1", "2026-10-01T08:00:00.000+0200"), issue("1", "2026-10-02T08:00:00.000+0200")
    manifest = land(tmp_path, ISSUES, [new, old, old, issue("2", "2026-10-01T00:00:00Z")])
    result = load(con, tmp_path, manifest)
    assert result == LoadResult(rows=4, inserted=2, unchanged=2, superseded=1)
    assert [row[0] for row in rows(con, "SELECT _updated_at FROM raw.jira_issues WHERE _key = '1'")] == [
        datetime(2026, 10, 2, 6, tzinfo=UTC)
    ]
    assert rows(con, "SELECT _key, _updated_at::VARCHAR FROM raw.jira_issues__superseded") == [
        ("1", "2026-10-01 06:00:00+00")
    ]


def test_raw_keeps_the_record_as_it_came(tmp_path: Path) -> None:
    con = memory_warehouse()
    record = issue(
        "1", "2026-10-01T08:00:00Z", summary='Ünï "q" \\ \n 🎉', nothing=None, big=12345678901234567890
    )
    manifest = land(tmp_path, ISSUES, [record])
    load(con, tmp_path, manifest)
    line = gzip.decompress((tmp_path / manifest.file).read_bytes()).decode().rstrip("\n")
    assert rows(
        con,
        "SELECT record::VARCHAR, _source, _stream, _landed_at, _landed_file, _deleted FROM raw.jira_issues",
    ) == [(line, "acme", "issues", manifest.finished_at, manifest.file, False)]


@pytest.fixture(params=["short", "long"])
def any_length(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are loaded as short ones, then as those are whose records have no room."""
    if request.param == "long":
        monkeypatch.setattr(merge, "_LONG_BYTES", 0)


@pytest.mark.usefixtures("any_length")
def test_a_newer_version_replaces_an_unchanged_one_is_dropped_and_a_late_one_becomes_history(
    tmp_path: Path,
) -> None:
    con = memory_warehouse()
    load(con, tmp_path, land(tmp_path, ISSUES, [issue(key, "2026-10-05T00:00:00Z") for key in "123"]))
    second = [
        issue("1", "2026-10-06T00:00:00Z"),
        issue("2", "2026-10-05T00:00:00Z"),
        issue("3", "2026-10-04T00:00:00Z"),
        issue("4", "2026-10-04T00:00:00Z"),
    ]
    manifest = land(tmp_path, ISSUES, second)
    result = load(con, tmp_path, manifest)
    assert result == LoadResult(rows=4, inserted=1, updated=1, unchanged=2, superseded=2)
    assert rows(con, "SELECT _key, _updated_at::DATE::VARCHAR FROM raw.jira_issues ORDER BY 1") == [
        ("1", "2026-10-06"),
        ("2", "2026-10-05"),
        ("3", "2026-10-05"),
        ("4", "2026-10-04"),
    ]
    assert rows(
        con, "SELECT _key, _updated_at::DATE::VARCHAR FROM raw.jira_issues__superseded ORDER BY 1"
    ) == [
        ("1", "2026-10-05"),
        ("3", "2026-10-04"),
    ]


@pytest.mark.usefixtures("any_length")
def test_of_two_records_with_one_time_of_update_the_one_landed_last_counts(tmp_path: Path) -> None:
    con = memory_warehouse()
    first, second = (issue("1", "2026-10-05T00:00:00Z", summary=text) for text in ("z", "a"))
    load(con, tmp_path, land(tmp_path, ISSUES, [first]))
    load(con, tmp_path, land(tmp_path, ISSUES, [second]))
    assert rows(con, "SELECT record->>'$.fields.summary' FROM raw.jira_issues") == [("a",)]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-01T08:00:00.123+0200", datetime(2026, 10, 1, 6, 0, 0, 123000, UTC)),
        ("2026-10-01T08:00:00.123+02:00", datetime(2026, 10, 1, 6, 0, 0, 123000, UTC)),
        ("2026-10-01T08:00:00-05:30", datetime(2026, 10, 1, 13, 30, tzinfo=UTC)),
        ("2026-10-01T08:00:00Z", datetime(2026, 10, 1, 8, tzinfo=UTC)),
        ("2026-10-01T08:00:00", datetime(2026, 10, 1, 8, tzinfo=UTC)),
        ("1790841600123", datetime(2026, 10, 1, 8, 0, 0, 123000, UTC)),
        (1790841600123, datetime(2026, 10, 1, 8, 0, 0, 123000, UTC)),
    ],
)
def test_times_of_update_are_read_in_every_form_that_sources_use(
    tmp_path: Path, text: Any, instant: datetime
) -> None:
    con = memory_warehouse()
    assert load(con, tmp_path, land(tmp_path, ISSUES, [issue("1", text)])).undated == 0
    assert rows(con, "SELECT _updated_at FROM raw.jira_issues") == [(instant,)]


@pytest.mark.usefixtures("any_length")
@pytest.mark.parametrize("text", [None, "", "yesterday", "99999999999999999999"])
def test_a_record_without_a_readable_time_counts_from_its_landing_and_is_reported(
    tmp_path: Path, text: Any
) -> None:
    con = memory_warehouse()
    manifest = land(tmp_path, ISSUES, [issue("1", text), issue("2", "2026-10-01T08:00:00Z")])
    assert load(con, tmp_path, manifest).undated == 1
    assert rows(con, "SELECT _updated_at FROM raw.jira_issues WHERE _key = '1'") == [(manifest.finished_at,)]
    again = land(tmp_path, ISSUES, [issue("1", text)])
    assert load(con, tmp_path, again).undated == 1


def test_keys_of_several_parts_and_odd_field_names_are_read(tmp_path: Path) -> None:
    con = memory_warehouse()
    stream = Stream("changelogs", key=(("issueId",), ('o"dd.na\\me', "id")), updated_at=None)
    load(con, tmp_path, land(tmp_path, stream, [{"issueId": 7, 'o"dd.na\\me': {"id": "x"}}]))
    assert rows(con, "SELECT _key FROM raw.jira_changelogs") == [("7/x",)]


def test_two_sources_of_one_system_do_not_touch_each_other(tmp_path: Path) -> None:
    con = memory_warehouse()
    for source in ("acme", "other"):
        load(con, tmp_path, land(tmp_path, STATUSES, [{"id": "1"}, {"id": "2"}], source=source))
    load(con, tmp_path, land(tmp_path, STATUSES, [{"id": "1", "name": "new"}], source="acme"))
    assert set(rows(con, "SELECT _source, _key, record->>'$.name', _deleted FROM raw.jira_statuses")) == {
        ("acme", "1", "new", False),
        ("acme", "2", None, True),
        ("other", "1", None, False),
        ("other", "2", None, False),
    }
    assert rows(con, "SELECT DISTINCT _source FROM raw.jira_statuses__superseded") == [("acme",)]


@pytest.mark.usefixtures("any_length")
def test_what_a_snapshot_no_longer_has_is_deleted_and_comes_back_when_it_does(tmp_path: Path) -> None:
    con = memory_warehouse()
    one, two = {"id": "1"}, {"id": "2"}
    load(con, tmp_path, land(tmp_path, STATUSES, [one, two]))
    without = land(tmp_path, STATUSES, [one])
    assert load(con, tmp_path, without) == LoadResult(rows=1, unchanged=1, superseded=1, deleted=1)
    assert current(con, "jira_statuses") == {("1", '{"id":"1"}', False), ("2", '{"id":"2"}', True)}
    assert rows(con, "SELECT _landed_file FROM raw.jira_statuses WHERE _deleted") == [(without.file,)]
    assert load(con, tmp_path, land(tmp_path, STATUSES, [one])).deleted == 0
    assert load(con, tmp_path, land(tmp_path, STATUSES, [one, two])).updated == 1
    assert current(con, "jira_statuses") == {("1", '{"id":"1"}', False), ("2", '{"id":"2"}', False)}


@pytest.mark.parametrize(("known", "found", "deleted"), [(3, 0, 0), (30, 15, 0), (30, 16, 14), (12, 3, 9)])
def test_a_snapshot_that_lacks_too_much_at_once_deletes_nothing(
    tmp_path: Path, known: int, found: int, deleted: int
) -> None:
    con = memory_warehouse()
    everything = [{"id": str(number)} for number in range(known)]
    load(con, tmp_path, land(tmp_path, STATUSES, everything))
    assert load(con, tmp_path, land(tmp_path, STATUSES, everything[:found])).deleted == deleted
    expected = ("seen", 0) if deleted else ("unobserved", known - found)
    assert [(one.state, one.missing) for one in counted(con)] == [expected]
    load(con, tmp_path, land(tmp_path, STATUSES, everything))
    assert [one.state for one in counted(con)] == ["seen"]
    assert rows(con, "SELECT count(*) FROM raw.jira_statuses WHERE NOT _deleted") == [(known,)]


@pytest.mark.usefixtures("any_length")
def test_a_deleted_record_that_comes_again_as_it_was_stands_again(tmp_path: Path) -> None:
    con = memory_warehouse()
    load(con, tmp_path, land(tmp_path, ISSUES, [issue("1", "2026-10-05T00:00:00Z")]))
    con.execute("UPDATE raw.jira_issues SET _deleted = true")
    result = load(con, tmp_path, land(tmp_path, ISSUES, [issue("1", "2026-10-05T00:00:00Z")]))
    assert result == LoadResult(rows=1, updated=1, superseded=1)
    assert rows(con, "SELECT _deleted FROM raw.jira_issues") == [(False,)]


def test_an_incremental_pull_says_nothing_about_what_it_does_not_bring(tmp_path: Path) -> None:
    con = memory_warehouse()
    load(con, tmp_path, land(tmp_path, ISSUES, [issue("1", "2026-10-01T00:00:00Z")]))
    load(con, tmp_path, land(tmp_path, ISSUES, []))
    assert rows(con, "SELECT _key, _deleted FROM raw.jira_issues") == [("1", False)]


def test_loading_a_file_again_changes_nothing(tmp_path: Path) -> None:
    con = memory_warehouse()
    manifest = land(tmp_path, ISSUES, [issue("1", "2026-10-01T00:00:00Z")], cursor_to="a")
    load(con, tmp_path, manifest)
    before = everything(con)
    assert load(con, tmp_path, manifest) == LoadResult(rows=1, unchanged=1)
    assert everything(con) == before


def test_the_cursor_is_committed_with_the_data_and_never_moves_back(tmp_path: Path) -> None:
    con = memory_warehouse()
    first = land(tmp_path, ISSUES, [issue("1", "2026-10-01T00:00:00Z")], cursor_to="first")
    second = land(tmp_path, ISSUES, [], cursor_to="second")
    assert pending(con, Landing(tmp_path)) == [first, second]
    assert cursors(con, "acme") == {}
    load(con, tmp_path, second)
    assert pending(con, Landing(tmp_path)) == [first]
    assert load(con, tmp_path, first).late
    assert cursors(con, "acme") == {"issues": "second"}
    assert cursors(con, "other") == {}
    assert pending(con, Landing(tmp_path)) == []


@pytest.mark.parametrize("first", [True, False])
def test_a_record_without_its_key_stops_the_load_and_nothing_changes(tmp_path: Path, first: bool) -> None:
    con = memory_warehouse()
    if not first:
        load(con, tmp_path, land(tmp_path, ISSUES, [issue("1", "2026-10-01T00:00:00Z")]))
    before = everything(con)
    broken = land(tmp_path, ISSUES, [issue("9", "2026-10-01T00:00:00Z"), {"key": "PLAT-1"}], cursor_to="x")
    with pytest.raises(LoadError, match=r"no natural key at id.*PLAT-1"):
        load(con, tmp_path, broken)
    assert everything(con) == before


def test_a_file_that_was_changed_after_landing_is_refused(tmp_path: Path) -> None:
    con = memory_warehouse()
    manifest = land(tmp_path, ISSUES, [issue("1", "2026-10-01T00:00:00Z")])
    (tmp_path / manifest.file).write_bytes(gzip.compress(b'{"id":"2","fields":{}}\n'))
    with pytest.raises(LoadError, match="sha256"):
        load(con, tmp_path, manifest)
    (tmp_path / manifest.file).unlink()
    with pytest.raises(LoadError, match="is gone"):
        load(con, tmp_path, manifest)
    assert current(con) == set()


@pytest.mark.usefixtures("any_length")
def test_a_file_with_fewer_records_than_its_manifest_says_is_refused(tmp_path: Path) -> None:
    con = memory_warehouse()
    manifest = land(tmp_path, ISSUES, [issue("1", "2026-10-01T00:00:00Z")])
    with pytest.raises(LoadError, match="1 records where its manifest says 2"):
        load(con, tmp_path, manifest.model_copy(update={"rows": 2}))
    assert current(con) == set()


def test_a_manifest_cannot_smuggle_sql_into_a_table_name(tmp_path: Path) -> None:
    con = memory_warehouse()
    manifest = land(tmp_path, ISSUES, []).model_copy(
        update={"system": "jira_x; DROP TABLE raw.jira_issues; --"}
    )
    with pytest.raises(LoadError, match="names no raw table"):
        load(con, tmp_path, manifest)


@pytest.mark.parametrize(
    "folder", ["with 'quotes\"", "with [brackets]", "with * star", "with ? mark", "ümläut {a,b}"]
)
def test_a_workspace_may_have_any_folder_name(tmp_path: Path, folder: str) -> None:
    con = memory_warehouse()
    root = tmp_path / folder
    manifest = land(root, ISSUES, [issue("1", "2026-10-01T00:00:00Z")])
    # Read as patterns, some of these names are also those of their neighbours.
    for neighbour in ("with b", "with a star", "with ! mark", "ümläut a"):
        shutil.copytree(root, tmp_path / neighbour)
    assert load(con, root, manifest).rows == 1


def test_every_version_that_was_known_at_a_time_can_be_told(tmp_path: Path) -> None:
    con = memory_warehouse()
    files = [land(tmp_path, ISSUES, [issue("1", f"2026-10-0{day}T00:00:00Z")]) for day in (1, 2, 3)]
    for manifest in files:
        load(con, tmp_path, manifest)
    known = (
        "SELECT _updated_at::DATE::VARCHAR FROM (FROM raw.jira_issues UNION ALL SELECT * EXCLUDE _superseded_at "
        "FROM raw.jira_issues__superseded) WHERE _landed_at <= ? ORDER BY _updated_at DESC LIMIT 1"
    )
    told = [
        con.execute(known, [manifest.finished_at + timedelta(microseconds=1)]).fetchone()
        for manifest in files
    ]
    assert told == [("2026-10-01",), ("2026-10-02",), ("2026-10-03",)]
    assert len(versions(con)) == 3


def test_records_too_large_for_little_memory_are_loaded_with_more(tmp_path: Path) -> None:
    con = memory_warehouse()
    noise = base64.b64encode(Random(1).randbytes(5 << 20)).decode()
    records = [issue(str(n), None, text="x" * 8_000_000, noise=noise if n == 0 else "") for n in range(8)]
    manifest = land(tmp_path, ISSUES, records)
    assert merge.is_long(manifest)
    with little_memory(con), pytest.raises(duckdb.OutOfMemoryException):
        merge.merge(con, Batch("jira_issues", manifest, tmp_path, ()))
    assert load(con, tmp_path, manifest).inserted == 8
