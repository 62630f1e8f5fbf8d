"""Who hears of what, and when nobody does."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from alerts.incidents import Incident
from alerts.routes import fits, silent_until, snooze_of, unheard, ways_of
from tests.alerts.incidents import BERLIN, at, config, outage, review

ROUTES: dict[str, Any] = {
    "heads": {"to": "hook", "kinds": ["review"]},
    "operations": {"to": "hook", "kinds": ["operations"]},
    "red": {"to": "hook", "severity": "red"},
    "product": {"to": "hook", "functions": ["product"]},
    "tracker": {"to": "hook", "sources": ["jira"]},
    "owner": {"to": "hook", "owners": ["amara@example.com"]},
    "new": {"to": "hook", "kinds": ["a_new_kind"]},
}


@pytest.mark.parametrize(
    ("incident", "routes"),
    [
        (review(), {"heads", "product"}),
        (review(severity="red", functions=frozenset({"sales"})), {"heads", "red"}),
        (outage(), {"operations", "red", "tracker"}),
        (
            outage("hubspot", severity="amber", owners=frozenset({"amara@example.com"})),
            {"operations", "owner"},
        ),
        (Incident("a_new_kind/x", "amber", "x"), {"operations", "new"}),
        (Incident("handoff/x", "amber", "x"), set()),
    ],
)
def test_a_route_takes_what_fits_all_that_it_names(incident: Incident, routes: set[str]) -> None:
    alerts = config(ROUTES)
    assert {name for name, _ in ways_of(alerts, incident, escalated=False)} == routes
    assert unheard(alerts, {incident.key: incident}) == ([] if routes else [incident.key])


def test_a_channel_in_trouble_is_told_over_others_alone() -> None:
    channels = {name: {"type": "teams", "url": "http://127.0.0.1:9/"} for name in ("hook", "mail")}
    alerts = config({"one": {"to": "hook"}, "other": {"to": "mail"}}, channels)
    assert [
        name for name, _ in ways_of(alerts, Incident("delivery/hook", "amber", "x"), escalated=False)
    ] == ["other"]
    assert fits(alerts.routes["one"], Incident("delivery/mail", "amber", "x"))


def test_escalation_adds_its_channels() -> None:
    channels = {name: {"type": "teams", "url": "http://127.0.0.1:9/"} for name in ("hook", "boss")}
    alerts = config({"all": {"to": "hook", "escalate": {"after_hours": 4, "to": ["boss"]}}}, channels)
    assert list(ways_of(alerts, outage(), escalated=False)) == [("all", "hook")]
    assert list(ways_of(alerts, outage(), escalated=True)) == [("all", "hook"), ("all", "boss")]


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-10-29 17:59", None),
        ("2026-10-29 18:00", "2026-10-30 08:00"),
        ("2026-10-30 07:59", "2026-10-30 08:00"),
        ("2026-10-30 08:00", None),
        ("2026-10-30 23:00", "2026-11-02 08:00"),
        ("2026-11-01 12:00", "2026-11-02 08:00"),
    ],
)
def test_quiet_hours_by_the_clock_of_the_cycle(moment: str, until: str | None) -> None:
    route = config(
        {"x": {"to": "hook", "quiet_hours": {"from": "18:00", "to": "08:00", "weekends": True}}}
    ).routes["x"]
    assert silent_until(route, at(moment), BERLIN) == (until and at(until))


def test_quiet_hours_within_a_day_and_as_yaml_reads_them() -> None:
    # 12:00 without quotes is the number 720 to YAML.
    route = config({"x": {"to": "hook", "quiet_hours": {"from": 720, "to": 780}}}).routes["x"]
    assert silent_until(route, at("2026-10-30 12:30"), BERLIN) == at("2026-10-30 13:00")
    assert silent_until(route, at("2026-10-31 13:00"), BERLIN) is None


def test_a_snooze_ends_on_its_day() -> None:
    alerts = config(
        ROUTES, snoozed=[{"incident": "source/jira", "until": date(2026, 11, 2), "because": "migration"}]
    )
    assert snooze_of(alerts, "source/jira", at("2026-11-01 23:59"), BERLIN) == alerts.snoozed[0]
    assert snooze_of(alerts, "source/jira", at("2026-11-02 00:00"), BERLIN) is None
    assert snooze_of(alerts, "source/hubspot", at("2026-11-01 00:00"), BERLIN) is None


@pytest.mark.parametrize(
    "route", [{"to": "nowhere"}, {"to": "hook", "escalate": {"after_hours": 1, "to": ["nowhere"]}}]
)
def test_a_route_to_no_channel_is_refused(route: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="nowhere"):
        config({"x": route})


def test_silence_ends_within_a_quarter_of_an_hour_of_its_end() -> None:
    """Every quarter of an hour of a week, against the clock alone."""
    route = config({"x": {"to": "hook", "quiet_hours": {"from": "22:00", "to": "06:15"}}}).routes["x"]
    for step in range(7 * 96):
        moment = at("2026-10-26 00:00") + timedelta(minutes=15 * step)
        local: datetime = moment.astimezone(BERLIN)
        quiet = local.hour >= 22 or (local.hour, local.minute) < (6, 15)
        until = silent_until(route, moment, BERLIN)
        assert (until is not None) == quiet
        assert until is None or (until.astimezone(BERLIN).hour, until.astimezone(BERLIN).minute) == (6, 15)
