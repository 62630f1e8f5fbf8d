"""A quarter of over 200 turns, with 30 kills at any moment and services that misbehave: nothing is lost, and where the service
can tell nothing is said twice.
"""

import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from alerts.store import Store
from demo.servers.loopback import Answer, Fault
from tests.alerts import quarter
from tests.alerts.channels.conftest import SECRET
from tests.alerts.channels.hook_server import SignedServer, TeamsServer
from tests.alerts.channels.mail_server import MailServer, Order, mail_server
from tests.alerts.channels.slack_server import TOKEN, SlackServer
from tests.alerts.incidents import AMARA, KATHARINA, TOMASZ
from tests.command_line import FORKS

SEED = 20261005
KILLS = 30


@dataclass
class Quarter:
    slack: SlackServer
    signed: SignedServer
    teams: TeamsServer
    mail: MailServer
    store: Store
    file: Path
    kills: int = 0
    misbehaviours: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quarter]:
    """The quarter when everything was said."""
    folder, chance = tmp_path_factory.mktemp("quarter"), random.Random(SEED)
    with ExitStack() as stack:
        people = [one.email for one in (TOMASZ, AMARA, KATHARINA)]
        slack = stack.enter_context(SlackServer(people, page=50))
        signed, teams = stack.enter_context(SignedServer(SECRET)), stack.enter_context(TeamsServer())
        mail = stack.enter_context(mail_server())
        channels = {
            "slack": {"type": "slack", "token": TOKEN, "base_url": slack.base_url},
            "mail": {
                "type": "email", "host": "127.0.0.1", "port": mail.port, "security": "none", "from": "plumbline@example.com",
            },
            "signed": {"type": "webhook", "url": signed.url, "secret": SECRET},
            "teams": {"type": "teams", "url": teams.url},
        }  # fmt: skip
        # Simulated, and past: Slack's own clock must not be behind it.
        start = datetime.now(UTC) - quarter.LOOKS * quarter.LOOK_EVERY
        file = folder / "alerts.sqlite"
        store = stack.enter_context(Store(f"sqlite:///{file}"))
        world = Quarter(slack, signed, teams, mail, store, file)
        while True:
            process = FORKS.Process(target=quarter.tell, args=(folder, channels, start, SEED), daemon=False)
            process.start()
            killed_at = time.monotonic() + chance.uniform(0.05, 0.25) if world.kills < KILLS else None
            while process.is_alive() and (killed_at is None or time.monotonic() < killed_at):
                _misbehave(world, chance)
                process.join(0.02)
            if not process.is_alive():
                break
            process.kill()
            process.join()
            world.kills += 1
        assert process.exitcode == 0
        yield world


def _misbehave(world: Quarter, chance: random.Random) -> None:
    """Now and then order one misbehaviour of one service, where none is waiting."""
    over_http = {
        "429": Fault(answer=Answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "30"})),
        "500": Fault(answer=Answer(b"oops", 500)),
        "dropped after it was taken": Fault(reset=True),
        "slow": Fault(delay=0.1),
    }
    over_smtp = {
        "450": Order("MAIL", "450 later"),
        "421": Order("DATA", "421 closing"),
        "mail dropped after it was taken": Order("DATA", drop=True),
    }
    if chance.random() < 0.8:
        return
    servers: list[SlackServer | SignedServer | TeamsServer | MailServer]
    servers = [world.slack, world.signed, world.teams, world.mail]
    server = chance.choice(servers)
    if isinstance(server, MailServer):
        if not server.orders:
            name = chance.choice(sorted(over_smtp))
            server.orders.append(over_smtp[name])
            world.misbehaviours[name] += 1
    elif all(fault.times == 0 for fault in server.orders):
        name = chance.choice(sorted(over_http))
        server.orders.append(over_http[name])
        world.misbehaviours[name] += 1


EXPECTED = sorted(quarter.turns(quarter.lives(SEED)))
REVIEWS = [(key, turn) for key, turn in EXPECTED if key.startswith("review/")]
OUTAGES = [(key, turn) for key, turn in EXPECTED if key.startswith("source/")]


def test_the_quarter_was_as_hard_as_it_is_said_to_be(
    told: Quarter, record_property: Callable[[str, object], None]
) -> None:
    """Its counts are in pytest's report (`--junit-xml`), and on the screen with `-s`."""
    with told.store.transaction() as session:
        counts = session.counts()
    by_name = {"slack": told.slack.keys, "signed": told.signed.keys, "mail": told.mail.keys}
    arrived = {name: len(keys) for name, keys in by_name.items()} | {"teams": len(told.teams.arrived)}
    said = [f"{len(EXPECTED)} turns, {told.kills} kills, misbehaviours: {dict(told.misbehaviours)}"]
    said += [
        f"{name}: {counts[name, 'sent']} messages, arrived {number} times" for name, number in arrived.items()
    ]
    record_property("quarter", said)
    sys.stdout.write("\n".join(["", *said, ""]))
    assert len(EXPECTED) >= 200
    assert told.kills == KILLS
    assert set(told.misbehaviours) == {
        "429",
        "500",
        "slow",
        "dropped after it was taken",
        "450",
        "421",
        "mail dropped after it was taken",
    }
    assert {state for _, state in counts} == {"sent"}


def test_no_turn_is_lost_and_none_made_up(told: Quarter) -> None:
    """By what is written in the store, read without its help."""
    said: dict[str, list[tuple[str, str]]] = {name: [] for name in ("slack", "mail", "signed", "teams")}
    with closing(sqlite3.connect(told.file)) as store:
        rows = store.execute(
            "select channel, key, turn from plumbline_deliveries as delivery "
            "join plumbline_turns as turn on turn.id = delivery.turn_id "
            "join plumbline_incidents as incident on incident.id = turn.incident_id"
        )
        for channel, key, turn in rows:
            said[channel].append((key, turn))
    assert sorted(said["slack"]) == sorted(said["mail"]) == REVIEWS
    assert sorted(said["signed"]) == sorted(said["teams"]) == OUTAGES


def test_slack_shows_each_message_once(told: Quarter) -> None:
    assert len(told.slack.keys) == len(set(told.slack.keys)) == len(REVIEWS)


def test_a_receiver_of_signed_messages_keeps_each_once(told: Quarter) -> None:
    parts = [body["data"]["parts"][0] for body in _bodies(told)]
    assert sorted((part["incident"], part["turn"]) for part in parts) == OUTAGES


def _bodies(told: Quarter) -> list[dict[str, Any]]:
    """What was kept of the signed messages, in the order of first arrival."""
    return [body for body in told.signed.kept.values() if isinstance(body, dict)]


def test_mail_arrives_at_least_once_under_one_id(told: Quarter) -> None:
    assert len(set(told.mail.keys)) == len(REVIEWS)


def test_every_turn_reaches_teams(told: Quarter) -> None:
    assert len({bytes(request.sent) for request in told.teams.arrived}) >= len(set(OUTAGES))
    assert len(told.teams.arrived) >= len(OUTAGES)


def test_turns_of_an_incident_arrive_in_their_order(told: Quarter) -> None:
    """By the first arrival of each."""
    order = [body["data"]["parts"][0] for body in _bodies(told)]
    rank = {"opened": 0, "escalated": 1, "resolved": 2}
    for key in {part["incident"] for part in order}:
        ranks = [rank[part["turn"]] for part in order if part["incident"] == key]
        assert all(after == 0 if before == 2 else after > before for before, after in pairwise(ranks))
