"""E-mail over real SMTP: what arrives, what a failure means, who was left out, what hostile text does."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import icalendar
import pytest

from alerts.channels import LaterError, RefusedError
from alerts.message import Message, Reader
from tests.alerts.channels.conftest import IMPATIENT, certified, to_mail
from tests.alerts.channels.mail_server import MailServer, Order, mail_server
from tests.alerts.channels.messages import (
    AMARA,
    HOSTILE,
    INVITATION,
    TOMASZ,
    hostile,
    huge,
    resolved,
    week_4,
)

PASSWORD = "pass-word-1"


def part(mail: EmailMessage, kind: str) -> EmailMessage:
    """The one part of a content type that is no attachment."""
    [found] = [
        one for one in mail.walk() if one.get_content_type() == kind and not one.get_content_disposition()
    ]
    assert isinstance(found, EmailMessage)
    return found


def test_both_readers_get_one_mail_in_text_and_html_with_the_invitation(mail: MailServer) -> None:
    receipt = to_mail(mail).send(week_4(), None)
    [arrived] = mail.arrived
    assert arrived.recipients == (TOMASZ.email, AMARA.email)
    assert arrived.mail["To"] == f"{TOMASZ.name} <{TOMASZ.email}>, {AMARA.name} <{AMARA.email}>"
    assert arrived.mail["Subject"] == week_4().title
    assert arrived.mail["Auto-Submitted"] == "auto-generated"
    assert receipt == {"message_id": arrived.mail["Message-ID"]}
    assert [one.get_content_type() for one in part(arrived.mail, "multipart/alternative").iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    for kind in ("text/plain", "text/html"):
        text = part(arrived.mail, kind).get_content()
        for needed in (
            "FleetLink waits",
            "Amber, escalated",
            "Slipping since",
            "1,892,500 EUR",
            "Mon 2 Nov 2026",
            "/browse/INT-390",
        ):
            assert needed in text
    calendar = part(arrived.mail, "text/calendar")
    assert calendar.get_param("method") == "REQUEST"
    for sent in (calendar.get_content().encode(), attached(arrived.mail)):
        event = icalendar.Event.from_ical(sent).walk("VEVENT")[0]
        attendees: Any = event["ATTENDEE"]
        assert [str(one) for one in attendees] == [f"mailto:{TOMASZ.email}", f"mailto:{AMARA.email}"]


def attached(mail: EmailMessage) -> bytes:
    [file] = mail.iter_attachments()
    assert file.get_filename() == "invitation.ics"
    content = file.get_content()
    assert isinstance(content, bytes)
    assert content == INVITATION
    return content


def test_fixed_addresses_get_it_instead_of_the_readers(mail: MailServer) -> None:
    to_mail(mail, to=["alerts@meridian-logistics.example"]).send(week_4(), None)
    assert mail.arrived[0].recipients == ("alerts@meridian-logistics.example",)


def test_the_same_message_has_the_same_id_and_an_answer_refers_to_it(mail: MailServer) -> None:
    to = to_mail(mail)
    first = to.send(week_4(), None)
    assert to.send(week_4(), None) == first
    to.send(resolved(), first)
    assert len(set(mail.keys)) == 2
    assert mail.arrived[2].mail["References"] == mail.arrived[2].mail["In-Reply-To"] == first["message_id"]
    to.amend(first, resolved())
    assert to.find(week_4(), datetime.now(UTC)) is None
    assert len(mail.arrived) == 3


LATER = {
    "421": Order("MAIL", "421 4.3.2 Shutting down"),
    "450 for one": Order("RCPT", "450 4.2.0 Greylisted", recipient=AMARA.email),
    "451": Order("DATA", "451 4.3.0 Try again"),
}


@pytest.mark.parametrize("kind", LATER)
def test_what_may_pass_is_for_later_and_nobody_got_it(mail: MailServer, kind: str) -> None:
    mail.orders.append(Order(**vars(LATER[kind])))
    with pytest.raises(LaterError, match="The mail server"):
        to_mail(mail).send(week_4(), None)
    assert mail.arrived == []
    to_mail(mail).send(week_4(), None)
    assert len(mail.arrived) == 1


def test_a_slow_answer_is_for_later(mail: MailServer) -> None:
    mail.orders.append(Order("MAIL", seconds=0.5))
    with pytest.raises(LaterError, match="took too long"):
        to_mail(mail, IMPATIENT).send(week_4(), None)


def test_a_drop_after_the_mail_was_taken_is_for_later_and_the_second_one_has_the_same_id(
    mail: MailServer,
) -> None:
    mail.orders.append(Order("DATA", drop=True))
    with pytest.raises(LaterError, match="broke off"):
        to_mail(mail).send(week_4(), None)
    to_mail(mail).send(week_4(), None)
    assert len(mail.keys) == 2
    assert len(set(mail.keys)) == 1


def test_one_refused_recipient_keeps_it_from_nobody_else_and_is_told(mail: MailServer) -> None:
    mail.orders.append(Order("RCPT", "550 5.1.1 No such mailbox", recipient=TOMASZ.email))
    receipt = to_mail(mail).send(week_4(), None)
    assert mail.arrived[0].recipients == (AMARA.email,)
    assert receipt["refused"] == f"{TOMASZ.email} (550 5.1.1 No such mailbox)"


REFUSED = {
    "every recipient": (
        [Order("RCPT", "550 5.1.1 No"), Order("RCPT", "550 5.1.1 No")],
        "refused every recipient",
    ),
    "the sender": ([Order("MAIL", "553 5.7.1 Not yours")], "553 5.7.1 Not yours"),
    "the content": ([Order("DATA", "554 5.7.1 Spam")], "554 5.7.1 Spam"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_a_person_must_mend_is_refused(mail: MailServer, kind: str) -> None:
    orders, told = REFUSED[kind]
    mail.orders.extend(Order(**vars(order)) for order in orders)
    with pytest.raises(RefusedError, match=told):
        to_mail(mail).send(week_4(), None)
    assert mail.arrived == []


def test_nobody_to_write_to_and_no_address_are_refused(mail: MailServer) -> None:
    message = resolved()
    for readers, told in (
        ((), "for nobody"),
        ((Reader("X", "x@y\r\nRCPT TO:<e@vil>"),), "no e-mail address"),
    ):
        with pytest.raises(RefusedError, match=told):
            to_mail(mail).send(Message(message.key, message.title, message.parts, readers), None)
    assert mail.arrived == []


def test_nobody_there_is_for_later(mail: MailServer) -> None:
    with pytest.raises(LaterError, match="could not be connected to"):
        to_mail(mail, port=1).send(week_4(), None)


# Encryption and sign-in


def test_starttls_and_a_sign_in(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = {"host": "localhost", "security": "starttls", "username": "plumbline"}
    with mail_server(certified(certificate)) as server:
        with pytest.raises(RefusedError, match=r"no TLS connection .* that can be trusted"):
            to_mail(server, **signed, password=PASSWORD).send(week_4(), None)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(RefusedError, match=r"refused the sign-in \(535\)") as caught:
            to_mail(server, **signed, password="very-secret").send(week_4(), None)
        assert "secret" not in str(caught.value)
        to_mail(server, **signed, password=PASSWORD).send(week_4(), None)
        assert len(server.arrived) == len(server.signed_in) == 1


def test_a_server_without_starttls_gets_neither_password_nor_mail(mail: MailServer) -> None:
    with pytest.raises(RefusedError, match="offers no STARTTLS"):
        to_mail(mail, security="starttls").send(week_4(), None)
    assert mail.arrived == []


# What others wrote


class Tags(HTMLParser):
    """The tags of a page with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


