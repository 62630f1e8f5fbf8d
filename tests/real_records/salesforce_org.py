"""Salesforce's opportunities, as the org that they were exported from would serve them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.servers.salesforce import Record, SalesforceOrg
from tests.connectors.salesforce_org import TYPES, record
from tests.real_records.salesforce import IMPORTED_AT, Row, rows

# Stages are exported nowhere but in the records.
_WON = "Closed Won"


def org(real_records: Path) -> SalesforceOrg:
    """Opportunities with their history and accounts, and those that were imported without."""
    opportunities = [_opportunity(row) for row in rows(real_records, "Opportunity.csv")]
    history = [_state(row) for row in rows(real_records, "OpportunityHistory.csv")]
    # An export has no date of creation with an hour but in the history.
    created: dict[str, str] = {}
    for state in sorted(history, key=lambda state: state["CreatedDate"], reverse=True):
        created[state["OpportunityId"]] = state["CreatedDate"]
    for opportunity in opportunities:
        opportunity["CreatedDate"] = created[opportunity["Id"]]
    path = real_records / "crm_salesforce" / "opportunities_tree.json"
    imported = [_imported(n, each) for n, each in enumerate(json.loads(path.read_text())["records"], start=1)]
    names = sorted({each["StageName"] for each in (*opportunities, *imported, *history)})
    return SalesforceOrg(
        TYPES,
        {
            "Opportunity": opportunities + imported,
            "OpportunityHistory": history,
            "OpportunityFieldHistory": [],
            "OpportunityStage": [_stage(number, name) for number, name in enumerate(names, start=1)],
            "Account": [_account(row) for row in rows(real_records, "Account.csv")],
            "User": [],
        },
    )


def _opportunity(row: Row) -> Record:
    return record(
        "Opportunity",
        row["Id"],
        Name=row["Name"],
        Product__c="exported",
        AccountId=row["AccountId"],
        Description=row["Description"] or None,
        StageName=row["StageName"],
        Amount=_number(row["Amount"]),
        Probability=_number(row["Probability"]),
        ExpectedRevenue=_number(row["ExpectedRevenue"]),
        CloseDate=_day(row["CloseDate"]),
        IsClosed=row["IsClosed"] == "TRUE",
        IsWon=row["IsWon"] == "TRUE",
        SystemModstamp=_instant(row["LastModifiedDate"]),
    )


def _imported(number: int, given: dict[str, Any]) -> Record:
    known = {name: value for name, value in given.items() if name != "attributes"}
    at = {
        "CreatedDate": IMPORTED_AT.replace("Z", "+0000"),
        "SystemModstamp": IMPORTED_AT.replace("Z", "+0000"),
    }
    return record("Opportunity", f"006imported{number:07d}", **known | at, Product__c="imported")


def _state(row: Row) -> Record:
    return record(
        "OpportunityHistory",
        row["Id"],
        OpportunityId=row["OpportunityId"],
        CreatedById=row["CreatedById"],
        StageName=row["StageName"],
        Amount=_number(row["Amount"]),
        ExpectedRevenue=_number(row["ExpectedRevenue"]),
        CloseDate=_day(row["CloseDate"]),
        Probability=_number(row["Probability"]),
        ForecastCategory=row["ForecastCategory"],
        CreatedDate=_instant(row["CreatedDate"]),
        SystemModstamp=_instant(row["SystemModstamp"]),
    )


def _account(row: Row) -> Record:
    revenue = _number(row["AnnualRevenue"])
    return record("Account", row["Id"], Name=row["Name"], Type=row["Type"] or None, AnnualRevenue=revenue)


def _stage(number: int, name: str) -> Record:
    closed = name.startswith("Closed")
    return record(
        "OpportunityStage",
        f"01J{number:012d}AAA",
        MasterLabel=name,
        ApiName=name,
        SortOrder=number,
        IsClosed=closed,
        IsWon=name == _WON,
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def _day(text: str) -> str:
    return datetime.strptime(text, "%m/%d/%y").replace(tzinfo=UTC).date().isoformat()


def _instant(text: str) -> str:
    at = datetime.strptime(text, "%m/%d/%y %I:%M %p").replace(tzinfo=UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
