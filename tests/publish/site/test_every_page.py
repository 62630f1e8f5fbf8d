"""Every page leads somewhere, opens quietly, fits phone and board room, and can be read by everybody."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser import Window
from tests.publish.site.reading_pages import one_of_each_kind, read_page

_ROWS_AFTER_EIGHT = "tbody tr:nth-child(n+9), tbody:nth-of-type(n+9), li:nth-child(n+9)"


@pytest.mark.parametrize("when", ["week_4", "week_11"])
def test_every_link_within_the_site_leads_to_a_page_and_a_place_on_it(
    when: str, request: pytest.FixtureRequest
) -> None:
    site: Path = request.getfixturevalue(when) / "site"
    read = {file: read_page(file) for file in site.rglob("*.html")}
    assert len(read) > 60
    dead = []
    for file, page in read.items():
        for link in page.links:
            path, _, place = unquote(link).partition("#")
            if re.match(r"[a-z]+:", path) or "=" in place:
                continue
            target = (file.parent / path).resolve() if path else file
            if (
                not target.is_relative_to(site.parent)
                or not target.is_file()
                or (place and place not in read[target].ids)
            ):
                dead.append((str(file.relative_to(site)), link))
    assert dead == []


def test_no_id_stands_twice_on_a_page(week_11: Path) -> None:
    for file in (week_11 / "site").rglob("*.html"):
        ids = read_page(file).ids
        assert len(ids) == len(set(ids)), file


def test_every_page_opens_quietly_on_a_phone_and_asks_nobody_else(browser: Browser, week_4: Path) -> None:
    window = Window(browser, width=360)
    wide = []
    for file in sorted((week_4 / "site").rglob("*.html")):
        window.page.goto(file.as_uri())
        if window.overflow() > 0:
            wide.append(file.name)
    window.close()
    assert window.noise == []
    assert wide == []


# On a phone in the dark only what hangs on colours and sizes is asked again: the rest is the same page.
_OF_COLOUR_AND_SIZE = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]


@pytest.mark.parametrize(
    ("width", "scheme", "rules"), [(1440, "light", None), (360, "dark", _OF_COLOUR_AND_SIZE)]
)
def test_axe_finds_no_violation(
    browser: Browser, week_11: Path, width: int, scheme: Literal["light", "dark"], rules: list[str] | None
) -> None:
    window, axe = Window(browser, width, scheme), Axe()
    found = {}
    for file in one_of_each_kind(week_11 / "site"):
        window.page.goto(file.as_uri())
        for details in window.page.query_selector_all("details"):
            details.evaluate("one => one.open = true")
        assert window.overflow() <= 0, file
        # Rows are all alike, and axe looks at each of their cells.
        window.page.evaluate(f"document.querySelectorAll('{_ROWS_AFTER_EIGHT}').forEach(one => one.remove())")
        violations = axe.run(
            window.page, options={"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
        ).response["violations"]
        if violations:
            found[file.name] = [(one["id"], one["nodes"][0]["html"]) for one in violations]
    window.close()
    assert found == {}


def test_every_kind_of_page_fits_the_width_of_paper(browser: Browser, week_11: Path) -> None:
    """A4 upright at 96 dots an inch: what is wider is cut off, as nobody scrolls on paper."""
    window = Window(browser, width=794)
    window.page.emulate_media(media="print")
    wide = []
    for file in one_of_each_kind(week_11 / "site"):
        window.page.goto(file.as_uri())
        if window.overflow() > 0:
            wide.append(file.name)
    window.close()
    assert wide == []


def test_the_scorecard_prints_on_one_page(browser: Browser, week_4: Path) -> None:
    window = Window(browser)
    window.page.goto((week_4 / "site/index.html").as_uri())
    printed = window.page.pdf(prefer_css_page_size=True)
    window.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_dark_is_dark_and_paper_is_light(browser: Browser, week_4: Path) -> None:
    window = Window(browser, scheme="dark")
    window.page.goto((week_4 / "site/index.html").as_uri())
    background = "getComputedStyle(document.documentElement).backgroundColor"
    assert window.page.evaluate(background) == "rgb(20, 23, 26)"
    window.page.emulate_media(media="print", color_scheme="dark")
    assert window.page.evaluate(background) == "rgb(255, 255, 255)"
    ink = "getComputedStyle(document.querySelector('h1')).color"
    assert window.page.evaluate(ink) == "rgb(0, 0, 0)"
    window.close()
