"""Incidents open, escalate and end once each, whatever is looked at how often."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from alerts.config import AlertsConfig
from alerts.evaluation import Evaluation, duration
from alerts.incidents import Incident
from alerts.store import Delivery, Store
from tests.alerts import postgres
from tests.alerts.incidents import AMARA, DIARY, KATHARINA, TOMASZ, at, config, outage, review

EVERYTHING = config(
    {"all": {"to": "hook", "escalate": {"after_hours": 4, "to": ["boss"]}}},
    {name: {"type": "teams", "url": "http://127.0.0.1:9/"} for name in ("hook", "boss")},
)
MORNING = at("2026-10-30 08:00")


class World:
    """A store, and what was to be said after each look."""

    def __init__(self, store: Store, alerts: AlertsConfig) -> None:
        self.store = store
        self.config = alerts
        self.seen = 0

    def look(
        self, found: Sequence[Incident], now: datetime, at_kinds: Callable[[str], bool] = lambda kind: True
    ) -> list[Delivery]:
        """What is new to say."""
        with self.store.transaction() as session:
            Evaluation(session, now, self.config, DIARY, "test").judge(found, at_kinds)
            new = [one for one in session.unformed() if one.id > self.seen]
        self.seen = max([self.seen, *(one.id for one in new)])
        return new


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL is installed: apt-get install postgresql")
    with postgres.server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty one of each kind."""
    if request.param == "sqlite":
        with Store(f"sqlite:///{tmp_path / 'alerts.sqlite'}") as store:
            yield store
        return
    with postgres.database(request.getfixturevalue("server")) as address, Store(address) as store:
        yield store


@pytest.fixture
def world(store: Store) -> World:
    return World(store, EVERYTHING)


def turns(deliveries: Sequence[Delivery]) -> list[tuple[str, str, str]]:
    return [(one.part.incident, one.turn, one.channel) for one in deliveries]


def test_one_message_when_it_opens_one_when_it_is_over(world: World) -> None:
    found = [outage()]
    assert turns(world.look(found, MORNING)) == [("source/jira", "opened", "hook")]
    assert world.look(found, MORNING + timedelta(hours=1)) == []
    assert turns(world.look([], MORNING + timedelta(hours=2))) == [("source/jira", "resolved", "hook")]
    assert world.look([], MORNING + timedelta(hours=3)) == []


def test_a_source_down_for_six_hours_is_three_messages_with_the_length_of_the_outage(world: World) -> None:
    said = []
    for minutes in range(0, 7 * 60, 15):
        down = minutes < 6 * 60
        said += world.look([outage()] if down else [], MORNING + timedelta(minutes=minutes))
    assert turns(said) == [
        ("source/jira", "opened", "hook"),
        ("source/jira", "escalated", "hook"),
        ("source/jira", "escalated", "boss"),
        ("source/jira", "resolved", "boss"),
        ("source/jira", "resolved", "hook"),
    ]
    assert said[1].at - said[0].at == timedelta(hours=4)
    assert [(fact.label, fact.text) for fact in said[-1].part.facts] == [("Over after", "6 hours")]


def test_what_comes_back_is_a_new_incident(world: World) -> None:
    for hour, found in enumerate(([outage()], [], [outage()])):
        last = world.look(found, MORNING + timedelta(hours=hour))
    assert turns(last) == [("source/jira", "opened", "hook")]


def test_a_failed_run_says_nothing_of_what_it_did_not_look_at(world: World) -> None:
    world.look([outage()], MORNING)
    failed = Incident("run/refresh", "red", "The refresh failed")
    later = MORNING + timedelta(hours=1)
    assert turns(world.look([failed], later, lambda kind: kind == "run")) == [
        ("run/refresh", "opened", "hook")
    ]
    assert world.look([outage()], later, lambda kind: kind != "run") == []
    assert turns(world.look([outage()], later)) == [("run/refresh", "resolved", "hook")]


