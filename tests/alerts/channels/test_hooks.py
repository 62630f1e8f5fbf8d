"""Teams, Slack's incoming webhook, the signed webhook and Apprise: what arrives, what a failure means, what hostile text does."""

import base64
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from alerts.channels import Channel, LaterError, RefusedError
from alerts.channels.config import AnyChannel
from alerts.channels.posting import Patience
from alerts.channels.webhook import signature
from demo.servers.loopback import Answer, Fault
from tests.alerts.channels.conftest import IMPATIENT, SECRET, certified, channel
from tests.alerts.channels.hook_server import (
    HookServer,
    SignedServer,
    TeamsServer,
    broken,
    dropped_after,
    dropped_before,
    slow,
    too_many,
)
from tests.alerts.channels.messages import HOSTILE, INVITATION, TOMASZ, hostile, huge, resolved, week_4

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
PATH = "/workflows/0123456789abcdef/triggers?sig=very-secret-signature"


def to_teams(server: HookServer) -> Channel:
    return channel(type="teams", url=server.url + PATH)


def to_slack_webhook(server: HookServer) -> Channel:
    return channel(type="slack_webhook", url=server.url + PATH)


def to_webhook(server: HookServer) -> Channel:
    return channel(type="webhook", url=server.url + PATH, secret=SECRET)


ALL: dict[str, Callable[[HookServer], Channel]] = {
    "teams": to_teams,
    "slack_webhook": to_slack_webhook,
    "webhook": to_webhook,
}
LATER = {
    "429": (too_many(30), 30.0),
    "408": (broken(408), None),
    "500": (broken(), None),
    "garbage Retry-After": (Fault(answer=Answer({}, 503, {"Retry-After": "soon"})), None),
    "dropped": (dropped_before(), None),
    "dropped after": (dropped_after(), None),
}


@pytest.mark.parametrize("kind", LATER)
def test_what_may_pass_is_for_later(hook: HookServer, kind: str) -> None:
    fault, seconds = LATER[kind]
    hook.orders.append(Fault(**vars(fault)))
    with pytest.raises(LaterError) as caught:
        to_teams(hook).send(week_4(), None)
    assert caught.value.seconds == seconds
    assert "secret" not in str(caught.value) and "0123456789abcdef" not in str(caught.value)
    assert len(hook.log) == 1


def test_a_slow_answer_is_for_later(hook: HookServer) -> None:
    hook.orders.append(slow(0.5))
    with pytest.raises(LaterError, match="took too long"):
        channel(IMPATIENT, type="teams", url=hook.url).send(week_4(), None)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0, 0),
        (format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True), 3000, 3600),
        ("Thu, 31 Dec 2099 23:59:59 GMT", 86400, 86400),
        ("9" * 400, 86400, 86400),
    ],
    ids=["past", "an hour", "never", "huge"],
)
def test_retry_after_may_be_a_date_and_is_no_more_than_a_day(
    hook: HookServer, header: str, least: int, most: int
) -> None:
    hook.orders.append(Fault(answer=Answer({}, 503, {"Retry-After": header})))
    with pytest.raises(LaterError) as caught:
        to_teams(hook).send(week_4(), None)
    assert caught.value.seconds is not None
    assert least <= caught.value.seconds <= most


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413])
def test_what_a_person_must_mend_is_refused_without_secrets(hook: HookServer, kind: str, status: int) -> None:
    told = {"error": f"no such trigger {PATH} for {hook.url}{PATH} \u202e"}
    hook.orders.append(Fault(answer=Answer(told, status)))
    with pytest.raises(RefusedError, match=rf"answered {status}.*no such trigger.*Check `url`") as caught:
        ALL[kind](hook).send(week_4(), None)
    text = "".join(map(str, (caught.value, caught.value.__cause__, caught.value.__context__)))
    assert "secret" not in str(caught.value) and "0123456789abcdef" not in text
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_other_address_is_asked(hook: HookServer, kind: str, status: int) -> None:
    with HookServer() as elsewhere:
        hook.orders.append(Fault(answer=Answer({}, status, {"Location": f"{elsewhere.url}/taken-away"})))
        with pytest.raises(RefusedError, match="another address"):
            ALL[kind](hook).send(week_4(), None)
        assert elsewhere.arrived == []
    assert hook.arrived == []


def test_nobody_there_is_for_later(hook: HookServer) -> None:
    to = to_teams(hook)
    hook.__exit__(None, None, None)
    with pytest.raises(LaterError, match="could not be connected to"):
        to.send(week_4(), None)


