"""From a published run to the people whom it concerns: `alerts` in `plumbline.yml`, a store, and one sender at a time."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from zoneinfo import ZoneInfo

from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from alerts.channels import RefusedError
from alerts.channels.opening import open_channel
from alerts.check_ins import of_the_cycle, week_of, weekly
from alerts.config import WEEKDAYS, AlertsConfig
from alerts.evaluation import Evaluation
from alerts.incidents import Incident, open_incidents
from alerts.last_run import recall
from alerts.message import Fact, Message, Part, Reader
from alerts.reviews import Diary, WorkingHours
from alerts.routes import silent_until, snooze_of, unheard
from alerts.sending import Sender
from alerts.sight import Sight, discreet, sight_of
from alerts.store import Session, Store
from orchestration.serving import access_of
from orchestration.workspace import Workspace
from publish import NothingPublishedError, Published
from publish.wording import clean
from strategy import InputErrors, Person, Problem
from strategy.problems import pick_from
from warehouse.control import CheckResult

log = logging.getLogger("plumbline")

_EVENING = clock_time(18)
_REFRESH = "run/refresh"
_PATIENCE = timedelta(seconds=30)
_LOCK_SECONDS = 60.0


@contextmanager
def told_of(workspace: Workspace) -> Iterator[None]:
    """When the refresh in this block has ended, well or not, say what is to be said."""
    try:
        yield
    except Exception:
        send_if_possible(workspace)
        raise
    send_if_possible(workspace)


def send(workspace: Workspace, patience: timedelta = _PATIENCE) -> None:
    """Write down what has become of every incident, and send what is to be said; what cannot be sent now waits for the next call.

    Raises InputErrors when nobody is to be alerted, or when a variable that `alerts` names is not set.
    """
    with _opened(workspace) as alerts:
        with alerts.store.transaction() as session:
            alerts.look(session)
        alerts.sender().send_all(patience)
        with alerts.store.transaction() as session:
            for channel, problem in session.channels_in_trouble().items():
                log.warning("messages do not get through to %s: %s", channel, problem)


def send_if_possible(workspace: Workspace, patience: timedelta = _PATIENCE) -> None:
    """The same where somebody is to be alerted. A run has done its work when its messages cannot be sent: that is only said."""
    if workspace.config.alerts is None:
        return
    try:
        send(workspace, patience)
    except InputErrors as errors:
        log.warning("No alerts are sent. %s", errors)
    except (SQLAlchemyError, OSError, Timeout) as error:
        log.warning("No alerts are sent: %s. `plumbline alerts send` sends them later.", type(error).__name__)


def preview(workspace: Workspace) -> Iterator[str]:
    """What would be sent now, over which route, and why what is open is not: paragraphs for the terminal. Changes nothing."""
    with _opened(workspace) as alerts:
        found = {one.key: one for one in alerts.incidents()}
        with alerts.store.rehearsal() as session:
            known = set(session.open_incidents())
            alerts.look(session)
            deliveries = session.unformed()
    now = alerts.clock()
    for one in deliveries:
        snoozed = snooze_of(alerts.config, one.part.incident, now, alerts.zone)
        route = alerts.config.routes.get(one.route)
        until = silent_until(route, now, alerts.zone) if route else None
        when = "now"
        if until:
            when = f"when its quiet hours are over, {until.astimezone(alerts.zone):%Y-%m-%d %H:%M}"
        if snoozed:
            when = f"not before {snoozed.until}, as it is snoozed: {clean(snoozed.because)}"
        yield _paragraph(
            one.turn, one.part.incident, one.part.title, f"over {one.route} to {one.channel}: {when}"
        )
    for key in sorted(set(found) & known - {one.part.incident for one in deliveries}):
        yield _paragraph("known", key, found[key].title, "said before; nothing new to say")
    for key in unheard(alerts.config, found):
        yield _paragraph("unheard", key, found[key].title, "no route in plumbline.yml takes it")


def _paragraph(turn: str, key: str, title: str, what: str) -> str:
    return f"{turn:<10}{clean(key)}\n{'':<10}{clean(title)}\n{'':<10}{what}"


@dataclass(frozen=True)
class Outcome:
    """What became of a sample; `problem` is None when it was sent."""

    route: str
    channel: str
    problem: str | None


def send_samples(workspace: Workspace) -> Iterator[Outcome]:
    """Send a sample over every route.

    A channel without a place of its own writes to people: the sample goes to the heads of the first two functions.
    """
    with _opened(workspace) as alerts:
        heads = [Reader(one.head.name, one.head.email) for one in workspace.strategy.functions[:2]]
        now = alerts.clock()
        for name, route in alerts.config.routes.items():
            title = f"A sample from Plumbline over the route {name}"
            sentence = "Nothing is wrong: somebody tries whether messages arrive."
            part = Part(
                f"sample/{name}",
                "told",
                "amber",
                title,
                (sentence,),
                (Fact("Sent", f"{now:%Y-%m-%d %H:%M} UTC"),),
            )
            message = Message(f"sample-{name}-{now:%Y%m%dT%H%M%S%f}", title, (part,), tuple(heads))
            yield Outcome(name, route.to, alerts.sender().try_once(route.to, message))


def wrong_settings(workspace: Workspace) -> Iterator[Problem]:
    """What can be known to be wrong with `alerts` before anything is sent. Raises InputErrors for variables that are not set."""
    config = workspace.resolved_alerts(os.environ)
    if config is None:
        return
    functions = [one.id for one in workspace.strategy.functions]
    for name, route in config.routes.items():
        for field, named, known in (
            ("functions", route.functions, functions),
            ("sources", route.sources, list(workspace.config.sources)),
        ):
            for place, word in enumerate(named or ()):
                if word not in known:
                    where = ("alerts", "routes", name, field, place)
                    yield workspace.problem(
                        where, f"there is no `{word}` among {field}", pick_from(word, known)
                    )
    for name, channel in config.channels.items():
        try:
            open_channel(channel)
        except RefusedError as error:
            yield workspace.problem(
                ("alerts", "channels", name), str(error).rstrip("."), "See docs/alerts.md."
            )


@dataclass(frozen=True)
class Messages:
    """How messages stand: numbers by channel and state (waiting, sending, sent, dead), and what is wrong with which channel."""

    counts: Mapping[tuple[str, str], int]
    trouble: Mapping[str, str]
    waiting_since: datetime | None


def messages(workspace: Workspace) -> Messages | None:
    """How they stand; None where nothing was ever sent. Raises SQLAlchemyError or InputErrors."""
    config = workspace.config.alerts and workspace.resolved_alerts(os.environ)
    if config is None or (config.store is None and not _file_of_store(workspace).exists()):
        return None
    with Store(_address_of_store(workspace, config)) as store, store.transaction() as session:
        return Messages(session.counts(), session.channels_in_trouble(), session.waiting_since())


def channel_checks(workspace: Workspace) -> list[CheckResult]:
    """One for every channel: whether its last message got through, so that a channel in trouble is a flag like any other."""
    if workspace.config.alerts is None:
        return []
    found = None
    # A store that cannot be opened is said where messages are sent.
    with suppress(InputErrors, SQLAlchemyError):
        found = messages(workspace)
    trouble = found.trouble if found else {}
    return [
        CheckResult(
            "delivery", name, "delivered", name not in trouble, "warn", trouble.get(name, "delivered")
        )
        for name in workspace.config.alerts.channels
    ]


@dataclass(frozen=True)
class _Alerts:
    workspace: Workspace
    config: AlertsConfig
    store: Store
    clock: Callable[[], datetime]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.workspace.strategy.cycle.timezone)

    @property
    def identity(self) -> str:
        return self.workspace.config.company

    def incidents(self) -> list[Incident]:
        """What is wrong now: in the published run, and with the last refresh."""
        found = list[Incident]()
        with suppress(NothingPublishedError), self._sight() as sight:
            found = list(discreet(self._read(sight.published), sight, self._read))
        last = recall(self.workspace.state)
        if last is None:
            return found
        # How the last refresh ended is known sooner and better than from a flag that was published since.
        found = [one for one in found if one.key != _REFRESH]
        if not last.succeeded:
            sentences = (last.problem or "Its log says why.", "What was published before still stands.")
            found.append(Incident(_REFRESH, "red", "The refresh failed", sentences))
        return found

    def look(self, session: Session) -> None:
        """Write down what has become of every incident, unless what is published is older than what was looked at before."""
        evaluation = Evaluation(session, self.clock(), self.config, _diary(self.workspace), self.identity)
        try:
            published = Published(self.workspace.published)
        except NothingPublishedError:
            evaluation.judge(self.incidents(), lambda kind: kind == "run")
            return
        day, newest = date.fromisoformat(published.run["as_of"]), session.newest_day()
        if newest is not None and day < newest:
            log.info(
                "What is published stands on %s, and alerts have told of %s: nothing new is told.",
                day,
                newest,
            )
            return
        session.looked_at(day)
        evaluation.judge(self.incidents(), lambda kind: True)
        if day.weekday() >= WEEKDAYS.index(self.config.check_in) and not session.was_told(week_of(published)):
            with self._sight() as sight:
                for notice in (
                    *weekly(sight, self._heads, self._address),
                    *of_the_cycle(sight, self._heads, self._address),
                ):
                    evaluation.tell(notice)

    def _read(self, published: Published) -> list[Incident]:
        owners = {name: entry.owner for name, entry in self.workspace.config.sources.items() if entry.owner}
        return open_incidents(published, owners, self._address)

    def _sight(self) -> AbstractContextManager[Sight]:
        """Raises NothingPublishedError."""
        serve = self.workspace.config.serve
        return sight_of(Published(self.workspace.published), access_of(serve) if serve else None)

    @property
    def _heads(self) -> list[Reader]:
        heads = {one.head.email: one.head.name for one in self.workspace.strategy.functions}
        return [Reader(name, email) for email, name in heads.items()]

    @property
    def _address(self) -> str | None:
        if self.config.address:
            return self.config.address
        with suppress(InputErrors):
            serve = self.workspace.resolved_serving(os.environ)
            return serve.address if serve else None
        return None

    def sender(self) -> Sender:
        return Sender(
            self.store,
            self.config,
            lambda name: open_channel(self.config.channels[name]),
            self.zone,
            self.identity,
            self.clock,
        )


@contextmanager
def _opened(workspace: Workspace) -> Iterator[_Alerts]:
    """The alerts of a workspace, for one process at a time. Raises InputErrors where there are none, and for what they lack."""
    config = workspace.resolved_alerts(os.environ)
    if config is None:
        raise InputErrors([workspace.problem(("alerts",), "nothing says who is to be alerted", _WRITE)])
    workspace.state.mkdir(parents=True, exist_ok=True)
    with (
        FileLock(workspace.state / "alerts.lock", timeout=_LOCK_SECONDS),
        Store(_address_of_store(workspace, config)) as store,
    ):
        yield _Alerts(workspace, config, store, _clock(workspace))


def _clock(workspace: Workspace) -> Callable[[], datetime]:
    """The time. A simulated company lives on the evening of the day that was published last."""
    if workspace.config.simulation is None:
        return lambda: datetime.now(UTC)
    begun = time.monotonic()
    with suppress(NothingPublishedError):
        day = date.fromisoformat(Published(workspace.published).run["as_of"])
        evening = datetime.combine(day, _EVENING, ZoneInfo(workspace.strategy.cycle.timezone))
        return lambda: evening + timedelta(seconds=time.monotonic() - begun)
    return lambda: datetime.now(UTC)


def _diary(workspace: Workspace) -> Diary:
    """When everybody works who may be invited: heads, sponsors and owners, as the strategy says."""
    strategy = workspace.strategy
    usual = WorkingHours(ZoneInfo(strategy.cycle.timezone))
    people = [
        *(one.definition.owner for one in strategy.key_results),
        *(one.sponsor for one in strategy.objectives),
        *(one.head for one in strategy.functions),
    ]
    return Diary(
        usual, {one.email: _hours(one, usual) for one in people}, [one.date for one in strategy.holidays]
    )


def _hours(person: Person, usual: WorkingHours) -> WorkingHours:
    zone = ZoneInfo(person.timezone) if person.timezone else usual.zone
    hours = person.working_hours
    return WorkingHours(zone, hours.start, hours.end) if hours else WorkingHours(zone)


def _address_of_store(workspace: Workspace, config: AlertsConfig) -> str:
    return config.store.get_secret_value() if config.store else f"sqlite:///{_file_of_store(workspace)}"


def _file_of_store(workspace: Workspace) -> Path:
    return workspace.state / "alerts.sqlite"


_WRITE = """Write into plumbline.yml, for instance:

alerts:
  address: https://scorecard.example.com
  channels:
    leaders: {type: slack, token: "${SLACK_TOKEN}"}
    mail: {type: email, host: smtp.example.com, username: plumbline, password: "${SMTP_PASSWORD}", from: plumbline@example.com}
  routes:
    heads: {to: leaders, kinds: [review]}
    operations: {to: mail, kinds: [operations], escalate: {after_hours: 4}}"""
