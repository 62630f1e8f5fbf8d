"""Salesforce's records through connector, raw and staging into flow, against what plain Python reads in them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from connectors.landing import Landing
from demo.servers.salesforce import Record, SalesforceOrg, SalesforceServer
from tests.connectors.salesforce_org import APP, crm, opportunity, org, record
from tests.dbt.scratch_project import ScratchProject
from tests.real_records import salesforce_org
from warehouse.connection import connect
from warehouse.raw import load

FLOW = ["config.schema:strategy", "config.schema:staging", "config.schema:flow"]
ADA, BOB = "005000000000001AAA", "005000000000002AAA"
FIRST, SECOND, THIRD = (f"00600000000000{n}AAA" for n in (1, 2, 3))


@pytest.fixture(scope="module")
def project(real_records: Path, tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """A warehouse with two orgs, that of the real records (`crm`) and a small odd one (`odd`), and flow built from them."""
    folder = tmp_path_factory.mktemp("salesforce")
    fields = {"salesforce_product_field": "Product__c", "salesforce_waits_for_field": "Waits_for__c"}
    project = ScratchProject(folder, variables=fields)
    project.write()
    project.begin(date(2026, 10, 30))
    landing = Landing(folder / "landing")
    for name, content in (("crm", salesforce_org.org(real_records)), ("odd", _odd())):
        with SalesforceServer(content, APP, batch=50) as server:
            manifests = crm(server, name, bulk_above=200).pull({}, landing, lambda *_: None)
        with connect(project.warehouse) as con:
            for manifest in manifests:
                load(con, landing.root, manifest)
    project.dbt("deps")
    project.dbt("build", "--select", *FLOW, "--exclude", "resource_type:unit_test")
    return project


def _odd() -> SalesforceOrg:
    def state(number: int, deal: str, stage: str) -> Record:
        about: Record = {
            "OpportunityId": deal,
            "StageName": stage,
            "Amount": 100.5,
            "CloseDate": "2026-12-31",
        }
        return record("OpportunityHistory", f"008{number:012d}AAA", CreatedById=ADA, **about)

    def owned(number: int, deal: str, before: str, after: str) -> Record:
        about: Record = {"OpportunityId": deal, "Field": "Owner", "OldValue": before, "NewValue": after}
        return record("OpportunityFieldHistory", f"017{number:012d}AAA", 5, CreatedById=BOB, **about)

    content = org(
        opportunity(1, 9, OwnerId=BOB, StageName="Won", Product__c="Rail", Waits_for__c="X-1"),
        opportunity(2, 9, IsDeleted=True),
        opportunity(3, 9, CurrencyIsoCode="USD", Amount=9_999_999_999_999.99),
        OpportunityHistory=[
            # Made, moved and won within one second.
            state(1, FIRST, "New"), state(2, FIRST, "Lost"), state(3, FIRST, "Won"), state(4, SECOND, "New"),
        ],
        # Once with the names, once with the ids.
        OpportunityFieldHistory=[owned(1, FIRST, "Ada", "Bob"), owned(2, FIRST, ADA, BOB)],
    )  # fmt: skip
    for each in content.records["Opportunity"]:
        each.setdefault("CurrencyIsoCode", None)
    content.types = {
        **content.types,
        "Opportunity": {**content.types["Opportunity"], "CurrencyIsoCode": "picklist"},
    }
    return content


def test_every_real_record_is_in_flow(real_records: Path, project: ScratchProject) -> None:
    held = salesforce_org.org(real_records).records

    raw = {
        name: project.rows(f"select count(*) as n from raw.salesforce_{name} where _source = 'crm'")[0]["n"]
        for name in ("opportunities", "opportunity_history", "accounts", "stages")
    }
    assert raw == {
        "opportunities": 36 + 278,
        "opportunity_history": 48,
        "accounts": len(held["Account"]),
        "stages": 10,
    }

    deals = {row["deal_id"]: row for row in project.rows("select * from flow.deals where source = 'crm'")}
    assert deals.keys() == {f"crm/{each['Id']}" for each in held["Opportunity"]}
    for each in held["Opportunity"]:
        deal = deals[f"crm/{each['Id']}"]
        amount = None if each["Amount"] is None else Decimal(repr(each["Amount"])).quantize(Decimal("0.01"))
        assert (deal["name"], deal["stage"], deal["amount"], deal["amount_company"], deal["currency"]) == (
            each["Name"], each["StageName"], amount, amount, "EUR",
        )  # fmt: skip
        assert deal["close_date"].isoformat() == each["CloseDate"]
        assert deal["is_closed"] == each["StageName"].startswith("Closed")
        assert deal["is_won"] == (each["StageName"] == "Closed Won")
        assert deal["created_at"] == datetime.fromisoformat(each["CreatedDate"])
        assert deal["_record"] == f"crm/opportunities/{each['Id']}" and not deal["deleted"]

    def known(row: dict[str, Any]) -> str:
        return str(row["OpportunityId"])

    changes: Counter[tuple[Any, ...]] = Counter()
    closed_at = {}
    in_order = sorted(held["OpportunityHistory"], key=lambda row: (known(row), row["CreatedDate"], row["Id"]))
    for deal_id, states in groupby(in_order, known):
        before: dict[str, Any] = {}
        was_closed = False
        for state in states:
            for field, name in (("stage", "StageName"), ("amount", "Amount"), ("close_date", "CloseDate")):
                if state[name] != before.get(name):
                    changes[
                        deal_id, field, state["CreatedDate"], _text(before.get(name)), _text(state[name])
                    ] += 1
            closes = state["StageName"].startswith("Closed")
            if closes and not was_closed:
                closed_at[deal_id] = datetime.fromisoformat(state["CreatedDate"])
            before, was_closed = state, closes
    found = project.rows("select * from flow.deal_changes where deal_id like 'crm/%'")
    assert changes == Counter(
        (
            row["deal_id"].removeprefix("crm/"),
            row["field"],
            row["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            row["from_value"],
            row["to_value"],
        )
        for row in found
    )
    for deal_id, at in closed_at.items():
        if deals[f"crm/{deal_id}"]["is_closed"]:
            assert deals[f"crm/{deal_id}"]["closed_at"] == at


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def test_deletions_owners_currencies_and_equal_seconds_reach_flow(project: ScratchProject) -> None:
    columns = (
        "deal_id, stage, is_won, amount, currency, amount_company, owner_id, product, waits_for, deleted"
    )
    deals = project.rows(f"select {columns} from flow.deals where source = 'odd' order by deal_id")
    amount, large = Decimal("100.50"), Decimal("9999999999999.99")
    assert [tuple(row.values()) for row in deals] == [
        (f"odd/{FIRST}", "Won", True, amount, "EUR", amount, BOB, "Rail", "X-1", False),
        (f"odd/{SECOND}", "New", False, amount, "EUR", amount, None, None, None, True),
        (f"odd/{THIRD}", "New", False, large, "USD", None, None, None, None, False),
    ]
    changes = project.rows(
        "select field, from_value, to_value, by_id, _record from flow.deal_changes where deal_id like 'odd/%'"
        " order by field, from_value nulls first, to_value"
    )
    assert {row.pop("_record") for row in changes} == {f"odd/opportunities/{FIRST}"}
    assert [tuple(row.values()) for row in changes] == [
        ("amount", None, "100.5", ADA),
        ("close_date", None, "2026-12-31", ADA),
        ("owner", ADA, BOB, BOB),
        ("stage", None, "New", ADA),
        ("stage", "Lost", "Won", ADA),
        ("stage", "New", "Lost", ADA),
    ]
    stages = project.rows(
        "select pipeline_id, stage_id, stage_no, is_closed, is_won from flow.deal_stages"
        " where source = 'odd' order by stage_no"
    )
    assert [tuple(row.values()) for row in stages] == [
        ("opportunities", "New", 1, False, False),
        ("opportunities", "Won", 2, True, True),
        ("opportunities", "Lost", 3, True, False),
    ]
