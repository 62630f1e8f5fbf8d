"""What finance really sends: every row is loaded, in quarantine or known to be no data, and forms are proved on the file."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import InputError
from connectors.finance import copies
from connectors.finance.connector import FinanceFiles, Layout
from tests.connectors.finance_folder import Folder

HEADER = "Date,Account,Amount,Document\n"
ROWS = "31/10/2026,4000,10.50,D1\n01/11/2026,4000,-2.25,D2\n"
READ = [("2026-10-31", "10.50"), ("2026-11-01", "-2.25")]

REPORT = """\
Acme Ltd,,,
"General Ledger, October",,,
,,,
Date,Account,Amount,Document
31/10/2026,4000,10.50,D1
01/11/2026,4000,(2.25),D2
Total 4000,,8.25,
,,,
Date,Account,Amount,Document
02/11/2026,5000,"1,000.00",D3
Total 5000,,"1,000.00",
--------,--------,--------,--------
Grand total,,"1,008.25",
Closing balance,,99.00,
Printed by somebody on 5 November
"""


def seen(postings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(posting["date"], posting["amount"]) for posting in postings]


def test_a_report_is_read_between_its_title_its_totals_and_its_footer(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert seen(folder.read("gl.csv", REPORT)) == [*READ, ("2026-11-02", "1000.00")]
    account = folder.files["gl.csv"]
    assert account["no_data_by_kind"] == {"above": 3, "header": 2, "blank": 1, "total": 4, "note": 2}
    assert account["rows"] == len(list(csv.reader(io.StringIO(REPORT)))) == 15
    assert (account["loaded"], account["quarantined"], account["no_data"]) == (3, 0, 12)


def test_a_total_that_the_rows_do_not_add_up_to_is_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert len(folder.read("gl.csv", REPORT.replace("(2.25)", "(2.35)"))) == 3
    found = [(each["row"], each["field"], each["column"]) for each in folder.files["gl.csv"]["quarantine"]]
    assert found == [(7, "total", "Amount"), (13, "total", "Amount")]


def test_a_posting_is_no_total_because_of_whom_it_was_paid_to(tmp_path: Path) -> None:
    text = HEADER + ROWS + "02/11/2026,,50.00,Total Energies\n,4000,60.00,Total Energies\n"
    folder = Folder(tmp_path)
    assert len(folder.read("gl.csv", text)) == 2
    account = folder.files["gl.csv"]
    assert [each["field"] for each in account["quarantine"]] == ["account", "total"]
    assert account["no_data_by_kind"]["total"] == 0


def test_rows_that_cannot_be_read_go_to_quarantine_and_the_rest_loads(tmp_path: Path) -> None:
    text = (
        HEADER
        + ROWS
        + "02/11/2026,4000,twelve,D3\n31/02/2026,4000,1,D4\n03/11/2026, ,1,D5\n04/11/2026,4000\n"
        + ("05/11/2026,4000,1,D6,x\n06/11/2026,4000,3.00,D7\n")
    )
    folder = Folder(tmp_path)
    assert seen(folder.read("gl.csv", text)) == [*READ, ("2026-11-06", "3.00")]
    account = folder.files["gl.csv"]
    assert [(each["row"], each["field"], each["column"]) for each in account["quarantine"]] == [
        (4, "amount", "Amount"), (5, "date", "Date"), (6, "account", "Account"), (7, "row", ""), (8, "row", ""),
    ]  # fmt: skip
    assert account["quarantine"][0]["cells"]["Amount"] == "twelve"
    assert account["quarantine"][0]["reason"] == (
        'column "Amount": the amount is unreadable, expected an amount such as -1,234.50'
    )
    assert account["quarantine"][4]["cells"]["cell 5"] == "x"
    assert "twelve" not in account["quarantine"][0]["reason"], "what finance files hold is not for everybody"

    mended = text.replace("twelve", "12")
    folder.read("gl.csv", mended)
    assert [each["row"] for each in folder.files["gl.csv"]["quarantine"]] == [5, 6, 7, 8]
    assert folder.ledger["gl.csv:4"]["posting"]["amount"] == "12"


def test_one_broken_file_stops_no_other_and_keeps_what_it_said_before(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("a.csv", HEADER + ROWS)
    folder.write("b.csv", HEADER + ROWS.replace("D", "E"))
    assert folder.pull() == 4
    folder.write("a.csv", HEADER + "31/10/2026,4000,1,D1\n" * 400 + "x,4000,1,D1\n" * 30)
    folder.write("c.csv", HEADER + ROWS.replace("D", "F"))
    assert folder.pull() == 2
    assert {name: each["state"] for name, each in folder.files.items()} == {
        "a.csv": "refused",
        "b.csv": "read",
        "c.csv": "read",
    }
    assert folder.files["a.csv"]["row"] == 402
    assert len(folder.standing) == 6
    assert folder.pull() == 0
    folder.write("a.csv", HEADER + "31/10/2026,4000,1,D1\n" * 400)
    assert folder.pull() == 400
    assert folder.files["a.csv"]["state"] == "read"


def test_a_refused_file_that_is_taken_away_is_forgotten(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("a.csv", HEADER + ROWS)
    folder.write("b.csv", "nothing,of,use\n")
    folder.pull()
    assert folder.files["b.csv"]["state"] == "refused"
    (folder.path / "b.csv").unlink()
    folder.pull()
    assert folder.files["b.csv"]["state"] == "gone"


TEXTS = {
    "comma": HEADER + ROWS,
    "semicolon and decimal comma": (HEADER + ROWS).replace(",", ";").replace(".", ","),
    "tab": (HEADER + ROWS).replace(",", "\t"),
    "pipe": (HEADER + ROWS).replace(",", "|"),
    "CRLF": (HEADER + ROWS).replace("\n", "\r\n"),
    "bare CR": (HEADER + ROWS).replace("\n", "\r"),
    "trailing minus": HEADER + ROWS.replace("-2.25", "2.25-"),
    "currency sign": HEADER + ROWS.replace("-2.25", "-$2.25"),
    "dots": HEADER + ROWS.replace("/", "."),
    "month first": HEADER + ROWS.replace("31/10", "10/31").replace("01/11", "11/01"),
    "ISO": HEADER + ROWS.replace("31/10/2026", "2026-10-31").replace("01/11/2026", "2026-11-01"),
    "without marks": HEADER + ROWS.replace("31/10/2026", "20261031").replace("01/11/2026", "20261101"),
    "month by name": HEADER + ROWS.replace("31/10/2026", "31-Oct-2026").replace("01/11/2026", "01-Nov-2026"),
    "with a time": HEADER + ROWS.replace("2026", "2026 00:00:00"),
    "two digits": HEADER + ROWS.replace("2026", "26"),
    "day numbers": HEADER + ROWS.replace("31/10/2026", "46326").replace("01/11/2026", "46327"),
}


@pytest.mark.parametrize("form", TEXTS)
def test_the_form_of_a_file_is_found(tmp_path: Path, form: str) -> None:
    assert seen(Folder(tmp_path).read("gl.csv", TEXTS[form])) == READ


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
     ("utf-16-be", "utf-16-be")],
)  # fmt: skip
def test_the_encoding_of_a_file_is_found(tmp_path: Path, encoding: str, told: str) -> None:
    folder = Folder(tmp_path)
    (_, posting) = folder.read("gl.csv", (HEADER + ROWS.replace("D2", "Café – 5 €")).encode(encoding))
    assert posting["document"] == "Café – 5 €"
    assert folder.files["gl.csv"]["forms"]["encoding"] == told


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.dates(date(1990, 1, 1), date(2068, 12, 31)), min_size=1, max_size=8),
    form=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%y", "%m-%d-%y", "%Y-%m-%d", "%d.%m.%Y"]),
)
def test_dates_are_read_as_written_or_the_file_is_refused(
    tmp_path: Path, days: list[date], form: str
) -> None:
    text = HEADER + "".join(f"{day.strftime(form)},4000,{n}.5,D\n" for n, day in enumerate(days, start=1))
    two_ways = form[0:2] in {"%d", "%m"} and "." not in form
    is_proved = not two_ways or any(day.day > 12 for day in days) or all(day.day == day.month for day in days)
    (tmp_path / "landing").mkdir(exist_ok=True)
    folder = Folder(tmp_path)
    folder.write("gl.csv", text)
    if is_proved:
        folder.pull()
        read = [record["posting"]["date"] for record in folder.ledger.values()]
        assert read == [day.isoformat() for day in days]
    else:
        with pytest.raises(InputError, match="could be a date such as"):
            folder.pull()


def packed(name: str, **files: str) -> bytes:
    if name.endswith(".gz"):
        return gzip.compress(next(iter(files.values())).encode())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return content.getvalue()


@pytest.mark.parametrize("name", ["gl.csv.gz", "gl.zip"])
def test_packed_files_are_read(tmp_path: Path, name: str) -> None:
    folder = Folder(tmp_path)
    assert seen(folder.read(name, packed(name, **{"october.csv": HEADER + ROWS}))) == READ
    assert list(folder.ledger) == [f"{name}:2", f"{name}:3"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gl.csv.gz", packed("gl.csv.gz", x=HEADER + ROWS)[:-9], "cannot be unpacked"),
        ("gl.csv.gz", (HEADER + ROWS).encode(), "cannot be unpacked"),
        ("gl.zip", packed("gl.zip", a=HEADER, b=HEADER), "holds 2 files"),
        ("gl.zip", packed("gl.zip", a="0" * 400_000), "unpacks to over"),
        ("gl.csv.gz", packed("gl.csv.gz", a="0" * 400_000), "unpacks to over"),
        ("gl.xlsx", packed("gl.xlsx", a="0" * 400_000), "unpacks to over"),
    ],
    # Not by the content: it bears the time, and all workers must find tests of the same names.
    ids=["cut", "no gzip", "two files", "zip bomb", "gzip bomb", "workbook bomb"],
)
def test_an_archive_that_is_broken_or_a_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, said: str
) -> None:
    monkeypatch.setattr(copies, "_ALWAYS_ALLOWED", 100_000)
    folder = Folder(tmp_path)
    folder.write(name, content)
    with pytest.raises(InputError, match=said):
        folder.pull()


CELL = st.sampled_from(
    ["", " ", "4000", "12.50", "x", "Total", "Summe", "31/10/2026", "10/2026", "-", "Saldo", "1,5", '"']
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELL, max_size=6), max_size=12))
def test_whatever_stands_in_a_file_every_row_is_accounted_for(tmp_path: Path, rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["Date", "Account", "Amount", "Document"])
    writer.writerow(["31/10/2026", "4000", "0.50", "D0"])
    writer.writerows(rows)
    folder = Folder(tmp_path)
    folder.landing.root.mkdir(exist_ok=True)
    postings = folder.read("gl.csv", text.getvalue())
    account = folder.files["gl.csv"]
    assert account["rows"] == len(list(csv.reader(io.StringIO(text.getvalue()))))
    assert account["rows"] == account["loaded"] + account["quarantined"] + account["no_data"]
    assert account["loaded"] == len(postings) == account["postings"]
    # A row that names a day, an account and an amount is never taken for anything but a posting.
    whole = [
        row
        for row in rows
        if len(row) == 4 and row[0] == "31/10/2026" and row[1].strip() and row[2] in {"4000", "12.50"}
    ]
    assert sum(Decimal(each["amount"]) for each in postings) >= sum(Decimal(row[2]) for row in whole)


def test_excel_counts_days_from_its_own_zero() -> None:
    assert date(1899, 12, 30) + timedelta(days=46326) == date(2026, 10, 31)


def test_exchange_rates_are_a_layout_of_their_own(tmp_path: Path) -> None:
    columns = {"date": "Date", "currency": "Currency", "rate": "Rate"}
    layout = {"match": "rates*", "into": "rates", "columns": columns, "key": ["currency", "date"]}
    folder = Folder(tmp_path)
    config = folder.finance._config.model_copy(update={"layouts": (Layout.model_validate(layout),)})
    finance = FinanceFiles("finance", config, folder.path)
    folder.write("rates.csv", "Date;Currency;Rate\n31.10.2026;USD;0,92345678\n31.10.2026;GBP;\n")
    rates, files = finance.pull({}, folder.landing, lambda *_: None)
    (rate,) = folder._landed(rates.file)
    assert (rates.stream, rate["key"], rate["posting"]["rate"]) == ("rates", "USD/2026-10-31", "0.92345678")
    assert [each["field"] for each in folder._landed(files.file)[0]["quarantine"]] == ["rate"]
