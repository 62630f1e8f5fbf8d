"""Exports of well-known systems, laid out as their reports are, read by the name of the system alone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.finance.layouts import Layout
from connectors.finance.profiles import NAMES
from tests.connectors.finance_folder import Folder

QUICKBOOKS = """\
Acme Inc,,,,,,,,
General Ledger,,,,,,,,
"January 1 - December 31, 2026",,,,,,,,
,,,,,,,,
,Date,Transaction Type,Num,Name,Memo/Description,Split,Amount,Balance
4000 Sales,,,,,,,,
,01/01/2026,,,,Beginning Balance,,,0.00
,01/31/2026,Invoice,1001,Globex,Licences,Accounts Receivable,"4,250.00","4,250.00"
,02/05/2026,Credit Memo,CM-7,Globex,Returned,Accounts Receivable,-$250.00,"4,000.00"
Total for 4000 Sales,,,,,,,"$4,000.00",
5000 Travel,,,,,,,,
,03/26/2026,Expense,,Rail,Tickets,Bank,(420.81),"(420.81)"
Total for 5000 Travel,,,,,,,"-420.81",
TOTAL,,,,,,,"$3,579.19",
,,,,,,,,
"Accrual Basis Thursday, April 2, 2026 10:00 AM GMT",,,,,,,,
"""
XERO = """\
General Ledger Detail
Acme Ltd
For the period 1 January 2026 to 31 March 2026

