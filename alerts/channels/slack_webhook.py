"""An incoming webhook of Slack. It tells nothing of what it has sent: no threads, nothing found again, nothing changed.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import json
from datetime import datetime

from alerts.channels import Receipt
from alerts.channels.config import SlackWebhookConfig
from alerts.channels.posting import Patience, Service, key_id, post, secrets_of
from alerts.channels.slack_blocks import drawn
from alerts.message import Message


class SlackWebhook:
    """See `alerts.channels.Channel`. A receipt is empty."""

    def __init__(self, config: SlackWebhookConfig, patience: Patience) -> None:
        self._url = config.url.get_secret_value()
        self._service = Service(
            "Slack's incoming webhook",
            "Check `url`: make a new webhook in the settings of the app if this one is gone.",
            secrets_of(self._url),
        )
        self._patience = patience

    def send(self, message: Message, thread: Receipt | None) -> Receipt:
        body = drawn(message, {}) | {"unfurl_links": False, "unfurl_media": False}
        headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": key_id(message.key)}
        post(self._service, self._url, json.dumps(body).encode(), headers, self._patience)
        return {}

    def find(self, message: Message, since: datetime, thread: Receipt | None = None) -> Receipt | None:
        return None

    def amend(self, receipt: Receipt, message: Message) -> None:
        return None
