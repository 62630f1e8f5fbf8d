"""The demo company's systems show what the real ones would: wire shapes, finance files, servers, and a strategy that fits."""

from __future__ import annotations

import base64
import json
from datetime import date, datetime
from pathlib import Path

import openpyxl
import requests
import yaml

import demo
from demo.clock import CYCLE_END, CYCLE_START, HOLIDAYS
from demo.company import HEADS
from tests.demo.simulated import WEEK_4, WORKSPACE, instant, snapshot, world


def test_deals_speak_for_themselves() -> None:
    seen = snapshot(WEEK_4)
    stages = {s["id"]: s["metadata"] for p in seen.crm.pipelines for s in p["stages"]}
    owners = {owner["id"] for owner in seen.crm.owners}
    for deal in seen.crm.deals:
        properties = deal["properties"]
        for name, versions in deal["propertiesWithHistory"].items():
            assert properties[name] == versions[0]["value"]
            stamps = [instant(version["timestamp"]) for version in versions]
            assert stamps == sorted(stamps, reverse=True)
        assert properties["dealstage"] in stages
        assert properties["hubspot_owner_id"] in owners
        assert (properties["hs_object_id"], properties["createdate"]) == (deal["id"], deal["createdAt"])
        assert properties["hs_lastmodifieddate"] == deal["updatedAt"]
        assert all(value is None or isinstance(value, str) for value in properties.values())
    assert {m["isClosed"] for m in stages.values()} == {"true", "false"}


def test_texts_that_break_naive_code_are_there() -> None:
    seen = snapshot(WEEK_4)
    texts = [issue["fields"]["summary"] for issue in seen.jira.issues]
    texts += [deal["properties"]["dealname"] for deal in seen.crm.deals]
    texts += [posting.description for posting in seen.postings]
    for mark in ('"', "'", "<b>", "&", ";", "🚚", "Ł", "|", "%", "“"):
        assert any(mark in text for text in texts), mark


def test_finance_files_hold_the_postings_and_grow_while_the_month_is_open(tmp_path: Path) -> None:
    seen = snapshot(WEEK_4)
    seen.write_finance(tmp_path)
    assert (tmp_path / "gl_2025-10.csv").exists()
    assert {path.name for path in tmp_path.glob("budget_*")} == {"budget_2025.xlsx", "budget_2026.xlsx"}
    lines = (tmp_path / "gl_2026-10.csv").read_text("utf-8-sig").splitlines()
    october = [posting for posting in seen.postings if (posting.day.year, posting.day.month) == (2026, 10)]
    assert lines[0].startswith("Posting Date;Entered;Document No;Line;Account;")
    assert len(lines) == 1 + len(october)
    total = sum(round(float(line.rsplit(";", 1)[1].replace(",", ".")) * 100) for line in lines[1:])
    assert total == round(sum(posting.amount_company for posting in october) * 100)
    assert any(posting.posted_at > posting.day for posting in october)
    assert {posting.currency for posting in october} == {"EUR", "PLN", "GBP"}
    assert len({(p.document, p.line) for p in seen.postings}) == len(seen.postings)
    snapshot(date(2026, 11, 20)).write_finance(tmp_path)
    assert len((tmp_path / "gl_2026-10.csv").read_text("utf-8-sig").splitlines()) > len(lines)
    seen.write_finance(tmp_path)
    assert not (tmp_path / "gl_2026-11.csv").exists()


def test_budgets_are_workbooks_a_month_per_row(tmp_path: Path) -> None:
    seen = snapshot(WEEK_4)
    seen.write_finance(tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "budget_2026.xlsx", read_only=True)["Budget"]
    header, *rows = sheet.iter_rows(values_only=True)
    assert header == ("Month", "Account", "Account Name", "Account Type", "Cost Centre", "Amount")
    expected = [line for line in seen.budget if line.month.year == 2026]
    months = [row[0].date() for row in rows if isinstance(row[0], datetime)]
    assert [(month, row[1], row[4], row[5]) for month, row in zip(months, rows, strict=True)] == [
        (line.month, line.account.number, line.cost_centre, int(line.amount)) for line in expected
    ]


