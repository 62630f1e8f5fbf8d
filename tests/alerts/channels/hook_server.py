"""Servers that receive a POST: a Teams workflow, an incoming webhook of Slack, a receiver of signed webhooks."""

import base64
import hashlib
import hmac
import time

from demo.servers.loopback import Answer, Fault, LoopbackServer, Request


def too_many(seconds: int = 30) -> Fault:
    """429 with Retry-After; nothing is taken."""
    return Fault(answer=Answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(seconds)}))


def broken(status: int = 500) -> Fault:
    """An answer with a status of failure; nothing is taken."""
    return Fault(answer=Answer(b"<html>oops</html>", status))


def dropped_after() -> Fault:
    """Everything is taken, and the connection drops before the answer."""
    return Fault(reset=True)


def dropped_before() -> Fault:
    """The connection drops and nothing is taken."""
    return Fault(answer=Answer({}), reset=True)


def slow(seconds: float) -> Fault:
    """Everything is taken, and the answer comes late."""
    return Fault(delay=seconds)


class HookServer(LoopbackServer):
    """Takes every POST: `orders` is what it does wrong next, `arrived` what it took, `keys` the keys of these, one for each time.

    A misbehaviour on order happens once. A redirect goes to `/taken-away`, which would show in `arrived`.
    """

    said: object = b"ok"
    status = 200

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[Request] = []

    @property
    def orders(self) -> list[Fault]:
        return self.faults

    @property
    def keys(self) -> list[str]:
        return [request.headers["Idempotency-Key"] for request in self.arrived]

    def answer(self, request: Request) -> Answer:
        self.arrived.append(request)
        return Answer(self.said, self.status)


class TeamsServer(HookServer):
    """A workflow takes a card before it posts it, and refuses one that is too large or no card."""

    said = b""
    status = 202

    def answer(self, request: Request) -> Answer:
        if len(request.sent) > 28 * 1024:
            return Answer({"error": {"code": "RequestEntityTooLarge"}}, 413)
        try:
            card = request.body["attachments"][0]["content"]
            right = card["type"] == "AdaptiveCard" and request.body["type"] == "message"
        except (KeyError, IndexError, TypeError):
            right = False
        return (
            super().answer(request)
            if right
            else Answer({"error": {"code": "TriggerInputSchemaMismatch"}}, 400)
        )


class SignedServer(HookServer):
    """Checks signatures as the specification tells receivers to, and keeps one of each id."""

    status = 204

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self.kept: dict[str, object] = {}

    def answer(self, request: Request) -> Answer:
        names = {name.lower(): value for name, value in request.headers.items()}
        try:
            identity, moment = names["webhook-id"], names["webhook-timestamp"]
            versions = [one.split(",", 1) for one in names["webhook-signature"].split(" ")]
        except KeyError:
            return Answer({"message": "not signed"}, 400)
        content = f"{identity}.{moment}.".encode() + request.sent
        right = base64.b64encode(hmac.new(self._key, content, hashlib.sha256).digest()).decode()
        signed = any(version == "v1" and hmac.compare_digest(right, found) for version, found in versions)
        if not signed or abs(time.time() - int(moment)) > 300:
            return Answer({"message": "wrong signature"}, 401)
        self.kept[identity] = request.body
        return super().answer(request)
