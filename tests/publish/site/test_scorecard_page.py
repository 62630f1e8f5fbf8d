"""The table of key results: what it says, and how it is searched, filtered and sorted without a server and without a mouse."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.browser import Window


@pytest.fixture(scope="module")
def key_results(week_4: Path) -> list[dict[str, Any]]:
    text = (week_4 / "json/kr_current.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text, parse_float=Decimal)
    return rows


def shown(page: Page) -> list[str]:
    """Names of the key results that can be seen, from top to bottom."""
    return [row.locator("th a").first.inner_text() for row in seen_rows(page)]


def seen_rows(page: Page) -> list[Locator]:
    return [row for row in page.locator("#key-results tbody tr:not(.objective)").all() if row.is_visible()]


def test_each_row_says_what_was_published(page: Page, key_results: list[dict[str, Any]]) -> None:
    rows = {row.locator("th a").first.inner_text(): row for row in seen_rows(page)}
    assert set(rows) == {kr["name"] for kr in key_results}
    for kr in key_results:
        row = rows[kr["name"]]
        cells = [cell.inner_text() for cell in row.locator("td").all()]
        assert kr["status"] in cells[0]
        digits = cells[1].split()[0].rstrip("%").replace(",", "")
        assert abs(Decimal(digits) - kr["value"]) <= (
            Decimal("0.5") if abs(kr["value"]) >= 1000 else Decimal("0.005")
        )
        assert (kr["reason"] in row.inner_text()) == (kr["status"] != "green")
        assert kr["owner_name"] in cells[-2]


def test_what_needs_a_conversation_stands_on_top_with_both_heads_and_the_stake(
    page: Page, week_4: Path
) -> None:
    exceptions = [one for one in json.loads((week_4 / "json/exceptions.json").read_text()) if one["is_open"]]
    most = max(exceptions, key=lambda one: one["amount_at_stake"])
    first = page.locator(".conversations li").first.inner_text()
    assert most["giving_head_name"] in first
    assert most["receiving_head_name"] in first
    assert f"{most['amount_at_stake']:,.0f}" in first
    assert page.locator(".conversations li").count() == len(
        {
            (one["giving_head_email"], one["receiving_head_email"], one["handoff_id"] or one["kr_id"])
            for one in exceptions
        }
    )


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("status", "status"),
        ("function", "function_id"),
        ("perspective", "perspective"),
        ("owner", "owner_name"),
    ],
)
def test_a_filter_leaves_what_fits_it(
    page: Page, key_results: list[dict[str, Any]], field: str, column: str
) -> None:
    value = key_results[0][column]
    page.select_option(f"select[name={field}]", value)
    assert set(shown(page)) == {kr["name"] for kr in key_results if kr[column] == value}
    assert f"of {len(key_results)} key results" in page.locator("#shown").inner_text()


def test_search_finds_words_of_name_owner_and_reason_in_any_order(
    page: Page, key_results: list[dict[str, Any]]
) -> None:
    page.fill("input[name=q]", "ready ALL launch")
    assert shown(page) == ["All 24 launch items of FleetLink are ready"]
    page.fill("input[name=q]", key_results[0]["owner_name"].split()[0])
    assert key_results[0]["name"] in shown(page)
    page.fill("input[name=q]", "no such thing")
    assert shown(page) == []
    assert page.locator("#shown").inner_text() == f"0 of {len(key_results)} key results"


def test_a_column_sorts_up_then_down_then_by_objective_again(
    page: Page, key_results: list[dict[str, Any]]
) -> None:
    by_objective = shown(page)
    head = page.locator("th[data-sort=chance]")
    chances = {kr["name"]: kr["end_p_met"] for kr in key_results}

    def in_order(down: bool) -> list[Decimal]:
        return sorted((chance for chance in chances.values() if chance is not None), reverse=down)

    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    up = [chances[name] for name in shown(page)]
    assert up[: len(in_order(False))] == in_order(False)
    assert set(up[len(in_order(False)) :]) <= {None}
    head.locator("button").click()
    assert [chances[name] for name in shown(page)][: len(in_order(True))] == in_order(True)
    head.locator("button").click()
    assert shown(page) == by_objective


def test_a_view_can_be_sent_by_its_address(
    page: Page, browser: Browser, key_results: list[dict[str, Any]]
) -> None:
    page.select_option("select[name=status]", "amber")
    page.locator("th[data-sort=name] button").click()
    page.fill("input[name=q]", "fleetlink")
    seen, address = shown(page), page.url
    assert 0 < len(seen) < len(key_results)
    other = Window(browser)
    other.page.goto(address)
    assert shown(other.page) == seen
    assert other.page.input_value("input[name=q]") == "fleetlink"
    other.page.get_by_role("button", name="Show all").click()
    assert len(shown(other.page)) == len(key_results)
    assert other.page.url.partition("#")[2] == ""
    other.close()


def test_everything_is_there_without_scripts(
    browser: Browser, week_4: Path, key_results: list[dict[str, Any]]
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((week_4 / "site/index.html").as_uri())
    assert page.locator("#key-results tbody tr:not(.objective)").count() == len(key_results)
    assert not page.locator("#filters").is_visible()
    page.context.close()


def test_the_keyboard_alone_filters_sorts_and_opens(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"

    def tab_to(what: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("what => document.activeElement.matches(what)", what):
                return
        pytest.fail(f"the keyboard does not reach {what}")

    tab_to("select[name=status]")
    page.keyboard.type("red")
    assert all("red" in row.inner_text() for row in seen_rows(page))
    tab_to("th[data-sort=value] button")
    page.keyboard.press("Enter")
    assert page.locator("th[data-sort=value]").get_attribute("aria-sort") == "ascending"
    first = shown(page)[0]
    tab_to("#key-results tbody a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/key-results/**")
    assert page.locator("h1").inner_text() == first