Date,Source,Description,Reference,Debit,Credit,Running Balance
Sales (200),,,,,,
Opening Balance,,,,0.00,,0.00
31 Jan 2026,Receivable Invoice,Licences,INV-1,0.00,"4,250.00","(4,250.00)"
5 Feb 2026,Receivable Credit Note,Returned,CN-7,250.00,0.00,"(4,000.00)"
Total Sales (200),,,,250.00,"4,250.00","(4,000.00)"
Net movement,,,,,"4,000.00",
Travel (493),,,,,,
26 Mar 2026,Spend Money,Tickets,,420.81,,420.81
Total Travel (493),,,,420.81,0.00,420.81
Total,,,,670.81,"4,250.00","(3,579.19)"
"""
NETSUITE = """\
Account,Type,Date,Document Number,Name,Memo,Department,Amount (Debit),Amount (Credit)
4000 Sales,Invoice,1/31/2026,INV1001,Globex,Licences,Sales,,"4,250.00"
4000 Sales,Credit Memo,2/5/2026,CM7,Globex,Returned,Sales,$250.00,
5000 Travel,Expense Report,3/26/2026,ER3,Rail,Tickets,Ops,420.81,
Total,,,,,,,670.81,"4,250.00"
"""
SAP = """\
G/L Account;DocumentNo;Type;Doc. Date;Pstng Date;Amount in local cur.;LCurr;Cost Ctr;Text
400000;1800000001;RV;30.01.2026;31.01.2026;4.250,00-;EUR;;Lizenzen
400000;1800000002;RV;05.02.2026;05.02.2026;250,00;EUR;;Gutschrift
*;;;;;4.000,00-;EUR;;
500000;1900000001;KR;26.03.2026;26.03.2026;420,81;EUR;4100;Fahrkarten
*;;;;;420,81;EUR;;
**;;;;;3.579,19-;EUR;;
"""
DAYS = ["2026-01-31", "2026-02-05", "2026-03-26"]
CASES = {
    "quickbooks_online": (QUICKBOOKS, ["4250.00", "-250.00", "-420.81"], ["4000 Sales", "4000 Sales", "5000 Travel"]),
    "xero": (XERO, ["-4250.00", "250.00", "420.81"], ["Sales (200)", "Sales (200)", "Travel (493)"]),
    "netsuite": (NETSUITE, ["-4250.00", "250.00", "420.81"], ["4000 Sales", "4000 Sales", "5000 Travel"]),
    "sap_fbl3n": (SAP, ["-4250.00", "250.00", "420.81"], ["400000", "400000", "500000"]),
    "generic": (SAP.replace("Amount in local cur.", "Amount"), ["-4250.00", "250.00", "420.81"], ["400000", "400000", "500000"]),
}  # fmt: skip


def folder_of(root: Path, profile: str, **more: object) -> Folder:
    return Folder(root, profile=profile, columns={}, constants={}, **more)


@pytest.mark.parametrize("profile", CASES)
def test_an_export_is_read_by_the_name_of_its_system(tmp_path: Path, profile: str) -> None:
    text, amounts, accounts = CASES[profile]
    if profile == "generic":
        text = text.replace("Pstng Date", "Posting Date")
    folder = folder_of(tmp_path, profile)
    postings = folder.read("export.csv", text)
    assert [posting["date"] for posting in postings] == DAYS
    assert [Decimal(posting["amount"]) for posting in postings] == list(map(Decimal, amounts))
    assert [posting["account"] for posting in postings] == accounts
    account = folder.files["export.csv"]
    assert (account["quarantined"], account["loaded"]) == (0, 3)
    assert account["rows"] == len(text.splitlines())


@pytest.mark.parametrize("profile", ["quickbooks_online", "xero", "netsuite", "sap_fbl3n"])
def test_the_totals_of_a_report_are_its_check_sums(tmp_path: Path, profile: str) -> None:
    text = CASES[profile][0].replace("420.81", "421.81", 1).replace("420,81", "421,81", 1)
    folder = folder_of(tmp_path, profile)
    folder.read("export.csv", text)
    assert {each["field"] for each in folder.files["export.csv"]["quarantine"]} == {"total"}


def batch(begins: str, *rows: str, currency: str = "EUR") -> bytes:
    head = [
        "EXTF",
        "700",
        "21",
        "Buchungsstapel",
        "9",
        "20180306102500000",
        "",
        "",
        "",
        "",
        "1001",
        "456",
        begins,
        "4",
    ]
    head += ["20180201", "20180228", "", "", "1", "", "0", currency]
    names = "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Basisumsatz;Konto;"
    names += "Gegenkonto (ohne BU-Schlüssel);Belegdatum"
    return "\r\n".join([";".join(head), names, *rows, ""]).encode("cp1252")


def test_the_year_of_a_datev_day_is_that_of_its_financial_year(tmp_path: Path) -> None:
    rows = [f'1.234,50;"H";"";;1200;4940;{day}' for day in ("107", "3112", "101", "3006", "2902", "3113")]
    folder = folder_of(tmp_path, "datev")
    postings = folder.read("EXTF.csv", batch("20230701", *rows))
    found = [(each["date"], each["account"], each["amount"]) for each in postings]
    days = ["2023-07-01", "2023-12-31", "2024-01-01", "2024-06-30", "2024-02-29"]
    assert found == [each for day in days for each in ((day, "1200", "-1234.50"), (day, "4940", "1234.50"))]
    assert [each["field"] for each in folder.files["EXTF.csv"]["quarantine"]] == ["date"]


def test_a_datev_amount_in_another_currency_keeps_both(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "datev")
    first, second = folder.read(
        "EXTF.csv", batch("20180101", '100,00;"S";"USD";81,30;1200;8400;2102', currency="CHF")
    )
    assert (first["currency"], first["amount"], first["amount_company"]) == ("USD", "100.00", "81.30")
    assert (second["account"], second["amount"], second["amount_company"]) == ("8400", "-100.00", "-81.30")


def test_what_a_layout_says_itself_comes_before_its_profile() -> None:
    layout = Layout.model_validate(
        {"match": "*", "profile": "generic", "columns": {"account": "Nominal"}, "constants": {"cost_centre": "1"},
         "date_format": "%d.%m.%y"}
    )  # fmt: skip
    assert layout.columns["account"] == ("Nominal",)
    assert "cost_centre" not in layout.columns
    assert "Posting Date" in layout.columns["date"]
    assert (layout.into, layout.date_format) == ("ledger", "%d.%m.%y")


def test_every_profile_is_a_layout() -> None:
    for name in NAMES:
        assert Layout.model_validate({"match": "*", "profile": name}).profile == name
