"""What holds a message back, what joins several, and what becomes of one that does not get through."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from alerts.channels.opening import open_channel
from alerts.config import AlertsConfig
from alerts.evaluation import Evaluation
from alerts.incidents import Incident
from alerts.sending import Sender
from alerts.store import Store
from demo.servers.loopback import Answer, Fault
from tests.alerts.channels.conftest import SECRET
from tests.alerts.channels.hook_server import SignedServer
from tests.alerts.incidents import BERLIN, DIARY, at, config, outage, review

FRIDAY = at("2026-10-30 10:00")


class Desk:
    """A store, a service and a clock that moves when told to and when somebody sleeps."""

    def __init__(self, store: Store, hook: SignedServer) -> None:
        self.store, self.hook, self.now = store, hook, FRIDAY
        self.alerts = self.reads({})

    def reads(self, route: dict[str, Any], **more: Any) -> AlertsConfig:
        """Another plumbline.yml."""
        hook = {"type": "webhook", "url": self.hook.url, "secret": SECRET}
        self.alerts = config({"all": {"to": "hook", **route}}, {"hook": hook}, **more)
        return self.alerts

    def look(self, *found: Incident) -> None:
        with self.store.transaction() as session:
            Evaluation(session, self.now, self.alerts, DIARY, "test").judge(found, lambda kind: True)

    def send(self, patience: timedelta = timedelta()) -> None:
        def sleep(seconds: float) -> None:
            self.now += timedelta(seconds=seconds)

        channels = self.alerts.channels
        Sender(
            self.store,
            self.alerts,
            lambda name: open_channel(channels[name]),
            BERLIN,
            "test",
            lambda: self.now,
            sleep,
        ).send_all(patience)

    def arrived(self) -> list[list[tuple[str, str]]]:
        """Incident and turn of each part of each message, in the order of arrival."""
        bodies = [body for body in self.hook.kept.values() if isinstance(body, dict)]
        return [[(part["incident"], part["turn"]) for part in body["data"]["parts"]] for body in bodies]

    def states(self) -> set[str]:
        with self.store.transaction() as session:
            return {state for _, state in session.counts()}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with SignedServer(SECRET) as hook, Store(f"sqlite:///{tmp_path / 'alerts.sqlite'}") as store:
        yield Desk(store, hook)


OPENED, RESOLVED = ("source/jira", "opened"), ("source/jira", "resolved")


def test_quiet_hours_hold_back_and_end(desk: Desk) -> None:
    desk.reads({"quiet_hours": {"from": "09:00", "to": "12:00"}})
    desk.look(outage())
    desk.send()
    assert desk.arrived() == []
    desk.now = at("2026-10-30 12:00")
    desk.send()
    assert desk.arrived() == [[OPENED]]


def test_what_comes_within_the_interval_is_joined_but_not_what_addresses_people(desk: Desk) -> None:
    desk.reads({"at_most_every_minutes": 30})
    desk.look(outage())
    desk.send()
    desk.now += timedelta(minutes=5)
    desk.look(outage(), outage("hubspot"), outage("finance"), review())
    desk.send()
    assert desk.arrived() == [[OPENED]]
    desk.now = FRIDAY + timedelta(minutes=31)
    desk.look(outage("hubspot"), outage("finance"), review())
    desk.send()
    first, *later = desk.arrived()
    assert first == [OPENED]
    assert [("review/fleetlink-apis", "opened")] in later
    assert [("source/hubspot", "opened"), ("source/finance", "opened"), RESOLVED] in later
    assert len(later) == 2


def test_a_snooze_mutes_what_begins_and_ends_in_it_and_delays_what_outlasts_it(desk: Desk) -> None:
    until = (FRIDAY + timedelta(days=3)).date()
    keys = ("source/jira", "source/hubspot")
    desk.reads({}, snoozed=[{"incident": key, "until": until, "because": "migration"} for key in keys])
    desk.look(outage(), outage("hubspot"), outage("finance"))
    desk.send()
    assert desk.arrived() == [[("source/finance", "opened")]]
    desk.now += timedelta(days=1)
    desk.look(outage("hubspot"), outage("finance"))
    desk.send()
    desk.now += timedelta(days=2)
    desk.send()
    assert desk.arrived()[1:] == [[("source/hubspot", "opened")]]
    desk.look(outage("finance"))
    desk.send()
    assert desk.arrived()[2:] == [[("source/hubspot", "resolved")]]


def test_what_is_refused_is_given_up_at_once_and_keeps_nothing_else_back(desk: Desk) -> None:
    desk.hook.faults.append(Fault(answer=Answer({}, 410)))
    desk.look(outage(), outage("hubspot"))
    desk.send()
    assert desk.arrived() == [[("source/hubspot", "opened")]]
    assert desk.states() == {"dead", "sent"}


def test_what_does_not_get_through_is_tried_for_a_day_and_never_sooner_than_asked(desk: Desk) -> None:
    tries: list[datetime] = []
    desk.hook.faults.append(Fault(answer=Answer({}, 429, {"Retry-After": "600"}), times=10**6))
    desk.look(outage())
    while desk.states() != {"dead"}:
        before = len(desk.hook.log)
        desk.send()
        tries += [desk.now] * (len(desk.hook.log) - before)
        desk.now += timedelta(minutes=5)
        assert desk.now - FRIDAY < timedelta(days=2)
    gaps = [after - before for before, after in pairwise(tries)]
    assert min(gaps) >= timedelta(minutes=10)
    assert timedelta(hours=24) <= tries[-1] - tries[0] < timedelta(hours=25)
    with desk.store.transaction() as session:
        (problem,) = session.channels_in_trouble().values()
    assert "given up" in problem and SECRET not in problem


def test_news_of_one_incident_waits_for_what_was_to_be_said_before(desk: Desk) -> None:
    desk.hook.faults.append(Fault(answer=Answer({}, 503)))
    desk.look(outage(), outage("hubspot"))
    desk.send()
    assert desk.arrived() == [[("source/hubspot", "opened")]]
    desk.look(outage("hubspot"))
    desk.send()
    assert desk.arrived() == [[("source/hubspot", "opened")]], "its end is not told before its beginning"
    desk.send(patience=timedelta(minutes=1))
    assert desk.arrived()[1:] == [[OPENED], [RESOLVED]]


def test_a_route_that_is_gone_takes_its_messages_along(desk: Desk) -> None:
    desk.look(outage())
    desk.alerts = config(
        {"other": {"to": "hook"}}, {"hook": {"type": "webhook", "url": desk.hook.url, "secret": SECRET}}
    )
    desk.send()
    assert desk.arrived() == []
    with desk.store.transaction() as session:
        assert session.unformed() == []


def test_a_fault_of_ours_keeps_no_other_message_back_and_is_tried_again(desk: Desk) -> None:
    desk.look(outage(), outage("hubspot"))
    real = open_channel

    class Broken:
        """A channel with a fault in it, for the first message."""

        def __init__(self, inner: Any) -> None:
            self.inner, self.first = inner, True

        def __getattr__(self, name: str) -> Callable[..., Any]:
            if name == "send" and self.first:
                self.first = False
                raise AssertionError(f"a secret: {SECRET}")
            found: Callable[..., Any] = getattr(self.inner, name)
            return found

    channel = Broken(real(desk.alerts.channels["hook"]))
    sender = Sender(desk.store, desk.alerts, lambda name: channel, BERLIN, "test", lambda: desk.now)
    sender.send_all(timedelta())
    assert desk.arrived() == [[("source/hubspot", "opened")]]
    desk.send(patience=timedelta(minutes=1))
    assert desk.arrived()[1:] == [[OPENED]]