def test_a_review_invites_both_heads_moves_with_the_sponsor_and_is_called_off(world: World) -> None:
    said = [
        *world.look([review()], MORNING),
        *world.look([review(escalated=True)], MORNING + timedelta(minutes=30)),
        *world.look([], MORNING + timedelta(minutes=45)),
    ]
    said = [one for one in said if one.channel == "hook"]
    assert [one.turn for one in said] == ["opened", "escalated", "resolved"]
    assert [one.readers for one in said] == [(TOMASZ, AMARA), *[(TOMASZ, AMARA, KATHARINA)] * 2]
    calendars: list[Any] = [Calendar.from_ical(one.invitation or b"") for one in said]
    events = [calendar.walk("VEVENT")[0] for calendar in calendars]
    assert [str(calendar["METHOD"]) for calendar in calendars] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [int(event["SEQUENCE"]) for event in events] == [0, 1, 2]
    assert len({str(event["UID"]) for event in events}) == 1
    invited = {str(one) for one in events[0]["ATTENDEE"]}
    assert invited == {f"mailto:{TOMASZ.email}", f"mailto:{AMARA.email}"}
    assert {str(one) for one in events[1]["ATTENDEE"]} == invited | {f"mailto:{KATHARINA.email}"}
    start, end = events[0]["DTSTART"].dt, events[0]["DTEND"].dt
    assert (start, end - start) == (at("2026-10-30 09:00"), timedelta(minutes=30))
    assert "2026, 09:00 to 09:30 (Europe/Berlin)" in said[0].part.facts[0].text


def test_no_review_meets_anybody_twice_at_the_same_time(world: World) -> None:
    said = world.look(
        [review(), review("billing-data"), review("other", readers=(KATHARINA, AMARA))], MORNING
    )
    calendars: list[Any] = [Calendar.from_ical(one.invitation or b"") for one in said]
    starts = [calendar.walk("VEVENT")[0]["DTSTART"].dt for calendar in calendars]
    assert starts == [at(f"2026-10-30 {clock}") for clock in ("09:00", "09:30", "10:00")]


def test_what_turns_red_is_escalated_once(world: World) -> None:
    amber = outage(severity="amber")
    world.look([amber], MORNING)
    worse = world.look([replace(amber, severity="red")], MORNING + timedelta(hours=1))
    assert {one.turn for one in worse} == {"escalated"}
    assert world.look([replace(amber, severity="red")], MORNING + timedelta(hours=9)) == []


def test_a_notice_is_told_once_and_leaves_nothing_open(world: World) -> None:
    notice = Incident("check_in/2026-W44/amara", "green", "Your week", readers=(AMARA,))
    only_named = config({"all": {"to": "hook"}, "weekly": {"to": "hook", "kinds": ["check_in"]}})
    for _ in range(2):
        with world.store.transaction() as session:
            Evaluation(session, MORNING, only_named, DIARY, "test").tell(notice)
            assert session.open_incidents() == {}
            assert turns(session.unformed()) == [(notice.key, "told", "hook")]


KEYS = ("source/jira", "source/hubspot", "gate/raw.deals")


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sets(st.sampled_from(KEYS)), st.integers(0, 300), st.integers(1, 3)), max_size=12)
)
def test_what_is_said_is_what_happened(tmp_path: Path, history: list[tuple[set[str], int, int]]) -> None:
    """Against a plain reckoning of each incident by itself, each look taken once or several times."""
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    expected = []
    since: dict[str, datetime] = {}
    told = set[str]()
    with Store(f"sqlite:///{folder / 'alerts.sqlite'}") as store:
        world, now, said = World(store, EVERYTHING), MORNING, list[Delivery]()
        for down, minutes, times in history:
            now += timedelta(minutes=minutes)
            for key in KEYS:
                if key in down and key not in since:
                    since[key] = now
                    expected.append((key, "opened"))
                elif key in down and key not in told and now - since[key] >= timedelta(hours=4):
                    told.add(key)
                    expected.append((key, "escalated"))
                elif key not in down and key in since:
                    del since[key]
                    told.discard(key)
                    expected.append((key, "resolved"))
            for _ in range(times):
                said += world.look([Incident(key, "amber", key) for key in sorted(down)], now)
    assert len({(one.turn_id, one.channel) for one in said}) == len(said)
    assert sorted((one.part.incident, one.turn) for one in said if one.channel == "hook") == sorted(expected)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 minutes"),
        (59, "59 minutes"),
        (60, "1 hour"),
        (365, "6 hours 5 minutes"),
        (3 * 1440 + 61, "3 days 1 hour"),
    ],
)
def test_a_duration_in_words(minutes: int, said: str) -> None:
    assert duration(timedelta(minutes=minutes, seconds=59)) == said
