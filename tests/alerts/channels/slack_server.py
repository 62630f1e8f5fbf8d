"""A server that speaks the methods of Slack that are used, keeps what was posted, and misbehaves on order."""

import itertools
import json
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from demo.servers.loopback import Answer, Fault, LoopbackServer, Request

TOKEN = "xoxb-very-secret-token"
Post = dict[str, Any]


class SlackError(Exception):
    """What Slack answers with `ok: false`."""


def invalid_auth() -> Fault:
    """The token is no longer taken."""
    return refused("invalid_auth")


def refused(error: str, method: str = "", **more: str) -> Fault:
    """The next call, of one method or any, is answered with an error."""
    return Fault(path=method, answer=Answer({"ok": False, "error": error, **more}))


class SlackServer(LoopbackServer):
    """`orders` is what it does wrong next, `posts` what was posted, `keys` the keys of these, one for each time.

    `people`: ids by e-mail address. `channels`: the conversations that the app is in. Slack's limits hold: what it would refuse,
    this refuses too. `page`: how many messages one page of a history holds.
    """

    def __init__(self, people: Iterable[str] = (), page: int = 3) -> None:
        super().__init__()
        self.people = {email: f"U{number:06}" for number, email in enumerate(people, 1)}
        self.channels: dict[str, list[Post]] = {"C024BE91L": []}
        self.groups: dict[tuple[str, ...], str] = {}
        self.page = page
        self._ticks = itertools.count(1)

    @property
    def orders(self) -> list[Fault]:
        return self.faults

    @property
    def base_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def posts(self) -> list[Post]:
        return [post for posts in self.channels.values() for post in posts]

    @property
    def keys(self) -> list[str]:
        return [post["metadata"]["event_payload"]["key"] for post in self.posts]

    def answer(self, request: Request) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer({"ok": False, "error": "invalid_auth"})
        arguments = request.body if isinstance(request.body, dict) else dict(parse_qsl(request.sent.decode()))
        methods: dict[str, Callable[..., dict[str, Any]]] = {
            "/api/users.lookupByEmail": self._lookup,
            "/api/conversations.open": self._open,
            "/api/conversations.history": self._history,
            "/api/conversations.replies": self._replies,
            "/api/chat.postMessage": self._post,
            "/api/chat.update": self._update,
        }
        method = methods.get(request.path)
        if method is None:
            return Answer({"ok": False, "error": "unknown_method"})
        try:
            return Answer({"ok": True, **method(**arguments)})
        except SlackError as error:
            return Answer({"ok": False, "error": str(error)})

    def _lookup(self, email: str) -> dict[str, Any]:
        if email not in self.people:
            raise SlackError("users_not_found")
        return {"user": {"id": self.people[email]}}

    def _open(self, users: str) -> dict[str, Any]:
        members = tuple(sorted(users.split(",")))
        if not set(members) <= set(self.people.values()) or len(members) > 8:
            raise SlackError("user_not_found")
        kind = "D" if len(members) == 1 else "G"
        channel = self.groups.setdefault(members, f"{kind}{len(self.groups) + 1:06}")
        self.channels.setdefault(channel, [])
        return {"channel": {"id": channel}}

    def _in(self, channel: str) -> list[Post]:
        if channel not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel]

    def _post(
        self,
        channel: str,
        text: str,
        blocks: list[Post],
        metadata: Post,
        thread_ts: str | None = None,
        **look: object,
    ) -> dict[str, Any]:
        posts = self._in(channel)
        _within_limits(text, blocks)
        if set(metadata) != {"event_type", "event_payload"}:
            raise SlackError("invalid_metadata_format")
        # Microseconds since 1970, never twice the same.
        ts = f"{int(time.time())}.{next(self._ticks):06}"
        post = {"ts": ts, "text": text, "blocks": blocks, "metadata": metadata, "look": look, "edits": 0}
        posts.append(post | ({"thread_ts": thread_ts} if thread_ts else {}))
        return {"channel": channel, "ts": ts, "message": {}}

    def _update(
        self, channel: str, ts: str, text: str, blocks: list[Post], metadata: Post, **look: object
    ) -> dict[str, Any]:
        _within_limits(text, blocks)
        for post in self._in(channel):
            if post["ts"] == ts:
                post.update(text=text, blocks=blocks, metadata=metadata, edits=post["edits"] + 1)
                return {"channel": channel, "ts": ts}
        raise SlackError("message_not_found")

    def _history(self, channel: str, **window: str) -> dict[str, Any]:
        roots = [post for post in self._in(channel) if "thread_ts" not in post]
        return self._paged(roots[::-1], **window)

    def _replies(self, channel: str, ts: str, **window: str) -> dict[str, Any]:
        thread = [post for post in self._in(channel) if ts in (post["ts"], post.get("thread_ts"))]
        if not thread:
            raise SlackError("thread_not_found")
        return self._paged(thread, **window)

    def _paged(
        self,
        posts: list[Post],
        oldest: str = "0",
        limit: str = "100",
        cursor: str = "0",
        include_all_metadata: str = "0",
    ) -> dict[str, Any]:
        found = [post for post in posts if float(post["ts"]) >= float(oldest)]
        start, size = int(cursor), min(int(limit), self.page)
        more = str(start + size) if start + size < len(found) else ""
        shown = [
            {name: value for name, value in post.items() if name != "metadata" or include_all_metadata == "1"}
            for post in found[start : start + size]
        ]
        return {"messages": shown, "has_more": bool(more), "response_metadata": {"next_cursor": more}}


def _within_limits(text: str, blocks: list[Post]) -> None:
    if len(text) > 40_000:
        raise SlackError("msg_too_long")
    if len(blocks) > 50 or len(json.dumps(blocks)) > 13_000:
        raise SlackError("msg_blocks_too_long")
    for block in blocks:
        if block["type"] == "header" and not 0 < len(block["text"]["text"]) <= 150:
            raise SlackError("invalid_blocks")
        for element in _elements(block):
            if element.get("type") in ("text", "link") and not 0 < len(element.get("text", "")) <= 3000:
                raise SlackError("invalid_blocks")


def _elements(block: Post) -> Iterable[Post]:
    for element in block.get("elements", ()):
        yield element
        yield from _elements(element)