def test_an_endless_answer_is_not_read_to_its_end(hook: HookServer) -> None:
    """The status has said that the message was taken; what comes after it is not needed."""
    with endless() as (url, sent):
        to = channel(Patience(connect=10.0, read=10.0, total=0.2), type="teams", url=url)
        assert to.send(week_4(), None) == {}
    assert sent[0] < 64 * 1024 * 1024


@pytest.mark.parametrize("kind", ALL)
def test_they_tell_nothing_of_what_they_sent_and_change_nothing(hook: HookServer, kind: str) -> None:
    to = ALL[kind](hook)
    receipt = to.send(week_4(), None)
    to.amend(receipt, resolved())
    assert to.find(week_4(), datetime.now(UTC)) is None
    assert len(hook.log) == 1
    to.send(week_4(), None)
    assert len(set(hook.keys)) == 1
    to.send(resolved(), receipt)
    assert len(set(hook.keys)) == 2


@contextmanager
def endless() -> Iterator[tuple[str, list[int]]]:
    """A server that says yes and goes on talking; beside its address how many bytes it could send."""
    listener, sent = socket.create_server(("127.0.0.1", 0)), [0]

    def talk() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while sent[0] < 1 << 30:
                sent[0] += connection.send(b"x" * 65536)

    speaker = threading.Thread(target=talk)
    speaker.start()
    with listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", sent
    speaker.join()


@contextmanager
def over_tls(context: ssl.SSLContext | None) -> Iterator[str]:
    """An https:// address that takes one connection; without a context it is cut off before any TLS."""
    listener = socket.create_server(("localhost", 0))

    def take() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            if context:
                with context.wrap_socket(connection, server_side=True) as safe:
                    safe.recv(65536)
                    safe.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    taker = threading.Thread(target=take)
    taker.start()
    with listener:
        yield f"https://localhost:{listener.getsockname()[1]}/very-secret"
        taker.join()


def test_a_certificate_that_cannot_be_trusted_is_refused_and_a_cut_connection_is_for_later(
    certificate: Path,
) -> None:
    wrong = {
        RefusedError: (certified(certificate), "can be trusted"),
        LaterError: (None, "broke off"),
    }
    for error, (context, told) in wrong.items():
        with over_tls(context) as url, pytest.raises(error, match=told) as caught:
            channel(type="teams", url=url).send(week_4(), None)
        assert "secret" not in str(caught.value)


def test_what_the_documents_say_of_checking_a_signature_is_right(signed: SignedServer) -> None:
    text = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    to_webhook(signed).send(week_4(), None)
    [request] = signed.arrived
    assert names["is_from_plumbline"](SECRET, request.headers, request.sent)
    assert not names["is_from_plumbline"](SECRET, request.headers, request.sent + b" ")
    assert not names["is_from_plumbline"]("whsec_" + "A" * 40, request.headers, request.sent)


# Teams


