"""Ledgers nobody here wrote, read as finance exports: every row and every sum is that of the file.

The oracle is csv.DictReader and Decimal over the same bytes.
"""

from __future__ import annotations

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
from tests.real_records.ledgers import BROKEN, canonical, flat_journal, layout, table


def oxford(real_records: Path, match: str) -> FinanceFiles:
    folder = real_records / "finance_oxford"
    layouts = [layout("quarter", "oxford") | {"match": match}]
    config = FinanceFilesConfig.model_validate(
        {"type": "finance_files", "folder": str(folder), "layouts": layouts}
    )
    return FinanceFiles("oxford", config, folder)


def postings(finance: FinanceFiles, landing: Path) -> list[dict[str, Any]]:
    (manifest,) = finance.pull({}, Landing(landing), lambda *_: None)
    with gzip.open(landing / manifest.file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_fifteen_oxford_quarters_load_whole_through_one_layout(real_records: Path, tmp_path: Path) -> None:
    total = 0
    for path in sorted((real_records / "finance_oxford").glob("*.csv")):
        if path.name in BROKEN:
            continue
        rows = table(path)
        found = postings(oxford(real_records, path.name), tmp_path / path.stem)
        assert [record["cells"] for record in found] == rows, path.name
        by_day: dict[str, Decimal] = defaultdict(Decimal)
        for record in found:
            by_day[record["posting"]["date"]] += Decimal(record["posting"]["amount"])
        expected: dict[str, Decimal] = defaultdict(Decimal)
        for row in map(canonical, rows):
            expected[row["date"]] += Decimal(row["amount"])
        assert by_day == expected, path.name
        assert all(record["posting"]["account"] and record["posting"]["cost_centre"] for record in found)
        total += len(found)
    assert total == 53_833


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_oxford_quarter_is_refused_with_its_line_and_column(
    real_records: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InputError) as caught:
        postings(oxford(real_records, name), tmp_path)
    assert (caught.value.file, caught.value.line, caught.value.column_name) == (name, *BROKEN[name])
    assert "expected a date such as 31/10/2026" in str(caught.value) or "is blank" in str(caught.value)
    assert Landing(tmp_path).manifests() == []


def test_every_xero_journal_balances_after_landing(real_records: Path, tmp_path: Path) -> None:
    folder = tmp_path / "finance"
    folder.mkdir()
    flat_journal(real_records, folder)
    config = FinanceFilesConfig.model_validate(
        {"type": "finance_files", "folder": "finance", "layouts": [layout("six_years", "xero")]}
    )
    found = postings(FinanceFiles("xero", config, tmp_path), tmp_path / "landing")

    xero = real_records / "finance_xero"
    journals = {journal["journal_id"]: journal for journal in table(xero / "xero_journal_data.csv")}
    lines = table(xero / "xero_journal_line_data.csv")
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
