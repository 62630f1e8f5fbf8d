"""From the outbox through the channels: each message once, however often a channel or this process fails.

Before a message is sent its row says so, and so is its end. When a try has an end that is not known (this process died, the
connection broke after the service took it), the channel is asked whether the message is there before it is sent again. Where a
service cannot tell, the message may come twice, always under the same key.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import groupby
from zoneinfo import ZoneInfo

from alerts.channels import Channel, LaterError, Receipt, RefusedError
from alerts.config import AlertsConfig
from alerts.message import Message, Part
from alerts.routes import silent_until, snooze_of
from alerts.store import Delivery, Outgoing, Session, Store

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=15)
_GIVE_UP_AFTER = timedelta(hours=24)
_MOST_JOINED = 20
# What a process sent that died since may still be on its way; asked too early, the service has not seen it.
_UNDER_WAY = timedelta(seconds=30)
# The clocks of a service and of this machine may differ.
_SLACK = timedelta(minutes=5)

Clock = Callable[[], datetime]


@dataclass
class Sender:
    """Sends what a store holds. Only one may be at work on a store at a time: the caller holds a lock.

    `open_channel` opens the channel of a name; `zone`: that of quiet hours; `identity`: of the workspace, part of every key.
    """

    store: Store
    config: AlertsConfig
    open_channel: Callable[[str], Channel]
    zone: ZoneInfo
    identity: str
    clock: Clock = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    _channels: dict[str, Channel] = field(default_factory=dict, init=False)

    def send_all(self, patience: timedelta) -> None:
        """Send everything that may be sent now; wait for what can be tried again within `patience`, leave the rest for later."""
        end = self.clock() + patience
        while True:
            with self.store.transaction() as session:
                self._form(session)
                message = session.next_outgoing()
            if message is None or message.next_at > max(end, self.clock()):
                return
            wait = (message.next_at - self.clock()).total_seconds()
            if wait > 0:
                self.sleep(wait)
            self._try(message)

    def try_once(self, name: str, message: Message) -> str | None:
        """Send a message that no store holds over a channel; gives what went wrong, None when nothing did."""
        try:
            self._channel(name).send(message, None)
        except (LaterError, RefusedError) as error:
            return str(error)
        return None

    def _form(self, session: Session) -> None:
        """Make messages of the deliveries whose time has come."""
        now = self.clock()
        waiting = sorted(session.unformed(), key=lambda one: (one.route, one.channel, one.id))
        for (name, channel), lane in groupby(waiting, key=lambda one: (one.route, one.channel)):
            route = self.config.routes.get(name)
            deliveries = list(lane)
            if route is None or channel not in self.config.channels:
                for one in deliveries:
                    session.mute(one.id, "its route or channel is no longer in plumbline.yml")
                continue
            ready = [one for one in deliveries if self._is_ready(session, one, now)]
            if not ready or silent_until(route, now, self.zone):
                continue
            last = session.last_sent_at(name, channel)
            if last is not None and now - last < timedelta(minutes=route.at_most_every_minutes):
                continue
            # What addresses people by name is a message of its own.
            together = [one for one in ready if route.at_most_every_minutes and not one.readers]
            for one in ready:
                if one not in together:
                    session.form_message([one], now)
            for start in range(0, len(together), _MOST_JOINED):
                session.form_message(together[start : start + _MOST_JOINED], now)

    def _is_ready(self, session: Session, delivery: Delivery, now: datetime) -> bool:
        """Whether nothing keeps it back: a snooze does, and what begins and ends within one is never sent."""
        if snooze_of(self.config, delivery.part.incident, now, self.zone) is None:
            return True
        if delivery.resolved and not session.sent_about(
            delivery.incident_id, delivery.route, delivery.channel
        ):
            session.mute(delivery.id, "it began and ended while it was snoozed")
        return False

    def _try(self, outgoing: Outgoing) -> None:
        with self.store.transaction() as session:
            deliveries = session.deliveries_of(outgoing.id)
            before = {
                one.incident_id: session.sent_about(one.incident_id, one.route, one.channel)
                for one in deliveries
            }
            over = {
                sent.message_id: sent
                for one in deliveries
                if one.resolved
                for sent in before[one.incident_id]
            }
            amended = [(sent.receipt, self._as_it_stands(session, sent.message_id)) for sent in over.values()]
            session.begin_sending(outgoing, self.clock(), self.clock() + _UNDER_WAY)
        firsts = {sent[0].message_id: sent[0].receipt for sent in before.values() if sent}
        thread = next(iter(firsts.values())) if len(firsts) == 1 and all(before.values()) else None
        message = self._message(outgoing, [one.part for one in deliveries], deliveries)
        try:
            channel = self._channel(outgoing.channel)
            since = (outgoing.begun_at or outgoing.made_at) - _SLACK
            receipt = channel.find(message, since, thread) if outgoing.attempts else None
            if receipt is None:
                for place, text in amended:
                    _amend(channel, place, text)
                receipt = channel.send(message, thread)
        except RefusedError as error:
            with self.store.transaction() as session:
                session.give_up(outgoing.id, self.clock(), str(error))
        except LaterError as error:
            self._put_off(outgoing, error)
        except Exception as error:
            # A fault of ours must not keep other messages back; its text is not told, as it may hold what is secret.
            self._put_off(outgoing, LaterError(f"failed inside Plumbline with {type(error).__name__}"))
        else:
            with self.store.transaction() as session:
                session.sent(outgoing.id, receipt, self.clock())

    def _put_off(self, outgoing: Outgoing, error: LaterError) -> None:
        now = self.clock()
        with self.store.transaction() as session:
            if now - outgoing.made_at >= _GIVE_UP_AFTER:
                session.give_up(outgoing.id, now, f"given up after {outgoing.attempts + 1} tries: {error}")
                return
            wait = min(_FIRST_WAIT * 2 ** min(outgoing.attempts, 10), _LONGEST_WAIT) * random.uniform(0.5, 1)  # noqa: S311
            if error.seconds is not None:
                wait = max(wait, timedelta(seconds=error.seconds))
            session.try_later(outgoing.id, now + wait, str(error))

    def _as_it_stands(self, session: Session, message_id: int) -> Message:
        """A message as it reads by now: what is over in it says so."""
        deliveries = session.deliveries_of(message_id)
        parts = [
            replace(one.part, turn="resolved", severity="green") if one.resolved else one.part
            for one in deliveries
        ]
        return self._message(session.message(message_id), parts, deliveries)

    def _message(self, made: Outgoing, parts: Sequence[Part], deliveries: Sequence[Delivery]) -> Message:
        """Its key holds the moment as well: a store that was made anew counts from 1 again."""
        key = sha256(f"{self.identity}/{made.id}/{made.made_at.isoformat()}".encode()).hexdigest()[:32]
        title = parts[0].title if len(parts) == 1 else f"{parts[0].title}, and {len(parts) - 1} more"
        return Message(key, title, tuple(parts), deliveries[0].readers, deliveries[0].invitation)

    def _channel(self, name: str) -> Channel:
        if name not in self._channels:
            self._channels[name] = self.open_channel(name)
        return self._channels[name]


def _amend(channel: Channel, receipt: Receipt, message: Message) -> None:
    """A message that cannot be edited any more, because somebody removed it, is no reason to keep the news of its end back."""
    with suppress(RefusedError):
        channel.amend(receipt, message)
