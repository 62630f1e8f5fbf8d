"""A message as Slack's Block Kit.

Only `plain_text` and the elements of rich text hold what others wrote: Slack reads neither mentions, links nor marks out of them.
Limits: 50 blocks, 150 letters in a header, and 13,200 letters of JSON in all, which Slack does not document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alerts.channels.posting import key_id
from alerts.channels.wording import OPEN, Cut, fitting, label, one_title, unlinked
from alerts.message import Message, Part

Block = dict[str, Any]
Element = dict[str, Any]

_MOST_LETTERS = 12_000
_EMOJI = {"red": "red_circle", "amber": "large_orange_circle", "green": "large_green_circle"}


def drawn(message: Message, people: Mapping[str, str]) -> dict[str, Any]:
    """The fields `text`, for the notification, and `blocks` of a message; `people`: ids of Slack by e-mail address."""
    blocks = fitting(
        lambda cut: _blocks(message, people, cut), lambda made: len(json.dumps(made)), _MOST_LETTERS
    )
    return {"text": _escaped(unlinked(blocks[0]["text"]["text"])), "blocks": blocks}


def _blocks(message: Message, people: Mapping[str, str], cut: Cut) -> list[Block]:
    shown = cut.of(message)
    title = {"type": "plain_text", "text": shown.title, "emoji": False}
    blocks: list[Block] = [{"type": "header", "block_id": key_id(message.key), "text": title}]
    for number, (part, whole) in enumerate(zip(shown.parts, message.parts, strict=False)):
        blocks += [{"type": "divider"}] if number else []
        blocks += [_part(part, None if one_title(message) else part.title, cut.left_out(whole))]
    if more := cut.parts_left_out(message):
        blocks.append(_rich([_section(_text(more))]))
    if shown.readers:
        blocks.append(_rich([_section(_text("For "), *_readers(shown, people))]))
    return blocks


def _part(part: Part, title: str | None, left_out: str | None) -> Block:
    sign = "white_check_mark" if part.turn == "resolved" else _EMOJI[part.severity]
    # The sign of a status is an emoji here, in colour.
    head = [{"type": "emoji", "name": sign}, _text(f" {label(part).partition(' ')[2]}", bold=True)]
    if title:
        head += [_text(f": {title}", bold=True)]
    paragraphs = [[head, *([_text(sentence)] for sentence in part.sentences)]]
    paragraphs += [
        [[_text(f"{fact.label}: ", bold=True), _text(fact.text)] for fact in part.facts],
        [[_text("Evidence", bold=True)]] if part.evidence or left_out else [],
    ]
    sections = [_section(*_spaced(paragraphs))]
    evidence = [
        _section(_link(item.url, item.text) if item.url else _text(item.text)) for item in part.evidence
    ]
    evidence += [_section(_text(left_out))] if left_out else []
    sections += [{"type": "rich_text_list", "style": "bullet", "elements": evidence}] if evidence else []
    sections += [_section(_text("\n"), _link(part.page, OPEN))] if part.page else []
    return _rich(sections)


def _readers(message: Message, people: Mapping[str, str]) -> list[Element]:
    found: list[Element] = []
    for number, reader in enumerate(message.readers):
        if number:
            found.append(_text(" and " if number == len(message.readers) - 1 else ", "))
        person = people.get(reader.email)
        found.append({"type": "user", "user_id": person} if person else _text(reader.name))
    return found


def _rich(sections: list[Element]) -> Block:
    return {"type": "rich_text", "elements": sections}


def _section(*elements: Element) -> Element:
    # Slack refuses an element without text.
    return {"type": "rich_text_section", "elements": [one for one in elements if one.get("text") != ""]}


def _spaced(paragraphs: list[list[list[Element]]]) -> list[Element]:
    """Lines one below the other, with an empty line between paragraphs."""
    made: list[Element] = []
    for paragraph in filter(None, paragraphs):
        for number, line in enumerate(paragraph):
            made += [_text("\n" if number else "\n\n")] if made else []
            made += line
    return made


def _text(text: str, *, bold: bool = False) -> Element:
    return {"type": "text", "text": text} | ({"style": {"bold": True}} if bold else {})


def _link(url: str, text: str) -> Element:
    return {"type": "link", "url": url, "text": text}


def _escaped(text: str) -> str:
    """For the one field that Slack reads as its markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
