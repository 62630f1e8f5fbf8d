"""Finance exports in a folder: every row arrives as it stands, and a file that is not what it says is refused."""

from __future__ import annotations

import gzip
import json
import os
import threading
import tracemalloc
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from connectors.errors import InputError
from connectors.finance import bulk
from connectors.finance.connector import FinanceFiles, FinanceFilesConfig
from connectors.landing import Landing, Manifest

COLUMNS = {
    "date": "Date",
    "account": ["Account", "Account code"],
    "cost_centre": "Cost centre",
    "amount": "Amount",
    "currency": "Currency",
    "document": "Document",
}
HEADER = "Date,Account,Cost centre,Amount,Currency,Document\n"
ROW = "2026-10-05,4000,4100,12.50,EUR,D1\n"
OTHER = "2026-10-06,4000,4100,-7.25,EUR,D2\n"


def source(root: Path, *layouts: dict[str, Any]) -> FinanceFiles:
    filled = [
        {"match": "gl*.csv", "into": "ledger", "columns": COLUMNS} | layout for layout in layouts or ({},)
    ]
    return FinanceFiles("finance", configured(str(root), *filled), root)


def configured(folder: str, *layouts: dict[str, Any]) -> FinanceFilesConfig:
    return FinanceFilesConfig.model_validate(
        {"type": "finance_files", "folder": folder, "layouts": layouts, "settle_seconds": 0}
    )


def pull(finance: FinanceFiles, root: Path, cursors: dict[str, str] | None = None) -> Manifest:
    manifest, _ = finance.pull(cursors or {}, Landing(root / ".landing"), lambda *_: None)
    return manifest


