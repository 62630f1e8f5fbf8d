"""The simulated CRM: deals whose properties keep every version, and the wire shapes HubSpot prints them in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.clock import utc_text
from demo.company import HEADS, STAFF, Person
from demo.tracker import Issue

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline; a closed one is won when its probability is 1."""

    id: str
    label: str
    probability: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A sales pipeline with its stages in order, won and lost last."""

    id: str
    label: str
    stages: tuple[Stage, ...]

    @property
    def won(self) -> Stage:
        return self.stages[-2]

    @property
    def lost(self) -> Stage:
        return self.stages[-1]


NEW_BUSINESS = Pipeline(
    "default",
    "New Business",
    (
        Stage("appointmentscheduled", "Appointment Scheduled", "0.1"),
        Stage("qualifiedtobuy", "Qualified To Buy", "0.3"),
        Stage("presentationscheduled", "Proposal", "0.5"),
        Stage("contractsent", "Contract Sent", "0.8"),
        Stage("closedwon", "Closed Won", "1.0", closed=True),
        Stage("closedlost", "Closed Lost", "0.0", closed=True),
    ),
)
RENEWALS = Pipeline(
    "74310022",
    "Renewals",
    (
        Stage("74310031", "Renewal Due", "0.6"),
        Stage("74310032", "Terms Sent", "0.8"),
        Stage("74310033", "Renewed", "1.0", closed=True),
        Stage("74310034", "Churned", "0.0", closed=True),
    ),
)
PIPELINES = (NEW_BUSINESS, RENEWALS)

_Value = str | Issue


@dataclass(eq=False, slots=True)
class Deal:
    """A deal: what it was created as, and each later value of a property with its instant and author."""

    created: datetime
    start: dict[str, _Value]
    by: Person
    id: str = ""
    versions: list[tuple[datetime, str, _Value, Person]] = field(default_factory=list)

    def set(self, at: datetime, by: Person, **values: _Value) -> None:
        """Sets properties at an instant."""
        self.versions.extend((at, name, value, by) for name, value in values.items())

    def close(self) -> None:
        """Puts the versions in time order; a deal's own creation comes first."""
        self.versions.sort(key=lambda version: version[0])


class Crm:
    """All deals of the company. Open while the simulation writes; `close` hands out ids in order of creation."""

    def __init__(self) -> None:
        self.deals: list[Deal] = []

    def create(self, at: datetime, by: Person, **properties: _Value) -> Deal:
        """A new deal."""
        deal = Deal(at, properties, by)
        self.deals.append(deal)
        return deal

    def close(self) -> None:
        self.deals.sort(key=lambda deal: deal.created)
        for number, deal in enumerate(self.deals):
            deal.id = str(18_200_000_000 + 7_919 * number)
            deal.close()


def deal_record(deal: Deal, now: datetime) -> Json:
    """A deal with the history of its properties, newest first, as of an instant."""
    history: dict[str, list[Json]] = {}
    for name, value in deal.start.items():
        history[name] = [_version(deal.created, value, deal.by)]
    updated = deal.created
    for at, name, value, by in deal.versions:
        if at >= now:
            break
        history.setdefault(name, []).insert(0, _version(at, value, by))
        updated = at
    created_text, updated_text = utc_text(deal.created), utc_text(updated)
    properties: Json = {name: versions[0]["value"] for name, versions in history.items()}
    properties.setdefault("waits_for_issue", None)
    properties.update(
        amount_in_home_currency=properties["amount"],
        createdate=created_text,
        hs_lastmodifieddate=updated_text,
        hs_object_id=deal.id,
    )
    return {
        "id": deal.id,
        "properties": properties,
        "propertiesWithHistory": history,
        "createdAt": created_text,
        "updatedAt": updated_text,
        "archived": False,
    }


def pipeline_records() -> list[Json]:
    """The pipelines with their stages."""
    created = "2024-03-04T09:12:44.310Z"
    return [
        {
            "id": pipeline.id,
            "label": pipeline.label,
            "displayOrder": order,
            "archived": False,
            "createdAt": created,
            "updatedAt": created,
            "stages": [
                {
                    "id": stage.id,
                    "label": stage.label,
                    "displayOrder": place,
                    "metadata": {"isClosed": str(stage.closed).lower(), "probability": stage.probability},
                    "archived": False,
                    "createdAt": created,
                    "updatedAt": created,
                    "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                }
                for place, stage in enumerate(pipeline.stages)
            ],
        }
        for order, pipeline in enumerate(PIPELINES)
    ]


def owner_records() -> list[Json]:
    """The owners: the sales people and their head."""
    created = "2024-03-04T09:20:01.877Z"
    return [
        {
            "id": person.crm_id,
            "email": person.email,
            "type": "PERSON",
            "firstName": person.name.split(" ", 1)[0],
            "lastName": person.name.split(" ", 1)[1],
            "userId": int(person.crm_id) - 390_000_000,
            "userIdIncludingInactive": int(person.crm_id) - 390_000_000,
            "createdAt": created,
            "updatedAt": created,
            "archived": False,
        }
        for person in (HEADS["sales"], *STAFF["sales"])
    ]


def _version(at: datetime, value: _Value, by: Person) -> Json:
    return {
        "value": value.key if isinstance(value, Issue) else value,
        "timestamp": utc_text(at),
        "sourceType": "CRM_UI",
        "sourceId": f"userId:{int(by.crm_id) - 390_000_000}",
        "updatedByUserId": int(by.crm_id) - 390_000_000,
    }
