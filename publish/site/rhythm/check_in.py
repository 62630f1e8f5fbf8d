"""What is said at a check-in or a review, as plain data: a page shows it and a message tells it, so the two cannot disagree.

Texts are written out as people read them and may come from source systems: whoever shows them escapes them.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True)
class Record:
    """A record behind a number: what people call it, what it is about, its day and what it adds. `url`: where it is opened in its
    system, unchecked; else `found_in` names its file and row."""

    name: str
    title: str
    day: date
    amount: str
    url: str | None
    found_in: str | None


@dataclass(frozen=True)
class Said:
    """One thing that is said: of a key result, a hand-off, a flag. `page` is its address within the site, where it has one.

    `status`: green, amber or red, None where it has none; `since`: what is said of its age, such as `since 5 Oct 2026`.
    `facts` are labels with their texts; all that stand in one section have the same labels.
    """

    title: str
    page: str | None = None
    status: str | None = None
    since: str = ""
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    records: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Section:
    """What is said under one heading; `nothing` is said where there is nothing. `sentences` stand before all of it."""

    key: str
    heading: str
    said: tuple[Said, ...]
    nothing: str
    sentences: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label for label, _ in self.said[0].facts) if self.said else ()


Kind = Literal["company", "function", "person", "mid-cycle", "retrospective"]


@dataclass(frozen=True)
class CheckIn:
    """What one reader is told, and the page within the site that says the same.

    `subject` is the id of the function or the e-mail address of the person; of the company and of reviews it is empty.
    `name` and `email`: who is addressed; the company, whom nobody is written for, has no address.
    `links`: pages that lead further, by their names.
    """

    kind: Kind
    subject: str
    name: str
    email: str | None
    title: str
    page: str
    sentences: tuple[str, ...]
    sections: tuple[Section, ...]
    links: tuple[tuple[str, str], ...] = ()
