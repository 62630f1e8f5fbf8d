"""The chart of accounts and the cost centres."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """A ledger account; `kind` is revenue or expense."""

    number: str
    name: str
    kind: str


FREIGHT_REVENUE = Account("4000", "Freight revenue", "revenue")
CONTRACT_REVENUE = Account("4100", "Contract logistics revenue", "revenue")
PLATFORM_REVENUE = Account("4200", "Platform revenue", "revenue")
CARRIERS = Account("5400", "Carrier charges", "expense")
FUEL = Account("5410", "Fuel", "expense")
TOLLS = Account("5420", "Tolls & ferries", "expense")
SALARIES = Account("6000", "Salaries", "expense")
SOCIAL_SECURITY = Account("6010", "Social security", "expense")
RENT = Account("6300", "Rent", "expense")
CLOUD = Account("6500", "Cloud services", "expense")
SOFTWARE = Account("6510", "Software licences", "expense")
TRAVEL = Account("6600", "Travel", "expense")
TRAINING_COST = Account("6700", "Training", "expense")
MARKETING = Account("6800", "Marketing", "expense")

COST_CENTRES: dict[str, str] = {
    "1000": "company",
    "2100": "engineering",
    "2200": "product",
    "2300": "sales",
    "2400": "operations",
    "2410": "operations",
    "2500": "finance",
    "2600": "people",
}
