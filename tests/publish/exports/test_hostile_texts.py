"""Whatever a text from a source says, it stays text: no formula, no markup, no file that cannot be read."""

import csv
import json
import re
import shutil
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import duckdb
import feedparser
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from publish import Published
from publish.exports import write_exports
from publish.exports.plain import write_csv

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = {
    "equals": "=1+1",
    "plus": "+1+1",
    "minus": "-2+3|cmd",
    "at": "@SUM(A1:A9)",
    "tab": "\t=1+1",
    "line break": "\r\n=1+1\nand more",
    "blank": "  =1+1",
    "full width": "＝1+1",
    "control first": "\x00=1+1",
    "link": '=HYPERLINK("https://example.com","click")',
    "quotes": '","=1+1',
    "forbidden in XML": "a\x00b\x0b\x1f\ufffe\uffff",
    "looks escaped": "_x0041_ &amp; &#65;",
    "markup": "</title></content><script>alert(1)</script><img src=x onerror=alert(1)>]]>",
    "direction": "\u202etxt.exe\u2066",
    "long": "x" * 17_000,
    "two units each": "𝄞" * 17_000,
    "an address": "https://example.com/" + "y" * 3_000,
    "header codes": "&P&8&",
}
NUMBER = re.compile(r"-?\d+(\.\d+)?")
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def visible(text: str) -> str:
    """The text on one line, without characters that cannot be seen."""
    one_line = re.sub(r"\s+", " ", text).strip()
    return "".join(letter for letter in one_line if unicodedata.category(letter)[0] != "C")


Attack = Callable[[str], Path]


@pytest.fixture
def attacked(week_11: Path, tmp_path: Path) -> Attack:
    """The exports of a run in which every name and sentence says the given text."""

    def attack(text: str) -> Path:
        run = tmp_path / "published" / "run"
        (run / "tables").mkdir(parents=True)
        about = json.loads((week_11 / "run.json").read_text(encoding="utf-8"))
        (run / "run.json").write_text(json.dumps({**about, "company": text}), encoding="utf-8")
        (run / "json").mkdir()
        exceptions = Published(week_11.parent, week_11.name).table("exceptions")
        concerned = {row["kr_id"] for row in exceptions}
        for table in ("kr_current", "objective_current", "function_current", "handoff_current", "exceptions"):
            rows = json.loads((week_11 / "json" / f"{table}.json").read_text(encoding="utf-8"))
            hostile = [_hostile(row, text) for row in rows if row.get("kr_id") in {None, *concerned}]
            (run / "json" / f"{table}.json").write_text(json.dumps(hostile), encoding="utf-8")
        ledger, copied = week_11 / "tables" / "ledger.parquet", run / "tables" / "ledger.parquet"
        # DuckDB ends the text of a literal at a null, a parameter's it does not.
        con = duckdb.connect()
        con.execute(f"create table ledger as select * replace (? as reason) from '{ledger}'", [text])
        con.execute(f"copy ledger to '{copied}'")
        write_exports(Published(run.parent, run.name), run / "exports")
        return run / "exports"

    return attack


def _hostile(row: dict[str, Any], text: str) -> dict[str, Any]:
    ours = re.compile(r"name|.*_name|reason|sentence|unit|measure_text|.*_email")
    return {
        name: text if ours.fullmatch(name) and value is not None else value for name, value in row.items()
    }


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_export_holds_a_hostile_text_as_text(attacked: Attack, text: str) -> None:
    exports = attacked(text)
    _assert_workbook_holds(exports / "key-results.xlsx", visible(text))
    _assert_csv_holds(exports / "key-results.csv", visible(text))
    _assert_feed_holds(exports / "exceptions.atom", visible(text))
    told = json.loads((exports / "key-results.json").read_text(encoding="utf-8"))
    assert {told["company"], *(row["name"] for row in told["key_results"])} == {text}


