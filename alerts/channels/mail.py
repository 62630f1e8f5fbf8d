"""E-mail by SMTP: HTML and text, the invitation as calendars read it.

One message to all its recipients together. A recipient whom the server refuses for good does not keep it from the others: the
receipt names who was left out, under `refused`. A temporary refusal of anybody holds the message back for all, before
anybody has it, so that nobody gets it twice.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from alerts.channels import LaterError, Receipt, RefusedError
from alerts.channels.config import EmailConfig, is_mailbox
from alerts.channels.posting import Patience, key_id, quote
from alerts.channels.wording import OPEN, Cut, as_text, label, one_title, short, unlinked
from alerts.message import Message

_CUT = Cut(parts=100, evidence=50, sentences=20, facts=20, letters=2000)
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_CALENDAR = {
    "REQUEST": "The invitation is attached; most calendars take it from here.",
    "CANCEL": "The meeting is called off; the attached file takes it out of the calendar.",
}
_METHOD = re.compile(rb"^METHOD:([A-Za-z]+)\s*$", re.MULTILINE)


class EmailChannel:
    """See `alerts.channels.Channel`. A receipt holds message_id, and refused where somebody was left out."""

    def __init__(self, config: EmailConfig, patience: Patience) -> None:
        self._config = config
        self._patience = patience
        self._password = config.password.get_secret_value() if config.password else ""

    def send(self, message: Message, thread: Receipt | None) -> Receipt:
        recipients = self._recipients(message)
        mail = composed(message, self._config.sender, recipients, thread)
        refused = self._handed_over(list(recipients), mail.as_bytes(policy=SMTP.clone(cte_type="7bit")))
        receipt = {"message_id": str(mail["Message-ID"])}
        return receipt | ({"refused": ", ".join(refused)} if refused else {})

    def find(self, message: Message, since: datetime, thread: Receipt | None = None) -> Receipt | None:
        return None

    def amend(self, receipt: Receipt, message: Message) -> None:
        return None

    def _recipients(self, message: Message) -> Mapping[str, str]:
        """The names of whom it goes to, by their addresses; raises RefusedError when there is nobody to send to."""
        if self._config.to:
            return dict.fromkeys(self._config.to, "")
        recipients = {reader.email: reader.name for reader in message.readers}
        wrong = [short(address, 80) for address in recipients if not is_mailbox(address)]
        if wrong:
            raise RefusedError(
                f"The mail cannot be sent: no e-mail address is {', '.join(wrong)}. Mend strategy/functions.yml."
            )
        if not recipients:
            raise RefusedError("The mail has no recipients: it is for nobody, and `to` is not set.")
        return recipients

    def _handed_over(self, recipients: list[str], mail: bytes) -> list[str]:
        """Whom the server refused, each with what it said; raises when nobody got it."""
        try:
            # Not as a context: that says goodbye at the end, and a server that then fails has taken the mail already.
            with closing(self._connected()) as server:
                self._signed_in(server)
                refused = self._delivered(server, recipients, mail)
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
                return refused
        except ssl.SSLError as error:
            # Anything else may be a connection that was cut off.
            if not isinstance(error, ssl.SSLCertVerificationError) and error.reason != "WRONG_VERSION_NUMBER":
                raise LaterError(f"{self._where} broke off the TLS connection") from None
            raise RefusedError(
                f"There is no TLS connection to {self._where} that can be trusted. Check `host`, `port` and `security`."
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise RefusedError(
                f"{self._where} offers no {'sign-in' if self._password else 'STARTTLS'} of the kind that is needed. "
                "Check `port` and `security`."
            ) from None
        except smtplib.SMTPResponseException as error:
            raise self._meaning(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPException:
            raise LaterError(f"{self._where} broke off the connection or took too long to answer") from None
        except OSError:
            raise LaterError(f"{self._where} could not be connected to") from None

    def _connected(self) -> smtplib.SMTP:
        config = self._config
        port = config.port or _PORTS[config.security]
        if config.security == "tls":
            return smtplib.SMTP_SSL(
                config.host, port, timeout=self._patience.read, context=ssl.create_default_context()
            )
        server = smtplib.SMTP(config.host, port, timeout=self._patience.read)
        if config.security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server

    def _signed_in(self, server: smtplib.SMTP) -> None:
        if self._config.username is None:
            return
        try:
            server.login(self._config.username, self._password)
        except smtplib.SMTPAuthenticationError as error:
            if 400 <= error.smtp_code < 500:
                raise LaterError(f"{self._where} could not check the sign-in ({error.smtp_code})") from None
            # What the server says of a sign-in may repeat it.
            raise RefusedError(
                f"{self._where} refused the sign-in ({error.smtp_code}). Check `username` and `password`."
            ) from None

    def _delivered(self, server: smtplib.SMTP, recipients: list[str], mail: bytes) -> list[str]:
        server.ehlo_or_helo_if_needed()
        code, said = server.mail(self._config.sender)
        if code != 250:
            raise smtplib.SMTPResponseException(code, said)
        refused: dict[str, tuple[int, bytes]] = {}
        for recipient in recipients:
            code, said = server.rcpt(recipient)
            if code not in (250, 251):
                refused[recipient] = (code, said)
        for recipient, (code, said) in refused.items():
            if code < 500:
                raise LaterError(
                    f"{self._where} does not take mail for {recipient} now{self._quoted(code, said)}"
                )
        told = [f"{recipient}{self._quoted(code, said)}" for recipient, (code, said) in refused.items()]
        if len(refused) == len(recipients):
            raise RefusedError(
                f"{self._where} refused every recipient: {', '.join(told)}. Check the addresses."
            )
        code, said = server.data(mail)
        if code != 250:
            raise smtplib.SMTPResponseException(code, said)
        return told

    def _meaning(self, code: int, said: bytes | str) -> Exception:
        if code < 500:
            return LaterError(f"{self._where} does not take it now{self._quoted(code, said)}")
        return RefusedError(
            f"{self._where} refused the mail{self._quoted(code, said)}. Check `from`, and what the server lets this sender do."
        )

    def _quoted(self, code: int, said: bytes | str) -> str:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return quote(f"{code} {text}", [self._password])

    @property
    def _where(self) -> str:
        return f"The mail server {self._config.host}"


def composed(
    message: Message, sender: str, recipients: Mapping[str, str], thread: Receipt | None
) -> EmailMessage:
    """The mail of a message; `recipients`: names by addresses, an empty name where none is known."""
    mail = EmailMessage(policy=SMTP)
    domain = sender.partition("@")[2]
    shown = _CUT.of(message)
    mail["From"] = Address("Plumbline", addr_spec=sender)
    mail["To"] = [Address(short(name, 80), addr_spec=address) for address, name in recipients.items()]
    mail["Subject"] = shown.title
    mail["Date"] = format_datetime(datetime.now(UTC))
    # The same for each try, so that a mail system can drop what comes twice.
    mail["Message-ID"] = f"<{key_id(message.key)}@{domain}>"
    if thread and (first := thread.get("message_id")):
        mail["In-Reply-To"] = mail["References"] = first
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{unlinked(shown.title)}\n\n{as_text(message, _CUT, unlinked)}", cte="quoted-printable")
    method = _method(message.invitation) if message.invitation else None
    page = _template().render(
        message=shown,
        parts=[(part, _CUT.left_out(whole)) for part, whole in zip(shown.parts, message.parts, strict=False)],
        parts_left_out=_CUT.parts_left_out(message),
        one_title=one_title(message),
        open=OPEN,
        calendar=_CALENDAR.get(method or ""),
    )
    mail.add_alternative(page, subtype="html", cte="quoted-printable")
    if message.invitation:
        # As an alternative, which mail programs show with its buttons, and attached for those that do not.
        calendar = message.invitation.decode("utf-8", "replace")
        mail.add_alternative(calendar, subtype="calendar", params={"method": method or ""}, cte="base64")
        mail.add_attachment(
            message.invitation, maintype="application", subtype="ics", filename="invitation.ics"
        )
    return mail


def _method(invitation: bytes) -> str:
    found = _METHOD.search(invitation)
    return found.group(1).decode().upper() if found else "PUBLISH"


@cache
def _template() -> Template:
    templates = Environment(
        loader=PackageLoader("alerts.channels"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"unlinked": unlinked, "label": label}
    return templates.get_template("email.html")
