"""The simulated company keeps its promises: the same every time, honest about the past, and telling its story."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import requests
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import demo
from demo.clock import CYCLE_END, CYCLE_START, HISTORY_START, HOLIDAYS
from demo.company import HEADS

REPO = Path(__file__).resolve().parents[2]
WORKSPACE = REPO / "demo" / "workspace"
BERLIN = ZoneInfo("Europe/Berlin")
WEEK_4 = date(2026, 10, 30)
ENGINEERING = {"PLAT", "APP", "INT"}
WON, LOST = "closedwon", "closedlost"

days = st.dates(HISTORY_START, CYCLE_END)


@cache
def world() -> demo.World:
    return demo.simulate()


@cache
def snapshot(day: date) -> demo.Snapshot:
    return world().as_of(day)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def plain(seen: demo.Snapshot) -> str:
    return json.dumps(
        [
            seen.jira.issues, seen.jira.changelogs, seen.jira.statuses, seen.jira.fields, seen.jira.projects,
            seen.crm.deals, seen.crm.pipelines, seen.crm.owners,
            [str(posting) for posting in seen.postings], [str(line) for line in seen.budget],
        ],
        sort_keys=True,
    )  # fmt: skip


# --- the same every time ---------------------------------------------------------------------------------------


def test_a_seed_gives_the_same_world_in_every_process(tmp_path: Path) -> None:
    script = (
        "import demo, hashlib, pathlib, sys, datetime\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from tests.demo.test_world import plain\n"
        "seen = demo.simulate().as_of(datetime.date(2026, 10, 30))\n"
        "seen.write_finance(pathlib.Path(sys.argv[1]))\n"
        "print(hashlib.sha256(plain(seen).encode()).hexdigest())\n"
    )
    digests = []
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(REPO)}
        command = [sys.executable, "-c", script, str(tmp_path / hash_seed), str(REPO)]
        run = subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True, check=True)
        digests.append(run.stdout)
    assert digests[0] == digests[1]
    first, second = sorted((tmp_path / "1").iterdir()), sorted((tmp_path / "2").iterdir())
    assert [path.name for path in first] == [path.name for path in second]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
        assert one.stat().st_mtime == other.stat().st_mtime


def test_another_seed_gives_another_world() -> None:
    assert plain(demo.simulate(7).as_of(WEEK_4)) != plain(snapshot(WEEK_4))


def test_the_company_is_of_the_promised_size_and_quick_to_make() -> None:
    started = time.process_time()
    seen = demo.simulate(11).as_of(CYCLE_END)
    assert time.process_time() - started < 6  # about 1.5 s on an idle core
    assert 3_000 <= len(seen.jira.issues) <= 6_000
    assert (
        20_000 <= sum(len(entry["items"]) for log in seen.jira.changelogs.values() for entry in log) <= 40_000
    )
    assert 600 <= len(seen.crm.deals) <= 1_000
    assert 10_000 <= len(seen.postings) <= 15_000


# --- honest about the past -------------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(days, days)
def test_what_was_seen_on_a_day_is_the_beginning_of_what_is_seen_later(one: date, other: date) -> None:
    earlier, later = world().as_of(min(one, other)), world().as_of(max(one, other))
    after = {issue["id"]: issue for issue in later.jira.issues}
    for issue in earlier.jira.issues:
        assert after[issue["id"]]["key"] == issue["key"]
        assert after[issue["id"]]["fields"]["created"] == issue["fields"]["created"]
        log = earlier.jira.changelogs[issue["id"]]
        assert later.jira.changelogs[issue["id"]][: len(log)] == log
    deals = {deal["id"]: deal for deal in later.crm.deals}
    for deal in earlier.crm.deals:
        for name, versions in deal["propertiesWithHistory"].items():
            newer = deals[deal["id"]]["propertiesWithHistory"][name]
            assert newer[len(newer) - len(versions) :] == versions
    assert later.postings[: len(earlier.postings)] == earlier.postings


@settings(max_examples=6, deadline=None)
@given(days)
def test_nothing_of_tomorrow_shows(day: date) -> None:
    seen = world().as_of(day)
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), BERLIN)
    for issue in seen.jira.issues:
        assert instant(issue["fields"]["created"]) <= instant(issue["fields"]["updated"]) < midnight
        for sprint in issue["fields"]["customfield_10020"] or ():
            closed = sprint["state"] == "closed"
            assert closed == ("completeDate" in sprint)
            assert not closed or instant(sprint["completeDate"]) < midnight
        for entry in seen.jira.changelogs[issue["id"]]:
            assert instant(entry["created"]) < midnight
    for deal in seen.crm.deals:
        assert instant(deal["createdAt"]) <= instant(deal["updatedAt"]) < midnight
        for versions in deal["propertiesWithHistory"].values():
            assert all(instant(version["timestamp"]) < midnight for version in versions)
    assert all(posting.posted_at <= day and posting.day <= posting.posted_at for posting in seen.postings)


_SINGLE = {
    "status": lambda fields: (fields["status"]["id"], fields["status"]["name"]),
    "assignee": lambda fields: _person(fields["assignee"]),
    "priority": lambda fields: (fields["priority"]["id"], fields["priority"]["name"]),
    "summary": lambda fields: (None, fields["summary"]),
    "labels": lambda fields: ("", " ".join(fields["labels"])),
    "customfield_10016": lambda fields: (None, _number(fields["customfield_10016"])),
    "customfield_10020": lambda fields: _sprints(fields["customfield_10020"]),
}


def _person(person: dict[str, Any] | None) -> tuple[str | None, str | None]:
    return (person["accountId"], person["displayName"]) if person else (None, None)


def _number(points: float | None) -> str | None:
    return None if points is None else f"{points:g}"


def _sprints(sprints: list[dict[str, Any]] | None) -> tuple[str, str]:
    sprints = sprints or []
    return ", ".join(str(s["id"]) for s in sprints), ", ".join(s["name"] for s in sprints)


@pytest.mark.parametrize("day", [date(2025, 12, 24), date(2026, 6, 1), WEEK_4, CYCLE_END])
def test_an_issue_is_what_its_changelog_made_of_it(day: date) -> None:
    seen = snapshot(day)
    replayed = Counter[str]()
    for issue in seen.jira.issues:
        log = seen.jira.changelogs[issue["id"]]
        assert [int(entry["id"]) for entry in log] == sorted(int(entry["id"]) for entry in log)
        assert [instant(e["created"]) for e in log] == sorted(instant(e["created"]) for e in log)
        standing: dict[str, tuple[str | None, str | None]] = {}
        for item in (item for entry in log for item in entry["items"]):
            field = item.get("fieldId")
            if field in _SINGLE:
                if field in standing:
                    assert (item["from"], item["fromString"]) == standing[field], issue["key"]
                standing[field] = (item["to"], item["toString"])
        for field, value in standing.items():
            assert value == _SINGLE[field](issue["fields"]), (issue["key"], field)
            replayed[field] += 1
        resolved = issue["fields"]["resolutiondate"]
        assert (resolved is not None) == (issue["fields"]["status"]["statusCategory"]["key"] == "done")
        assert issue["fields"]["updated"] == (log[-1]["created"] if log else issue["fields"]["created"])
    assert set(replayed) == set(_SINGLE)


def test_links_show_at_both_ends_and_in_both_histories() -> None:
    seen = snapshot(WEEK_4)
    keys = {issue["id"]: issue["key"] for issue in seen.jira.issues}
    ends: dict[str, dict[str, tuple[str, str]]] = {}
    for issue in seen.jira.issues:
        linked = {
            i["to"] for e in seen.jira.changelogs[issue["id"]] for i in e["items"] if i["field"] == "Link"
        }
        assert linked == {
            (link.get("inwardIssue") or link["outwardIssue"])["key"] for link in issue["fields"]["issuelinks"]
        }
        for link in issue["fields"]["issuelinks"]:
            side = "outwardIssue" if "outwardIssue" in link else "inwardIssue"
            ends.setdefault(link["id"], {})[side] = (issue["key"], link[side]["key"])
            assert keys[link[side]["id"]] == link[side]["key"]
    assert len(ends) > 200
    for pair in ends.values():
        assert pair["outwardIssue"] == pair["inwardIssue"][::-1]


def test_keys_and_ids_follow_the_order_of_creation() -> None:
    seen = snapshot(WEEK_4)
    ordered = sorted(seen.jira.issues, key=lambda issue: int(issue["id"]))
    created = [instant(issue["fields"]["created"]) for issue in ordered]
    assert created == sorted(created)
    numbers: dict[str, int] = {}
    for issue in ordered:
        project, number = issue["key"].split("-")
        numbers[project] = numbers.get(project, 0) + 1
        assert int(number) == numbers[project]


# --- the shapes of the real systems ----------------------------------------------------------------------------


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
    assert [(row[0].date(), row[1], row[4], row[5]) for row in rows] == [
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


# --- the story -------------------------------------------------------------------------------------------------


def issues_of(day: date) -> dict[str, dict[str, Any]]:
    return {issue["key"]: issue for issue in snapshot(day).jira.issues}


def finished_at(day: date, key: str) -> datetime | None:
    resolved = issues_of(day)[key]["fields"]["resolutiondate"]
    return instant(resolved) if resolved else None


@pytest.mark.parametrize("week", range(1, 10))
def test_the_requests_are_asked_for_linked_and_never_taken_up(week: int) -> None:
    day = CYCLE_START + timedelta(days=7 * week - 3)
    truth = demo.ground_truth(world())
    issues = issues_of(day)
    asked = [key for key in truth["failing_handoff"]["items"] if key in issues]
    assert len(asked) == truth["scope"][day.isoformat()]
    for key in asked:
        fields = issues[key]["fields"]
        assert fields["status"]["statusCategory"]["key"] == "new"
        assert not fields["customfield_10020"]
        assert fields["assignee"] is None
        assert fields["parent"]["key"] == truth["failing_handoff"]["epic"]
        assert fields["reporter"]["displayName"] not in {
            p["name"] for p in (truth["failing_handoff"]["giving_head"],)
        }
        # A request that came in the last hours of a day may be linked the next morning.
        if (day - instant(fields["created"]).astimezone(BERLIN).date()).days > 1:
            blocked = {link["outwardIssue"]["key"] for link in fields["issuelinks"] if "outwardIssue" in link}
            assert blocked
            assert blocked <= set(truth["launch"]["blocked_items"])


def test_their_scope_grows_and_they_age_while_the_teams_own_work_moves() -> None:
    truth = demo.ground_truth(world())
    scope = list(truth["scope"].values())
    assert scope == sorted(scope)
    assert scope[-1] >= 1.4 * scope[0]
    seen = snapshot(WEEK_4)
    waiting = {True: [], False: []}
    for issue in seen.jira.issues:
        fields = issue["fields"]
        if fields["project"]["key"] == "INT" and fields["status"]["statusCategory"]["key"] == "new":
            age = (datetime(2026, 10, 30, 22, tzinfo=UTC) - instant(fields["created"])).days
            waiting["fleetlink-api" in fields["labels"]].append(age)
    median = {asked: sorted(ages)[len(ages) // 2] for asked, ages in waiting.items()}
    assert median[True] >= 3 * median[False]
    own = [
        i
        for i in seen.jira.issues
        if i["fields"]["project"]["key"] == "INT"
        and i["fields"]["resolutiondate"]
        and instant(i["fields"]["resolutiondate"]).date() >= CYCLE_START
    ]
    assert len(own) >= 30


def delivered_share(day: date) -> float:
    """Points done within their sprint over points planned, sprints completed in the cycle up to a day."""
    planned = done = 0.0
    for issue in snapshot(day).jira.issues:
        fields = issue["fields"]
        for sprint in fields["customfield_10020"] or ():
            if sprint["state"] != "closed" or instant(sprint["completeDate"]).date() < CYCLE_START:
                continue
            points = fields["customfield_10016"] or 0
            planned += points
            resolved = fields["resolutiondate"]
            if resolved and instant(sprint["startDate"]) <= instant(resolved) <= instant(
                sprint["completeDate"]
            ):
                done += points
    return done / planned


@pytest.mark.parametrize("day", [date(2026, 10, 16), WEEK_4, date(2026, 11, 27), CYCLE_END])
def test_engineering_hits_nine_tenths_of_its_velocity(day: date) -> None:
    assert 0.85 <= delivered_share(day) <= 0.95


def decided(day: date) -> list[tuple[str, str]]:
    """Stage and local day of close of new business decided in the cycle up to a day."""
    found = []
    for deal in snapshot(day).crm.deals:
        stage = deal["propertiesWithHistory"]["dealstage"][0]
        closed = instant(stage["timestamp"]).astimezone(BERLIN).date()
        if stage["value"] in (WON, LOST) and closed >= CYCLE_START:
            found.append((stage["value"], closed.isoformat()))
    return found


@pytest.mark.parametrize("week", range(1, 14))
def test_sales_reports_a_high_conversion(week: int) -> None:
    stages = Counter(stage for stage, _ in decided(CYCLE_START + timedelta(days=7 * week - 3)))
    assert stages[WON] / (stages[WON] + stages[LOST]) > 0.34


def test_two_million_wait_for_the_launch_and_are_pushed_out_of_the_quarter() -> None:
    truth = demo.ground_truth(world())
    epic = truth["failing_handoff"]["epic"]
    assert 1_600_000 <= int(truth["revenue"]["deferred"]) <= 2_400_000

    def waiting(day: date) -> int:
        return sum(
            int(deal["properties"]["amount"])
            for deal in snapshot(day).crm.deals
            if deal["properties"]["waits_for_issue"] == epic
            and deal["properties"]["dealstage"] not in (WON, LOST)
            and instant(deal["properties"]["closedate"]).astimezone(BERLIN).date() <= CYCLE_END
        )

    for week in range(1, 10):
        friday = CYCLE_START + timedelta(days=7 * week - 3)
        assert waiting(friday) == pytest.approx(
            int(truth["revenue"]["at_stake"][friday.isoformat()]), rel=0.02
        )
    assert waiting(date(2026, 12, 18)) == 0


def test_the_launch_stands_still_although_it_began_well() -> None:
    truth = demo.ground_truth(world())

    def ready(day: date) -> int:
        return sum(finished_at(day, key) is not None for key in truth["launch"]["items"])

    total = len(truth["launch"]["items"])
    for week in range(1, 7):
        assert ready(CYCLE_START + timedelta(days=7 * week - 3)) / total >= 0.9 * (7 * week - 2) / 91
    assert ready(date(2026, 12, 4)) == ready(CYCLE_END) == total - len(truth["launch"]["blocked_items"])
    version = issues_of(CYCLE_END)[truth["launch"]["items"][0]]["fields"]["fixVersions"][0]
    assert (version["name"], version["releaseDate"]) == ("FleetLink 1.0", truth["launch"]["real"])
    before = issues_of(WEEK_4)[truth["launch"]["items"][0]]["fields"]["fixVersions"][0]
    assert before["releaseDate"] == truth["launch"]["planned"]


def test_the_healthy_hand_offs_flow_and_are_used() -> None:
    truth = demo.ground_truth(world())
    by_label: dict[str, list[dict[str, Any]]] = {}
    for issue in snapshot(CYCLE_END).jira.issues:
        for label in issue["fields"]["labels"]:
            by_label.setdefault(label, []).append(issue)
    assert len(truth["healthy_handoffs"]) == 4
    for handoff in truth["healthy_handoffs"]:
        given = by_label[handoff["label"]]
        assert len(given) == handoff["items"]
        in_week_4 = 0
        for issue in given:
            done = finished_at(CYCLE_END, issue["key"])
            assert done
            assert (date.fromisoformat(handoff["needed_by"]) - done.date()).days >= 14
            in_week_4 += done.astimezone(BERLIN).date() <= WEEK_4
            [receiver] = [link["outwardIssue"]["key"] for link in issue["fields"]["issuelinks"]]
            used = finished_at(CYCLE_END, receiver)
            assert used
            assert done < used
        assert in_week_4 >= 0.6 * len(given)


@pytest.mark.parametrize("seed", [3, 7, 19])
def test_the_story_holds_under_other_seeds(seed: int) -> None:
    other = demo.simulate(seed)
    truth = demo.ground_truth(other)
    assert 1_600_000 <= int(truth["revenue"]["deferred"]) <= 2_400_000
    issues = {issue["key"]: issue for issue in other.as_of(WEEK_4).jira.issues}
    asked = [issues[key] for key in truth["failing_handoff"]["items"] if key in issues]
    assert len(asked) >= 18
    assert all(issue["fields"]["status"]["statusCategory"]["key"] == "new" for issue in asked)


# --- the workspace agrees with the company -----------------------------------------------------------------------


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
