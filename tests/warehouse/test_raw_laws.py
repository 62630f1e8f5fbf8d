"""Laws of loading: order, repetition and interruption of loads do not show in what is loaded."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.warehouse_parts import (
    ISSUES,
    STATUSES,
    current,
    issue,
    land,
    memory_warehouse,
    rows,
    versions,
)
from warehouse import merge
from warehouse.raw import load

Record = dict[str, Any]

# Few keys, times and texts, so that every kind of meeting happens: same key, same time, same record, all of them.
_records = st.builds(
    lambda key, day, text: issue(key, f"2026-10-{day:02d}T00:00:00Z", summary=text),
    st.sampled_from("123"),
    st.integers(1, 3),
    st.sampled_from("ab"),
)
_batches = st.lists(st.lists(_records, max_size=6), min_size=1, max_size=5)
_snapshots = st.lists(
    # Not empty: that would not be believed.
    st.dictionaries(st.sampled_from("123"), st.sampled_from("ab"), min_size=1, max_size=3).map(
        lambda names: [{"id": key, "name": name} for key, name in names.items()]
    ),
    min_size=1,
    max_size=5,
)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _text(record: Record) -> str:
    return json.dumps(record, separators=(",", ":"))


def _newest(batches: list[list[Record]]) -> set[tuple[str, str, bool]]:
    """The current table by hand: last updated, then landed last, then last in its file."""
    newest: dict[str, tuple[str, int, int, str]] = {}
    for landed, batch in enumerate(batches):
        for place, record in enumerate(batch):
            version = (record["fields"]["updated"], landed, place, _text(record))
            newest[record["id"]] = max(newest.get(record["id"], version), version)
    return {(key, text, False) for key, (_, _, _, text) in newest.items()}


def _last_seen(snapshots: list[list[Record]]) -> set[tuple[str, str, bool]]:
    """The current table by hand: each key as it was seen last, deleted unless the last snapshot has it."""
    seen = {
        record["id"]: (landed, _text(record)) for landed, batch in enumerate(snapshots) for record in batch
    }
    return {(key, text, landed < len(snapshots) - 1) for key, (landed, text) in seen.items()}


def _distinct(batches: list[list[Record]]) -> set[tuple[str, str]]:
    return {(record["id"], _text(record)) for batch in batches for record in batch}


@settings(max_examples=40)
@given(_batches, st.data())
def test_any_order_and_repetition_of_loads_ends_in_the_same_table_and_nothing_is_lost(
    batches: list[list[Record]], data: st.DataObject
) -> None:
    with _folder() as root:
        manifests = [land(root, ISSUES, batch) for batch in batches]
        again = data.draw(st.lists(st.sampled_from(manifests), max_size=3))
        con = memory_warehouse()
        for manifest in data.draw(st.permutations([*manifests, *again])):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(merge, "_LONG_BYTES", data.draw(st.sampled_from([0, 1 << 30])))
                load(con, root, manifest)
        assert current(con) == _newest(batches)
        assert versions(con) == _distinct(batches)
        assert rows(con, "SELECT _key FROM raw.jira_issues GROUP BY _key HAVING count(*) > 1") == []


@settings(max_examples=25)
@given(_snapshots, st.data())
def test_any_order_of_snapshots_ends_in_the_last_one_and_nothing_is_lost(
    snapshots: list[list[Record]], data: st.DataObject
) -> None:
    with _folder() as root:
        manifests = [land(root, STATUSES, snapshot) for snapshot in snapshots]
        con = memory_warehouse()
        for manifest in data.draw(st.permutations(manifests)):
            load(con, root, manifest)
        assert current(con, "jira_statuses") == _last_seen(snapshots)
        assert versions(con, "jira_statuses") == _distinct(snapshots)


@settings(max_examples=15)
@given(_batches)
def test_landing_the_same_records_again_changes_no_row(batches: list[list[Record]]) -> None:
    everything = [record for batch in batches for record in batch]
    with _folder() as root:
        con = memory_warehouse()
        load(con, root, land(root, ISSUES, everything))
        before = rows(con, "SELECT * FROM raw.jira_issues ORDER BY ALL")
        older = rows(con, "SELECT * FROM raw.jira_issues__superseded ORDER BY ALL")
        result = load(con, root, land(root, ISSUES, everything))
        assert (result.inserted, result.updated, result.superseded) == (0, 0, 0)
        assert rows(con, "SELECT * FROM raw.jira_issues ORDER BY ALL") == before
        assert rows(con, "SELECT * FROM raw.jira_issues__superseded ORDER BY ALL") == older
