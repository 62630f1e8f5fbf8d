"""The memory of the alerts: incidents, their turns, and the outbox of what is still to be said.

One database, by SQLAlchemy: a file beside the warehouse, or PostgreSQL. An incident and what has to be said of it are written in
one transaction, so that neither is ever there without the other. A message is sent outside of any transaction: its row says
before that sending has begun, and after what the channel answered; where a process died in between, the next one asks the
channel before it sends again (`alerts.sending`).

    incidents    one row for each thing that went wrong, from when it opened until it was resolved
    turns        opened, escalated, resolved, told: one row for each, with what is to be said of it
    deliveries   turn × route: what has to reach whom; exactly one for each pair
    messages     what is sent at once over one route: one delivery, or several joined ones

All times are UTC.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, Self

from pydantic import TypeAdapter
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    create_engine,
    event,
    func,
    insert,
    select,
    update,
)

from alerts.channels import Receipt
from alerts.message import Part, Reader, Turn

_PARTS: TypeAdapter[Part] = TypeAdapter(Part)
_READERS: TypeAdapter[tuple[Reader, ...]] = TypeAdapter(tuple[Reader, ...])


class _Utc(TypeDecorator[datetime]):
    """A moment in UTC; SQLite has no zones of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


_META = MetaData()
_UNENDED = ("waiting", "sending")

