"""What is said, before any channel has given it a form.

Every text may come from a source system and is hostile until the channel has escaped it for where it goes.
"""

from dataclasses import dataclass
from typing import Literal

Turn = Literal["opened", "escalated", "resolved", "told"]
"""What has happened to an incident; `told` is said once and never over, as a week's check-in."""

Severity = Literal["red", "amber", "green"]


@dataclass(frozen=True)
class Reader:
    """Somebody whom a message addresses."""

    name: str
    email: str


@dataclass(frozen=True)
class Fact:
    """A short statement with its label: `At stake`, `1,892,500 EUR`."""

    label: str
    text: str


@dataclass(frozen=True)
class Evidence:
    """A record, a page or a file that proves what is said; `url` only where it can be opened."""

    text: str
    url: str | None = None


@dataclass(frozen=True)
class Part:
    """What is said of one incident. Days and numbers are written out, as people read them."""

    incident: str
    turn: Turn
    severity: Severity
    title: str
    sentences: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    page: str | None = None


@dataclass(frozen=True)
class Message:
    """One message of one route: a part for each incident that it tells of, at least one.

    `key` stays the same however often sending is tried. `readers`: whom it addresses by name; a channel to a fixed place
    mentions them there, one to people writes to them. `invitation`: an iCalendar file (RFC 5545), whose METHOD says whether
    it invites or calls off.
    """

    key: str
    title: str
    parts: tuple[Part, ...]
    readers: tuple[Reader, ...] = ()
    invitation: bytes | None = None
