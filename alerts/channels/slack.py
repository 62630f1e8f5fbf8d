"""Slack by its Web API: a channel, or a group message that holds all readers.

https://docs.slack.dev/reference/methods; the key of a message goes along as its metadata, by which it is found again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from alerts.channels import LaterError, Receipt, RefusedError
from alerts.channels.config import SlackConfig
from alerts.channels.posting import Patience, Service, post, quote
from alerts.channels.slack_blocks import drawn
from alerts.message import Message, Reader

log = logging.getLogger(__name__)

_EVENT = "plumbline_message"
_MOST_IN_A_GROUP = 8
# Slack stamps messages by its clock, not by ours.
_CLOCKS_APART = timedelta(minutes=10)
_MAY_PASS = {
    "accesslimited", "external_channel_migrating", "fatal_error", "internal_error", "org_login_required", "rate_limited",
    "ratelimited", "request_timeout", "service_unavailable", "team_added_to_org",
}  # fmt: skip
_CHECK_TOKEN = "Set `token` to the bot token of the app as it is installed now."  # noqa: S105
_INVITE = "Check the id in `channel`, and invite the app there: /invite, then its name."
_MEND = {
    "account_inactive": _CHECK_TOKEN,
    "invalid_auth": _CHECK_TOKEN,
    "not_authed": _CHECK_TOKEN,
    "token_expired": _CHECK_TOKEN,
    "token_revoked": _CHECK_TOKEN,
    "not_allowed_token_type": "Set `token` to a bot token; it begins with xoxb-.",
    "channel_not_found": _INVITE,
    "not_in_channel": _INVITE,
    "is_archived": "The channel is archived: set `channel` to another one.",
    "restricted_action": "An administrator of Slack must let the app post there.",
    "message_not_found": "Somebody has deleted the message.",
    "cant_update_message": "Set `token` to the app that sent the message.",
}


class SlackChannel:
    """See `alerts.channels.Channel`. A receipt holds channel, ts and key."""

    def __init__(self, config: SlackConfig, patience: Patience) -> None:
        self._channel = config.channel
        self._client = _Client(config, patience)
        self._found: dict[str, str] = {}

    def send(self, message: Message, thread: Receipt | None) -> Receipt:
        people = self._people(message)
        place = self._place(message, people)
        sent = self._call(
            self._client.chat_postMessage,
            channel=place,
            thread_ts=_in(place, thread),
            metadata=_metadata(message.key),
            mrkdwn=False,
            parse="none",
            link_names=False,
            unfurl_links=False,
            unfurl_media=False,
            **drawn(message, people),
        )
        return {"channel": str(sent["channel"]), "ts": str(sent["ts"]), "key": message.key}

    def find(self, message: Message, since: datetime, thread: Receipt | None = None) -> Receipt | None:
        try:
            place = self._place(message, self._people(message))
            for sent in self._messages(place, _in(place, thread), since - _CLOCKS_APART):
                metadata = sent.get("metadata") or {}
                if metadata.get("event_type") != _EVENT:
                    continue
                if (metadata.get("event_payload") or {}).get("key") == message.key:
                    return {"channel": place, "ts": str(sent["ts"]), "key": message.key}
        except RefusedError as error:
            log.warning("Whether a message has arrived cannot be seen: %s", error)
        return None

    def amend(self, receipt: Receipt, message: Message) -> None:
        self._call(
            self._client.chat_update,
            channel=receipt["channel"],
            ts=receipt["ts"],
            # The message must still be found by the key with which it was sent.
            metadata=_metadata(receipt["key"]),
            parse="none",
            link_names=False,
            **drawn(message, self._people(message)),
        )

    def _place(self, message: Message, people: dict[str, str]) -> str:
        """The channel, or the group message with all readers who are in Slack, which Slack makes where there is none."""
        if self._channel:
            return self._channel
        if not people:
            names = ", ".join(reader.email for reader in message.readers) or "nobody"
            raise RefusedError(
                f"Slack knows none of those whom this message is for: {names}. Slack must know them by the same e-mail "
                "addresses as strategy/functions.yml, or set `channel`."
            )
        if len(people) > _MOST_IN_A_GROUP:
            raise RefusedError(
                f"A group message of Slack holds {_MOST_IN_A_GROUP} people, and this one is for {len(people)}. Set `channel`."
            )
        opened = self._call(self._client.conversations_open, users=sorted(people.values()))
        return str(opened["channel"]["id"])

    def _people(self, message: Message) -> dict[str, str]:
        """The ids in Slack of the readers whom it knows, by their e-mail addresses."""
        found = {reader.email: self._person(reader) for reader in message.readers}
        return {email: person for email, person in found.items() if person}

    def _person(self, reader: Reader) -> str | None:
        if reader.email not in self._found:
            try:
                answer = self._call(self._client.users_lookupByEmail, email=reader.email)
            except _UnknownPersonError:
                return None
            self._found[reader.email] = str(answer["user"]["id"])
        return self._found[reader.email]

    def _messages(self, place: str, ts: str | None, since: datetime) -> Iterator[dict[str, Any]]:
        """The messages of a channel, or of the thread below one, since a moment."""
        cursor = None
        while True:
            window = {"oldest": f"{since.timestamp():.6f}", "include_all_metadata": True, "limit": 200}
            if ts:
                page = self._call(
                    self._client.conversations_replies, channel=place, ts=ts, cursor=cursor, **window
                )
            else:
                page = self._call(self._client.conversations_history, channel=place, cursor=cursor, **window)
            yield from page.get("messages") or []
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    def _call(self, method: Any, **arguments: Any) -> dict[str, Any]:
        try:
            answer = method(**arguments).data
        except SlackApiError as error:
            said: Any = error.response.data
            raise _meaning(said if isinstance(said, dict) else {}, self._client.secrets) from None
        if not isinstance(answer, dict):
            raise LaterError("Slack answered with what is no JSON")
        return answer


class _Client(WebClient):
    """Slack's client with our own way out: no redirect, bounded answers, no proxy for this machine.

    It tries nothing again: the outbox does.
    """

    def __init__(self, config: SlackConfig, patience: Patience) -> None:
        token = config.token.get_secret_value()
        self.secrets = (token,)
        self._patience = patience
        self._service = Service(
            f"Slack at {urlsplit(config.base_url).hostname}", "Check `base_url`.", self.secrets
        )
        silent = logging.Logger("slack_sdk of alerts", logging.CRITICAL)
        super().__init__(token=token, base_url=config.base_url, retry_handlers=[], logger=silent)

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        body = req.data if isinstance(req.data, bytes) else b""
        answer = post(self._service, url, body, dict(req.header_items()), self._patience)
        return {"status": 200, "headers": {}, "body": answer.decode("utf-8", "replace")}


class _UnknownPersonError(Exception):
    """Slack knows nobody by that e-mail address."""


def _metadata(key: str) -> dict[str, Any]:
    return {"event_type": _EVENT, "event_payload": {"key": key}}


def _in(place: str, thread: Receipt | None) -> str | None:
    """The thread to answer in; none when it is in another conversation, as when somebody has joined the readers."""
    return thread["ts"] if thread and thread.get("channel") == place else None


def _meaning(answer: dict[str, Any], secrets: tuple[str, ...]) -> Exception:
    error = str(answer.get("error") or "")
    if error == "users_not_found":
        return _UnknownPersonError()
    if error in _MAY_PASS or not error.replace("_", "").isalnum():
        return LaterError(f"Slack answered{quote(error, secrets) or ' with what is no JSON'}")
    if error == "missing_scope":
        needed = quote(str(answer.get("needed") or ""), secrets)
        return RefusedError(
            f"Slack answered missing_scope. Give the app the missing scope{needed} and install it again."
        )
    return RefusedError(
        f"Slack answered{quote(error, secrets)}. {_MEND.get(error, 'See docs/alerts.md for how the app is set up.')}"
    )