OURS = {
    "html", "head", "meta", "title", "body", "table", "tr", "td", "th", "h1", "p", "span", "strong", "ul", "li",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_others_does_nothing_in_a_mail(mail: MailServer, text: str) -> None:
    to_mail(mail).send(hostile(text), None)
    [arrived] = mail.arrived
    # The envelope and the headers are ours.
    assert arrived.recipients == (TOMASZ.email, AMARA.email)
    head = arrived.sent.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")]
    assert sorted(name.decode().lower() for name in names if not name.startswith(b"X-")) == sorted(
        ["from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"]
    )
    assert len(arrived.mail["Subject"]) <= 150
    assert str(arrived.mail["Subject"]).isprintable()
    assert all(len(line) <= 998 for line in arrived.sent.split(b"\r\n"))
    # No tag but ours, no link, and no address that a mail program would make one of.
    page = Tags(part(arrived.mail, "text/html").get_content())
    assert {tag for tag, _ in page.tags} <= OURS
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    for told in ("".join(page.text), part(arrived.mail, "text/plain").get_content()):
        assert "://" not in told
        assert "evil.example" not in told
        assert "@evil" not in told
        seen = "".join(told.splitlines()).replace("\u200c", "")
        assert seen.isprintable()


def test_links_of_ours_are_the_only_ones(mail: MailServer) -> None:
    to_mail(mail).send(week_4(), None)
    page = Tags(part(mail.arrived[0].mail, "text/html").get_content())
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == [item.url for item in week_4().parts[0].evidence] + [week_4().parts[0].page]


def test_a_large_message_is_cut_and_says_so(mail: MailServer) -> None:
    to_mail(mail).send(huge(3), None)
    sent = message_from_bytes(mail.arrived[0].sent, policy=policy.default)
    assert isinstance(sent, EmailMessage)
    assert "and 150 more records" in part(sent, "text/html").get_content()
    assert "and 150 more records" in part(sent, "text/plain").get_content()
