"""The slot of a joint review lies in everybody's working time, is free, and is the first of its kind."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.message import Reader
from alerts.reviews import LENGTH, Diary, WorkingHours
from tests.alerts.incidents import AMARA, BERLIN, TOMASZ, at

ZONES = ("Europe/Berlin", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Australia/Sydney")
HOLIDAYS = frozenset({date(2026, 12, 25), date(2027, 1, 1)})
people = st.builds(
    WorkingHours, st.sampled_from(ZONES).map(ZoneInfo), st.sampled_from([time(6), time(8, 30), time(9)]),
    st.sampled_from([time(12), time(17), time(20)]),
)  # fmt: skip
moments = st.integers(0, 120 * 24 * 4).map(
    lambda n: datetime(2026, 10, 5, tzinfo=UTC) + timedelta(minutes=15 * n)
)


def _works(hours: WorkingHours, start: datetime) -> bool:
    """The oracle: every minute of the half hour is one of working time."""
    for minute in range(30):
        local = (start + timedelta(minutes=minute)).astimezone(hours.zone)
        if local.weekday() >= 5 or local.date() in HOLIDAYS or not hours.start <= local.time() < hours.end:
            return False
    return True


@settings(max_examples=80)
@given(people, people, moments, st.sets(st.integers(0, 96)))
def test_the_first_half_hour_in_which_both_work_and_are_free(
    first: WorkingHours, second: WorkingHours, now: datetime, busy: set[int]
) -> None:
    diary = Diary(WorkingHours(BERLIN), {TOMASZ.email: first, AMARA.email: second}, HOLIDAYS)
    hour = now.replace(minute=0)
    candidates = [start for n in range(14 * 48) if (start := hour + LENGTH * n) >= now + timedelta(hours=1)]
    taken = [(candidates[n], [AMARA.email]) for n in busy]
    free = [start for start in candidates if _works(first, start) and _works(second, start)]
    right = [start for start in free if start not in {moment for moment, _ in taken}]
    found = diary.next_slot((TOMASZ, AMARA), now, taken)
    if right:
        assert found == right[0]
    else:
        assert _works(first, found), "without common time the first one's hours decide"


def test_it_is_on_the_next_working_day_and_named_in_their_own_time() -> None:
    kolkata = WorkingHours(ZoneInfo("Asia/Kolkata"))
    diary = Diary(WorkingHours(BERLIN), {AMARA.email: kolkata}, HOLIDAYS)
    friday_evening = at("2026-10-30 18:00")
    assert diary.next_slot((TOMASZ,), friday_evening, []) == at("2026-11-02 09:00")
    # 17:00 in Kolkata is 12:30 in Berlin.
    assert diary.next_slot((TOMASZ, AMARA), at("2026-10-30 11:30"), []) == at("2026-11-02 09:00")
    assert diary.next_slot((TOMASZ, AMARA), at("2026-10-30 10:00"), []) == at("2026-10-30 11:00")
    assert diary.zone_of((AMARA,)) == kolkata.zone
    assert diary.zone_of((TOMASZ, AMARA)) == BERLIN
    assert diary.zone_of((TOMASZ, Reader("New", "new@example.com"))) == BERLIN
