"""The general ledger and the budgets: postings with the day they belong to and the day they were entered."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from demo import accounts
from demo.accounts import COST_CENTRES, Account
from demo.clock import CYCLE_END, HISTORY_START, is_working_day, local
from demo.company import stream
from demo.crm import PIPELINES, Crm
from demo.kanban import EvenDraws
from demo.texts import CARRIERS, COMPANIES

_CENT = Decimal("0.01")
# Euros per unit; the books convert at the year's fixed rate.
_RATES = {"EUR": Decimal("1"), "PLN": Decimal("0.2335"), "GBP": Decimal("1.1520")}

# Planned for a whole month, in euros: account, cost centre, amount.
_MONTHLY_PLAN: tuple[tuple[Account, str, int], ...] = (
    (accounts.FREIGHT_REVENUE, "2400", -5_150_000),
    (accounts.CONTRACT_REVENUE, "2400", -1_450_000),
    (accounts.PLATFORM_REVENUE, "2200", -160_000),
    (accounts.CARRIERS, "2400", 2_480_000),
    (accounts.FUEL, "2410", 420_000),
    (accounts.TOLLS, "2410", 210_000),
    (accounts.RENT, "1000", 240_000),
    (accounts.CLOUD, "2100", 96_000),
    (accounts.SOFTWARE, "2100", 41_000),
    (accounts.SOFTWARE, "2300", 12_000),
    (accounts.TRAVEL, "2300", 18_000),
    (accounts.TRAVEL, "2200", 6_000),
    (accounts.TRAINING_COST, "2600", 22_000),
    (accounts.MARKETING, "2300", 65_000),
)
_SALARIES = {
    "1000": 90_000, "2100": 305_000, "2200": 82_000, "2300": 118_000, "2400": 640_000, "2410": 270_000,
    "2500": 61_000, "2600": 47_000,
}  # fmt: skip
_SUBSCRIPTIONS = (
    (accounts.CLOUD, "2100", 96_000, "Nimbus Cloud EMEA"),
    (accounts.SOFTWARE, "2100", 41_000, "Lizenzkontor"),
    (accounts.SOFTWARE, "2300", 12_000, "Lizenzkontor"),
    (accounts.TRAINING_COST, "2600", 22_000, "Fahrschule Nordlicht"),
)
_EXPENSES = (
    (accounts.TRAVEL, "2300", 18_000),
    (accounts.TRAVEL, "2200", 6_000),
    (accounts.MARKETING, "2300", 65_000),
)
_SOCIAL_SHARE = Decimal("0.21")


@dataclass(frozen=True, slots=True)
class Posting:
    """One ledger line. `amount` is in `currency`, `amount_company` in euros; expenses positive, revenue negative.

    `day` is the day it belongs to, `posted_at` the day it was entered and from which on it is visible.
    """

    day: date
    posted_at: date
    document: str
    line: int
    account: Account
    cost_centre: str
    description: str
    counterparty: str
    amount: Decimal
    currency: str
    amount_company: Decimal


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """The plan of one month for one account and cost centre, in euros."""

    month: date
    account: Account
    cost_centre: str
    amount: Decimal


@dataclass
class Books:
    """All postings in order of entry, and all budget lines."""

    postings: list[Posting] = field(default_factory=list)
    budget: list[BudgetLine] = field(default_factory=list)
    _documents: int = 0

    def post(
        self, day: date, entered: date, lines: list[tuple[Account, str, str, str, Decimal, str]]
    ) -> None:
        """Enters one document: lines of account, cost centre, description, counterparty, amount and currency."""
        self._documents += 1
        document = f"JE-{self._documents:06d}"
        for number, (account, centre, text, party, amount, currency) in enumerate(lines, start=1):
            company = (amount * _RATES[currency]).quantize(_CENT)
            self.postings.append(
                Posting(
                    day, entered, document, number, account, centre, text, party, amount, currency, company
                )
            )


def keep_books(seed: int, crm: Crm) -> Books:
    """Plays the ledger of the whole history, revenue of won deals included, and writes the budgets."""
    books = Books(budget=_budget())
    rng = stream(seed, "finance")
    contracts = _contract_invoices(crm, stream(seed, "finance/contracts"))
    sizes, fares = EvenDraws(rng), EvenDraws(rng)
    for offset in range((CYCLE_END - HISTORY_START).days + 1):
        day = HISTORY_START + timedelta(days=offset)
        if is_working_day(day):
            _freight(books, day, sizes, rng)
            _carriers(books, day, fares, rng)
        for party, amount in contracts.get(day, ()):
            line = (accounts.CONTRACT_REVENUE, "2400", f"Contract invoice {day:%m/%Y}", party, -amount, "EUR")
            books.post(day, _entered(day, rng), [line])
        _month_work(books, day, rng)
    books.postings.sort(key=lambda posting: (posting.posted_at, posting.document, posting.line))
    return books


def _euros(value: float) -> Decimal:
    return Decimal(round(value * 100)) / 100


def _entered(day: date, rng: random.Random, late: float = 0.05) -> date:
    """Most lines are entered on their day; some come late, at times after the month was closed."""
    return day + timedelta(days=rng.choice((2, 3, 3, 4, 6, 9, 13))) if rng.random() < late else day


def _day_share(day: date) -> float:
    """Share of its month's plan that falls on a working day."""
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    days = (first + timedelta(days=n) for n in range((following - first).days))
    return 1 / sum(is_working_day(each) for each in days)


