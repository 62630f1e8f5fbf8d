"""Who hears of an incident, and when: routes, quiet hours and snoozes as `plumbline.yml` says."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.config import AlertsConfig, QuietHours, Route, Snooze
from alerts.incidents import NOTICES, WORK, Incident


def ways_of(config: AlertsConfig, incident: Incident, *, escalated: bool) -> Iterator[tuple[str, str]]:
    """Route and channel of everyone who hears of the incident; once it is `escalated`, of those further channels as well."""
    for name, route in config.routes.items():
        if not fits(route, incident):
            continue
        yield name, route.to
        if escalated and route.escalate:
            yield from ((name, channel) for channel in route.escalate.to if channel != route.to)


def fits(route: Route, incident: Incident) -> bool:
    """Whether the incident is all that the route names. That a channel fails is not told over the same channel."""
    kinds = {incident.kind, "operations" if incident.kind not in WORK else incident.kind}
    return (
        (incident.kind not in NOTICES if route.kinds is None else bool(kinds & set(route.kinds)))
        and (route.severity == "amber" or incident.severity == "red")
        and (route.functions is None or bool(incident.functions & set(route.functions)))
        and (route.sources is None or bool(incident.sources & set(route.sources)))
        and (route.owners is None or bool(incident.owners & set(route.owners)))
        and incident.key != f"delivery/{route.to}"
    )


def escalates_after(config: AlertsConfig, incident: Incident) -> timedelta | None:
    """How long the incident may be open before it is escalated, by the least patient of its routes."""
    hours = [
        route.escalate.after_hours
        for route in config.routes.values()
        if route.escalate and fits(route, incident)
    ]
    return timedelta(hours=min(hours)) if hours else None


def silent_until(route: Route, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the route's quiet hours are over, None where they are not on."""
    if route.quiet_hours is None or not _is_quiet(route.quiet_hours, now, zone):
        return None
    # Quarters of an hour are fine enough for people, and a week holds the longest silence.
    first = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    ends = (first + timedelta(minutes=15 * step) for step in range(1, 4 * 24 * 8))
    return next((end for end in ends if not _is_quiet(route.quiet_hours, end, zone)), None)


def snooze_of(config: AlertsConfig, key: str, now: datetime, zone: ZoneInfo) -> Snooze | None:
    """The snooze that holds for this incident today."""
    today = now.astimezone(zone).date()
    return next((one for one in config.snoozed if one.incident == key and today < one.until), None)


def unheard(config: AlertsConfig, incidents: Mapping[str, Incident]) -> list[str]:
    """Keys of incidents that no route takes."""
    return [key for key, incident in incidents.items() if not any(ways_of(config, incident, escalated=False))]


def _is_quiet(hours: QuietHours, moment: datetime, zone: ZoneInfo) -> bool:
    local = moment.astimezone(zone)
    if hours.weekends and local.weekday() >= 5:
        return True
    clock = local.time()
    if hours.start <= hours.end:
        return hours.start <= clock < hours.end
    return clock >= hours.start or clock < hours.end
