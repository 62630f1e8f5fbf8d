"""A mail server that speaks SMTP (aiosmtpd) and misbehaves on order."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Order:
    """A misbehaviour, which happens once. `at`: MAIL, RCPT or DATA; `answer`: what is said there instead of yes.

    `recipient`: at RCPT only for this one. `seconds`: how late. `drop`: the mail is taken, and the connection
    drops before it is said.
    """

    at: str
    answer: str | None = None
    recipient: str | None = None
    seconds: float = 0.0
    drop: bool = False


@dataclass(frozen=True)
class Arrived:
    """A mail as it came: its envelope, its bytes and what they parse to."""

    sender: str
    recipients: tuple[str, ...]
    sent: bytes
    mail: EmailMessage


class MailServer:
    """`orders` is what it does wrong next, `arrived` what it took, `keys` the Message-IDs of these, one for each time."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.arrived: list[Arrived] = []
        self.signed_in: list[str] = []
        self.port = 0

    @property
    def keys(self) -> list[str]:
        return [str(one.mail["Message-ID"]) for one in self.arrived]

    def _next(self, at: str, recipient: str | None = None) -> Order | None:
        for order in self.orders:
            if order.at == at and order.recipient in (None, recipient):
                self.orders.remove(order)
                return order
        return None

    async def handle_MAIL(  # noqa: N802 - aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        order = self._next("MAIL")
        if order:
            await asyncio.sleep(order.seconds)
            if order.answer:
                return order.answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        order = self._next("RCPT", address)
        if order and order.answer:
            return order.answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        order = self._next("DATA")
        if order and order.answer:
            return order.answer
        sent: Any = envelope.content
        self.arrived.append(
            Arrived(
                envelope.mail_from or "",
                tuple(envelope.rcpt_tos),
                sent,
                message_from_bytes(sent, policy=policy.default),
            )
        )
        if order:
            await asyncio.sleep(order.seconds)
            if order.drop and server.transport:
                cast(asyncio.Transport, server.transport).abort()
        return "250 OK"

    def check(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            b"plumbline",
            b"pass-word-1",
        )
        if right:
            self.signed_in.append("plumbline")
        return AuthResult(success=right, handled=False)


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """A mail server on 127.0.0.1 and a free port; with `tls` it wants STARTTLS and a sign-in (plumbline, pass-word-1)."""
    server = MailServer()
    wishes: dict[str, Any] = {}
    if tls:
        wishes = {
            "tls_context": tls,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": server.check,
        }
    controller = _AnyPort(server, hostname="127.0.0.1", port=0, ready_timeout=10, **wishes)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop(no_assert=True)


class _AnyPort(Controller):
    """Listens on a free port, and knows which."""

    async def _create_server(self) -> asyncio.AbstractServer:
        server: Any = await super()._create_server()
        self.port = server.sockets[0].getsockname()[1]
        return cast(asyncio.AbstractServer, server)
