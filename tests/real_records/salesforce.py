"""Salesforce's exports, and its opportunities shaped as the deals of a HubSpot account."""

import csv
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

Record = dict[str, Any]
Row = dict[str, str]

# Opportunities that come by a data import bear no date of creation: theirs is the import's.
IMPORTED_AT = "2026-03-08T00:00:00.000Z"


def rows(real_records: Path, name: str) -> list[Row]:
    """The rows of one of Salesforce's CSV exports."""
    with (real_records / "crm_salesforce" / name).open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


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


def _deal(number: int, created: str, updated: str, **properties: str | None) -> Record:
    own = {"hs_object_id": str(number), "createdate": created, "hs_lastmodifieddate": updated}
    return {
        "id": str(number),
        "properties": properties | own,
        "createdAt": created,
        "updatedAt": updated,
        "archived": False,
    }


def _utc(text: str) -> str:
    at = datetime.strptime(text, "%m/%d/%y %I:%M %p").replace(tzinfo=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
