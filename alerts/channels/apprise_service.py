"""Any of the services that Apprise knows, by one address.

Some of them read mentions, Markdown or HTML out of plain text, each in its own way. So the signs that these are made of are
replaced by others that look alike, and an address in a text is broken up.
"""

from __future__ import annotations

from datetime import datetime

import apprise

from alerts.channels import LaterError, Receipt, RefusedError
from alerts.channels.config import AppriseConfig
from alerts.channels.posting import quote, secrets_of
from alerts.channels.wording import Cut, as_text, fitting, short, unlinked
from alerts.message import Message

_LOOK_ALIKE = str.maketrans("@<>[]*_`~|#\\", "＠‹›()∗＿ʼ∼¦＃＼")
# What the shorter ones among chat services take.
_MOST_LETTERS = 1_800
_CUTS = tuple(
    Cut(parts=parts, evidence=evidence, sentences=3, facts=8, letters=letters)
    for parts, evidence, letters in ((20, 10, 400), (20, 5, 300), (20, 2, 200), (10, 0, 100), (3, 0, 60))
)
_KINDS = {
    "red": apprise.NotifyType.FAILURE,
    "amber": apprise.NotifyType.WARNING,
    "green": apprise.NotifyType.SUCCESS,
}


class AppriseChannel:
    """See `alerts.channels.Channel`. A receipt is empty."""

    def __init__(self, config: AppriseConfig) -> None:
        self._url = config.url.get_secret_value()
        self._apprise = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Plumbline", http_redirects=False))
        if not self._apprise.add(self._url):
            raise RefusedError(
                "Apprise does not understand the `url`: see its list of services for the form."
            )

    def send(self, message: Message, thread: Receipt | None) -> Receipt:
        severity = "green" if message.parts[0].turn == "resolved" else message.parts[0].severity
        answer = self._apprise.notify(
            title=_harmless(short(message.title, 150) or "Plumbline"),
            body=fitting(lambda cut: as_text(message, cut, _harmless), len, _MOST_LETTERS, _CUTS),
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=_KINDS[severity],
        )
        if not answer:
            # Apprise does not say whether another try can help.
            said = " ".join(entry.message for entry in answer.logs() if entry.level in ("WARNING", "ERROR"))
            raise LaterError(f"Apprise could not send it{quote(said, secrets_of(self._url))}")
        return {}

    def find(self, message: Message, since: datetime, thread: Receipt | None = None) -> Receipt | None:
        return None

    def amend(self, receipt: Receipt, message: Message) -> None:
        return None


def _harmless(text: str) -> str:
    return unlinked(text.translate(_LOOK_ALIKE))
