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

from connectors.finance.connector import FinanceFiles, FinanceFilesConfig
from connectors.landing import Landing
from tests.real_records.ledgers import NO_DATES, STRAY_LINE, canonical, flat_journal, layout, table


def exports(folder: Path, layout: dict[str, Any]) -> FinanceFiles:
    config = FinanceFilesConfig.model_validate(
        {"type": "finance_files", "folder": str(folder), "layouts": [layout], "settle_seconds": 0}
    )
    return FinanceFiles("finance", config, folder)


def pulled(finance: FinanceFiles, landing: Path) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The postings, and the account of each file by its name."""
    manifests = finance.pull({}, Landing(landing), lambda *_: None)
    ledger, files = (
        [json.loads(line) for line in gzip.decompress((landing / each.file).read_bytes()).splitlines()]
        for each in manifests
    )
    return ledger, {each["file"]: each for each in files}


def test_seventeen_oxford_quarters_are_read_through_one_layout_and_every_row_is_accounted_for(
    real_records: Path, tmp_path: Path
) -> None:
    said = layout("quarter", "oxford")
    del said["date_format"]
    postings, files = pulled(exports(real_records / "finance_oxford", said), tmp_path)
    by_file: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for posting in postings:
        by_file[posting["file"]].append(posting)
    paths = sorted((real_records / "finance_oxford").glob("*.csv"))
    assert {path.name for path in paths} == files.keys()
    for path in paths:
        account, found = files[path.name], by_file[path.name]
        if path.name == NO_DATES:
            assert (account["state"], account["row"], found) == ("refused", 2, [])
            assert 'column "Paid Date"' in account["reason"]
            continue
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
        assert (
            account["rows"] == len(rows) == account["loaded"] + account["quarantined"] + account["no_data"]
        ), path.name
        blank = sum(not any(map(str.strip, row)) for row in rows)
        assert account["no_data_by_kind"] == {
            "above": 0,
            "header": 1,
            "blank": blank,
            "total": 0,
            "note": 0,
        }, path.name
        stray = [number for number, row in enumerate(rows, start=1) if row[2] == "xxx"]
        assert [each["row"] for each in account["quarantine"]] == stray, path.name
        sound = [row for row in table(path) if any(row.values()) and "xxx" not in row.values()]
        assert [record["cells"] for record in found] == sound, path.name
        by_day: dict[str, Decimal] = defaultdict(Decimal)
        for record in found:
            by_day[record["posting"]["date"]] += Decimal(record["posting"]["amount"])
        expected: dict[str, Decimal] = defaultdict(Decimal)
        for row in map(canonical, sound):
            expected[row["date"]] += Decimal(row["amount"])
        assert by_day == expected, path.name
        assert all(record["posting"]["account"] and record["posting"]["cost_centre"] for record in found)
    assert len(files[STRAY_LINE]["quarantine"]) == 1


def test_a_datev_batch_is_read_with_its_year_its_sides_and_both_of_its_accounts(
    real_records: Path, tmp_path: Path
) -> None:
    path = real_records / "finance_datev" / "EXTF_Buchungsstapel.csv"
    postings, files = pulled(exports(path.parent, {"match": "EXTF*.csv", "profile": "datev"}), tmp_path)
    head, names, *rows = list(csv.reader(path.open(newline="", encoding="cp1252"), delimiter=";"))
    expected = []
    for row in rows:
        line = dict(zip(names, row, strict=True))
        amount = Decimal(line["Umsatz (ohne Soll/Haben-Kz)"].replace(",", "."))
        signed = amount if line["Soll/Haben-Kennzeichen"] == "S" else -amount
        text = line["Belegdatum"].zfill(4)
        day = f"{head[12][:4]}-{text[2:]}-{text[:2]}"
        text = line["Buchungstext"]
        expected += [
            (day, line["Konto"], signed, "EUR", text),
            (day, line["Gegenkonto (ohne BU-Schlüssel)"], -signed, "EUR", text),
        ]
    told = [each["posting"] for each in postings]
    assert [
        (each["date"], each["account"], Decimal(each["amount"]), each["currency"], each["description"])
        for each in told
    ] == expected
    assert len({each["key"] for each in postings}) == 2 * len(rows) == 4
    account = files[path.name]
    assert (account["rows"], account["loaded"], account["postings"], account["quarantined"]) == (4, 2, 4, 0)


def test_every_xero_journal_balances_after_landing(real_records: Path, tmp_path: Path) -> None:
    folder = tmp_path / "finance"
    folder.mkdir()
    flat_journal(real_records, folder)
    found, _ = pulled(
        exports(folder, {"match": "journal.csv", "profile": "xero", "key": ["document", "line"]}),
        tmp_path / "landing",
    )

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
