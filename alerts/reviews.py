"""The joint review of an exception: when the two can meet, and the invitation that says so (RFC 5545)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from alerts.message import Reader
from publish.wording import clean

LENGTH = timedelta(minutes=30)
WITHIN = timedelta(hours=48)
_NOTICE = timedelta(hours=1)
_SEARCHED = timedelta(days=14)


@dataclass(frozen=True)
class WorkingHours:
    """When somebody works, on weekdays that are no holidays, by the clock of their own time zone."""

    zone: ZoneInfo
    start: time = time(9)
    end: time = time(17)


class Diary:
    """When people work, and when they are taken already. Whoever is not listed works as `usual`."""

    def __init__(
        self, usual: WorkingHours, of_people: Mapping[str, WorkingHours], holidays: Collection[date]
    ) -> None:
        self._usual = usual
        self._of_people = of_people
        self._holidays = frozenset(holidays)

    def next_slot(
        self, people: Sequence[Reader], now: datetime, taken: Sequence[tuple[datetime, Collection[str]]]
    ) -> datetime:
        """The first half hour, in UTC, in which all of them work and none has another review; at least an hour ahead.

        `taken`: when people meet already, with their addresses. Where they share no working time in two weeks, the working
        hours of the first of them decide.
        """
        busy = {(moment, email) for moment, emails in taken for email in emails}
        for group in (people, people[:1]):
            for moment in _half_hours(now + _NOTICE):
                if all(self._works(one, moment) and (moment, one.email) not in busy for one in group):
                    return moment
        return next(_half_hours(now + _NOTICE))

    def zone_of(self, people: Sequence[Reader]) -> ZoneInfo:
        """The time zone to name a time in: theirs, if they share one, else the usual one."""
        zones = {self._hours(one).zone for one in people}
        return zones.pop() if len(zones) == 1 else self._usual.zone

    def _works(self, person: Reader, moment: datetime) -> bool:
        hours = self._hours(person)
        start, end = moment.astimezone(hours.zone), (moment + LENGTH).astimezone(hours.zone)
        return (
            start.weekday() < 5
            and start.date() not in self._holidays
            and start.date() == end.date()
            and hours.start <= start.time()
            and end.time() <= hours.end
        )

    def _hours(self, person: Reader) -> WorkingHours:
        return self._of_people.get(person.email, self._usual)


@dataclass(frozen=True)
class Meeting:
    """A review as it stands in calendars. `uid` stays the same for one incident; the first of `people` is the organiser: an
    invitation that nobody organises is none to Outlook and Google Calendar.
    """

    uid: str
    start: datetime
    people: Sequence[Reader]
    title: str
    about: Sequence[str]
    page: str | None


def calendar_file(
    method: Literal["REQUEST", "CANCEL"], meeting: Meeting, sequence: int, made_at: datetime
) -> bytes:
    """An iCalendar file that invites to the meeting, moves it or calls it off; `sequence` grows with every version."""
    from icalendar import Calendar, Event, vCalAddress

    calendar, event = Calendar(), Event()
    calendar.add("prodid", "-//Plumbline//joint review//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    event.add("uid", f"{meeting.uid}@plumbline")
    event.add("sequence", sequence)
    event.add("dtstamp", made_at.astimezone(UTC))
    event.add("dtstart", meeting.start.astimezone(UTC))
    event.add("dtend", (meeting.start + LENGTH).astimezone(UTC))
    event.add("summary", clean(meeting.title))
    event.add("description", "\n".join(clean(line) for line in meeting.about))
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    if meeting.page:
        event.add("url", meeting.page)
    for number, one in enumerate(meeting.people):
        address = vCalAddress(f"mailto:{one.email}")
        address.params["CN"] = clean(one.name).replace('"', "'")
        if number == 0:
            event.add("organizer", address)
        guest = vCalAddress(f"mailto:{one.email}")
        guest.params.update({"CN": address.params["CN"], "ROLE": "REQ-PARTICIPANT", "RSVP": "TRUE"})
        event.add("attendee", guest)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _half_hours(after: datetime) -> Iterator[datetime]:
    first = after.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    moments = (first + LENGTH * step for step in range(int(_SEARCHED / LENGTH)))
    return (moment for moment in moments if moment >= after)
