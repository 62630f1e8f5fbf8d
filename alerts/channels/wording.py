"""What all channels share: texts made short and harmless, links of ours, and how much of a message fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

from alerts.message import Evidence, Message, Part
from publish.wording import SIGNS, clean, counted

Drawn = TypeVar("Drawn")

# What the link to the page of an incident says.
OPEN = "Open in the scorecard"

_TURNS = {"opened": "new", "escalated": "escalated"}
_URL = re.compile(r"https?://[!#$%&'()*+,./0-9:;=?@A-Z_a-z~\[\]-]+")
# The dot or @ of a name that has letters behind it, and the colon of a scheme.
_OF_AN_ADDRESS = re.compile(r"(?<=\w)[.@](?=[^\W\d_])|:(?=//)")


def short(text: str, letters: int) -> str:
    """The text on one line without control and direction characters, cut to so many letters with a sign that it was."""
    line = clean(text[: 4 * letters + 400])
    return line if len(line) <= letters else f"{line[: letters - 1].rstrip()}…"


def web_link(url: str | None) -> str | None:
    """An address that may be made a link: http or https with a host, printable ASCII, nobody's name in it; else None."""
    if url is None or len(url) > 1500 or not _URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.hostname and "@" not in parts.netloc else None


def unlinked(text: str) -> str:
    """The text as it was to the eye, but with nothing in it that a mail program would make a link of.

    Such programs look for addresses by themselves; a zero-width non-joiner within one hides it from them.
    """
    return _OF_AN_ADDRESS.sub(lambda found: f"{found.group()}\u200c", text)


def label(part: Part) -> str:
    """How it stands, as `▲ Amber, escalated`, or `✓ Over`."""
    if part.turn == "resolved":
        return "✓ Over"
    word = f"{SIGNS[part.severity]} {part.severity.capitalize()}"
    turn = _TURNS.get(part.turn)
    return f"{word}, {turn}" if turn else word


def one_title(message: Message) -> bool:
    """Whether the title of the message says the title of its only part."""
    return len(message.parts) == 1 and message.parts[0].title == message.title


@dataclass(frozen=True)
class Cut:
    """How much of a message is shown: so many parts, of each so much evidence, sentences and facts, of each so many letters."""

    parts: int
    evidence: int
    sentences: int
    facts: int
    letters: int

    def of(self, message: Message) -> Message:
        """The message without what is left out, every text on one line and short."""

        def text(whole: str) -> str:
            return short(whole, self.letters)

        return replace(
            message,
            title=short(message.title, min(self.letters, 150)) or "Plumbline",
            readers=tuple(
                replace(reader, name=short(reader.name, 80) or reader.email)
                for reader in message.readers[:20]
            ),
            parts=tuple(
                replace(
                    part,
                    title=short(part.title, min(self.letters, 300)),
                    sentences=tuple(filter(None, map(text, part.sentences[: self.sentences]))),
                    facts=tuple(
                        replace(fact, label=short(fact.label, 60), text=text(fact.text))
                        for fact in part.facts[: self.facts]
                    ),
                    evidence=tuple(
                        Evidence(short(item.text, min(self.letters, 300)) or "record", web_link(item.url))
                        for item in part.evidence[: self.evidence]
                    ),
                    page=web_link(part.page),
                )
                for part in message.parts[: self.parts]
            ),
        )

    def left_out(self, part: Part) -> str | None:
        """How many records of a part are not shown; None when all are."""
        more = len(part.evidence) - self.evidence
        return f"and {counted(more, 'more record')}" if more > 0 else None

    def parts_left_out(self, message: Message) -> str | None:
        """How many parts of a message are not shown; None when all are."""
        more = len(message.parts) - self.parts
        return f"And {more} more, not shown here." if more > 0 else None


_LEADERS = (
    Cut(parts=20, evidence=10, sentences=8, facts=12, letters=1000),
    Cut(parts=20, evidence=5, sentences=8, facts=12, letters=600),
    Cut(parts=20, evidence=3, sentences=5, facts=8, letters=400),
    Cut(parts=20, evidence=1, sentences=3, facts=6, letters=300),
    Cut(parts=20, evidence=0, sentences=2, facts=4, letters=300),
    Cut(parts=10, evidence=0, sentences=1, facts=3, letters=200),
    Cut(parts=5, evidence=0, sentences=1, facts=2, letters=150),
    Cut(parts=1, evidence=0, sentences=1, facts=2, letters=80),
)


def fitting(
    draw: Callable[[Cut], Drawn],
    size: Callable[[Drawn], int],
    limit: int,
    cuts: Sequence[Cut] = _LEADERS,
) -> Drawn:
    """The fullest drawing of at most `limit` in size; of the cuts the first that fits, or the last one."""
    for cut in cuts:
        drawn = draw(cut)
        if size(drawn) <= limit:
            break
    return drawn


def as_text(message: Message, cut: Cut, of: Callable[[str], str]) -> str:
    """A message as plain lines without its title; `of` makes its texts harmless for where it goes."""
    shown = cut.of(message)
    lines: list[str] = []
    for part, whole in zip(shown.parts, message.parts, strict=False):
        lines += [label(part) if one_title(message) else f"{label(part)}: {of(part.title)}"]
        lines += [of(sentence) for sentence in part.sentences]
        lines += [f"{of(fact.label)}: {of(fact.text)}" for fact in part.facts]
        if part.evidence:
            lines += ["Evidence:"]
        lines += [f"- {of(item.text)}" + (f" {item.url}" if item.url else "") for item in part.evidence]
        lines += [f"- {more}" for more in [cut.left_out(whole)] if more]
        lines += [f"More: {part.page}"] if part.page else []
        lines += [""]
    lines += [more for more in [cut.parts_left_out(message)] if more]
    if shown.readers:
        lines += [f"For {of(', '.join(reader.name for reader in shown.readers))}"]
    return "\n".join(lines).strip() + "\n"
