"""What a leader asks, answered in at most two clicks from the scorecard."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
from playwright.sync_api import Page

from publish.wording import day

KR = "fleetlink-launch-items"


def row(run: Path, table: str, **at: str) -> dict[str, Any]:
    """The published row with these values."""
    rows: list[dict[str, Any]] = json.loads((run / f"json/{table}.json").read_text(encoding="utf-8"))
    (found,) = [one for one in rows if all(one[column] == value for column, value in at.items())]
    return found


def open_key_result(page: Page, name: str) -> None:
    page.locator("#key-results").get_by_role("link", name=name, exact=True).click()
    assert page.locator("h1").inner_text() == name


def section(page: Page, heading: str) -> str:
    return page.get_by_role("region", name=heading, exact=True).inner_text()


def test_why_is_it_amber(page: Page, week_4: Path) -> None:
    kr = row(week_4, "kr_current", kr_id=KR)
    assert kr["status"] == "amber"
    # Without a click.
    assert kr["reason"] in page.locator("#key-results").inner_text()
    open_key_result(page, kr["name"])
    assert f"by rule {kr['rule']}" in page.locator(".verdict").inner_text()
    assert f"items {json.loads(kr['inputs'])['items']}" in " ".join(section(page, "How do we know?").split())


def test_who_must_talk_to_whom_and_since_when(page: Page, week_4: Path) -> None:
    exception = row(week_4, "exceptions", kr_id=KR, is_open=True)  # type: ignore[arg-type]
    handoff = row(week_4, "handoff_current", handoff_id=exception["handoff_id"])
    kr = row(week_4, "kr_current", kr_id=KR)
    card = page.locator(".conversations li", has_text=handoff["name"])
    assert f"{exception['giving_head_name']} and {exception['receiving_head_name']}" in card.inner_text()
    assert f"open since {day(exception['opened_on'])}" in card.inner_text()
    assert (
        f"since {day(kr['since'])}" in page.locator("#key-results tr", has_text=kr["name"]).last.inner_text()
    )
    card.get_by_role("link", name=handoff["name"]).click()
    facts = page.locator(".facts").inner_text()
    assert handoff["giving_head_name"] in facts
    assert f"since {day(handoff['since'])}" in facts


def test_what_will_it_be_in_three_weeks(page: Page, week_4: Path) -> None:
    kr = row(week_4, "kr_current", kr_id="operating-revenue")
    open_key_result(page, kr["name"])
    facts = page.locator(".facts").inner_text()
    assert f"In three weeks, {day(kr['soon_on'])}" in facts
    assert f"{kr['soon_p50']:,.0f} EUR ({kr['soon_p10']:,.0f} to {kr['soon_p90']:,.0f})" in facts
    assert f"chance {kr['soon_p_met']:.0%}" in facts


def test_how_do_you_know(page: Page, week_4: Path) -> None:
    kr = row(week_4, "kr_current", kr_id=KR)
    open_key_result(page, kr["name"])
    known = section(page, "How do we know?")
    assert kr["measure_text"] in known
    evidence = duckdb.execute(
        "select name, url from read_parquet(?) where kr_id = ?", [str(week_4 / "tables/evidence.parquet"), KR]
    ).fetchall()
    assert len(evidence) == kr["records"]
    for name, url in evidence:
        assert page.get_by_role("link", name=name, exact=True).get_attribute("href") == url
    page.get_by_text("SQL", exact=True).click()
    shown = page.locator("pre").inner_text()
    assert shown.split() == (week_4 / f"sql/{KR}.sql").read_text(encoding="utf-8").split()


def test_what_changed_since_last_week(page: Page, week_4: Path) -> None:
    days: dict[str, dict[str, str]] = {}
    for one in json.loads((week_4 / "json/kr_daily.json").read_text(encoding="utf-8")):
        days.setdefault(one["kr_id"], {})[one["date"]] = one["status"]
    today = date.fromisoformat(json.loads((week_4 / "run.json").read_text())["as_of"])
    before = (today - timedelta(days=7)).isoformat()
    turned = {kr_id for kr_id, of in days.items() if of[before] != of[today.isoformat()]}
    assert turned
    names = {row(week_4, "kr_current", kr_id=kr_id)["name"] for kr_id in turned}
    links = page.get_by_role("region", name="Changed since last week").get_by_role("link").all()
    assert {link.inner_text() for link in links} == names


def test_was_the_target_moved(page: Page, week_4: Path) -> None:
    open_key_result(page, row(week_4, "kr_current", kr_id=KR)["name"])
    assert "No: target, baseline, owner, measure and dates" in section(page, "Was anything moved?")


def test_is_the_data_fresh(page: Page, week_4: Path) -> None:
    kr = row(week_4, "kr_current", kr_id=KR)
    assert day(kr["data_through"]) in page.locator("#key-results tr", has_text=kr["name"]).last.inner_text()
    page.get_by_role("navigation").get_by_role("link", name="Data").click()
    sources = json.loads((week_4 / "json/source_freshness.json").read_text(encoding="utf-8"))
    for one in sources:
        line = page.get_by_role("row", name=f"{one['source']}.{one['stream']}").inner_text()
        assert ("stale" in line) == one["stale"]
        assert day(one["newest_record_on"]) in line
