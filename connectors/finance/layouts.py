"""How finance exports are laid out: which files, what they hold, which column is which."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from connectors.errors import InputError
from connectors.finance.profiles import DEFAULTS, Profile

Kind = Literal["ledger", "budget", "rates"]

DATES = frozenset({"date", "posted_at", "month"})
AMOUNTS = frozenset({"amount", "amount_company", "debit", "credit", "rate"})

REQUIRED: dict[Kind, tuple[str, ...]] = {
    "ledger": ("date", "account", "amount", "currency"),
    "budget": ("month", "account", "amount", "currency"),
    "rates": ("date", "currency", "rate"),
}
OPTIONAL: dict[Kind, tuple[str, ...]] = {
    "ledger": (
        "posted_at",
        "account_name",
        "account_type",
        "cost_centre",
        "amount_company",
        "debit",
        "credit",
        "side",
        "contra_account",
        "document",
        "line",
        "counterparty",
        "description",
    ),
    "budget": ("account_type", "cost_centre"),
    "rates": (),
}


_NO_MATTER = re.compile(r"[\s_\-\u2010-\u2015\ufeff]+")


def _spellings(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Layout(BaseModel):
    """One layout of export: the files it is for, and where a posting's fields are in them.

    ``match`` is a glob over paths relative to the folder; ``*`` stays within one folder, ``**`` does not.
    ``profile`` names a well-known export whose columns and forms are known; what is given beside it comes first.
    ``columns`` maps a canonical field to the header, or to the headers accepted for it, the first found wins;
    headers are compared without regard to case, white space, underscores and kinds of dashes. ``constants`` gives
    fields that the files do not hold. ``optional`` lists fields whose column a file may lack.
    Instead of ``amount`` there may be ``debit`` and ``credit``; ``side`` is a column that says which of the two an amount is,
    ``contra_account`` one that names the account of the opposite posting. ``headings: account`` says that a row with
    a single text names the account of the rows under it.
    ``sheet`` names the worksheet of a workbook and may be left out when it has only one. ``encoding``, ``delimiter``,
    ``date_format`` (in strptime's notation) and ``decimal_mark`` are found in each file where they are left out.
    ``key`` lists the fields whose texts make a posting's natural key; without it a posting is known by its file and row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str = Field(min_length=1)
    into: Kind = "ledger"
    profile: Profile | None = None
    sheet: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = None
    date_format: str | None = None
    decimal_mark: Literal[".", ","] | None = None
    columns: dict[str, Annotated[tuple[str, ...], BeforeValidator(_spellings), Field(min_length=1)]] = {}
    constants: dict[str, str] = {}
    optional: tuple[str, ...] = ()
    headings: Literal["account"] | None = None
    key: tuple[str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _with_profile(cls, given: Any) -> Any:
        """Fill in what the profile knows; its own columns may be absent from a file, but for those without which nothing is."""
        known = DEFAULTS.get(given.get("profile", "")) if isinstance(given, dict) else None
        if known is None or given.get("into", "ledger") != "ledger":
            return given
        own = {**(given.get("columns") or {})}
        constants = given.get("constants") or {}
        columns = {field: texts for field, texts in known["columns"].items() if field not in constants}
        must = {"date", "account", *own} - ({"account"} if known.get("headings") else set())
        optional = {*(given.get("optional") or ()), *(columns.keys() - must), "currency"}
        return {
            **known,
            **{name: value for name, value in given.items() if value is not None},
            "columns": {**columns, **own},
            "optional": tuple(sorted(optional)),
        }

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            codecs.lookup(value or "utf-8")
        except LookupError:
            raise ValueError(f"there is no encoding {value!r}; write utf-8-sig, cp1252 or utf-16") from None
        return value

    @model_validator(mode="after")
    def _fields_fit(self) -> Layout:
        known = {*REQUIRED[self.into], *OPTIONAL[self.into]}
        given = {*self.columns, *self.constants}
        if self.headings:
            given.add(self.headings)
        if {"debit", "credit"} <= given:
            given.add("amount")
        if unknown := sorted((given | {*self.optional}) - known):
            raise ValueError(
                f"{self.into} has no field {', '.join(unknown)}; the fields are {', '.join(sorted(known))}"
            )
        if twice := sorted(self.columns.keys() & self.constants.keys()):
            raise ValueError(f"{', '.join(twice)}: give either a column or a constant, not both")
        if missing := [
            name for name in REQUIRED[self.into] if name not in given and name not in self.optional
        ]:
            raise ValueError(f"{self.into} needs a column or a constant for {', '.join(missing)}")
        if not_text := sorted(self.constants.keys() & (DATES | AMOUNTS)):
            raise ValueError(
                f"{', '.join(not_text)}: dates and amounts come from columns, not from constants"
            )
        if absent := [name for name in self.key or () if name not in given]:
            raise ValueError(f"key: no column or constant gives {', '.join(absent)}")
        return self

    @property
    def day(self) -> str:
        """The field with the day that a row is of, for budgets the first of its month."""
        return "month" if self.into == "budget" else "date"

    @property
    def required(self) -> tuple[str, ...]:
        """The fields without which a row is no posting."""
        return tuple(name for name in REQUIRED[self.into] if name == "amount" or name not in self.optional)


class FinanceFilesConfig(BaseModel):
    """Finance exports in a folder: a path, relative to the workspace or absolute, or any fsspec address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["finance_files"]
    folder: str = Field(min_length=1)
    layouts: tuple[Layout, ...] = Field(min_length=1)
    settle_seconds: float = Field(default=2, ge=0, le=60)


@dataclass(frozen=True)
class Header:
    """The header of one file, seen through its layout.

    ``names`` are the texts of the header cells, made unique, by which a row's cells are landed. ``columns`` gives
    the 0-based column of each canonical field. ``line`` is where it stands, ``above`` the rows before it.
    """

    names: tuple[str, ...]
    columns: dict[str, int]
    line: int
    above: tuple[tuple[str, ...], ...]

    @classmethod
    def read(
        cls, cells: Sequence[str], layout: Layout, file: str, line: int, above: Sequence[tuple[str, ...]] = ()
    ) -> Header:
        """Find the layout's columns; raises InputError naming the first that is missing or there twice."""
        found = _places(cells)
        columns = {}
        for canonical, accepted in layout.columns.items():
            at = next((found[_spelling(text)] for text in accepted if _spelling(text) in found), None)
            wanted = " or ".join(f'"{text}"' for text in accepted)
            if at is None:
                if canonical in layout.optional:
                    continue
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
        if "amount" in columns or layout.into == "rates":
            # The net of both says the same once more.
            columns.pop("debit", None)
            columns.pop("credit", None)
        elif not {"debit", "credit"} <= columns.keys():
            wanted = " or ".join(f'"{text}"' for text in layout.columns.get("amount", ("debit and credit",)))
            raise InputError(
                f"{file}, line {line}: the header has no column {wanted} for amount, nor two for debit and credit",
                "Add the header that holds it to columns.amount of this layout, or export the file anew.",
                field="layouts",
                file=file,
                line=line,
                column_name="amount",
            )
        return cls(_unique(cells), columns, line, tuple(above))

    @staticmethod
    def fit(cells: Sequence[str], layout: Layout) -> int:
        """How many fields of the layout a row of texts names, as a header would."""
        found = _places(cells)
        return sum(any(_spelling(text) in found for text in accepted) for accepted in layout.columns.values())


def _places(cells: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for column, cell in enumerate(cells):
        found.setdefault(_spelling(cell), []).append(column)
    return found


def _spelling(text: str) -> str:
    return _NO_MATTER.sub("", text).casefold()


def _unique(cells: Sequence[str]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for number, cell in enumerate(cells, start=1):
        name = cell if cell.strip() else f"column {number}"
        names[name if name not in names else f"{name} (column {number})"] = None
    return tuple(names)
