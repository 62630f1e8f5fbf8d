"""Workbook, CSV and JSON hold the published rows, read here by other programs than those that wrote them."""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from publish import Published
from publish.exports import write_exports

Row = dict[str, Any]

SIGNS = {"green": "●", "amber": "▲", "red": "■"}
# The table behind each sheet, the column by which its rows are known, and the column under each heading.
SHEETS = {
    "Key results": ("kr_current", "kr_id", {
        "Status": "status", "Key result": "name", "Objective": "objective_name", "Function": "function_name",
        "Owner": "owner_name", "Value": "value", "Target": "target", "Band from": "band_low", "Band to": "band_high",
        "Unit": "unit", "Progress": "progress", "Progress expected": "expected_progress", "Value at the end": "end_p50",
        "At least, 9 in 10 times": "end_p10", "At most, 9 in 10 times": "end_p90", "Chance of target": "end_p_met",
        "Status since": "since", "Why": "reason", "Baseline": "baseline", "Expected today": "expected_value", "Pace": "pace",
        "First target": "original_target", "Value without suspects": "value_strict", "Suspects": "suspects",
        "Data through": "data_through", "Rule": "rule", "Measured as": "measure_text", "Needs hand-offs": "handoffs",
        "Id": "kr_id",
    }),
    "Hand-offs": ("handoff_current", "handoff_id", {
        "Status": "status", "Hand-off": "name", "State": "state", "From": "giver_name", "Giving head": "giving_head_name",
        "To": "receiver_name", "Receiving head": "receiving_head_name", "Items": "items", "Done": "done", "Open": "open",
        "Waiting": "waiting", "Oldest waits, days": "oldest_waiting_days", "Went back": "returned", "Needed by": "needed_by",
        "Done by, 5 in 10 times": "p50_on", "Done by, 85 in 100 times": "p85_on", "Slack, days": "slack_days",
        "Deals waiting": "deals_at_stake", "At stake": "amount_at_stake", "State since": "since",
        "How it stands": "sentence", "Id": "handoff_id",
    }),
    "Exceptions": ("exceptions", "exception_id", {
        "Status": "status", "Key result": "kr_name", "State": "state", "Giving head": "giving_head_name",
        "Receiving head": "receiving_head_name", "Sponsor": "sponsor_name", "Hand-off": "handoff_name",
        "At stake": "amount_at_stake", "Opened": "opened_on", "Talk by": "review_due_on", "Escalated": "escalated_on",
        "Closed": "closed_on", "Why": "reason", "Rule": "rule", "Last unhealthy": "last_unhealthy_on",
        "Giving head, address": "giving_head_email", "Receiving head, address": "receiving_head_email", "Id": "exception_id",
    }),
}  # fmt: skip
# Names that a sheet shows where its table has an id.
NAMED = {
    "kr_current": {"function_name": ("function_current", "function_id", "function_id")},
    "handoff_current": {
        "giver_name": ("function_current", "function_id", "giver_function"),
        "receiver_name": ("function_current", "function_id", "receiver_function"),
    },
    "exceptions": {
        "kr_name": ("kr_current", "kr_id", "kr_id"),
        "handoff_name": ("handoff_current", "handoff_id", "handoff_id"),
    },
}


def published_rows(run: Path, table: str) -> list[Row]:
    found = duckdb.execute("select * from read_parquet(?)", [str(run / "tables" / f"{table}.parquet")])
    columns = [column[0] for column in found.description or []]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def expected_rows(run: Path, table: str) -> list[Row]:
    rows = published_rows(run, table)
    for added, (of, key, column) in NAMED[table].items():
        names = {row[key]: row["name"] for row in published_rows(run, of)}
        for row in rows:
            row[added] = names.get(row[column])
    return rows


# What rows are known and ordered by stays as it is where every other value is made to differ.
KEPT = re.compile(r".*_id|.*_function|status|as_of|is_.*")


