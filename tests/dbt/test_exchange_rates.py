"""Amounts in other currencies, by the last rate given up to their day; computed again here, in Python's decimals."""

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from tests.dbt.scratch_project import ScratchProject

FIRST = date(2026, 10, 1)
CENT = Decimal("0.01")


def test_amounts_are_in_the_companys_currency_by_the_rate_of_their_day(tmp_path: Path) -> None:
    chance = random.Random(4)
    rates: dict[tuple[str, date], Decimal] = {}
    for currency in ("USD", "GBP"):
        for day in sorted(chance.sample(range(3, 28), 6)):
            rates[currency, FIRST + timedelta(days=day)] = Decimal(
                chance.randrange(70_000_000, 130_000_000)
            ).scaleb(-8)
    postings: dict[str, dict[str, Any]] = {}
    for number in range(200):
        posting = {
            "date": (FIRST + timedelta(days=chance.randrange(30))).isoformat(),
            "account": "4",
            "amount": str(Decimal(chance.randrange(-(10**9), 10**9)).scaleb(-2)),
            "currency": chance.choice(["EUR", "USD", "GBP", "CHF", None]),
        }
        if number % 10 == 0:
            posting["amount_company"] = "7.77"
        postings[str(number)] = {"posting": posting}
    project = ScratchProject(tmp_path)
    project.write()
    project.begin(date(2026, 10, 30))
    given = {
        f"{currency}/{day}": {"posting": {"date": day.isoformat(), "currency": currency, "rate": str(rate)}}
        for (currency, day), rate in rates.items()
    }
    withdrawn = {"posting": {"date": "2026-10-01", "currency": "CHF", "rate": "9"}, "gone": True}
    project.land("finance_rates", {**given, "CHF/2026-10-01": withdrawn})
    project.land("finance_ledger", postings)
    line = {"month": "2026-11", "account": "4", "amount": "100.00", "currency": "USD"}
    project.land("finance_budgets", {"b": {"posting": line}})
    project.build("ledger_entries", "budget_lines")

    def company_amount(posting: dict[str, Any]) -> Decimal | None:
        if "amount_company" in posting:
            return Decimal(posting["amount_company"])
        if posting["currency"] in {"EUR", None}:
            return Decimal(posting["amount"])
        day = date.fromisoformat(posting["date"])
        known = [when for currency, when in rates if currency == posting["currency"] and when <= day]
        if not known:
            return None
        exact = Decimal(posting["amount"]) * rates[posting["currency"], max(known)]
        return exact.quantize(CENT, ROUND_HALF_UP)

    found = {
        row["entry_id"]: row["amount_company"] for row in project.rows("select * from flow.ledger_entries")
    }
    assert found == {f"finance/{key}": company_amount(each["posting"]) for key, each in postings.items()}
    assert None in found.values() and len(found) == 200
    (budget,) = project.rows("select amount_company from flow.budget_lines")
    assert budget["amount_company"] == company_amount({**line, "date": "2026-11-01"})
