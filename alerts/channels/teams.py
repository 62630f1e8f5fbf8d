"""Microsoft Teams by a workflow that posts an adaptive card.

https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format. Text of others stands in text runs
alone: Teams reads Markdown and mentions out of text blocks and facts, and neither out of text runs.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from alerts.channels import Receipt
from alerts.channels.config import TeamsConfig
from alerts.channels.posting import Patience, Service, key_id, post, secrets_of
from alerts.channels.wording import OPEN, Cut, fitting, label, one_title
from alerts.message import Message, Part, Reader

Element = dict[str, Any]

# Teams takes about 28 KB, and the workflow puts more around what we send.
_MOST_BYTES = 24_000
_TITLE = {"size": "Large", "weight": "Bolder"}
_STYLES = {"red": "attention", "amber": "warning", "green": "good"}


class TeamsChannel:
    """See `alerts.channels.Channel`. A receipt is empty: a workflow takes a message, posts it later and tells nothing."""

    def __init__(self, config: TeamsConfig, patience: Patience) -> None:
        self._url = config.url.get_secret_value()
        self._service = Service(
            "The Teams workflow",
            "Check `url`: copy it from the workflow again, and see that the workflow is on and may be called by anyone.",
            secrets_of(self._url),
        )
        self._patience = patience

    def send(self, message: Message, thread: Receipt | None) -> Receipt:
        body = fitting(lambda cut: _posted(card(message, cut)), len, _MOST_BYTES)
        headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": key_id(message.key)}
        post(self._service, self._url, body, headers, self._patience)
        return {}

    def find(self, message: Message, since: datetime, thread: Receipt | None = None) -> Receipt | None:
        return None

    def amend(self, receipt: Receipt, message: Message) -> None:
        return None


def _posted(content: Element) -> bytes:
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content,
    }
    return json.dumps({"type": "message", "attachments": [attachment]}, ensure_ascii=False).encode()


def card(message: Message, cut: Cut) -> Element:
    """The adaptive card of a message, so much of it as is left by `cut`."""
    shown = cut.of(message)
    alone = one_title(message)
    body = [] if alone else [_runs(_run(shown.title, **_TITLE))]
    for part, whole in zip(shown.parts, message.parts, strict=False):
        title = _run(shown.title, **_TITLE) if alone else _run(part.title, weight="Bolder")
        body += _part(part, title, cut.left_out(whole))
    if more := cut.parts_left_out(message):
        body.append(_runs(_run(more), spacing="Medium"))
    if shown.readers:
        people = " and ".join(
            filter(None, (", ".join(_at(r) for r in shown.readers[:-1]), _at(shown.readers[-1])))
        )
        # The only text that Teams reads as markup: names without any sign that means something there.
        body.append(
            {
                "type": "TextBlock",
                "text": f"For {people}",
                "wrap": True,
                "spacing": "Medium",
                "separator": True,
            }
        )
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "msteams": {"width": "Full", "entities": [_mention(reader) for reader in shown.readers]},
        "body": body,
    }


def _part(part: Part, title: Element, left_out: str | None) -> list[Element]:
    style = "good" if part.turn == "resolved" else _STYLES[part.severity]
    head = [_runs(_run(label(part), weight="Bolder")), _runs(title, spacing="Small")]
    made: list[Element] = [
        {"type": "Container", "style": style, "bleed": True, "spacing": "Medium", "items": head}
    ]
    made += [_runs(_run(sentence), spacing="Small") for sentence in part.sentences]
    made += [_fact(fact.label, _run(fact.text)) for fact in part.facts]
    links = [_run(item.text, link=item.url) for item in part.evidence]
    links += [_run(left_out)] if left_out else []
    if links:
        made.append(_runs(_run("Evidence", weight="Bolder"), spacing="Medium"))
        made += [_runs(_run("• "), link, spacing="None") for link in links]
    if part.page:
        made.append(_runs(_run(OPEN, link=part.page), spacing="Medium"))
    return made


def _fact(name: str, value: Element) -> Element:
    return {
        "type": "ColumnSet",
        "spacing": "Small",
        "columns": [
            {"type": "Column", "width": "110px", "items": [_runs(_run(name, weight="Bolder"))]},
            {"type": "Column", "width": "stretch", "items": [_runs(value)]},
        ],
    }


def _runs(*runs: Element, spacing: str = "Default") -> Element:
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": list(runs)}


def _run(text: str, *, link: str | None = None, **look: str) -> Element:
    run: Element = {"type": "TextRun", "text": text, **look}
    if link:
        run |= {"color": "Accent", "underline": True, "selectAction": {"type": "Action.OpenUrl", "url": link}}
    return run


def _mention(reader: Reader) -> Element:
    return {"type": "mention", "text": _at(reader), "mentioned": {"id": reader.email, "name": _name(reader)}}


def _at(reader: Reader) -> str:
    return f"<at>{_name(reader)}</at>"


def _name(reader: Reader) -> str:
    """Letters, digits, blanks and the signs of names: nothing that Markdown, a mention or an address is made of."""
    return " ".join(re.sub(r"[^\w .,'’-]|_|\.(?=\w)", " ", reader.name).split()) or "reader"
