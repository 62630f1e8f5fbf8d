"""Salesforce's opportunities by the REST API, in pages of 2,000."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.source import Source
    from demo.servers.loopback import Answer, Fault, LoopbackServer, Request

_CLIENT, _SECRET = "benchmark", "benchmark"
_ROOT = "/services/data/v66.0"
_START = datetime(2026, 1, 5, tzinfo=UTC)
# All that our connector asks for.
_FIELDS = {
    "OpportunityStage": """
        SystemModstamp MasterLabel ApiName IsClosed IsWon SortOrder DefaultProbability IsActive ForecastCategoryName""",
    "User": "SystemModstamp Name FirstName LastName Email IsActive UserRoleId ManagerId CreatedDate",
    "Account": "SystemModstamp IsDeleted MasterRecordId Name Type ParentId OwnerId Industry AnnualRevenue CreatedDate",
    "Opportunity": """
        SystemModstamp IsDeleted StageName CreatedDate CloseDate Name AccountId OwnerId Amount ExpectedRevenue Probability
        Type LeadSource NextStep ForecastCategoryName IsClosed IsWon CampaignId LastModifiedDate LastActivityDate Product__c""",
    "OpportunityHistory": """
        SystemModstamp IsDeleted OpportunityId CreatedDate StageName CloseDate CreatedById Amount ExpectedRevenue
        Probability ForecastCategory""",
    "OpportunityFieldHistory": "IsDeleted OpportunityId CreatedDate Field OldValue NewValue CreatedById DataType",
}
_KINDS = {
    "SystemModstamp": "datetime",
    "CreatedDate": "datetime",
    "Amount": "currency",
    "Probability": "percent",
}


def _kind(field: str) -> str:
    return "boolean" if field.startswith("Is") else _KINDS.get(field, "string")


_TYPES = {
    name: {field: _kind(field) for field in ("Id", *fields.split())} for name, fields in _FIELDS.items()
}


def serve(records: int, faults: list[Fault]) -> LoopbackServer:
    """An org with so many opportunities."""
    from benchmarks.beside_dlt.ready import Ready
    from demo.servers.loopback import Answer
    from demo.servers.salesforce import PAGE, ConnectedApp, SalesforceOrg, SalesforceServer

    class Pages(SalesforceServer):
        """Also serves the next page of a query by the address that the one before told, as our connector never asks for it."""

        def answer(self, request: Request) -> Answer:
            if not request.path.startswith(f"{_ROOT}/query/"):
                return super().answer(request)
            first = int(request.path.rpartition("-")[2])
            body = {
                "totalSize": records,
                "done": first + PAGE >= records,
                "records": made[first : first + PAGE],
            }
            following = {} if body["done"] else {"nextRecordsUrl": f"{_ROOT}/query/01gnot-{first + PAGE}"}
            return Answer(body | following)

    class Server(Ready, Pages):
        pass

    made = [_opportunity(n) for n in range(1, records + 1)]
    stage = dict.fromkeys(_TYPES["OpportunityStage"]) | {
        "Id": "01J1",
        "SystemModstamp": _moment(0),
        "ApiName": "New",
    }
    held = {"Opportunity": made, "OpportunityStage": [stage]}
    return Server(SalesforceOrg(_TYPES, held), ConnectedApp(_CLIENT, _SECRET), faults)


def source(url: str) -> Source:
    """Our connector, whatever the number of records by REST."""
    from connectors.salesforce.connector import Salesforce, SalesforceConfig

    described = {"type": "salesforce", "base_url": url, "client_id": _CLIENT, "client_secret": _SECRET}
    return Salesforce("crm", SalesforceConfig.model_validate(described | {"bulk_above": None}))


def dlt(url: str) -> dict[str, Any]:
    """The same for dlt's REST source."""
    endpoint = {
        "path": f"{_ROOT[1:]}/queryAll",
        "params": {"q": f"SELECT {', '.join(_TYPES['Opportunity'])} FROM Opportunity"},
        "data_selector": "records",
        "paginator": {"type": "json_link", "next_url_path": "nextRecordsUrl"},
    }
    signs_in = {
        "type": "oauth2_client_credentials",
        "access_token_url": f"{url}/services/oauth2/token",
        "client_id": _CLIENT,
        "client_secret": _SECRET,
    }
    return {
        "client": {"base_url": url, "auth": signs_in},
        "resources": [{"name": "opportunities", "max_table_nesting": 0, "endpoint": endpoint}],
    }


def _moment(number: int) -> str:
    return (_START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _opportunity(number: int) -> dict[str, Any]:
    known = {
        "Id": f"006{number:012d}AAA", "Name": f"Deal {number}", "StageName": "New", "Amount": 100.5, "CloseDate": "2026-12-31",
        "SystemModstamp": _moment(number), "CreatedDate": _moment(number), "AccountId": f"001{number % 100:012d}AAA",
        "OwnerId": f"005{number % 10:012d}AAA", "IsDeleted": False, "IsClosed": False, "IsWon": False, "Probability": 10.0,
    }  # fmt: skip
    return dict.fromkeys(_TYPES["Opportunity"]) | known
