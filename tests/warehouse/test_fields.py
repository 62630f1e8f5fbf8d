"""What changed of a stream's fields between two pulls, told once and never of what a few records happen to lack."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.jira.streams import FIELDS
from tests.warehouse.warehouse_parts import ISSUES, issue, land, memory_warehouse
from warehouse.fields import note_fields
from warehouse.listed_fields import note_listed_fields
from warehouse.raw import load

UPDATED = "2026-10-01T00:00:00Z"


class Pulls:
    """Pulls of one source, one after another."""

    def __init__(self, con: duckdb.DuckDBPyConnection, root: Path, source: str = "acme") -> None:
        self._con, self._root, self._source = con, root, source

    def bring(self, records: Iterable[dict[str, Any]]) -> str | None:
        return note_fields(
            self._con, self._root, land(self._root, ISSUES, list(records), source=self._source)
        )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "landing"


@pytest.fixture
def pulls(root: Path) -> Pulls:
    """After a first pull, in which every issue has an estimate (if only null), and every third one has a parent."""
    pulls = Pulls(memory_warehouse(), root)
    first = (
        issue(
            str(n), UPDATED, customfield_1=n if n % 2 else None, **({"parent": {"id": "1"}} if n % 3 else {})
        )
        for n in range(300)
    )
    assert pulls.bring(first) is None
    return pulls


def issues(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [issue(str(n), UPDATED, **fields) for n in range(number)]


@pytest.mark.parametrize(
    "same",
    [
        issues(50, customfield_1=None),
        issues(50, customfield_1=0.5),
        issues(3),
        issues(0),
        issues(3, customfield_1=1, customfield_2=1),
        [*issues(15, customfield_1=1), *issues(16, customfield_1=1, now_and_then=1), *issues(15, customfield_1=1)],
    ],
    ids=["all null", "another number", "too few lack it", "none", "too few have it", "an occasional one"],
)  # fmt: skip
def test_what_records_of_one_shape_may_do(pulls: Pulls, same: list[dict[str, Any]]) -> None:
    assert pulls.bring(same) is None


def test_a_field_of_another_type_is_told_by_its_id_and_once(pulls: Pulls) -> None:
    told = (
        "The records of acme.issues have changed: fields.customfield_1 is text, true or false and was number."
    )
    assert pulls.bring([*issues(1, customfield_1="5"), *issues(1, customfield_1=True)]) == told
    assert pulls.bring(issues(1, customfield_1="6")) is None
    assert pulls.bring(issues(1, customfield_1=[])) == (
        "The records of acme.issues have changed: fields.customfield_1 is list and was number, text, true or false."
    )


def test_fields_that_are_gone_and_new_are_told_once(pulls: Pulls) -> None:
    # Renamed: it is a field by its id.
    told = "The records of acme.issues have changed: none has fields.customfield_1 any more; new is fields.customfield_9."
    assert pulls.bring(issues(20, customfield_9=1)) == told
    assert pulls.bring(issues(20, customfield_9=1)) is None


def test_a_list_of_many_is_cut(pulls: Pulls) -> None:
    told = pulls.bring(issues(20, customfield_1=1, **{f"c{n}": n for n in range(8)}))
    assert told is not None
    assert told.endswith("new is fields.c0, fields.c1, fields.c2, fields.c3, fields.c4 and 3 more.")


def test_each_source_has_fields_of_its_own(root: Path) -> None:
    con = memory_warehouse()
    assert Pulls(con, root, "one").bring(issues(30, a=1)) is None
    assert Pulls(con, root, "two").bring(issues(30, b="1")) is None
    assert Pulls(con, root, "one").bring(issues(30, a=2)) is None


def field(number: int, name: str, *type_: str, id_: str = "customfield_") -> dict[str, Any]:
    return {"id": f"{id_}{number}", "name": name, "schema": dict(zip(("type", "items"), type_, strict=False))}


def test_listed_fields_are_told_by_id_when_they_are_renamed_retyped_gone_new_or_back(root: Path) -> None:
    con = memory_warehouse()

    def bring(*fields: dict[str, Any], source: str = "jira") -> str | None:
        manifest = land(root, FIELDS, list(fields), source=source)
        load(con, root, manifest)
        return note_listed_fields(con, manifest)

    points, risk = field(1, "Story Points", "number"), field(2, "Risk", "option")
    system = field(3, "Summary", "string", id_="sys")
    assert bring(points, risk, system) is None
    assert bring(points, risk, system) is None
    renamed, retyped = field(1, "Points", "number"), field(2, "Risk", "array", "option")
    translated = field(3, "Zusammenfassung", "string", id_="sys")
    assert bring(renamed, retyped, translated) == (
        "The custom fields of jira have changed: customfield_1 is called Points and was Story Points; "
        "customfield_2 (Risk) is array of option and was option."
    )
    assert bring(retyped, field(4, "Size", "number"), source="other") is None
    assert bring(retyped, field(4, "Size", "number")) == (
        "The custom fields of jira have changed: gone is customfield_1 (Points); new is customfield_4 (Size)."
    )
    assert bring(retyped, field(4, "Size", "number")) is None
    back = field(1, "Points", "number")
    assert bring(back, retyped, field(4, "Size", "number")) == (
        "The custom fields of jira have changed: new is customfield_1 (Points)."
    )
