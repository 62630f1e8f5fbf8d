"""What people know of a record: links that hold whatever a source calls its records, and the file each came in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.dbt.scratch_project import Handoff, KeyResult, ScratchProject
from warehouse.connection import connect
from warehouse.control import set_addresses

SITE, CRM = "https://acme.atlassian.net/browse/", "https://crm.example/contacts/1/record/0-3/"
# Whoever may rename a project or a deal decides over these texts.
NAMES = {
    "1": "PLAT-1",
    "2": "../../evil?next=//evil.example#x",
    "3": '"><script>alert(1)</script>',
    "4": "Ünïcode 漢字 %2F \x1b]8;;https://evil.example\x07",
    "5": "javascript:alert(1)",
    "6": "a'b;c&d=e+f",
    # The example in docs/method.md.
    "10042": "INT-12",
}
Evidence = dict[str, list[dict[str, Any]]]

MEASURES: dict[str, dict[str, Any]] = {
    "items": {"table": "work_items", "aggregate": "count", "at": "created_at", "window": "as_of"},
    "changes": {"table": "work_item_changes", "aggregate": "count", "at": "at", "window": "as_of"},
    "deals": {
        "table": "deals", "aggregate": "count", "at": "created_at", "window": "as_of", "filter": "waits_for is null",
    },
    "costs": {
        "table": "ledger_entries", "aggregate": "sum", "column": "amount", "at": "date", "at_is_timestamp": False,
        "window": "as_of",
    },
}  # fmt: skip


# Of the deals that wait, only the first is at stake: the others are won, close after the cycle, or wait for something else.
WAITING = {
    "101": ("new", "2026-12-01", "PLAT-1"),
    "102": ("won", "2026-10-10", "PLAT-1"),
    "103": ("new", "2027-02-01", "PLAT-1"),
    "104": ("new", "2026-12-01", "PLAT-2"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ScratchProject:
    """Of the source `other` nobody knows where its records are opened."""
    project = ScratchProject(
        tmp_path_factory.mktemp("records"),
        [KeyResult(kr_id, measure) for kr_id, measure in MEASURES.items()],
        handoffs=[Handoff("h", "f1", "f1", "2026-12-01", "key = 'PLAT-1'")],
    )
    project.write()
    project.begin(date(2026, 10, 30))
    project.land("jira_issues", {number: _issue(number, name) for number, name in NAMES.items()})
    project.land("jira_issues", {"1": _issue("1", "OTHER-1"), "2": _issue("2", None)}, source="other")
    fields = [{"field": field, "fieldId": field, "toString": "x"} for field in ("labels", "priority")]
    change = {"issueId": "2", "id": "9", "created": "2026-10-06T10:00:00Z", "items": fields}
    project.land("jira_changelogs", {"2/9": change})
    project.land("hubspot_deals", {number: _deal(number, name) for number, name in NAMES.items()})
    posting = {"date": "2026-10-06", "account": "4000", "amount": "1"}
    project.land("hubspot_deals", {number: _waiting(number, *deal) for number, deal in WAITING.items()})
    stages = [
        {"id": stage, "label": stage, "metadata": {"isClosed": str(stage == "won").lower()}}
        for stage in ("new", "won")
    ]
    project.land("hubspot_pipelines", {"p": {"id": "p", "stages": stages}})
    project.land(
        "finance_ledger",
        {
            "a": {
                "file": "gl.csv",
                "row": 7,
                "posting": posting | {"document": "INV-1", "description": "Toll"},
            },
            "gl.csv:8": {"file": "gl.csv", "row": 8, "posting": posting},
        },
    )
    with connect(project.warehouse) as con:
        set_addresses(con, {"jira": {"issues": SITE}, "hubspot": {"deals": CRM}})
    project.dbt("seed")
    project.dbt("run", "--select", "+evidence", "+handoff_evidence")
    return project


@pytest.fixture(scope="module")
def evidence(project: ScratchProject) -> Evidence:
    """The evidence of each key result."""
    found: Evidence = {kr_id: [] for kr_id in MEASURES}
    for row in project.rows("select * from scorecard.evidence"):
        found[row["kr_id"]].append(row)
    return found


def of(evidence: Evidence, record: str) -> dict[str, Any]:
    (row,) = [row for row in evidence["items"] if row["record"] == record]
    return row


def _issue(number: str, key: str | None) -> dict[str, Any]:
    fields = {
        "summary": f"Work {number}",
        "created": "2026-10-06T10:00:00Z",
        "project": {"id": "1", "key": "P"},
    }
    return {"id": number, "key": key, "fields": fields}


def _deal(number: str, name: str) -> dict[str, Any]:
    return {"id": number, "properties": {"dealname": name, "createdate": "2026-10-06T10:00:00Z"}}


def _waiting(number: str, stage: str, closes: str, waits_for: str) -> dict[str, Any]:
    deal = _deal(number, f"Deal {number}")
    waiting = {
        "pipeline": "p",
        "dealstage": stage,
        "closedate": closes,
        "amount": "10.50",
        "waits_for_issue": waits_for,
    }
    return deal | {"properties": deal["properties"] | waiting}


@pytest.mark.parametrize("number", NAMES)
def test_an_issue_opens_by_its_key_and_never_elsewhere(evidence: Evidence, number: str) -> None:
    row = of(evidence, f"jira/issues/{number}")
    assert (row["name"], row["title"]) == (NAMES[number], f"Work {number}")
    address = urlsplit(row["url"])
    assert (address.scheme, address.netloc, address.query, address.fragment) == (
        "https",
        "acme.atlassian.net",
        "",
        "",
    )
    step, key = address.path.removeprefix("/").split("/")
    assert (step, unquote(key)) == ("browse", NAMES[number])
    assert row["url"].isascii() and row["url"].isprintable()


def test_the_example_of_the_method(evidence: Evidence) -> None:
    assert of(evidence, "jira/issues/10042")["url"] == "https://acme.atlassian.net/browse/INT-12"


def test_a_deal_opens_by_its_id_whatever_it_is_called(evidence: Evidence) -> None:
    found = [(row["record"], row["name"], row["url"]) for row in evidence["deals"]]
    assert sorted(found) == sorted(
        (f"hubspot/deals/{number}", name, CRM + number) for number, name in NAMES.items()
    )


def test_a_change_is_seen_on_its_issue_once_for_each_field(evidence: Evidence) -> None:
    assert [(row["record"], row["url"]) for row in evidence["changes"]] == [
        ("jira/changelogs/2/9", of(evidence, "jira/issues/2")["url"])
    ] * 2


def test_where_nobody_knows_an_address_there_is_none(evidence: Evidence) -> None:
    assert of(evidence, "other/issues/1")["name"] == "OTHER-1"
    assert {of(evidence, f"other/issues/{number}")["url"] for number in "12"} == {None}


def test_a_posting_is_found_by_file_and_row(evidence: Evidence) -> None:
    found = [
        tuple(row[column] for column in ("name", "title", "url", "found_in")) for row in evidence["costs"]
    ]
    assert sorted(found, key=str) == [
        ("INV-1", "Toll", None, "gl.csv, row 7"),
        ("gl.csv:8", None, None, "gl.csv, row 8"),
    ]


def test_behind_a_handoff_stand_its_items_and_the_deals_at_stake(project: ScratchProject) -> None:
    rows = project.rows("select * from scorecard.handoff_evidence order by part")
    assert [(row["part"], row["record"], row["state"], row["amount"], row["url"]) for row in rows] == [
        ("deal", "hubspot/deals/101", "new", Decimal("10.50"), CRM + "101"),
        ("item", "jira/issues/1", "waiting", None, SITE + "PLAT-1"),
    ]
    (handoff,) = project.rows("select deals_at_stake, amount_at_stake from scorecard.handoff_current")
    assert handoff == {"deals_at_stake": 1, "amount_at_stake": Decimal("10.50")}


def test_every_record_names_the_file_it_landed_in(evidence: Evidence) -> None:
    assert {row["landed_file"] for rows in evidence.values() for row in rows} == {"f"}
