"""The kinds of fields that strategy files are made of, and what the rest of the strategy tells a field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from strategy.problems import nearest, pick_from
from strategy.yaml_source import rule_broken

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# PostgreSQL cuts names at 63 characters; the model of a key result is named after its id.
_ID_LENGTH = 50
_UNIT_LENGTH = 20
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_SEVERAL_PEOPLE = re.compile(r"[;/&+|]|\s(?:and|und)\s", re.IGNORECASE)
_GROUP_WORDS = {"team", "teams", "squad", "department", "committee", "board", "everyone"}
_SHARED_MAILBOXES = {
    "staff",
    "group",
    "info",
    "office",
    "contact",
    "hello",
    "support",
    "help",
    "helpdesk",
    "service",
    "admin",
}
_SHARED_WORDS = {"team", "teams", "all", "everyone", "everybody", "noreply"}


@dataclass(frozen=True)
class Known:
    """What the whole strategy declares, so that each field can be held against it. Ids of broken entries count too."""

    functions: Mapping[str, str] = field(default_factory=dict)
    """Function id -> name."""
    heads: Mapping[str, str] = field(default_factory=dict)
    """Function id -> e-mail address of its head, in lower case."""
    objectives: frozenset[str] = frozenset()
    handoffs: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    cycle: tuple[date, date] | None = None
    """First and last day, None when the cycle itself is broken."""


def known(info: ValidationInfo) -> Known | None:
    """The strategy around a field under validation, None where a model is validated by itself."""
    return info.context if isinstance(info.context, Known) else None


def require_known(word: str, declared: Iterable[str], what: str, *field: str | int) -> str:
    """The word, when it is declared; else the error that names the nearest one, at the `field` below this one."""
    declared = set(declared)
    if word not in declared:
        raise rule_broken(f"there is no {what} `{word}`", pick_from(word, declared), *field)
    return word


def _id(text: str) -> str:
    if not _ID.fullmatch(text) or len(text) > _ID_LENGTH:
        raise rule_broken(
            f"`{text[:60]}` is not an id",
            f"Use lower-case letters, digits and hyphens, at most {_ID_LENGTH} of them.",
        )
    return text


def _text(text: str) -> str:
    # The warehouse's seed loader reads the word null as nothing at all.
    if text.lower() == "null":
        raise rule_broken(f"`{text}` would be read as nothing", "Use another word.")
    return text


def _unit(text: str) -> str:
    if len(text) > _UNIT_LENGTH:
        raise rule_broken(
            f"`{text[:60]}` is too long for a unit, which stands behind every value",
            f"Use at most {_UNIT_LENGTH} letters and say the rest in the name.",
        )
    return text


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise rule_broken(
            f"`{str(value)[:60]}` is not a number", "Write a plain number, without quotes, unit or commas."
        )
    return value


def _clock_time(value: object) -> object:
    # YAML 1.1 reads 18:00 without quotes as a number to the base of 60.
    return time(value // 60 % 24, value % 60) if type(value) is int and 0 <= value < 24 * 60 else value


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        close = nearest(name, available_timezones())
        mend = f"Did you mean `{close}`?" if close else "Use a name such as Europe/Berlin."
        raise rule_broken(f"`{name[:60]}` is not a time zone", mend) from None
    return name


Id = Annotated[str, AfterValidator(_id)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_text)]
Unit = Annotated[Text, AfterValidator(_unit)]
Number = Annotated[Decimal, BeforeValidator(_number), Field(max_digits=28, decimal_places=6)]
Day = Annotated[date, Strict()]
Timezone = Annotated[str, AfterValidator(_timezone)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
"""A time of day by somebody's clock, without a zone."""


class Part(BaseModel):
    """A mapping in a file that people write: unknown keys are errors, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkingHours(Part):
    """From when to when somebody works on a working day, by the clock of their time zone."""

    start: ClockTime = Field(alias="from", description="when they begin, such as 09:00")
    end: ClockTime = Field(alias="to", validate_default=True, description="when they end, such as 17:00")

    @field_validator("end")
    @classmethod
    def _lasts(cls, end: time, info: ValidationInfo) -> time:
        if "start" in info.data and end <= info.data["start"]:
            raise rule_broken("they end before they begin", "Set `to` to a later time of the same day.")
        return end


class Person(Part):
    """One human being who answers for something: not a team, not a mailbox that many read.

    Time zone and working hours say when a joint review can be; without them the cycle's time zone, 9 to 17 o'clock.
    """

    name: Text = Field(description="the person's name, for example Anna Weber")
    email: Text = Field(description="the person's own e-mail address")
    timezone: Timezone | None = Field(
        default=None, description="the time zone they work in, such as Europe/Berlin"
    )
    working_hours: WorkingHours | None = Field(
        default=None, description="{from, to}, such as 09:00 and 17:00"
    )

    @model_validator(mode="before")
    @classmethod
    def _is_one(cls, value: object) -> object:
        if isinstance(value, list):
            raise rule_broken(
                "several people where one must answer", "Keep the one person who answers for it."
            )
        if not isinstance(value, dict):
            raise rule_broken("not a person", "Write {name: Anna Weber, email: anna.weber@example.com}.")
        return value

    @field_validator("name")
    @classmethod
    def _names_a_person(cls, name: str, info: ValidationInfo) -> str:
        if _SEVERAL_PEOPLE.search(name):
            raise rule_broken(
                f"`{name[:60]}` names several people", "Keep the one person who answers for it."
            )
        strategy = known(info)
        functions = (
            {word.casefold() for pair in strategy.functions.items() for word in pair} if strategy else set()
        )
        if name.casefold() in functions or _GROUP_WORDS & set(name.casefold().split()):
            raise rule_broken(f"`{name[:60]}` is not a person", "Name the one person who answers for it.")
        return name

    @field_validator("email")
    @classmethod
    def _reaches_one(cls, email: str, info: ValidationInfo) -> str:
        if email.count("@") > 1:
            raise rule_broken(
                "several addresses where one must answer", "Keep the address of the one person."
            )
        if not _EMAIL.fullmatch(email):
            raise rule_broken(
                f"`{email[:60]}` is not an e-mail address", "Write it as anna.weber@example.com."
            )
        mailbox = email.partition("@")[0].casefold()
        strategy = known(info)
        functions = set(strategy.functions) if strategy else set()
        words = set(re.split(r"[._+-]", mailbox))
        if mailbox in _SHARED_MAILBOXES | functions or words & _SHARED_WORDS:
            raise rule_broken(f"`{email[:60]}` is a mailbox that many read", "Give the person's own address.")
        return email
