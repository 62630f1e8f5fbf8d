"""Incidents and configurations as tests need them."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from alerts.config import AlertsConfig
from alerts.incidents import Incident
from alerts.message import Fact, Reader
from alerts.reviews import Diary, WorkingHours

BERLIN = ZoneInfo("Europe/Berlin")
TOMASZ = Reader("Tomasz Wieczorek", "tomasz.wieczorek@meridian-logistics.example")
AMARA = Reader("Amara Okonkwo-Reyes", "amara.okonkwo-reyes@meridian-logistics.example")
KATHARINA = Reader("Katharina Lindqvist", "katharina.lindqvist@meridian-logistics.example")
NEW_YEAR = date(2027, 1, 1)
DIARY = Diary(WorkingHours(BERLIN), {}, [NEW_YEAR])
HOOK = {
    "type": "webhook",
    "url": "http://127.0.0.1:9/",
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAbCdEfGhIjK=",
}


def at(text: str) -> datetime:
    """A moment by the clock of Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def config(routes: dict[str, Any], channels: dict[str, Any] | None = None, **more: Any) -> AlertsConfig:
    return AlertsConfig.model_validate({"channels": channels or {"hook": HOOK}, "routes": routes, **more})


def review(subject: str = "fleetlink-apis", **more: Any) -> Incident:
    facts = (Fact("At stake", "1,892,500 EUR"),)
    values: dict[str, Any] = {
        "key": f"review/{subject}", "severity": "amber", "title": f"{subject} slips", "facts": facts,
        "readers": (TOMASZ, AMARA), "sponsor": KATHARINA, "functions": frozenset({"engineering", "product"}),
        "page": "https://scorecard.example/site/index.html",
    }  # fmt: skip
    return Incident(**values | more)


def outage(source: str = "jira", **more: Any) -> Incident:
    values: dict[str, Any] = {
        "key": f"source/{source}", "severity": "red", "title": f"{source} does not deliver",
        "sentences": ("The pull failed.",), "sources": frozenset({source}),
    }  # fmt: skip
    return Incident(**values | more)


NINE, FIVE = time(9), time(17)