def _assert_workbook_holds(file: Path, text: str) -> None:
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            root = ElementTree.fromstring(archive.read(name))
            assert not [each.tag for each in root.iter() if each.tag.endswith("}f")], "a formula"
            assert not [each.tag for each in root.iter() if each.tag.endswith("}hyperlink")], "a link"
    cells = [cell for sheet in load_workbook(file) for row in sheet.iter_rows(min_row=2) for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    names = [cell for cell in cells if cell.column == 2]
    assert len(names) > 10
    for cell in names:
        # A cell takes 32,767 units of UTF-16.
        assert isinstance(cell.value, str)
        assert text.startswith(cell.value)
        assert len(cell.value) == min(len(text), 16_383)


def _assert_csv_holds(file: Path, text: str) -> None:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) > 2
    fields = [field for row in rows for field in row.values()]
    assert not [each for each in fields if each.startswith(FORMULA) and not NUMBER.fullmatch(each)]
    assert {row["name"].removeprefix("'") for row in rows} == {text}


def _assert_feed_holds(file: Path, text: str) -> None:
    root = ElementTree.parse(file).getroot()
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) > 2
    for entry in entries:
        assert (entry.findtext(f"{ATOM}title") or "").endswith(text)
        assert entry.findtext(f"{ATOM}summary") == text
        tags = _Tags()
        tags.feed(entry.findtext(f"{ATOM}content") or "")
        assert set(tags.found) == {("p", 0), ("ul", 0), ("li", 0)}
        assert text in tags.text
    assert feedparser.parse(str(file)).bozo is False


class _Tags(HTMLParser):
    """The tags of a text with the number of their attributes, and what stands outside of them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, int]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, len(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@settings(max_examples=60)
@given(text=st.text())
@example(text="'=1+1")
@example(text="\ufeff=1+1")
@example(text="-")
def test_no_text_of_a_csv_begins_like_a_formula_and_none_is_lost(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "one.csv"
    write_csv([{"name": text, "value": Decimal("-0.000001"), "count": -7, "none": None}], file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        ((name, *others),) = list(csv.reader(opened))[1:]
    assert others == ["-0.000001", "-7", ""]
    assert not name.startswith(FORMULA)
    assert name == visible(text) or (name == f"'{visible(text)}" and visible(text).startswith(FORMULA))


def test_a_run_again_on_the_same_day_turns_nothing_in_the_feed(week_11: Path, tmp_path: Path) -> None:
    run = tmp_path / "published" / "run"
    shutil.copytree(week_11, run, ignore=shutil.ignore_patterns("site", "exports"))
    ledger = run / "tables" / "ledger.parquet"
    con = duckdb.connect()
    con.execute(f"create table ledger as select * from '{ledger}'")
    con.execute(
        "insert into ledger select * replace (number + 100000 as number, reported_at + ? as reported_at) from ledger",
        [timedelta(hours=1)],
    )
    con.execute(f"copy (from ledger order by number) to '{ledger}'")
    write_exports(Published(run.parent, run.name), run / "exports")
    name = "exceptions.atom"
    assert (run / "exports" / name).read_bytes() == (week_11 / "exports" / name).read_bytes()


def test_an_exception_that_the_ledger_does_not_know_is_told_from_the_day_it_opened(
    week_11: Path, tmp_path: Path
) -> None:
    run = tmp_path / "published" / "run"
    shutil.copytree(week_11, run, ignore=shutil.ignore_patterns("site", "exports"))
    ledger = run / "tables" / "ledger.parquet"
    con = duckdb.connect()
    con.execute(f"create table ledger as select * from '{ledger}' limit 0")
    con.execute(f"copy ledger to '{ledger}'")
    write_exports(Published(run.parent, run.name), run / "exports")
    told = sorted(each.published for each in feedparser.parse(str(run / "exports/exceptions.atom")).entries)
    opened = sorted(
        datetime.combine(date.fromisoformat(row["opened_on"]), time(), ZoneInfo("Europe/Berlin")).astimezone(
            UTC
        )
        for row in Published(run.parent, run.name).table("exceptions")
    )
    assert told == [each.isoformat() for each in opened]
