"""Text from the sources is inert on every page, whatever it says and however long it is."""

import json
import re
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from publish.reading import Published
from publish.site import build_site
from publish.site.charts import share_chart
from tests.browser import Window
from tests.publish.site.reading_pages import one_of_each_kind

# Columns that Plumbline fills itself or checks: ids, words of its own, days, hashes. All other text is hostile below.
_OURS = re.compile(
    r".*_id|handoffs|supports|drives|status|.*_status|rule|state|kind|severity|perspective|level|horizon|basis|verdict|part"
    r"|giver_function|receiver_function|inputs|model|at|seen_at|.*_at|hash|previous|definition|computation|strategy|version|subject"
    r"|check_name|system|stream|source"
)
_MARKUP = (
    '<script>window.hit=1</script><img src=x onerror=window.hit=1>" onmouseover="window.hit=1" x=\'</title></style></svg>'
    "<svg onload=window.hit=1>{{7*7}}{%raw%}&lt;b&gt;<!--"
)
# Embeddings, overrides, isolates and marks that turn the direction of what follows, and control characters.
_TURNING = "\u202e\u2066\u200f\u061c\x07\x1b[31m"
_LONG = 10_000


@pytest.fixture(scope="module")
def hostile(week_11: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a run whose every text is hostile: markup, turned direction, an address that is a script, 10,000 characters."""
    root = tmp_path_factory.mktemp("published")
    run = root / "run"
    shutil.copytree(week_11, run, ignore=shutil.ignore_patterns("site"))
    for parquet in (run / "tables").glob("*.parquet"):
        _make_hostile(parquet, run / "json" / f"{parquet.stem}.json")
    for sql in (run / "sql").glob("*.sql"):
        sql.write_text(f"select 1\n   -- {_MARKUP}{_TURNING}", encoding="utf-8")
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    # A cycle that ends today has its retrospective, too.
    ours = {**about, "company": _MARKUP + _TURNING, "cycle_name": _MARKUP, "cycle_end": about["as_of"]}
    (run / "run.json").write_text(json.dumps(ours))
    build_site(Published(root, "run"), run / "site")
    return run / "site"


def _make_hostile(parquet: Path, as_json: Path) -> None:
    con = duckdb.connect()
    rows = con.read_parquet(str(parquet))
    columns = [
        f"case when {name} is null then null else 'javascript:window.hit=1//' end as {name}"
        if name == "url"
        # The strategy allows 20 letters.
        else "case when unit is null then null else '<b>\"&amp;\u202ehit</b>' end as unit"
        if name == "unit"
        else f"case when \"{name}\" is null then null when row_number() over () % 3 = 0 then '{name}' || repeat('x', {_LONG}) "
        f"else '{name}' || $markup end as \"{name}\""
        if kind == "VARCHAR" and not _OURS.fullmatch(name)
        else f'"{name}"'
        for name, kind in zip(rows.columns, map(str, rows.types), strict=True)
    ]
    query = f"select {', '.join(columns)} from read_parquet('{parquet}')"
    given = {"markup": _MARKUP + _TURNING} if "$markup" in query else {}
    con.execute(f"create table hostile as {query}", given)
    con.execute(f"copy hostile to '{parquet}' (format parquet)")
    if as_json.exists():
        con.execute(f"copy hostile to '{as_json}' (format json, array true)")
    con.close()


def test_nothing_runs_nothing_is_asked_for_and_the_text_is_read_as_text(
    hostile: Path, browser: Browser
) -> None:
    window = Window(browser, width=360)
    shown = 0
    for file in one_of_each_kind(hostile):
        window.page.goto(file.as_uri())
        for details in window.page.query_selector_all("details"):
            details.evaluate("one => one.open = true")
        text = window.page.evaluate("document.body.innerText")
        assert window.page.evaluate("window.hit") is None, file
        assert (
            window.page.locator(
                "img, iframe, object, main script, [onerror], [onload], [onmouseover]"
            ).count()
            == 0
        ), file
        assert window.page.locator("a[href^='javascript' i]").count() == 0, file
        assert not re.search("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\x07\x1b]", text), file
        assert "x" * 1000 not in text, file
        assert window.overflow() <= 0, file
        shown += text.count("<script>window.hit=1</script><img src=x onerror=window.hit=1>")
        assert "{{7*7}}" in text, file
    window.close()
    assert window.noise == []
    assert shown > 200


def test_the_title_and_the_filters_are_inert_too(hostile: Path, browser: Browser) -> None:
    window = Window(browser)
    window.page.goto((hostile / "index.html").as_uri())
    assert "<script>window.hit=1</script>" in window.page.title()
    owners = window.page.locator("select[name=owner] option").all_inner_texts()
    assert any("<script>" in owner for owner in owners)
    for owner in owners[1:3]:
        window.page.select_option("select[name=owner]", label=owner)
    window.page.fill("input[name=q]", _MARKUP)
    assert window.page.evaluate("window.hit") is None
    window.close()
    assert window.noise == []


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=400))
@example("\x00\x07\x1b")
@example("\N{ZIPPER-MOUTH FACE}" * 50)
def test_any_name_can_be_drawn(name: str) -> None:
    drawn = share_chart([(name, Decimal("0.5"), Decimal("0.25"))], ("progress", "spent"))
    assert drawn.count("<svg ") == 2


def test_no_page_holds_what_its_policy_would_have_to_stop(hostile: Path) -> None:
    for file in hostile.rglob("*.html"):
        html = file.read_text(encoding="utf-8")
        assert "default-src 'none'; style-src 'self'; script-src 'self'" in html
        assert re.findall(r"<script(?![^>]*\ssrc=)", html) == [], file
        assert " style=" not in html.replace(_MARKUP, ""), file
