"""Ledgers nobody here wrote, read as finance exports: every row and every sum is that of the file.

The oracle is csv.DictReader and Decimal over the same bytes.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import InputError
from connectors.finance_files import FinanceFiles, FinanceFilesConfig
from connectors.landing import Landing

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"
OXFORD = REAL / "finance_oxford"
XERO = REAL / "finance_xero"

needs_oxford = pytest.mark.skipif(not OXFORD.is_dir(), reason=f"the real records are not at {OXFORD}")
needs_xero = pytest.mark.skipif(not XERO.is_dir(), reason=f"the real records are not at {XERO}")

OXFORD_LAYOUT: dict[str, Any] = {
    "into": "ledger",
    "date_format": "%d/%m/%Y",
    "columns": {
        "date": ["Paid Date", "paid_date"],
        "account": ["Expenditure Code", "expenditure_code"],
        "account_type": ["Type", "caporrev", "Capital or Revenue", "Type of Expenditure"],
        "cost_centre": ["Service Area", "Organisational Unit", "Organisatonal Unit", "organisational_unit"],
        "amount": "Amount",
        "document": ["Trans No", "trans_no"],
        "counterparty": ["Supplier Name", "supplier_name"],
    },
    "constants": {"currency": "GBP"},
}
# One quarter has times for dates throughout, another a stray last line: both must be refused, not guessed at.
BROKEN = {
    "expenditure-over-500-apr-jun-2014.csv": (2, "Paid Date"),
    "expenditure-over-500-jan-mar-2014.csv": (3861, "paid_date"),
}


def oxford(match: str) -> FinanceFiles:
    config = FinanceFilesConfig.model_validate(
        {"type": "finance_files", "folder": str(OXFORD), "layouts": [OXFORD_LAYOUT | {"match": match}]}
    )
    return FinanceFiles("oxford", config, OXFORD)


def postings(finance: FinanceFiles, landing: Path) -> list[dict[str, Any]]:
    (manifest,) = finance.pull({}, Landing(landing), lambda *_: None)
    with gzip.open(landing / manifest.file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@needs_oxford
def test_fifteen_oxford_quarters_load_whole_through_one_layout(tmp_path: Path) -> None:
    total = 0
    for path in sorted(OXFORD.glob("*.csv")):
        if path.name in BROKEN:
            continue
        rows = table(path)
        found = postings(oxford(path.name), tmp_path / path.stem)
        assert [record["cells"] for record in found] == rows, path.name
        by_day: dict[str, Decimal] = defaultdict(Decimal)
        for record in found:
            by_day[record["posting"]["date"]] += Decimal(record["posting"]["amount"])
        expected: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows:
            canonical = {name.strip().lower().replace("_", " "): text for name, text in row.items()}
            day = "-".join(reversed(canonical["paid date"].split("/")))
            expected[day] += Decimal(canonical["amount"])
        assert by_day == expected, path.name
        assert all(record["posting"]["account"] and record["posting"]["cost_centre"] for record in found)
        total += len(found)
    assert total == 53_833


@needs_oxford
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_oxford_quarter_is_refused_with_its_line_and_column(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        postings(oxford(name), tmp_path)
    assert (caught.value.file, caught.value.line, caught.value.column_name) == (name, *BROKEN[name])
    assert "expected a date such as 31/10/2026" in str(caught.value) or "is blank" in str(caught.value)
    assert Landing(tmp_path).manifests() == []


@needs_xero
def test_every_xero_journal_balances_after_landing(tmp_path: Path) -> None:
    journals = {journal["journal_id"]: journal for journal in table(XERO / "xero_journal_data.csv")}
    lines = table(XERO / "xero_journal_line_data.csv")
    folder = tmp_path / "finance"
    folder.mkdir()
    with (folder / "journal.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0] | journals[lines[0]["journal_id"]]))
        writer.writeheader()
        writer.writerows(line | journals[line["journal_id"]] for line in lines)
    columns = {
        "date": "journal_date",
        "posted_at": "created_date_utc",
        "account": "account_id",
        "account_name": "account_name",
        "account_type": "account_type",
        "amount": "net_amount",
        "document": "journal_id",
        "line": "journal_line_id",
    }
    layout = {
        "match": "journal.csv",
        "into": "ledger",
        "columns": columns,
        "constants": {"currency": "CAD"},
        "key": ["document", "line"],
    }
    config = FinanceFilesConfig.model_validate(
        {"type": "finance_files", "folder": "finance", "layouts": [layout]}
    )
    found = postings(FinanceFiles("xero", config, tmp_path), tmp_path / "landing")

    assert {record["key"] for record in found} == {f"{x['journal_id']}/{x['journal_line_id']}" for x in lines}
    balances: dict[str, Decimal] = defaultdict(Decimal)
    by_account: dict[str, Decimal] = defaultdict(Decimal)
    for record in found:
        balances[record["posting"]["document"]] += Decimal(record["posting"]["amount"])
        by_account[record["posting"]["account"]] += Decimal(record["posting"]["amount"])
    assert len(found) == len(lines) == 4033
    assert set(balances.values()) == {Decimal(0)}
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        expected[line["account_id"]] += Decimal(line["net_amount"])
    assert by_account == expected
    for record in found:
        created = journals[record["posting"]["document"]]["created_date_utc"].removesuffix(" UTC")
        assert datetime.fromisoformat(record["posting"]["posted_at"]) == datetime.fromisoformat(
            f"{created}+00:00"
        )
