"""A past day reads as it was first reported: the ledger's first answer for it, found here in plain Python."""

import html
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb

from publish.wording import day, quantity
from tests.demo_oracles.evenings import WEEK_3, WEEK_4, WEEK_11
from tests.publish.site.reading_pages import read_page


def test_every_day_of_the_cycle_shows_the_first_answer_of_the_ledger(week_11: Path) -> None:
    ledger = duckdb.execute(
        "select number, kr_id, date, status, value, reported_at from read_parquet(?) order by number desc",
        [str(week_11 / "tables/ledger.parquet")],
    ).fetchall()
    first = {(kr_id, of): (status, value, told) for _, kr_id, of, status, value, told in ledger}
    units = dict(
        duckdb.execute(
            "select kr_id, unit from read_parquet(?)", [str(week_11 / "tables/kr_current.parquet")]
        ).fetchall()
    )
    days = sorted({of for _, of in first if of >= date(2026, 10, 5)})
    assert {WEEK_3, WEEK_4, WEEK_11} <= set(days)
    pages = {file.stem for file in (week_11 / "site/as-of").glob("*.html")}
    assert pages == {of.isoformat() for of in days}
    for of in days:
        text = " ".join(read_page(week_11 / f"site/as-of/{of}.html").text.split())
        expected = Counter(status for (_, when), (status, _, _) in first.items() if when == of)
        signs = {"red": "■ red", "amber": "▲ amber", "green": "● green"}
        assert {status: text.count(sign) for status, sign in signs.items() if sign in text} == dict(expected)
        for (kr_id, when), (_, value, _) in first.items():
            if when == of:
                assert quantity(value, units[kr_id]) in text


def test_a_key_result_page_tells_the_stretches_of_its_status(week_11: Path) -> None:
    days = duckdb.execute(
        "select date, status, rule from read_parquet(?) where kr_id = 'fleetlink-launch-items' order by date",
        [str(week_11 / "tables/kr_daily.parquet")],
    ).fetchall()
    starts = [
        now for before, now in zip([(None, None, None), *days], days, strict=False) if before[1:] != now[1:]
    ]
    page = (week_11 / "site/key-results/fleetlink-launch-items.html").read_text(encoding="utf-8")
    timeline = html.unescape(page[page.index('<ol class="timeline">') : page.index("</ol>")])
    assert timeline.count("<li>") == len(starts)
    for start, status, rule in starts:
        assert f"{status}</span> <strong>{day(start)}" in timeline
        assert rule in timeline
