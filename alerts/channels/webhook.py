"""Any program that takes signed JSON, by the Standard Webhooks specification (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from alerts.channels import Receipt, RefusedError
from alerts.channels.config import WebhookConfig
from alerts.channels.posting import Patience, Service, key_id, post, secrets_of
from alerts.channels.wording import web_link
from alerts.message import Message, Part
from publish.wording import clean

_PREFIX = "whsec_"


class SignedWebhook:
    """See `alerts.channels.Channel`. A receipt holds the id that went along."""

    def __init__(self, config: WebhookConfig, patience: Patience) -> None:
        self._url = config.url.get_secret_value()
        self._key = _key(config.secret)
        self._service = Service("The webhook", "Check `url`, and the receiver's log.", secrets_of(self._url))
        self._patience = patience

    def send(self, message: Message, thread: Receipt | None) -> Receipt:
        identity = f"msg_{key_id(message.key)}"
        body = json.dumps(
            {"type": "plumbline.message", "data": _data(message, (thread or {}).get("id"))}
        ).encode()
        moment = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": identity,
            "webhook-id": identity,
            "webhook-timestamp": moment,
            "webhook-signature": signature(self._key, identity, moment, body),
        }
        post(self._service, self._url, body, headers, self._patience)
        return {"id": identity}

    def find(self, message: Message, since: datetime, thread: Receipt | None = None) -> Receipt | None:
        return None

    def amend(self, receipt: Receipt, message: Message) -> None:
        return None


def signature(key: bytes, identity: str, moment: str, body: bytes) -> str:
    """The header `webhook-signature` over id, moment (seconds since 1970) and body."""
    content = b".".join((identity.encode(), moment.encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}"


def _key(secret: SecretStr) -> bytes:
    written = secret.get_secret_value()
    try:
        key = base64.b64decode(written.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not written.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise RefusedError(
            "The `secret` of the webhook is not whsec_ with 24 to 64 bytes in base64 behind it. Make one: "
            'printf "whsec_%s" "$(openssl rand -base64 32)"'
        )
    return key


def _data(message: Message, thread: str | None) -> dict[str, Any]:
    return {
        "key": message.key,
        "thread": thread,
        "title": clean(message.title),
        "readers": [{"name": clean(reader.name), "email": clean(reader.email)} for reader in message.readers],
        "parts": [_part(part) for part in message.parts],
        "invitation": message.invitation.decode("utf-8", "replace") if message.invitation else None,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "incident": part.incident,
        "turn": part.turn,
        "severity": part.severity,
        "title": clean(part.title),
        "sentences": [clean(sentence) for sentence in part.sentences],
        "facts": [{"label": clean(fact.label), "text": clean(fact.text)} for fact in part.facts],
        "evidence": [{"text": clean(item.text), "url": web_link(item.url)} for item in part.evidence],
        "page": web_link(part.page),
    }