def _freight(books: Books, day: date, sizes: EvenDraws, rng: random.Random) -> None:
    total = 5_230_000 * _day_share(day)
    for _ in range(8):
        amount = _euros(total / 8 * sizes.lognormal(0.93, 0.38))
        party = rng.choice(COMPANIES)
        text = rng.choice(
            (f"Freight {day:%d.%m.}", f'Freight "{party}"; lane DE–PL', f"Freight, weekly run {day:%V}")
        )
        books.post(day, _entered(day, rng), [(accounts.FREIGHT_REVENUE, "2400", text, party, -amount, "EUR")])


def _carriers(books: Books, day: date, fares: EvenDraws, rng: random.Random) -> None:
    share = _day_share(day)
    plan = (
        (accounts.CARRIERS, "2400", 2_480_000, 12),
        (accounts.FUEL, "2410", 420_000, 3),
        (accounts.TOLLS, "2410", 210_000, 2),
    )
    for account, centre, month, count in plan:
        for _ in range(count):
            euros = _euros(month * share / count * fares.lognormal(0.945, 0.36))
            currency = rng.choices(("EUR", "PLN", "GBP"), (92, 6, 2))[0]
            amount = (euros / _RATES[currency]).quantize(_CENT)
            party = rng.choice(CARRIERS)
            text = (
                f"{account.name} {day:%d.%m.%Y}"
                if rng.random() < 0.95
                else f"{party} <Sammelrechnung> & Nachtrag"
            )
            books.post(day, _entered(day, rng, 0.04), [(account, centre, text, party, amount, currency)])


def _month_work(books: Books, day: date, rng: random.Random) -> None:
    """Rent on the first, subscriptions on the third, travel and marketing in three parts, payroll on the 28th."""
    match day.day:
        case 1:
            line = (
                accounts.RENT,
                "1000",
                f"Rent {day:%m/%Y}",
                "Depot Immobilien AG",
                Decimal("240000.00"),
                "EUR",
            )
            books.post(day, day, [line])
        case 3:
            for account, centre, plan, party in _SUBSCRIPTIONS:
                amount = _euros(plan * rng.uniform(0.93, 1.08))
                line = (account, centre, f"{account.name} {day:%m/%Y}", party, amount, "EUR")
                books.post(day, _entered(day, rng, 0.3), [line])
        case 8 | 15 | 22:
            for account, centre, plan in _EXPENSES:
                amount = _euros(plan / 3 * rng.uniform(0.7, 1.3))
                line = (account, centre, account.name, "Diverse", amount, "EUR")
                books.post(day, _entered(day, rng, 0.2), [line])
        case 28:
            _payroll(books, day, rng)


def _payroll(books: Books, day: date, rng: random.Random) -> None:
    for centre, plan in _SALARIES.items():
        salaries = _euros(plan * rng.uniform(0.99, 1.01))
        social = (salaries * _SOCIAL_SHARE).quantize(_CENT)
        who = COST_CENTRES[centre]
        lines = [
            (accounts.SALARIES, centre, f"Payroll {day:%m/%Y} {who}", "Payroll", salaries, "EUR"),
            (
                accounts.SOCIAL_SECURITY,
                centre,
                f"Social security {day:%m/%Y}",
                "Krankenkassen",
                social,
                "EUR",
            ),
        ]
        books.post(day, day, lines)


def _contract_invoices(crm: Crm, rng: random.Random) -> dict[date, list[tuple[str, Decimal]]]:
    """Won deals are invoiced in twelve monthly parts from the month after they were won."""
    won_stages = {pipeline.won.id for pipeline in PIPELINES}
    invoices: dict[date, list[tuple[str, Decimal]]] = {}
    for deal in crm.deals:
        won = next(
            (at for at, name, value, _ in deal.versions if name == "dealstage" and value in won_stages), None
        )
        if won is None:
            continue
        amount = next(
            (v for _, name, v, _ in reversed(deal.versions) if name == "amount"), deal.start["amount"]
        )
        part = (Decimal(str(amount)) / 12).quantize(_CENT)
        party = str(deal.start["dealname"]).split(" – ", 1)[0]
        start = won.date() + timedelta(days=rng.randint(20, 35))
        for month in range(12):
            day = start + timedelta(days=30 * month)
            invoices.setdefault(day, []).append((party, part))
    return invoices


def _budget() -> list[BudgetLine]:
    months = [date(2025, m, 1) for m in (10, 11, 12)] + [
        date(y, m, 1) for y in (2026, 2027) for m in range(1, 13)
    ]
    lines = []
    for month in months:
        for account, centre, amount in _MONTHLY_PLAN:
            lines.append(BudgetLine(month, account, centre, Decimal(amount)))
        for centre, amount in _SALARIES.items():
            lines.append(BudgetLine(month, accounts.SALARIES, centre, Decimal(amount)))
            lines.append(BudgetLine(month, accounts.SOCIAL_SECURITY, centre, Decimal(round(amount * 0.21))))
    return lines


def posted_until(postings: list[Posting], day: date) -> list[Posting]:
    """The postings entered by the end of a day; the list is in order of entry."""
    return [posting for posting in postings if posting.posted_at <= day]


def last_entry(postings: list[Posting]) -> float:
    """POSIX time of the evening of the last entry, as the modification time of an export."""
    return local(max(posting.posted_at for posting in postings), 18.5).timestamp()