def test_serve_speaks_for_all_three_systems(tmp_path: Path) -> None:
    with demo.serve(WEEK_4, tmp_path) as env:
        login = f"{env['PLUMBLINE_DEMO_JIRA_EMAIL']}:{env['PLUMBLINE_DEMO_JIRA_TOKEN']}"
        basic = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
        jira = env["PLUMBLINE_DEMO_JIRA_URL"]
        assert requests.get(f"{jira}/rest/api/3/myself", headers=basic, timeout=10).status_code == 200
        assert requests.get(f"{jira}/rest/api/3/myself", timeout=10).status_code == 401
        asked = {
            "jql": "updated >= 0 order by updated asc",
            "fields": "summary,status,updated",
            "maxResults": "3",
        }
        page = requests.get(f"{jira}/rest/api/3/search/jql", asked, headers=basic, timeout=10).json()
        assert [set(issue["fields"]) for issue in page["issues"]] == [{"summary", "status", "updated"}] * 3
        body = {"issueIdsOrKeys": [page["issues"][0]["id"]]}
        logs = requests.post(
            f"{jira}/rest/api/3/changelog/bulkfetch", json=body, headers=basic, timeout=10
        ).json()
        assert logs["issueChangeLogs"][0]["changeHistories"]
        bearer = {"Authorization": f"Bearer {env['PLUMBLINE_DEMO_CRM_TOKEN']}"}
        crm = f"{env['PLUMBLINE_DEMO_CRM_URL']}/crm/v3/objects/deals"
        deals = requests.get(
            crm, {"limit": "5", "propertiesWithHistory": "dealstage"}, headers=bearer, timeout=10
        ).json()
        assert len(deals["results"]) == 5
        assert deals["results"][0]["propertiesWithHistory"]["dealstage"]
        assert list(Path(env["PLUMBLINE_DEMO_FINANCE"]).glob("gl_*.csv"))
    assert json.loads((tmp_path / "ground_truth.json").read_text("utf-8")) == demo.ground_truth(world())


def test_the_strategy_names_the_same_heads_days_and_hand_offs() -> None:
    folder = WORKSPACE / "strategy"
    functions = yaml.safe_load((folder / "functions.yml").read_text("utf-8"))["functions"]
    assert {f["id"]: (f["head"]["name"], f["head"]["email"]) for f in functions} == {
        name: (head.name, head.email) for name, head in HEADS.items()
    }
    cycle = yaml.safe_load((folder / "cycle.yml").read_text("utf-8"))
    assert (cycle["cycle"]["start"], cycle["cycle"]["end"]) == (CYCLE_START, CYCLE_END)
    assert {entry["date"]: entry["name"] for entry in cycle["holidays"]} == HOLIDAYS
    handoffs = yaml.safe_load((folder / "handoffs.yml").read_text("utf-8"))["handoffs"]
    truth = demo.ground_truth(world())
    planned = [truth["failing_handoff"], *truth["healthy_handoffs"]]
    assert {(h["id"], h["from"], h["to"], h["needed_by"].isoformat()) for h in handoffs} == {
        (h["id"], h["giver"], h["receiver"], h["needed_by"]) for h in planned
    }
    for handoff in truth["healthy_handoffs"]:
        [declared] = [h for h in handoffs if h["id"] == handoff["id"]]
        assert f"|{handoff['label']}|" in declared["scope"]


def test_owners_of_key_results_work_here() -> None:
    from demo.company import everybody

    staff = {(person.name, person.email) for person in everybody()}
    for path in sorted((WORKSPACE / "strategy" / "objectives").glob("*.yml")):
        document = yaml.safe_load(path.read_text("utf-8"))
        people = [document["objective"]["sponsor"], *(kr["owner"] for kr in document["key_results"])]
        assert {(person["name"], person["email"]) for person in people} <= staff, path.name
