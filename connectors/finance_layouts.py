"""How finance exports are laid out: which files, what they hold, which column is which."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from connectors.errors import InputError

Kind = Literal["ledger", "budget"]

DATES = frozenset({"date", "posted_at", "month"})
AMOUNTS = frozenset({"amount", "amount_company"})

REQUIRED: dict[Kind, tuple[str, ...]] = {
    "ledger": ("date", "account", "amount", "currency"),
    "budget": ("month", "account", "amount", "currency"),
}
OPTIONAL: dict[Kind, tuple[str, ...]] = {
    "ledger": (
        "posted_at",
        "account_name",
        "account_type",
        "cost_centre",
        "amount_company",
        "document",
        "line",
        "counterparty",
        "description",
    ),
    "budget": ("account_type", "cost_centre"),
}


def _spellings(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Layout(BaseModel):
    """One layout of export: the files it is for, and where a posting's fields are in them.

    ``match`` is a glob over paths relative to the folder; ``*`` stays within one folder, ``**`` does not.
    ``columns`` maps a canonical field to the header, or to the headers accepted for it, the first found wins;
    headers are compared without regard to case and white space. ``constants`` gives fields that the files do not hold.
    ``sheet`` names the worksheet of a workbook and may be left out when it has only one. ``date_format`` is in
    strptime's notation. ``key`` lists the fields whose texts make a posting's natural key; without it a posting is
    known by its file and row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str = Field(min_length=1)
    into: Kind
    sheet: str | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    date_format: str = "%Y-%m-%d"
    decimal_mark: Literal[".", ","] = "."
    columns: dict[str, Annotated[tuple[str, ...], BeforeValidator(_spellings), Field(min_length=1)]]
    constants: dict[str, str] = {}
    key: tuple[str, ...] | None = Field(default=None, min_length=1)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            raise ValueError(f"there is no encoding {value!r}; write utf-8-sig, cp1252 or utf-16") from None
        return value

    @model_validator(mode="after")
    def _fields_fit(self) -> Layout:
        known = {*REQUIRED[self.into], *OPTIONAL[self.into]}
        given = {*self.columns, *self.constants}
        if unknown := sorted(given - known):
            raise ValueError(
                f"a {self.into} has no field {', '.join(unknown)}; the fields are {', '.join(sorted(known))}"
            )
        if twice := sorted(self.columns.keys() & self.constants.keys()):
            raise ValueError(f"{', '.join(twice)}: give either a column or a constant, not both")
        if missing := [name for name in REQUIRED[self.into] if name not in given]:
            raise ValueError(f"a {self.into} needs a column or a constant for {', '.join(missing)}")
        if not_text := sorted(self.constants.keys() & (DATES | AMOUNTS)):
            raise ValueError(
                f"{', '.join(not_text)}: dates and amounts come from columns, not from constants"
            )
        if absent := [name for name in self.key or () if name not in given]:
            raise ValueError(f"key: no column or constant gives {', '.join(absent)}")
        return self


class FinanceFilesConfig(BaseModel):
    """Finance exports in a folder: a path, relative to the workspace or absolute, or any fsspec address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["finance_files"]
    folder: str = Field(min_length=1)
    layouts: tuple[Layout, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Header:
    """The header of one file, seen through its layout.

    ``names`` are the texts of the header cells, made unique, by which a row's cells are landed. ``columns`` gives
    the 0-based column of each canonical field.
    """

    names: tuple[str, ...]
    columns: dict[str, int]

    @classmethod
    def read(cls, cells: Sequence[str], layout: Layout, file: str, line: int) -> Header:
        """Find the layout's columns; raises InputError naming the first that is missing or there twice."""
        found: dict[str, list[int]] = {}
        for column, cell in enumerate(cells):
            found.setdefault(_spelling(cell), []).append(column)
        columns = {}
        for canonical, accepted in layout.columns.items():
            at = next((found[_spelling(text)] for text in accepted if _spelling(text) in found), None)
            wanted = " or ".join(f'"{text}"' for text in accepted)
            if at is None:
                present = ", ".join(f'"{cell}"' for cell in cells if cell.strip())
                raise InputError(
                    f"{file}, line {line}: the header has no column {wanted} for {canonical}; it has {present}",
                    f"Add the header that holds it to columns.{canonical} of this layout, or export the file anew.",
                    field="layouts",
                    file=file,
                    line=line,
                    column_name=accepted[0],
                )
            if len(at) > 1:
                raise InputError(
                    f"{file}, line {line}: the header has {wanted} for {canonical} {len(at)} times",
                    "Rename or remove one of the columns: it cannot be told which is meant.",
                    field="layouts",
                    file=file,
                    line=line,
                    column_name=cells[at[0]],
                )
            columns[canonical] = at[0]
        return cls(_unique(cells), columns)


def _spelling(text: str) -> str:
    return "".join(text.split()).casefold()


def _unique(cells: Sequence[str]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for number, cell in enumerate(cells, start=1):
        name = cell if cell.strip() else f"column {number}"
        names[name if name not in names else f"{name} (column {number})"] = None
    return tuple(names)
