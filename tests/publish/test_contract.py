"""The published files keep the contract that docs/published.md tells readers of."""

import json
import re
import runpy
from pathlib import Path

import duckdb
import pytest

from publish import PUBLIC_TABLES
from tests.command_line import ROOT

PAGE = (ROOT / "docs" / "published.md").read_text(encoding="utf-8")
SECTIONS = {
    section.split("\n", 1)[0]: section for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
}
# What DuckDB calls the types of the contract in a Parquet file.
IN_PARQUET = {
    "text": "VARCHAR",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
}


def columns_on_page(table: str) -> list[tuple[str, str]]:
    """Name and type of each column, in order."""
    found = re.findall(r"^\| (\w+) \| ([^|]+?) \| \S.* \|$", SECTIONS[table], flags=re.MULTILINE)
    return [
        (name, IN_PARQUET.get(kind, kind.upper().replace(", ", ",")))
        for name, kind in found
        if name != "column"
    ]


def grain_on_page(table: str) -> list[str]:
    (sentence,) = re.findall(r"^Key: (.*?)\. ", SECTIONS[table], flags=re.MULTILINE)
    return re.findall(r"`(\w+)`", sentence)


def test_the_page_is_what_its_script_makes_of_the_models() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "published.py"))["contract"](PAGE)
    assert made == PAGE, "make it again: .venv/bin/python docs/published.py"


def test_the_page_tells_of_every_published_table_and_no_other(week_11: Path) -> None:
    names = {table.name for table in PUBLIC_TABLES}
    assert set(SECTIONS) == names
    assert {file.stem for file in (week_11 / "tables").iterdir()} == names
    as_json = {name for name, section in SECTIONS.items() if "Parquet and JSON." in section}
    assert {file.stem for file in (week_11 / "json").iterdir()} == as_json


@pytest.mark.parametrize("table", SECTIONS)
def test_a_parquet_file_has_exactly_the_columns_and_types_of_the_page(week_11: Path, table: str) -> None:
    file = week_11 / "tables" / f"{table}.parquet"
    described = duckdb.execute("describe select * from read_parquet(?)", [str(file)]).fetchall()
    assert [(name, kind) for name, kind, *_ in described] == columns_on_page(table)


@pytest.mark.parametrize("table", SECTIONS)
def test_rows_stand_in_the_order_of_their_key_and_none_twice(week_11: Path, table: str) -> None:
    key = ", ".join(f'"{column}"' for column in grain_on_page(table))
    file = str(week_11 / "tables" / f"{table}.parquet")
    rows = duckdb.execute(f"select {key} from read_parquet(?) order by file_row_number", [file]).fetchall()
    assert rows == duckdb.execute(f"select {key} from read_parquet(?) order by {key}", [file]).fetchall()
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("table", [each.name for each in PUBLIC_TABLES if each.as_json])
def test_a_json_file_has_the_rows_of_the_parquet_file(week_11: Path, table: str) -> None:
    rows = json.loads((week_11 / "json" / f"{table}.json").read_text(encoding="utf-8"))
    file = str(week_11 / "tables" / f"{table}.parquet")
    assert all(list(row) == [name for name, _ in columns_on_page(table)] for row in rows)
    (count,) = duckdb.execute("select count(*) from read_parquet(?)", [file]).fetchone() or (0,)
    assert len(rows) == count


def test_every_check_of_the_run_is_published_as_it_ended(week_11: Path) -> None:
    file = str(week_11 / "tables" / "checks.parquet")
    kinds = dict(
        duckdb.execute("select kind, count(*) from read_parquet(?) group by kind", [file]).fetchall()
    )
    assert set(kinds) == {
        "pull", "census", "freshness", "volume", "schema", "gate", "test", "model", "quarantine",
    }  # fmt: skip
    published = "select count(distinct subject) from read_parquet(?) where kind = 'gate' and subject like 'scorecard.%'"
    (tables,) = duckdb.execute(published, [file]).fetchone() or (0,)
    assert tables == len(PUBLIC_TABLES), "the gates on what is published are among them"
    run = json.loads((week_11 / "run.json").read_text(encoding="utf-8"))
    last = "select distinct cast(checked_on as varchar) from read_parquet(?)"
    assert duckdb.execute(last, [file]).fetchall() == [(run["as_of"],)]