def inside(card: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every element of a kind in a card, however deep."""
    if isinstance(card, dict):
        if card.get("type") == kind:
            yield card
        for value in card.values():
            yield from inside(value, kind)
    if isinstance(card, list):
        for value in card:
            yield from inside(value, kind)


def posted(server: HookServer) -> dict[str, Any]:
    card: dict[str, Any] = server.arrived[-1].body["attachments"][0]["content"]
    return card


def test_a_card_says_all_of_it_and_mentions_both_by_their_addresses(teams: TeamsServer) -> None:
    to_teams(teams).send(week_4(), None)
    card = posted(teams)
    told = "\n".join(run["text"] for run in inside(card, "TextRun"))
    for needed in (
        "FleetLink waits",
        "▲ Amber, escalated",
        "Slipping since",
        "1,892,500 EUR",
        "Mon 2 Nov",
        "INT-390",
    ):
        assert needed in told
    assert [one["mentioned"]["id"] for one in card["msteams"]["entities"]] == [
        r.email for r in week_4().readers
    ]
    [spoken] = inside(card, "TextBlock")
    assert spoken["text"] == "For <at>Tomasz Wieczorek</at> and <at>Amara Okonkwo-Reyes</at>"
    assert [one["text"] for one in card["msteams"]["entities"]] == re.findall("<at>.*?</at>", spoken["text"])
    links = [action["url"] for action in inside(card, "Action.OpenUrl")]
    assert links == [item.url for item in week_4().parts[0].evidence] + [week_4().parts[0].page]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_others_does_nothing_in_a_card(teams: TeamsServer, text: str) -> None:
    """It stands in text runs, which Teams takes literally; the one text block holds names without any sign of markup."""
    to_teams(teams).send(hostile(text), None)
    card = posted(teams)
    assert list(inside(card, "Action.OpenUrl")) == []
    [spoken] = inside(card, "TextBlock")
    names = [one["mentioned"]["name"] for one in card["msteams"]["entities"]]
    assert spoken["text"] == "For " + " and ".join(f"<at>{name}</at>" for name in names)
    assert not set("".join(names)) & set('<>[]()*_`~#|&\\"{}:/')
    assert not re.search(r"\w\.\w", " ".join(names))
    assert [one["mentioned"]["id"] for one in card["msteams"]["entities"]] == [
        r.email for r in week_4().readers
    ]
    assert set(card) == {"type", "$schema", "version", "msteams", "body"}
    assert {element["type"] for element in card["body"]} <= {
        "RichTextBlock",
        "Container",
        "ColumnSet",
        "TextBlock",
    }
    assert all(run["text"].isprintable() for run in inside(card, "TextRun"))
    # `<at>` in a text run is no mention; a run that holds one is never beside an entity of that text by chance.
    assert not any("<at>" in block["text"] for block in list(inside(card, "TextBlock"))[1:])


@pytest.mark.parametrize("letter", ["x", "ж", "🔥"])
@pytest.mark.parametrize("parts", [1, 60])
def test_too_much_is_cut_to_what_teams_takes_and_said_to_be(
    teams: TeamsServer, parts: int, letter: str
) -> None:
    """The server refuses more than 28 KB."""
    to_teams(teams).send(huge(parts, letter), None)
    told = teams.arrived[-1].sent.decode()
    assert ("more records" in told) or ("not shown here" in told)


def test_the_number_of_records_left_out_is_right(teams: TeamsServer) -> None:
    to_teams(teams).send(huge(1, "x"), None)
    shown = len(re.findall('"• "', teams.arrived[-1].sent.decode())) - 1
    assert f"and {200 - shown} more records" in teams.arrived[-1].sent.decode()


# Slack's incoming webhook


def test_slacks_webhook_gets_the_same_blocks_and_names_the_readers(hook: HookServer) -> None:
    to_slack_webhook(hook).send(week_4(), None)
    body = hook.arrived[0].body
    assert set(body) == {"text", "blocks", "unfurl_links", "unfurl_media"}
    assert "Tomasz Wieczorek" in json.dumps(body["blocks"][-1])
    assert list(inside(body, "user")) == []


# The signed webhook


def test_a_receiver_that_checks_as_the_specification_says_takes_it_and_keeps_one_of_two(
    signed: SignedServer,
) -> None:
    to = to_webhook(signed)
    signed.orders.append(dropped_after())
    with pytest.raises(LaterError):
        to.send(week_4(), None)
    receipt = to.send(week_4(), None)
    to.send(resolved(), receipt)
    assert len(signed.arrived) == 3
    assert len(signed.kept) == 2
    first, second = (request.body["data"] for request in signed.arrived[1:])
    assert first["key"] == week_4().key
    assert first["invitation"].encode() == INVITATION
    assert first["readers"][0] == {"name": TOMASZ.name, "email": TOMASZ.email}
    assert first["parts"][0]["facts"][1] == {
        "label": "At stake",
        "text": "1,892,500 EUR in 16 deals that wait for it",
    }
    assert (first["thread"], second["thread"]) == (None, receipt["id"])


def test_another_key_is_refused_by_the_receiver(signed: SignedServer) -> None:
    other = channel(type="webhook", url=signed.url, secret="whsec_" + "A" * 40)
    with pytest.raises(RefusedError, match="answered 401"):
        other.send(week_4(), None)


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_others_stays_text_in_the_json(signed: SignedServer, text: str) -> None:
    to_webhook(signed).send(hostile(text), None)
    data = signed.arrived[0].body["data"]
    assert set(data) == {"key", "thread", "title", "readers", "parts", "invitation"}
    assert data["title"].isprintable()
    assert all(item["url"] is None for part in data["parts"] for item in part["evidence"])


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_short", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!"]
)
def test_a_weak_key_is_refused_before_anything_is_sent(signed: SignedServer, secret: str) -> None:
    with pytest.raises(RefusedError, match="openssl rand") as caught:
        channel(type="webhook", url=signed.url, secret=secret)
    assert not secret.removeprefix("whsec_") or secret not in str(caught.value)


# Apprise


def to_apprise(server: HookServer) -> Channel:
    return channel(type="apprise", url=server.url.replace("http:", "json:") + "/very-secret-path")


def test_apprise_sends_it_as_text_with_its_kind(hook: HookServer) -> None:
    to_apprise(hook).send(week_4(), None)
    body = hook.arrived[0].body
    assert body["title"] == week_4().title
    assert body["type"] == "warning"
    for needed in ("Amber, escalated", "At stake: 1,892,500 EUR", "https://jira.example/browse/INT-390"):
        assert needed in body["message"]


@pytest.mark.parametrize("fault", [broken(500), broken(404), dropped_before()], ids=["500", "404", "dropped"])
def test_what_apprise_cannot_send_is_for_later_without_secrets(hook: HookServer, fault: Fault) -> None:
    hook.orders.append(Fault(**vars(fault)))
    with pytest.raises(LaterError, match="could not send it") as caught:
        to_apprise(hook).send(week_4(), None)
    assert "secret" not in str(caught.value)


def test_apprise_follows_no_redirect(hook: HookServer) -> None:
    hook.orders.append(Fault(answer=Answer({}, 307, {"Location": "/taken-away"})))
    with pytest.raises(LaterError):
        to_apprise(hook).send(week_4(), None)
    assert hook.arrived == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_others_holds_no_sign_that_a_service_reads(hook: HookServer, text: str) -> None:
    """Written with the signs of Discord, Telegram, Matrix and others, of which none is left."""
    to_apprise(hook).send(hostile(text), None)
    body = hook.arrived[0].body
    for told in (body["title"], body["message"]):
        assert not set(told) & set("@<>[]*`~|#\\\r\x00")
        assert "://" not in told
    assert len(body["message"]) <= 2000


def test_an_address_that_apprise_does_not_know_is_refused() -> None:
    with pytest.raises(RefusedError, match="does not understand") as caught:
        channel(type="apprise", url="nosuchservice://very-secret")
    assert "secret" not in str(caught.value)


# The configuration


WRONG: dict[str, dict[str, Any]] = {
    "no such type": {"type": "pigeon"},
    "http": {"type": "teams", "url": "http://hooks.example/very-secret"},
    "no address": {"type": "teams", "url": "very-secret"},
    "signed in": {"type": "teams", "url": "https://me:very-secret@hooks.example/"},
    "more": {"type": "teams", "url": "https://hooks.example/", "colour": "red"},
    "name of a channel": {"type": "slack", "token": "very-secret", "channel": "#general"},
    "slack in the clear": {"type": "slack", "token": "very-secret", "base_url": "http://slack.example/"},
    "mail in the clear": {"type": "email", "host": "mail.example", "security": "none", "from": "a@b.example"},
    "half a sign-in": {"type": "email", "host": "mail.example", "username": "me", "from": "a@b.example"},
    "no sender": {"type": "email", "host": "mail.example", "from": "Plumbline"},
    "two in one": {
        "type": "email",
        "host": "mail.example",
        "from": "a@b.example",
        "to": ["a@b.example, c@d.example"],
    },
    "nobody": {"type": "email", "host": "mail.example", "from": "a@b.example", "to": []},
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_entry_is_refused_without_showing_its_secret(kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        channel(**WRONG[kind])
    sentences = " ".join(error["msg"] for error in caught.value.errors(include_input=False))
    assert "secret" not in sentences


def test_what_stands_for_secrets_that_are_not_set_is_a_right_entry() -> None:
    """`plumbline check` reads plumbline.yml with it."""
    read: TypeAdapter[AnyChannel] = TypeAdapter(AnyChannel)
    stand_in = "https://not-set.invalid"
    for entry in (
        {"type": "slack", "token": stand_in},
        {"type": "slack_webhook", "url": stand_in},
        {"type": "teams", "url": stand_in},
        {
            "type": "email",
            "host": stand_in,
            "username": stand_in,
            "password": stand_in,
            "from": "a@b.example",
        },
        {"type": "webhook", "url": stand_in, "secret": stand_in},
        {"type": "apprise", "url": stand_in},
    ):
        assert stand_in not in repr(read.validate_python(entry)).replace(f"host='{stand_in}'", "").replace(
            f"username='{stand_in}'", ""
        )
