"""From what is wrong now to what has to be said: incidents open, escalate and end on evidence, and each turn goes to its routes.

To evaluate the same again changes nothing, so that it can be done after every run and between runs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from alerts.config import AlertsConfig
from alerts.incidents import Incident
from alerts.message import Fact, Part, Reader
from alerts.reviews import LENGTH, WITHIN, Diary, Meeting, calendar_file
from alerts.routes import escalates_after, ways_of
from alerts.store import OpenIncident, Session
from publish.wording import counted, day


@dataclass(frozen=True)
class Evaluation:
    """One look at what is wrong, at the moment `now`, written down in `session`; `identity`: of the workspace, part of ids."""

    session: Session
    now: datetime
    config: AlertsConfig
    diary: Diary
    identity: str

    def judge(self, found: Sequence[Incident], was_looked_at: Callable[[str], bool]) -> None:
        """Write down what has become of each incident. `found`: all that are open of kinds that were looked at."""
        before = self.session.open_incidents()
        for incident in found:
            known = before.pop(incident.key, None)
            if known is None:
                self._open(incident)
            elif known.escalated_at is None and (why := self._escalates(incident, known)):
                self._escalate(incident, known, why)
        for gone in before.values():
            if was_looked_at(gone.key.partition("/")[0]):
                self._resolve(gone)

    def tell(self, notice: Incident) -> None:
        """Say something once that is over with saying it; under a key that was told before, nothing."""
        if self.session.was_told(notice.key):
            return
        added = self.session.add_incident(notice.key, notice.severity, self.now, told=True)
        turn = self.session.add_turn(added.id, notice.part("told"), self.now, notice.readers, None)
        self._deliver(turn, ways_of(self.config, notice, escalated=False))

    def _open(self, incident: Incident) -> None:
        added = self.session.add_incident(incident.key, incident.severity, self.now)
        # One that was old before anybody could be told goes to the sponsor at once.
        readers, facts = incident.readers, list[Fact]()
        if incident.escalated:
            self.session.change_incident(added.id, escalated_at=self.now)
            readers = _with_sponsor(incident)
            facts = [Fact("Escalated to", incident.sponsor.name)] if incident.sponsor else []
        meeting, invited = self._meeting(incident, added, readers)
        part = incident.part("opened", [*meeting, *facts])
        turn = self.session.add_turn(added.id, part, self.now, readers, invited)
        self._deliver(turn, ways_of(self.config, incident, escalated=incident.escalated))

    def _escalates(self, incident: Incident, known: OpenIncident) -> str | None:
        """Why it is escalated now, None when it is not."""
        if incident.escalated:
            return "the two have not mended it in a week"
        if incident.severity == "red" and known.severity != "red":
            return "it has turned red"
        patience = escalates_after(self.config, incident)
        if patience is not None and self.now - known.opened_at >= patience:
            return f"open for {duration(self.now - known.opened_at)}"
        return None

    def _escalate(self, incident: Incident, known: OpenIncident, why: str) -> None:
        readers = _with_sponsor(incident)
        self.session.change_incident(known.id, escalated_at=self.now, severity=incident.severity)
        meeting, invited = self._meeting(incident, known, readers)
        joins = f"; {incident.sponsor.name} joins" if incident.sponsor else ""
        part = incident.part("escalated", [Fact("Escalated", why + joins), *meeting])
        turn = self.session.add_turn(known.id, part, self.now, readers, invited)
        self._deliver(turn, ways_of(self.config, incident, escalated=True))

    def _resolve(self, gone: OpenIncident) -> None:
        self.session.change_incident(gone.id, resolved_at=self.now)
        last, readers = self.session.last_part(gone.id), self.session.last_readers(gone.id)
        how = _OVER.get(gone.key.partition("/")[0], "It is over.")
        lasted = Fact("Over after", duration(self.now - gone.opened_at))
        part = Part(last.incident, "resolved", "green", last.title, (how,), (lasted,), (), last.page)
        cancelled = None
        if gone.review_at and gone.review_at > self.now:
            meeting = Meeting(
                self._uid(gone.key, gone.opened_at), gone.review_at, readers, last.title, [how], last.page
            )
            cancelled = calendar_file("CANCEL", meeting, gone.invitations, self.now)
        turn = self.session.add_turn(gone.id, part, self.now, readers, cancelled)
        self._deliver(turn, sorted(self.session.channels_told(gone.id)))

    def _meeting(
        self, incident: Incident, known: OpenIncident, readers: Sequence[Reader]
    ) -> tuple[list[Fact], bytes | None]:
        """When the people of a review meet, as a fact and as an invitation; nothing for other incidents."""
        if incident.kind != "review" or len(readers) < 2:
            return [], None
        start = self.diary.next_slot(readers, self.now, self.session.reviews_after(self.now))
        self.session.change_incident(known.id, review_at=start, invitations=known.invitations + 1)
        zone = self.diary.zone_of(readers)
        begins, ends = start.astimezone(zone), (start + LENGTH).astimezone(zone)
        said = (
            f"{_WEEKDAYS[begins.weekday()]} {day(begins.date())}, {begins:%H:%M} to {ends:%H:%M} ({zone.key})"
        )
        if start - self.now > WITHIN:
            said += "; they share no earlier working time"
        about = [*incident.sentences, *(f"{fact.label}: {fact.text}" for fact in incident.facts)]
        meeting = Meeting(
            self._uid(known.key, known.opened_at), start, readers, incident.title, about, incident.page
        )
        return [Fact("Joint review", said)], calendar_file("REQUEST", meeting, known.invitations, self.now)

    def _deliver(self, turn: int, ways: Iterable[tuple[str, str]]) -> None:
        for route, channel in ways:
            self.session.add_delivery(turn, route, channel)

    def _uid(self, key: str, opened_at: datetime) -> str:
        return sha256(f"{self.identity}/{key}/{opened_at.isoformat()}".encode()).hexdigest()[:32]


# Not strftime: its names follow the locale of the machine.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_OVER = {"review": "The data has been healthy on two evaluations in a row."}


def duration(time: timedelta) -> str:
    """`6 hours 5 minutes`, `2 days 3 hours`: the two largest units."""
    minutes = int(time.total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    said = [counted(days, "day")] if days else []
    said += [counted(hours, "hour")] if hours else []
    said += [counted(minutes % 60, "minute")] if minutes % 60 or not said else []
    return " ".join(said[:2])


def _with_sponsor(incident: Incident) -> tuple[Reader, ...]:
    known = {one.email for one in incident.readers}
    return (
        incident.readers
        if incident.sponsor is None or incident.sponsor.email in known
        else (*incident.readers, incident.sponsor)
    )