def landed(root: Path, manifest: Manifest) -> list[dict[str, Any]]:
    with gzip.open(root / ".landing" / manifest.file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def records(finance: FinanceFiles, root: Path) -> list[dict[str, Any]]:
    return landed(root, pull(finance, root))


def write(path: Path, text: str, modified: int | None = None, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    if modified is not None:
        os.utime(path, (modified, modified))
    return path


def workbook(path: Path, **sheets: list[list[Any]]) -> None:
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, table in sheets.items():
        sheet = book.create_sheet(name)
        for row in table:
            sheet.append(row)
    book.save(path)


def test_a_row_lands_as_it_came_beside_the_posting_read_from_it(tmp_path: Path) -> None:
    write(tmp_path / "gl.csv", HEADER + '05/10/2026, 4000 ,,"-1.234,50",EUR,\n')
    assert records(source(tmp_path, {"date_format": "%d/%m/%Y", "decimal_mark": ","}), tmp_path) == [
        {
            "key": "gl.csv:2",
            "file": "gl.csv",
            "row": 2,
            "cells": {
                "Date": "05/10/2026",
                "Account": " 4000 ",
                "Cost centre": "",
                "Amount": "-1.234,50",
                "Currency": "EUR",
                "Document": "",
            },
            "posting": {
                "date": "2026-10-05",
                "account": "4000",
                "cost_centre": None,
                "amount": "-1234.50",
                "currency": "EUR",
                "document": None,
                "posted_at": "2026-10-05",
            },
        }
    ]


def test_headers_match_whatever_their_case_white_space_and_accepted_spelling(tmp_path: Path) -> None:
    write(tmp_path / "gl1.csv", HEADER + ROW)
    write(
        tmp_path / "gl2.csv",
        "\ufeff DATE ,ACCOUNT  CODE,costcentre,amount ,currency,Document,,\n" + ROW[:-1] + ",,\n",
    )
    first, second = (record["posting"] for record in records(source(tmp_path), tmp_path))
    assert first == second


def test_constants_fill_what_the_file_does_not_hold(tmp_path: Path) -> None:
    write(tmp_path / "gl.csv", "Date,Account,Amount\n2026-10-05,4000,1\n")
    columns = {"date": "Date", "account": "Account", "amount": "Amount"}
    constants = {"currency": "GBP", "account_type": "expense"}
    (record,) = records(source(tmp_path, {"columns": columns, "constants": constants}), tmp_path)
    assert record["posting"]["currency"] == "GBP"
    assert record["posting"]["account_type"] == "expense"
    assert "currency" not in record["cells"]


def test_an_unchanged_file_is_not_read_again_but_a_grown_one_a_new_one_and_a_new_layout_are(
    tmp_path: Path,
) -> None:
    old = write(tmp_path / "gl1.csv", HEADER + ROW)
    growing = write(tmp_path / "gl2.csv", HEADER + ROW + OTHER)
    first = pull(source(tmp_path), tmp_path)
    assert first.rows == 3
    cursor = {"ledger": str(first.cursor_to)}
    os.utime(old)
    assert pull(source(tmp_path), tmp_path, cursor).rows == 0
    growing.write_text(HEADER + ROW + OTHER + ROW)
    write(tmp_path / "gl3.csv", HEADER + OTHER)
    second = pull(source(tmp_path), tmp_path, cursor)
    assert [record["key"] for record in landed(tmp_path, second)] == [
        "gl2.csv:2",
        "gl2.csv:3",
        "gl2.csv:4",
        "gl3.csv:2",
    ]
    assert pull(source(tmp_path), tmp_path, {"ledger": str(second.cursor_to)}).rows == 0
    mended = source(tmp_path, {"constants": {"account_type": "expense"}})
    assert pull(mended, tmp_path, {"ledger": str(second.cursor_to)}).rows == 5


def test_a_row_of_a_grown_file_is_the_same_record_as_before(tmp_path: Path) -> None:
    path = write(tmp_path / "gl.csv", HEADER + ROW, modified=1_000_000_000)
    before = records(source(tmp_path), tmp_path)
    write(path, HEADER + ROW + ROW, modified=1_100_000_000)
    assert records(source(tmp_path), tmp_path)[:1] == before


def test_where_keys_meet_the_younger_file_lands_last(tmp_path: Path) -> None:
    write(tmp_path / "gl_b.csv", HEADER + "2026-10-05,4000,,1,EUR,D1\n", modified=1_000_000_000)
    write(tmp_path / "gl_a.csv", HEADER + "2026-10-05,4000,,2,EUR,D1\n", modified=1_100_000_000)
    found = records(source(tmp_path, {"key": ["document"]}), tmp_path)
    assert [(record["key"], record["posting"]["amount"]) for record in found] == [("D1", "1"), ("D1", "2")]


REFUSED = [
    pytest.param({}, "", (1, None), "the file is empty", id="empty"),
    pytest.param({}, "Date,Account,Amount\n", (1, "Cost centre"), 'no column "Cost centre"', id="no column"),
    pytest.param({}, "Date," + HEADER, (1, "Date"), "2 times", id="column twice"),
    pytest.param({}, HEADER + ROW + '2026-10-05,"4000,,1,EUR,D\n' + ROW, (3, None), "quotes", id="open quote"),
    pytest.param({}, HEADER + ROW + 'x,"a"b,,1,EUR,D\n', (3, None), "quotes", id="text after quote"),
    pytest.param({"delimiter": ";"}, HEADER + ROW, (1, "Date"), 'no column "Date"', id="delimiter"),
    pytest.param({"sheet": "GL"}, HEADER + ROW, (1, None), "no workbook", id="sheet of a text"),
    pytest.param({"key": ["document"]}, HEADER + ROW + ROW, (3, "document"), "lines 2 and 3", id="key twice"),
    pytest.param({}, HEADER + ROW.replace("2026-10-05", "05/06/2026"), (1, "Date"), "or 10/31/2026", id="day or month"),
    pytest.param({}, HEADER + ROW.replace("12.50", '"1,234"'), (1, None), "thousands mark", id="decimal or thousands"),
    pytest.param({}, HEADER + ROW.replace("2026-10-05", "31/10/2026") + ROW.replace("2026-10-05", "10/31/2026"),
                 (3, "Date"), "the other way round", id="both orders"),
    pytest.param({}, HEADER + ROW.replace("12.50", "twelve") * 21, (2, "Amount"), "21 of 21 rows", id="all unreadable"),
    pytest.param({}, HEADER + ROW * 400 + ROW.replace("12.50", "twelve") * 22, (402, "Amount"), "22 of 422", id="too many"),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "text", "place", "said"), REFUSED)
def test_a_file_that_is_not_what_its_layout_says_is_refused_with_its_place(
    tmp_path: Path, layout: dict[str, Any], text: str, place: tuple[int, str | None], said: str
) -> None:
    write(tmp_path / "gl1.csv", text)
    finance = source(tmp_path, layout)
    with pytest.raises(InputError) as caught:
        pull(finance, tmp_path)
    assert (caught.value.file, caught.value.line, caught.value.column_name) == ("gl1.csv", *place)
    assert said in caught.value.message
    assert caught.value.message.startswith("gl1.csv, line")
    assert Landing(tmp_path / ".landing").manifests() == []


@pytest.mark.parametrize(
    ("encoding", "content", "line"),
    [
        ("utf-8-sig", (HEADER + ROW * 5000).encode() + ROW.replace("D1", "Café").encode("cp1252"), 5002),
        ("utf-8-sig", (HEADER + ROW).encode("utf-16"), 1),
        ("utf-16", (HEADER + ROW).encode(), 1),
        ("ascii", (HEADER + ROW + ROW.replace("D1", "é")).encode(), 3),
    ],
)
def test_a_wrong_encoding_is_refused_with_its_line(
    tmp_path: Path, encoding: str, content: bytes, line: int
) -> None:
    (tmp_path / "gl.csv").write_bytes(content)
    with pytest.raises(InputError) as caught:
        pull(source(tmp_path, {"encoding": encoding}), tmp_path)
    assert (caught.value.file, caught.value.line) == ("gl.csv", line)
    assert f"not in {encoding}" in caught.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_text_arrives_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    write(tmp_path / "gl.csv", HEADER + ROW.replace("D1", "Café"), encoding=encoding)
    (record,) = records(source(tmp_path, {"encoding": encoding}), tmp_path)
    assert record["posting"]["document"] == "Café"


def test_a_workbook_is_read_without_floats(tmp_path: Path) -> None:
    header = ["Date", "Account", "Cost centre", "Amount", "Currency", "Document", None]
    first = [datetime.combine(date(2026, 10, 5), time()), 4000, 4100.0, 0.1 + 0.7, "EUR", "D1"]
    workbook(
        tmp_path / "gl.xlsx",
        GL=[[], header, [], first, ["2026-10-06", "4000", None, 0, "EUR", 7, None, " "]],
    )
    finance = source(tmp_path, {"match": "*.xlsx", "decimal_mark": ","})
    found = records(finance, tmp_path)
    assert [record["row"] for record in found] == [4, 5]
    assert found[0]["cells"] | {"Amount": None} == {
        "Date": "2026-10-05", "Account": "4000", "Cost centre": "4100", "Amount": None, "Currency": "EUR", "Document": "D1",
    }  # fmt: skip
    assert [found[0]["posting"][field] for field in ("date", "amount")] == [
        "2026-10-05",
        "0.7999999999999999",
    ]
    assert [found[1]["posting"][field] for field in ("date", "amount", "document")] == [
        "2026-10-06",
        "0",
        "7",
    ]


def test_one_workbook_may_hold_a_sheet_for_each_stream(tmp_path: Path) -> None:
    workbook(
        tmp_path / "books.xlsx",
        GL=[["Date", "Account", "Cost centre", "Amount", "Currency", "Document"],
            [date(2026, 10, 5), 4000, 4100, 1, "EUR", "D"]],
        Plan=[["Month", "Account", "Amount", "Currency"], ["2026-10", 4000, 100.25, "EUR"]],
    )  # fmt: skip
    plan = {field: field for field in ("month", "account", "amount", "currency")}
    finance = source(
        tmp_path,
        {"match": "books.xlsx", "sheet": "GL"},
        {"match": "books.xlsx", "sheet": "Plan", "into": "budget", "columns": plan},
    )
    assert [stream.name for stream in finance.streams] == ["ledger", "budgets", "files"]
    ledger, budgets, _ = finance.pull({}, Landing(tmp_path / ".landing"), lambda *_: None)
    assert landed(tmp_path, ledger)[0]["key"] == "books.xlsx#GL:2"
    (line,) = landed(tmp_path, budgets)
    assert line["key"] == "books.xlsx#Plan:2"
    assert line["posting"] == {
        "month": "2026-10-01",
        "account": "4000",
        "amount": "100.25",
        "currency": "EUR",
    }


@pytest.mark.parametrize(
    ("name", "content", "sheet", "said"),
    [
        ("gl.xlsx", HEADER.encode(), None, "no XLSX workbook"),
        ("gl.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None, "password-protected"),
        ("gl.xlsx", b"PK\x03\x04 and nothing of a zip", None, "cannot be read"),
        ("gl.xlsx", "book", "Budget", "no sheet 'Budget'; it has 'One', 'Two'"),
        ("gl.xlsx", "book", None, "several sheets"),
        ("gl.csv", "book", None, "not text"),
    ],
)
def test_a_workbook_that_is_none_is_refused(
    tmp_path: Path, name: str, content: bytes | str, sheet: str | None, said: str
) -> None:
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        workbook(tmp_path / "book.xlsx", One=[["Date"]], Two=[["Date"]])
        (tmp_path / "book.xlsx").rename(tmp_path / name)
    with pytest.raises(InputError, match=said) as caught:
        pull(source(tmp_path, {"match": "gl.*", "sheet": sheet}), tmp_path)
    assert caught.value.file == name


def test_check_says_what_each_layout_found_and_what_none_did(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for name in ("gl1.csv", "gl2.csv", "notes.txt", "old/gl0.csv", "~$gl.xlsx", "gl3.csv.part", ".gl.csv"):
        write(tmp_path / name, HEADER + ROW)
    plan = {"month": "M", "account": "A", "amount": "B", "currency": "C"}
    budget = {"match": "budget*", "into": "budget", "columns": plan}
    said = source(tmp_path, {}, budget).check()
    assert "layout 1 (gl*.csv into ledger): 2 files" in said
    assert "layout 2 (budget* into budget): no file yet" in said
    assert "no layout for notes.txt, old/gl0.csv" in said
    assert "~$" not in said
    assert "part" not in said


def test_check_finds_a_wrong_layout_before_anything_is_pulled(tmp_path: Path) -> None:
    write(tmp_path / "gl.csv", HEADER + ROW)
    with pytest.raises(InputError, match="such as 31/10/2026"):
        source(tmp_path, {"date_format": "%d/%m/%Y"}).check()


def test_check_tells_of_a_broken_file_among_sound_ones(tmp_path: Path) -> None:
    write(tmp_path / "gl1.csv", HEADER + ROW)
    write(tmp_path / "gl2.csv", HEADER.replace("Amount", "Sum") + ROW)
    assert (
        '2 files, 1 not readable (gl2.csv, line 1: the header has no column "Amount"'
        in source(tmp_path).check()
    )


def test_a_missing_folder_and_an_unknown_address_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder") as caught:
        source(tmp_path / "nowhere").check()
    assert caught.value.field == "folder"
    layout = {"match": "*", "into": "ledger", "columns": COLUMNS}
    for address in ("nosuch://bucket", "s3://bucket"):
        with pytest.raises(InputError) as caught:
            FinanceFiles("finance", configured(address, layout), tmp_path).check()
        assert caught.value.field == "folder"


def test_a_folder_may_be_anywhere_fsspec_reaches(tmp_path: Path) -> None:
    files = fsspec.filesystem("memory")
    files.pipe("/acme/finance/2026/gl.csv", (HEADER + ROW).encode())
    layout = {"match": "**/gl.csv", "into": "ledger", "columns": COLUMNS}
    finance = FinanceFiles("finance", configured("memory://acme/finance", layout), tmp_path)
    assert [record["key"] for record in records(finance, tmp_path)] == ["2026/gl.csv:2"]


def test_a_file_that_two_layouts_would_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "gl.csv", HEADER + ROW)
    with pytest.raises(InputError, match="matched by two layouts"):
        pull(source(tmp_path, {}, {"match": "*.csv"}), tmp_path)


def test_a_file_that_is_being_written_waits_for_the_next_pull(tmp_path: Path) -> None:
    write(tmp_path / "gl1.csv", HEADER + ROW, modified=1_000_000_000)
    growing = write(tmp_path / "gl2.csv", HEADER + ROW)
    config = source(tmp_path)._config.model_copy(update={"settle_seconds": 0.4})
    finance = FinanceFiles("finance", config, tmp_path)
    ended = threading.Event()

    def append() -> None:
        while not ended.wait(0.02):
            with growing.open("a") as file:
                file.write(OTHER)

    writer = threading.Thread(target=append)
    writer.start()
    try:
        first, accounts = finance.pull({}, Landing(tmp_path / ".landing"), lambda *_: None)
    finally:
        ended.set()
        writer.join()
    assert [record["key"] for record in landed(tmp_path, first)] == ["gl1.csv:2"]
    assert {each["file"]: each["state"] for each in landed(tmp_path, accounts)} == {
        "gl1.csv": "read",
        "gl2.csv": "waiting",
    }
    lines = len(growing.read_text().splitlines())
    second = finance.pull({"ledger": str(first.cursor_to)}, Landing(tmp_path / ".landing"), lambda *_: None)[
        0
    ]
    assert second.rows == lines - 1


def test_a_young_file_whose_last_line_has_no_end_waits(tmp_path: Path) -> None:
    path = write(tmp_path / "gl.csv", (HEADER + ROW + OTHER)[:-1])
    assert pull(source(tmp_path), tmp_path).rows == 0
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert pull(source(tmp_path), tmp_path).rows == 2


def test_progress_is_told_with_the_rows_so_far(tmp_path: Path) -> None:
    write(tmp_path / "gl.csv", HEADER + ROW * 150_000)
    told: list[tuple[str, str, int]] = []
    source(tmp_path).pull({}, Landing(tmp_path / ".landing"), lambda *args: told.append(args))
    assert [each[:2] for each in told] == [("finance", "ledger")] * len(told)
    so_far = [rows for _, _, rows in told]
    assert so_far == sorted(so_far)
    assert len(set(so_far)) > 2
    assert so_far[-1] == 150_000


@pytest.mark.parametrize(("key", "block"), [(None, 1 << 30), (["document"], 1 << 14)])
def test_memory_stays_flat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: list[str] | None, block: int
) -> None:
    monkeypatch.setattr(bulk, "_BLOCK_BYTES", block)
    monkeypatch.setattr(bulk, "_LEAST_BYTES", 10 * block)
    peaks = []
    for rows in (4_000, 16_000):
        text = "".join(f"2026-10-05,4000,4100,{n}.50,EUR,document number {n}\n" for n in range(rows))
        write(tmp_path / "gl.csv", HEADER + text)
        del text
        tracemalloc.start()
        assert pull(source(tmp_path, {"key": key}), tmp_path).rows == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # 12,000 rows more as records would be over 14 MB, their keys alone over 1 MB.
    assert peaks[1] - peaks[0] < 800_000, peaks


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=8)
POSTING = st.tuples(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(-(10**9), 10**9), CELLS)
BLANK = st.sampled_from([[], ["", "", "", "", "", ""], [" ", "\t", "", "", "", ""]])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.one_of(POSTING, BLANK), max_size=20), ending=st.sampled_from(["\n", "\r\n", "\r"]))
def test_rows_in_are_rows_landed_and_blank_rows(
    tmp_path: Path, rows: list[tuple[date, int, str] | list[str]], ending: str
) -> None:
    text = HEADER.replace("\n", ending)
    expected = []
    for row in rows:
        if isinstance(row, tuple):
            cells = [row[0].isoformat(), "4000", "", f"{row[1] / 100:.2f}", "EUR", row[2]]
            expected.append(cells)
            text += ",".join(cells[:5]) + ',"' + cells[5].replace('"', '""') + '"' + ending
        else:
            text += ",".join(row) + ending
    (tmp_path / "gl.csv").write_bytes(text.encode())
    found = records(source(tmp_path), tmp_path)
    assert len(found) == len(rows) - sum(isinstance(row, list) for row in rows)
    assert [list(record["cells"].values()) for record in found] == expected
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for record, cells in zip(found, expected, strict=True):
        assert lines[record["row"] - 1].startswith(f"{cells[0]},4000,,{cells[3]},EUR")


CONFIGS: list[tuple[dict[str, Any], str]] = [
    ({"columns": {"date": "Date"}}, "needs a column or a constant for account, amount, currency"),
    ({"columns": {}, "profile": "navision"}, "profile"),
    ({"headings": "document"}, "headings"),
    ({"columns": COLUMNS | {"colour": "Colour"}}, "ledger has no field colour"),
    ({"constants": {"currency": "EUR"}}, "give either a column or a constant"),
    ({"key": ["line"]}, "no column or constant gives line"),
    ({"encoding": "utf-9"}, "there is no encoding 'utf-9'"),
    ({"decimal_mark": "'"}, "decimal_mark"),
    ({"delimiter": ";;"}, "delimiter"),
    ({"columns": COLUMNS, "constants": {"posted_at": "2026-10-05"}}, "dates and amounts come from columns"),
    ({"footer": 2}, "footer"),
]


@pytest.mark.parametrize(("layout", "said"), CONFIGS)
def test_a_layout_that_cannot_work_is_refused_when_it_is_read(
    tmp_path: Path, layout: dict[str, Any], said: str
) -> None:
    make: Callable[[], FinanceFiles] = lambda: source(tmp_path, layout)  # noqa: E731
    with pytest.raises(ValueError, match=said):
        make()
