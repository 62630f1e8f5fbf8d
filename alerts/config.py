"""The section `alerts` of `plumbline.yml`: channels, who hears of what through them and when, and what is snoozed."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import Field, SecretStr, model_validator

from alerts.channels.config import AnyChannel
from alerts.message import Severity
from strategy.field_types import ClockTime, Part
from strategy.yaml_source import rule_broken

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class QuietHours(Part):
    """When a route keeps silent, in the time zone of the cycle; what comes up meanwhile is sent when they are over."""

    start: ClockTime = Field(alias="from", description="when silence begins, such as 18:00")
    end: ClockTime = Field(alias="to", description="when it ends, such as 08:00")
    weekends: bool = Field(default=False, description="true: silent from Saturday 00:00 to Monday as well")


class Escalation(Part):
    after_hours: float = Field(gt=0, description="an incident that is open for so many hours is escalated")
    to: list[str] = Field(default=[], description="names of further channels that hear of it from then on")


class Route(Part):
    """Incidents that fit all that it names go to its channel; a route that names nothing takes every incident."""

    to: str = Field(description="the name of a channel")
    kinds: list[str] | None = Field(
        default=None,
        description="review, handoff, strategy, operations (all about data and runs), a kind of flag; and what is only told: "
        "check_in, week, mid_cycle, retrospective",
    )
    severity: Severity = Field(default="amber", description="amber: all; red: red ones only")
    functions: list[str] | None = Field(default=None, description="ids of functions")
    sources: list[str] | None = Field(default=None, description="names of sources")
    owners: list[str] | None = Field(default=None, description="e-mail addresses of owners")
    quiet_hours: QuietHours | None = None
    at_most_every_minutes: int = Field(
        default=0, ge=0, description="send no more often; what waits is joined into one message"
    )
    escalate: Escalation | None = Field(default=None, description="{after_hours, to}")


class Snooze(Part):
    """Nothing is sent about an incident until a day; it is judged and shown as ever."""

    incident: str = Field(description="its key, as `plumbline alerts preview` names it")
    until: date = Field(description="the day from which it is sent again, such as 2026-11-20")
    because: str = Field(min_length=1, description="why, for those who read this later")


class AlertsConfig(Part):
    channels: dict[Name, AnyChannel] = Field(min_length=1, description="channels by name")
    routes: dict[Name, Route] = Field(min_length=1, description="routes by name")
    address: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s]+$",
        description="where the folder of the published run is served, for links: with `plumbline serve` its address",
    )
    store: SecretStr | None = Field(
        default=None,
        description="database of what was said, such as ${ALERTS_DATABASE} with postgresql+psycopg://…; default: a file",
    )
    check_in: Weekday = Field(default="monday", description="the day on which check-ins are sent")
    snoozed: list[Snooze] = Field(default=[], description="a list of {incident, until, because}")

    @model_validator(mode="after")
    def _channels_exist(self) -> "AlertsConfig":
        for name, route in self.routes.items():
            for channel in (route.to, *(route.escalate.to if route.escalate else ())):
                if channel not in self.channels:
                    raise rule_broken(
                        f"the route `{name}` leads to `{channel}`, and there is no such channel",
                        f"Name one of: {', '.join(self.channels)}.",
                    )
        return self
