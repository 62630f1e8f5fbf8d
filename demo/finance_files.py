"""The files the finance system exports: a ledger per month as CSV in German notation, a budget per year as XLSX."""

from __future__ import annotations

import csv
import io
import os
import re
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl

from demo.clock import local
from demo.finance import BudgetLine, Posting, last_entry

LEDGER_HEADER = (
    "Posting Date", "Entered", "Document No", "Line", "Account", "Account Name", "Account Type", "Cost Centre",
    "Description", "Counterparty", "Amount", "Currency", "Amount EUR",
)  # fmt: skip
BUDGET_HEADER = ("Month", "Account", "Account Name", "Account Type", "Cost Centre", "Amount")
# The next year's budget is approved before the year begins.
_APPROVED = {2025: date(2024, 12, 16), 2026: date(2025, 10, 1), 2027: date(2026, 12, 14)}
_ZIP_TIME = (2025, 1, 1, 0, 0, 0)


def write_finance_files(folder: Path, postings: list[Posting], budget: list[BudgetLine], day: date) -> None:
    """Writes `gl_YYYY-MM.csv` and `budget_YYYY.xlsx` as they lie in the folder on the evening of `day`.

    The same postings give the same bytes and times; exports of other days are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    months: dict[str, list[Posting]] = {}
    for posting in postings:
        months.setdefault(f"gl_{posting.day:%Y-%m}.csv", []).append(posting)
    years: dict[str, list[BudgetLine]] = {}
    for line in budget:
        if _APPROVED[line.month.year] <= day:
            years.setdefault(f"budget_{line.month.year}.xlsx", []).append(line)
    for stale in (*folder.glob("gl_*.csv"), *folder.glob("budget_*.xlsx")):
        if stale.name not in months and stale.name not in years:
            stale.unlink()
    for name, rows in months.items():
        _put(folder / name, _ledger_bytes(rows), last_entry(rows))
    for name, lines in years.items():
        _put(folder / name, _budget_bytes(lines), local(_APPROVED[lines[0].month.year], 16).timestamp())


def _put(path: Path, content: bytes, modified: float) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)
    os.utime(path, (modified, modified))


def _ledger_bytes(postings: list[Posting]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(LEDGER_HEADER)
    for p in postings:
        writer.writerow((
            f"{p.day:%d.%m.%Y}", f"{p.posted_at:%d.%m.%Y}", p.document, p.line, p.account.number, p.account.name,
            p.account.kind, p.cost_centre, p.description, p.counterparty, _german(p.amount), p.currency,
            _german(p.amount_company),
        ))  # fmt: skip
    return text.getvalue().encode("utf-8-sig")


def _german(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")


def _budget_bytes(lines: list[BudgetLine]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    if sheet is None:
        sheet = book.create_sheet()
    sheet.title = "Budget"
    sheet.append(BUDGET_HEADER)
    for line in lines:
        month = datetime(line.month.year, line.month.month, 1)  # noqa: DTZ001 - a spreadsheet date has no zone
        sheet.append(
            (
                month,
                line.account.number,
                line.account.name,
                line.account.kind,
                line.cost_centre,
                int(line.amount),
            )
        )
    for cell in sheet["A"][1:]:
        cell.number_format = "yyyy-mm"
    saved = io.BytesIO()
    book.save(saved)
    return _without_clock(saved.getvalue())


def _without_clock(workbook: bytes) -> bytes:
    """The same workbook without the time of saving, so that equal content is equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2025-01-01T00:00:00Z", content)
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return out.getvalue()
