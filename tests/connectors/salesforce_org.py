"""A small Salesforce org, its records made whole, and a connector that pulls it over loopback HTTP."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.http import Patience
from connectors.landing import Landing, Manifest
from connectors.salesforce.connector import Salesforce, SalesforceConfig
from demo.servers.salesforce import ConnectedApp, Record, SalesforceOrg, SalesforceServer

APP = ConnectedApp("3MVG9-not-a-real-key", "not-a-real-secret")
BASE = datetime(2026, 10, 1, tzinfo=UTC)
IMPATIENT = Patience(attempts=3, first_wait=0.01, longest_wait=0.05)

_TIMES = {"CreatedDate": "datetime", "SystemModstamp": "datetime"}
TYPES: Mapping[str, Mapping[str, str]] = {
    "OpportunityStage": {
        "Id": "id", "MasterLabel": "string", "ApiName": "string", "IsClosed": "boolean", "IsWon": "boolean",
        "IsActive": "boolean", "SortOrder": "int", "DefaultProbability": "percent", "ForecastCategoryName": "picklist",
        "SystemModstamp": "datetime",
    },
    "User": {
        "Id": "id", "Name": "string", "FirstName": "string", "LastName": "string", "Email": "email", "IsActive": "boolean",
        "UserRoleId": "reference", "ManagerId": "reference", **_TIMES,
    },
    "Account": {
        "Id": "id", "IsDeleted": "boolean", "MasterRecordId": "reference", "Name": "string", "Type": "picklist",
        "ParentId": "reference", "OwnerId": "reference", "Industry": "picklist", "AnnualRevenue": "currency",
        "BillingAddress": "address", "Active__c": "picklist", **_TIMES,
    },
    "Opportunity": {
        "Id": "id", "IsDeleted": "boolean", "Name": "string", "AccountId": "reference", "OwnerId": "reference",
        "StageName": "picklist", "Amount": "currency", "ExpectedRevenue": "currency", "Probability": "percent",
        "CloseDate": "date", "Type": "picklist", "LeadSource": "picklist", "NextStep": "string", "IsClosed": "boolean",
        "IsWon": "boolean", "ForecastCategoryName": "picklist", "CampaignId": "reference", "LastModifiedDate": "datetime",
        "LastActivityDate": "date", "Description": "textarea(32000)", "Product__c": "picklist", "Waits_for__c": "string",
        "Notes__c": "textarea(131072)", "Hint__c": "textarea(255)", "Secret__c": "encryptedstring", **_TIMES,
    },
    "OpportunityHistory": {
        "Id": "id", "IsDeleted": "boolean", "OpportunityId": "reference", "CreatedById": "reference", "StageName": "picklist",
        "Amount": "currency", "ExpectedRevenue": "currency", "CloseDate": "date", "Probability": "percent",
        "ForecastCategory": "picklist", **_TIMES,
    },
    "OpportunityFieldHistory": {
        "Id": "id", "IsDeleted": "boolean", "OpportunityId": "reference", "CreatedById": "reference", "CreatedDate": "datetime",
        "Field": "picklist", "DataType": "picklist", "OldValue": "anyType", "NewValue": "anyType",
    },
}  # fmt: skip
# What a pull lands: neither long text nor what comes in parts.
LEFT_OUT = {"Description", "Notes__c", "Secret__c", "BillingAddress"}

STREAMS = {
    "opportunities": "Opportunity",
    "opportunity_history": "OpportunityHistory",
    "field_history": "OpportunityFieldHistory",
    "stages": "OpportunityStage",
    "accounts": "Account",
    "users": "User",
}


def moment(tick: float) -> str:
    """A time of the org, in seconds after `BASE`."""
    return (BASE + timedelta(seconds=tick)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def record(kind: str, record_id: str, tick: float = 0, **fields: Any) -> Record:
    """A whole record of an object; what is not given is empty."""
    times = {name: moment(tick) for name in ("CreatedDate", "SystemModstamp") if name in TYPES[kind]}
    usual = {name: False for name, type_ in TYPES[kind].items() if type_ == "boolean"}
    return dict.fromkeys(TYPES[kind]) | usual | times | {"Id": record_id} | fields


def opportunity(number: int, tick: float = 0, **fields: Any) -> Record:
    usual = {"Name": f"Deal {number}", "StageName": "New", "Amount": 100.5, "CloseDate": "2026-12-31"}
    return record("Opportunity", f"006{number:012d}AAA", tick, **usual | fields)


def org(*opportunities: Record, **records: list[Record]) -> SalesforceOrg:
    """An org with three stages; other objects by name."""
    stages = [
        record("OpportunityStage", f"01J{n:012d}AAA", MasterLabel=name, ApiName=name, SortOrder=n, IsClosed=n > 1, IsWon=n == 2)
        for n, name in enumerate(("New", "Won", "Lost"), start=1)
    ]  # fmt: skip
    held = {name: list[Record]() for name in TYPES} | {"OpportunityStage": stages}
    return SalesforceOrg(TYPES, held | {"Opportunity": list(opportunities)} | records)


def company() -> SalesforceOrg:
    """Records of every object: deleted and merged ones, texts of all kinds, equal times."""
    odd = 'Müller & "Söhne",\nEnkel \U0001f600'
    return org(
        *(opportunity(number, tick=number // 7, Name=odd if number % 5 else None) for number in range(40)),
        opportunity(90, 8, IsDeleted=True, Amount=None, Product__c="Rail", Hint__c="short", Notes__c="long"),
        Account=[
            record("Account", "001000000000001AAA", 1, Name="Edge", AnnualRevenue=1.5e7, Active__c="Yes"),
            record("Account", "001000000000002AAA", 2, Name="Edge 2", IsDeleted=True, MasterRecordId="001000000000001AAA"),
        ],
        User=[record("User", "005000000000001AAA", 1, Name="Ada", Email="ada@example.com", IsActive=True)],
        OpportunityHistory=[
            record("OpportunityHistory", f"008{n:012d}AAA", n // 3, OpportunityId="006000000000001AAA", Amount=n * 0.01)
            for n in range(30)
        ],
        OpportunityFieldHistory=[
            record("OpportunityFieldHistory", f"017{n:012d}AAA", n, Field="Owner", OldValue=None, NewValue=value)
            for n, value in enumerate(("005000000000001AAA", "a", "b"))
        ],
    )  # fmt: skip


def crm(
    server: SalesforceServer, name: str = "crm", patience: Patience = IMPATIENT, **config: Any
) -> Salesforce:
    described = {
        "type": "salesforce",
        "base_url": server.url,
        "client_id": APP.client_id,
        "client_secret": APP.client_secret,
        "bulk_above": None,
    }
    return Salesforce(name, SalesforceConfig.model_validate(described | config), patience)


def pull(source: Salesforce, folder: Path, cursors: dict[str, str] | None = None) -> dict[str, Manifest]:
    """What a pull landed, by stream; a census is none."""
    manifests = source.pull(cursors or {}, Landing(folder), lambda *_: None)
    return {manifest.stream: manifest for manifest in manifests if manifest.mode != "census"}


def landed(folder: Path, manifest: Manifest) -> list[Record]:
    with gzip.open(folder / manifest.file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def held(records: list[Record]) -> dict[str, Record]:
    """The records of an object as a pull should bring them, by id."""
    return {
        each["Id"]: {name: value for name, value in each.items() if name not in LEFT_OUT} for each in records
    }


def by_id(records: list[Record]) -> dict[str, Record]:
    return {each["Id"]: each for each in records}