INCIDENTS = Table(
    "plumbline_incidents",
    _META,
    Column("id", Integer, primary_key=True),
    Column("key", String(300), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("opened_at", _Utc, nullable=False),
    Column("escalated_at", _Utc),
    Column("resolved_at", _Utc),
    # When the two meet, and how often the invitation was sent: RFC 5545 counts its versions.
    Column("review_at", _Utc),
    Column("invitations", Integer, nullable=False, default=0),
    Index("plumbline_incidents_open", "key", "resolved_at"),
)

TURNS = Table(
    "plumbline_turns",
    _META,
    Column("id", Integer, primary_key=True),
    Column("incident_id", ForeignKey(INCIDENTS.c.id), nullable=False, index=True),
    Column("turn", String(10), nullable=False),
    Column("at", _Utc, nullable=False),
    Column("part", JSON, nullable=False),
    Column("readers", JSON, nullable=False),
    Column("invitation", LargeBinary),
)

MESSAGES = Table(
    "plumbline_messages",
    _META,
    Column("id", Integer, primary_key=True),
    Column("route", String(100), nullable=False),
    Column("channel", String(100), nullable=False),
    # waiting, sending (begun, and its end not known), sent, dead
    Column("state", String(10), nullable=False, default="waiting", index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("made_at", _Utc, nullable=False),
    Column("begun_at", _Utc),
    Column("next_at", _Utc, nullable=False),
    Column("ended_at", _Utc),
    Column("receipt", JSON),
    Column("problem", Text),
)

LOOKS = Table(
    "plumbline_looks",
    _META,
    # Days of the published runs that were told of.
    Column("as_of", Date, primary_key=True),
)

DELIVERIES = Table(
    "plumbline_deliveries",
    _META,
    Column("id", Integer, primary_key=True),
    Column("turn_id", ForeignKey(TURNS.c.id), nullable=False, index=True),
    Column("route", String(100), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("message_id", ForeignKey(MESSAGES.c.id), index=True),
    # Why it will never be sent: it was snoozed from beginning to end, or its route is gone.
    Column("muted", Text),
    UniqueConstraint("turn_id", "route", "channel", name="plumbline_deliveries_once"),
)


@dataclass(frozen=True)
class OpenIncident:
    """An incident that is not resolved."""

    id: int
    key: str
    severity: str
    opened_at: datetime
    escalated_at: datetime | None
    review_at: datetime | None
    invitations: int


@dataclass(frozen=True)
class Delivery:
    """A turn that has to reach a route, with what is to be said."""

    id: int
    turn_id: int
    incident_id: int
    route: str
    channel: str
    message_id: int | None
    turn: Turn
    at: datetime
    part: Part
    readers: tuple[Reader, ...]
    invitation: bytes | None
    resolved: bool
    """Whether the incident is over by now."""


@dataclass(frozen=True)
class Outgoing:
    """A message that was formed and has not ended."""

    id: int
    route: str
    channel: str
    attempts: int
    begun_at: datetime | None
    made_at: datetime
    next_at: datetime
    """Not before."""


@dataclass(frozen=True)
class Sent:
    """A message that was sent, and where its channel finds it again."""

    message_id: int
    receipt: Receipt


class Store:
    """The database; made where it is missing. Several processes may open it, one at a time sends (`alerts.sending`)."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = create_engine(url, pool_pre_ping=True)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _durable_and_patient)
        _META.create_all(self._engine)

    @contextmanager
    def transaction(self) -> Iterator["Session"]:
        """Everything done in it is there together or not at all."""
        with self._engine.begin() as connection:
            yield Session(connection)

    @contextmanager
    def rehearsal(self) -> Iterator["Session"]:
        """Nothing done in it stays."""
        with self._engine.connect() as connection, connection.begin() as begun:
            yield Session(connection)
            begun.rollback()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()


class Session:
    """What can be asked and written within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest_day(self) -> date | None:
        """The newest day of which a published run was told."""
        return self._connection.execute(select(func.max(LOOKS.c.as_of))).scalar_one_or_none()

    def looked_at(self, as_of: date) -> None:
        if self._connection.execute(select(LOOKS).where(LOOKS.c.as_of == as_of)).first() is None:
            self._connection.execute(insert(LOOKS).values(as_of=as_of))

    # Incidents and their turns.

    def open_incidents(self) -> dict[str, OpenIncident]:
        """By key."""
        columns = [INCIDENTS.c[name] for name in OpenIncident.__dataclass_fields__]
        rows = self._connection.execute(select(*columns).where(INCIDENTS.c.resolved_at.is_(None)))
        return {row.key: OpenIncident(*row) for row in rows}

    def was_told(self, key: str) -> bool:
        """Whether something under this key was ever opened or told."""
        found = select(INCIDENTS.c.id).where(INCIDENTS.c.key == key).limit(1)
        return self._connection.execute(found).first() is not None

    def add_incident(self, key: str, severity: str, at: datetime, *, told: bool = False) -> OpenIncident:
        """A new incident; one that is `told` is over at once."""
        values = {"key": key, "severity": severity, "opened_at": at, "resolved_at": at if told else None}
        return OpenIncident(self._inserted(INCIDENTS, values), key, severity, at, None, None, 0)

    def change_incident(self, incident_id: int, **values: object) -> None:
        self._connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident_id).values(**values))

    def add_turn(
        self, incident_id: int, part: Part, at: datetime, readers: Sequence[Reader], invitation: bytes | None
    ) -> int:
        values = {
            "incident_id": incident_id,
            "turn": part.turn,
            "at": at,
            "part": _PARTS.dump_python(part, mode="json"),
            "readers": _READERS.dump_python(tuple(readers), mode="json"),
            "invitation": invitation,
        }
        return self._inserted(TURNS, values)

    def add_delivery(self, turn_id: int, route: str, channel: str) -> None:
        self._inserted(DELIVERIES, {"turn_id": turn_id, "route": route, "channel": channel})

    def reviews_after(self, moment: datetime) -> list[tuple[datetime, list[str]]]:
        """When people are to meet from then on, each with the addresses of those who were invited last."""
        rows = self._connection.execute(
            select(INCIDENTS.c.id, INCIDENTS.c.review_at).where(
                INCIDENTS.c.resolved_at.is_(None), INCIDENTS.c.review_at >= moment
            )
        ).all()
        return [(row.review_at, [one.email for one in self.last_readers(row.id)]) for row in rows]

    def last_readers(self, incident_id: int) -> tuple[Reader, ...]:
        """Whom the incident addressed at its last turn."""
        newest = (
            select(TURNS.c.readers)
            .where(TURNS.c.incident_id == incident_id)
            .order_by(TURNS.c.id.desc())
            .limit(1)
        )
        return _READERS.validate_python(self._connection.execute(newest).scalar_one())

    def last_part(self, incident_id: int) -> Part:
        """What was to be said of the incident at its last turn."""
        newest = (
            select(TURNS.c.part)
            .where(TURNS.c.incident_id == incident_id)
            .order_by(TURNS.c.id.desc())
            .limit(1)
        )
        return _PARTS.validate_python(self._connection.execute(newest).scalar_one())

    def channels_told(self, incident_id: int) -> set[tuple[str, str]]:
        """Route and channel of every delivery of the incident so far."""
        rows = self._connection.execute(
            select(DELIVERIES.c.route, DELIVERIES.c.channel)
            .join(TURNS, TURNS.c.id == DELIVERIES.c.turn_id)
            .where(TURNS.c.incident_id == incident_id)
            .distinct()
        )
        return {(row.route, row.channel) for row in rows}

    # The outbox.

    def unformed(self) -> list[Delivery]:
        """Deliveries that no message holds yet and that are not muted, oldest first."""
        return self._deliveries(DELIVERIES.c.message_id.is_(None), DELIVERIES.c.muted.is_(None))

    def deliveries_of(self, message_id: int) -> list[Delivery]:
        return self._deliveries(DELIVERIES.c.message_id == message_id)

    def mute(self, delivery_id: int, why: str) -> None:
        self._connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == delivery_id).values(muted=why))

    def form_message(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """Join deliveries of one route and channel into one message, which can be sent from then on."""
        first = deliveries[0]
        values = {"route": first.route, "channel": first.channel, "made_at": at, "next_at": at}
        message_id = self._inserted(MESSAGES, values)
        held = DELIVERIES.c.id.in_([one.id for one in deliveries])
        self._connection.execute(update(DELIVERIES).where(held).values(message_id=message_id))

    def message(self, message_id: int) -> Outgoing:
        return _outgoing(self._connection.execute(select(MESSAGES).where(MESSAGES.c.id == message_id)).one())

    def next_outgoing(self) -> Outgoing | None:
        """The message that may be sent first; none goes before an older one to the same place about the same incident."""
        rows = self._connection.execute(
            select(MESSAGES, TURNS.c.incident_id)
            .join(DELIVERIES, DELIVERIES.c.message_id == MESSAGES.c.id)
            .join(TURNS, TURNS.c.id == DELIVERIES.c.turn_id)
            .where(MESSAGES.c.state.in_(_UNENDED))
            .order_by(MESSAGES.c.id)
        ).all()
        waited_for = set[tuple[str, str, int]]()
        free = list[Outgoing]()
        for _, of_message in groupby(rows, key=lambda row: row.id):
            parts = list(of_message)
            about = {(row.route, row.channel, row.incident_id) for row in parts}
            if not about & waited_for:
                free.append(_outgoing(parts[0]))
            waited_for |= about
        return min(free, key=lambda one: (one.next_at, one.id), default=None)

    def begin_sending(self, message: Outgoing, at: datetime, again_at: datetime) -> None:
        """Say that sending begins. Should its end never be told, nobody tries again before `again_at`."""
        begun = {"state": "sending", "attempts": message.attempts + 1, "begun_at": message.begun_at or at}
        self._change_message(message.id, **begun, next_at=again_at)

    def sent(self, message_id: int, receipt: Receipt, at: datetime) -> None:
        self._change_message(message_id, state="sent", receipt=dict(receipt), ended_at=at, problem=None)

    def try_later(self, message_id: int, at: datetime, problem: str) -> None:
        self._change_message(message_id, state="waiting", next_at=at, problem=problem)

    def give_up(self, message_id: int, at: datetime, problem: str) -> None:
        self._change_message(message_id, state="dead", ended_at=at, problem=problem)

    def sent_about(self, incident_id: int, route: str, channel: str) -> list[Sent]:
        """The messages over this route and channel that told of the incident, the first first."""
        rows = self._connection.execute(
            select(MESSAGES.c.id, MESSAGES.c.receipt)
            .join(DELIVERIES, DELIVERIES.c.message_id == MESSAGES.c.id)
            .join(TURNS, TURNS.c.id == DELIVERIES.c.turn_id)
            .where(
                TURNS.c.incident_id == incident_id,
                MESSAGES.c.route == route,
                MESSAGES.c.channel == channel,
                MESSAGES.c.state == "sent",
            )
            .order_by(MESSAGES.c.id)
        )
        return [Sent(row.id, row.receipt) for row in rows]

    def last_sent_at(self, route: str, channel: str) -> datetime | None:
        """When the last message went over this route and channel."""
        newest = select(func.max(MESSAGES.c.ended_at)).where(
            MESSAGES.c.route == route, MESSAGES.c.channel == channel, MESSAGES.c.state == "sent"
        )
        return _utc(self._connection.execute(newest).scalar_one_or_none())

    def channels_in_trouble(self) -> dict[str, str]:
        """By channel what is wrong with its last message: it was given up, or some of those it was for were refused."""
        newest = select(func.max(MESSAGES.c.id)).where(MESSAGES.c.state.in_(("sent", "dead")))
        last = newest.group_by(MESSAGES.c.channel)
        rows = self._connection.execute(select(MESSAGES).where(MESSAGES.c.id.in_(last))).all()
        refused = {row.channel: (row.receipt or {}).get("refused") for row in rows}
        return {
            **{channel: f"it did not reach {people}" for channel, people in refused.items() if people},
            **{row.channel: row.problem for row in rows if row.state == "dead"},
        }

    def waiting_since(self) -> datetime | None:
        """When the oldest message was made that has not ended."""
        oldest = select(func.min(MESSAGES.c.made_at)).where(MESSAGES.c.state.in_(_UNENDED))
        return _utc(self._connection.execute(oldest).scalar_one_or_none())

    def counts(self) -> dict[tuple[str, str], int]:
        """How many messages there are by channel and state."""
        rows = self._connection.execute(
            select(MESSAGES.c.channel, MESSAGES.c.state, func.count().label("number")).group_by(
                MESSAGES.c.channel, MESSAGES.c.state
            )
        )
        return {(row.channel, row.state): row.number for row in rows}

    def _deliveries(self, *conditions: Any) -> list[Delivery]:
        query: Select[Any] = (
            select(DELIVERIES, TURNS.c.incident_id, TURNS.c.turn, TURNS.c.at, TURNS.c.part, TURNS.c.readers)
            .add_columns(TURNS.c.invitation, INCIDENTS.c.resolved_at)
            .join(TURNS, TURNS.c.id == DELIVERIES.c.turn_id)
            .join(INCIDENTS, INCIDENTS.c.id == TURNS.c.incident_id)
            .where(*conditions)
            .order_by(DELIVERIES.c.id)
        )
        return [
            Delivery(
                row.id, row.turn_id, row.incident_id, row.route, row.channel, row.message_id, row.turn, row.at,
                _PARTS.validate_python(row.part), _READERS.validate_python(row.readers), row.invitation,
                row.resolved_at is not None,
            )
            for row in self._connection.execute(query)
        ]  # fmt: skip

    def _change_message(self, message_id: int, **values: object) -> None:
        self._connection.execute(update(MESSAGES).where(MESSAGES.c.id == message_id).values(**values))

    def _inserted(self, table: Table, values: dict[str, Any]) -> int:
        found = self._connection.execute(insert(table).values(**values)).inserted_primary_key
        assert found is not None  # noqa: S101 - a single insert always has one
        return int(found[0])


def _utc(moment: datetime | None) -> datetime | None:
    """What an aggregate gives, whose type SQLite does not know."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _outgoing(row: Any) -> Outgoing:
    return Outgoing(row.id, row.route, row.channel, row.attempts, row.begun_at, row.made_at, row.next_at)


def _durable_and_patient(connection: Any, _: object) -> None:
    """A commit is on disk when it returns, and one process waits for the other."""
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma busy_timeout = 20000")