@pytest.fixture(scope="module")
def all_different(week_11: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which no two columns of a row hold the same, so that one shown for another is seen."""
    run = tmp_path_factory.mktemp("published") / "run"
    shutil.copytree(week_11, run, ignore=shutil.ignore_patterns("site", "exports", "sql"))
    for table, _, _ in SHEETS.values():
        parquet, con = run / "tables" / f"{table}.parquet", duckdb.connect()
        columns = con.execute("describe select * from read_parquet(?)", [str(parquet)]).fetchall()
        made = [
            _different(name, kind, place)
            for place, (name, kind, *_) in enumerate(columns)
            if not KEPT.fullmatch(name)
        ]
        con.execute(f"create table made as select * replace ({', '.join(made)}) from '{parquet}'")
        con.execute(f"copy made to '{parquet}'")
        con.execute(f"copy made to '{run / 'json' / f'{table}.json'}' (format json, array true)")
    write_exports(Published(run.parent, run.name), run / "exports")
    return run


def _different(name: str, kind: str, place: int) -> str:
    if kind == "VARCHAR":
        return f"""'{name} ' || row_number() over () as "{name}\""""
    if kind == "DATE":
        return f"""date '2026-01-01' + cast({place * 40} + row_number() over () as integer) as "{name}\""""
    return f"""cast(({place * 30} + row_number() over ()) / 9 as {kind}) as "{name}\""""


@pytest.fixture(scope="module", params=["week_4", "week_11", "all_different"])
def run(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture(scope="module")
def workbook(run: Path) -> Workbook:
    return load_workbook(run / "exports" / "key-results.xlsx")


def lines(sheet: Worksheet) -> Iterator[dict[str, Cell]]:
    """The rows of a sheet, their cells by heading."""
    headings = [str(cell.value) for cell in sheet[1]]
    for cells in sheet.iter_rows(min_row=2):
        yield dict(zip(headings, cells, strict=True))  # type: ignore[arg-type]


def assert_shows(cell: Cell, value: object, where: str) -> None:
    if value is None:
        assert cell.value is None, where
    elif isinstance(value, Decimal | int):
        assert cell.data_type == "n", where
        assert cell.value == pytest.approx(float(value), rel=1e-14), where
    elif isinstance(value, date):
        assert isinstance(cell.value, datetime), where
        assert (cell.value.date(), cell.number_format) == (value, "d mmm yyyy"), where
    else:
        assert cell.data_type == "s", where
        assert cell.value == SIGNS.get(str(value), "") + " " * (value in SIGNS) + str(value), where


def test_the_workbook_has_its_three_sheets(workbook: Workbook) -> None:
    assert workbook.sheetnames == list(SHEETS)


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_shows_every_published_row_cell_by_cell(run: Path, workbook: Workbook, name: str) -> None:
    table, key, headings = SHEETS[name]
    shown = {str(line["Id"].value): line for line in lines(workbook[name])}
    expected = {row[key]: row for row in expected_rows(run, table)}
    assert set(shown) == set(expected)
    assert len(expected) > 0
    for row_id, cells in shown.items():
        assert list(cells) == list(headings)
        for heading, cell in cells.items():
            assert_shows(cell, expected[row_id][headings[heading]], f"{row_id}: {heading}")


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_keeps_its_header_in_sight_filters_and_prints_one_page_wide(
    workbook: Workbook, name: str
) -> None:
    sheet = workbook[name]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == sheet.dimensions
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.sheet_properties.pageSetUpPr.fitToPage is True
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
    printed = str(sheet.print_area).split("$")[-2]
    assert sheet[f"{printed}1"].value in {"Why", "How it stands"}
    assert all(sheet.column_dimensions[cell.column_letter].width >= 9 for cell in sheet["A1:F1"][0])
    assert all(cell.font.bold for cell in sheet[1])


def test_each_status_has_its_own_colour(workbook: Workbook) -> None:
    colours: dict[str, set[tuple[str, str]]] = {}
    for line in lines(workbook["Key results"]):
        cell = line["Status"]
        colours.setdefault(str(cell.value), set()).add((cell.fill.fgColor.rgb, cell.font.color.rgb))
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == len(colours) >= 2


def test_shares_are_shown_as_percent_and_quantities_with_no_more_decimals_than_they_need(
    workbook: Workbook,
) -> None:
    for line in lines(workbook["Key results"]):
        assert line["Progress"].number_format == "0%"
        value = line["Value"].value
        if isinstance(value, int | float):
            whole = float(value).is_integer() or abs(value) >= 1000
            assert line["Value"].number_format == ("#,##0" if whole else "#,##0.00")


def test_key_results_stand_by_objective_and_open_exceptions_first(run: Path, workbook: Workbook) -> None:
    objectives = [line["Objective"].value for line in lines(workbook["Key results"])]
    assert len(set(objectives)) == 1 + sum(before != after for before, after in pairwise(objectives))
    is_open = {row["exception_id"]: row["is_open"] for row in published_rows(run, "exceptions")}
    order = [is_open[line["Id"].value] for line in lines(workbook["Exceptions"])]
    assert order == sorted(order, reverse=True)


def test_the_csv_holds_the_published_rows_as_python_reads_it(run: Path) -> None:
    file = run / "exports" / "key-results.csv"
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        found = list(csv.DictReader(opened))
    rows = published_rows(run, "kr_current")
    assert list(found[0]) == list(rows[0])
    for line, row in zip(found, rows, strict=True):
        for column, value in row.items():
            if isinstance(value, Decimal):
                assert Decimal(line[column]) == value, column
            else:
                assert line[column] == ("" if value is None else str(value)), column


def test_the_csv_holds_the_published_rows_as_duckdb_reads_it(run: Path) -> None:
    typed = "select columns(*)::varchar from read_csv(?, types = {'value': 'decimal(28, 6)', 'target': 'decimal(28, 6)'})"
    wanted = "kr_id, name, value, target, since, reason"
    found = duckdb.execute(
        f"select {wanted} from ({typed}) order by kr_id", [str(run / "exports" / "key-results.csv")]
    ).fetchall()
    rows = duckdb.execute(
        f"select columns(*)::varchar from (select {wanted} from read_parquet(?) order by kr_id)",
        [str(run / "tables" / "kr_current.parquet")],
    ).fetchall()
    assert found == rows


def test_the_json_holds_the_published_rows_number_for_number(run: Path) -> None:
    text = (run / "exports" / "key-results.json").read_text(encoding="utf-8")
    told = json.loads(text, parse_float=Decimal)
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert {name: value for name, value in told.items() if name != "key_results"} == {
        name: about[name]
        for name in (
            "company",
            "as_of",
            "cycle",
            "cycle_name",
            "cycle_start",
            "cycle_end",
            "timezone",
            "currency",
        )
    }
    rows = [
        {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
        for row in published_rows(run, "kr_current")
    ]
    assert told["key_results"] == rows


def test_the_same_rows_give_the_same_bytes_at_another_time(run: Path, tmp_path: Path) -> None:
    write_exports(Published(run.parent, run.name), tmp_path / "again")
    for file in (run / "exports").iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name
    assert len(list((tmp_path / "again").iterdir())) == 4
