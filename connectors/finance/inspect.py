"""Which profile reads an export of which nothing is known: each is tried on the whole file, the best proposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from connectors.errors import InputError
from connectors.finance.copies import copied
from connectors.finance.layouts import Layout
from connectors.finance.postings import Account, Reading, Record
from connectors.finance.profiles import NAMES, Profile

Certainty = Literal["sure", "likely", "a guess"]

_ROWS_SHOWN = 5
# Below this share of rows that it reads, a profile is only the least wrong one.
_LIKELY = 0.95


@dataclass(frozen=True)
class Proposal:
    """``records`` are the first ones as they would land, ``account`` is of the whole file; ``fields`` were found in it.

    It is ``sure`` when every row is read or known to be no data and no other profile finds as many fields.
    """

    layout: Layout
    certainty: Certainty
    fields: tuple[str, ...]
    records: tuple[Record, ...]
    account: Account

    @property
    def share_read(self) -> float:
        """The rows that are read, of those that hold data, from 0 to 1."""
        return self.account.loaded / max(1, self.account.loaded + len(self.account.quarantine))


def inspect(path: Path, sheet: str | None = None) -> Proposal:
    """The best proposal for a file. Raises InputError, that of the generic profile, when none reads a row of it."""
    tried: list[tuple[Proposal, Profile]] = []
    refusals: dict[Profile, InputError] = {}
    with copied(lambda: path.open("rb"), path.name) as copy:
        for profile in NAMES:
            layout = Layout(match=path.name, profile=profile, sheet=sheet)
            reading = Reading(path.name, layout, copy)
            try:
                records = tuple(_first(reading.records()))
            except InputError as error:
                refusals[profile] = error
                continue
            if records:
                found = tuple(
                    sorted({each for record in records for each, text in record["posting"].items() if text})
                )
                tried.append((Proposal(layout, "likely", found, records, reading.account), profile))
    if not tried:
        raise refusals.get("generic") or InputError(
            f"{path.name}, line 1: no row of the file can be read as a posting",
            "Write a layout for it: columns says which header holds what.",
            file=path.name,
            line=1,
        )
    # Of equals the one that knows the system: generic comes last.
    tried.sort(key=lambda each: (-each[0].share_read, -len(each[0].fields), each[1] == "generic"))
    best = tried[0][0]
    rivals = [
        each
        for each, _ in tried[1:]
        if (each.share_read, len(each.fields)) >= (best.share_read, len(best.fields))
    ]
    certainty: Certainty = "likely" if best.share_read >= _LIKELY else "a guess"
    if best.share_read == 1 and not rivals:
        certainty = "sure"
    return Proposal(best.layout, certainty, best.fields, best.records, best.account)


def layout_yaml(proposal: Proposal) -> str:
    """The proposal as an entry of ``layouts`` to paste into ``plumbline.yml``."""
    layout, forms = proposal.layout, proposal.account.forms
    lines = [f'- match: "{layout.match}"', f"  profile: {layout.profile}"]
    if layout.sheet:
        lines.append(f'  sheet: "{layout.sheet}"')
    if "currency" not in proposal.fields:
        lines.append(
            "  # constants: {currency: EUR}   # no column says it: the company's currency unless you do"
        )
    if {"document", "line"} <= {*proposal.fields}:
        lines.append("  # key: [document, line]        # if these two name a posting for good")
    said = ", ".join(f"{name} {text!r}" for name, text in forms.items() if text)
    return "\n".join([*lines, f"  # found: {said}", ""])


def _first(records: Iterator[Record]) -> Iterator[Record]:
    """The first records; the rest is read for what becomes of it."""
    for number, record in enumerate(records):
        if number < _ROWS_SHOWN:
            yield record
