"""HubSpot's deals, each with a history of four properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.source import Source
    from demo.servers.loopback import Fault, LoopbackServer

_TOKEN = "benchmark"
_START = datetime(2026, 1, 5, tzinfo=UTC)


def serve(records: int, faults: list[Fault]) -> LoopbackServer:
    """An account with so many deals."""
    from benchmarks.beside_dlt.ready import Ready
    from demo.servers.hubspot import CrmAccount, HubSpotServer

    class Server(Ready, HubSpotServer):
        pass

    return Server(CrmAccount([_deal(n) for n in range(1, records + 1)]), _TOKEN, faults, limits=())


def source(url: str) -> Source:
    """Our connector."""
    from connectors.hubspot.connector import HubSpot, HubSpotConfig

    described = {"type": "hubspot", "base_url": url, "access_token": _TOKEN}
    return HubSpot("crm", HubSpotConfig.model_validate(described))


def dlt(url: str) -> dict[str, Any]:
    """The same for dlt's REST source."""
    names = "dealname,dealstage,amount,closedate"
    endpoint = {
        "path": "crm/v3/objects/deals",
        "params": {"limit": 50, "properties": names, "propertiesWithHistory": names, "archived": "false"},
        "data_selector": "results",
        "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
    }
    return {
        "client": {"base_url": url, "auth": {"type": "bearer", "token": _TOKEN}},
        "resources": [{"name": "deals", "max_table_nesting": 0, "endpoint": endpoint}],
    }


def _deal(number: int) -> dict[str, Any]:
    moment = _START + timedelta(minutes=number)
    at = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values = {"dealname": f"Deal {number}", "dealstage": "new", "amount": "100.50", "closedate": at}
    return {
        "id": str(number),
        "properties": values | {"hs_object_id": str(number), "createdate": at, "hs_lastmodifieddate": at},
        "propertiesWithHistory": {
            name: [{"value": value, "timestamp": at, "sourceType": "CRM_UI"}] * 3
            for name, value in values.items()
        },
        "createdAt": at,
        "updatedAt": at,
        "archived": False,
    }
