"""Salesforce's opportunities, shaped as the deals of a HubSpot account."""

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from demo.servers.hubspot import CrmAccount

Record = dict[str, Any]
Row = dict[str, str]

# Opportunities that come by a data import bear no date of creation: theirs is the import's.
IMPORTED_AT = "2026-03-08T00:00:00.000Z"
_FIRST_IMPORTED = 1001


def rows(real_records: Path, name: str) -> list[Row]:
    """The rows of one of Salesforce's CSV exports."""
    with (real_records / "crm_salesforce" / name).open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def account(real_records: Path) -> CrmAccount:
    """All opportunities: those with a history in one pipeline, those that were imported without in another."""
    path = real_records / "crm_salesforce" / "opportunities_tree.json"
    imported = [
        _imported(number, record)
        for number, record in enumerate(json.loads(path.read_text())["records"], start=_FIRST_IMPORTED)
    ]
    deals = as_deals(rows(real_records, "Opportunity.csv"), rows(real_records, "OpportunityHistory.csv"))
    pipelines = [
        _pipeline(id_, (deal["properties"]["dealstage"] for deal in held))
        for id_, held in (("opportunities", deals), ("imported", imported))
    ]
    return CrmAccount(deals + imported, pipelines, [])


def as_deals(opportunities: list[Row], history: list[Row]) -> list[Record]:
    """Opportunities with their stage history; their own ids are no numbers and become a custom property."""
    newest_first = sorted(
        history, key=lambda row: (row["OpportunityId"], _utc(row["CreatedDate"])), reverse=True
    )
    changes = {id_: list(group) for id_, group in groupby(newest_first, lambda row: row["OpportunityId"])}
    deals = []
    for number, row in enumerate(opportunities, start=1):
        deal = _deal(
            number,
            created=_utc(changes[row["Id"]][-1]["CreatedDate"]),
            updated=_utc(row["LastModifiedDate"]),
            dealname=row["Name"],
            pipeline="opportunities",
            dealstage=row["StageName"],
            amount=row["Amount"] or None,
            closedate=_utc(f"{row['CloseDate']} 12:00 AM"),
            salesforce_id=row["Id"],
        )
        deal["propertiesWithHistory"] = {
            "dealstage": [
                {
                    "value": change["StageName"],
                    "timestamp": _utc(change["CreatedDate"]),
                    "sourceType": "IMPORT",
                }
                for change in changes[row["Id"]]
            ]
        }
        deals.append(deal)
    return deals


def _imported(number: int, record: Record) -> Record:
    return _deal(
        number,
        created=IMPORTED_AT,
        updated=IMPORTED_AT,
        dealname=record["Name"],
        pipeline="imported",
        dealstage=record["StageName"],
        amount=str(record["Amount"]),
        closedate=f"{record['CloseDate']}T00:00:00.000Z",
        salesforce_id=record["attributes"]["referenceId"],
    )


def _deal(number: int, created: str, updated: str, **properties: str | None) -> Record:
    own = {"hs_object_id": str(number), "createdate": created, "hs_lastmodifieddate": updated}
    return {
        "id": str(number),
        "properties": properties | own,
        "createdAt": created,
        "updatedAt": updated,
        "archived": False,
    }


def _pipeline(id_: str, stages: Iterable[str]) -> Record:
    return {
        "id": id_,
        "label": id_.title(),
        "displayOrder": 0,
        "archived": False,
        "stages": [
            {
                "id": stage,
                "label": stage,
                "displayOrder": place,
                "metadata": {
                    "isClosed": str(stage.startswith("Closed")).lower(),
                    "probability": "1.0"
                    if stage == "Closed Won"
                    else "0.0"
                    if stage == "Closed Lost"
                    else "0.5",
                },
            }
            for place, stage in enumerate(sorted(set(stages)))
        ],
    }


def _utc(text: str) -> str:
    at = datetime.strptime(text, "%m/%d/%y %I:%M %p").replace(tzinfo=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
