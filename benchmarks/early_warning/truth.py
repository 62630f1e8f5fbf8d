"""What became of the companies, for the scorer alone: written beside the landing, never into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from benchmarks.early_warning.companies import CYCLE_END, Company, Fate, Item, day_of, moment
from benchmarks.early_warning.landing import evening_of

GRACE_DAYS = 3
"""A hand-off that is done by so many days after it was needed is no failure."""


class Truth(BaseModel):
    """How one company ended. Days are days in Berlin; none is never.

    `finished_on` has for every evening the day on which the last of the items that were there by then was done for good.
    """

    company: str
    fate: Fate
    gamed: bool
    needed_by: date
    delivered_on: date | None
    target_reached_on: date | None
    finished_on: dict[date, date | None]

    @property
    def is_late(self) -> bool:
        """The last item of the hand-off came too late to be called in time."""
        return self.delivered_on is None or self.delivered_on > self.needed_by + timedelta(days=GRACE_DAYS)

    @property
    def missed(self) -> bool:
        """The receiver's key result did not reach its target within the cycle."""
        return self.target_reached_on is None or self.target_reached_on > CYCLE_END


_Truths = TypeAdapter(list[Truth])


def write_truth(path: Path, companies: Iterable[Company], evenings: Sequence[date]) -> None:
    """Write how each company ended."""
    path.write_bytes(_Truths.dump_json([truth_of(company, evenings) for company in companies], indent=1))


def read_truth(path: Path) -> dict[str, Truth]:
    """The endings by company."""
    return {truth.company: truth for truth in _Truths.validate_json(path.read_bytes())}


def truth_of(company: Company, evenings: Sequence[date]) -> Truth:
    """How the company ended."""
    known = {
        evening: [item for item in company.needed if moment(item.created) <= evening_of(evening)]
        for evening in evenings
    }
    return Truth(
        company=company.id,
        fate=company.fate,
        gamed=company.gamed,
        needed_by=company.needed_by,
        delivered_on=_last_done(company.needed),
        target_reached_on=_last_done(company.launch),
        finished_on={evening: _last_done(items) for evening, items in known.items()},
    )


def _last_done(items: Iterable[Item]) -> date | None:
    return day_of(max(item.done for item in items))
