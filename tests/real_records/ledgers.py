"""Oxford's payments and Xero's journals as the folders of exports that a finance system would leave."""

import csv
import shutil
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

Row = dict[str, str]

WORKSPACES = Path(__file__).parent / "workspaces"
# One quarter has times for dates throughout and is refused; in another a stray last line goes to quarantine.
NO_DATES = "expenditure-over-500-apr-jun-2014.csv"
STRAY_LINE = "expenditure-over-500-jan-mar-2014.csv"


def layout(workspace: str, source: str) -> dict[str, Any]:
    """The ledger layout that a workspace's plumbline.yml gives a source."""
    described = yaml.safe_load((WORKSPACES / workspace / "plumbline.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = described["sources"][source]["layouts"][0]
    return found


def table(path: Path) -> list[Row]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def canonical(row: Row) -> Row:
    """A row of Oxford's under one spelling of its headers, of which the quarters have fifteen."""
    plain = {name.strip().lower().replace("_", " "): text for name, text in row.items()}
    (kind,) = (plain[name] for name in _KIND if name in plain)
    (area,) = (plain[name] for name in _AREA if name in plain)
    day = "-".join(reversed(plain["paid date"].split("/")))
    return {"date": day, "kind": kind.strip(), "area": area.strip(), "amount": plain["amount"]}


_KIND = ("type", "caporrev", "capital or revenue", "type of expenditure")
_AREA = ("service area", "organisational unit", "organisatonal unit")


def copy_oxford(real_records: Path, folder: Path) -> None:
    """Every quarter as it is, the two that are broken, too."""
    for path in (real_records / "finance_oxford").glob("*.csv"):
        # With its time: what is young and ends without the end of a line waits.
        shutil.copy2(path, folder)


def plan_as_last_year(real_records: Path, folder: Path) -> None:
    """A budget for the last quarter of 2016: what was paid a year before, by month, kind and service area."""
    paid: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in table(real_records / "finance_oxford" / "expenditure-over-500-oct-dec-2015.csv"):
        payment = canonical(row)
        month = payment["date"].replace("2015", "2016")[:7]
        paid[f"{month}-01", payment["kind"], payment["area"]] += Decimal(payment["amount"])
    lines = [
        {"Month": month, "Account": "all", "Type": kind, "Service Area": area, "Amount": str(amount)}
        for (month, kind, area), amount in sorted(paid.items())
    ]
    _write(folder / "plan.csv", lines)


def flat_journal(real_records: Path, folder: Path) -> None:
    """Xero's journal lines with their journals: a line has no date of its own."""
    xero = real_records / "finance_xero"
    journals = {journal["journal_id"]: journal for journal in table(xero / "xero_journal_data.csv")}
    lines = table(xero / "xero_journal_line_data.csv")
    _write(folder / "journal.csv", [line | journals[line["journal_id"]] for line in lines])


def _write(path: Path, lines: list[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
