"""The feed keeps the rules of Atom (RFC 4287), and says what turned, when, and nothing new when nothing did."""

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import duckdb
import feedparser
import pytest

from publish.wording import SIGNS, day
from scorecard.ledger import Ledger

Row = dict[str, Any]

ATOM = "{http://www.w3.org/2005/Atom}"
# RFC 3339 with an offset, as atomDateConstruct asks for.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# How often an element may stand in another (RFC 4287, 4.1.1 and 4.1.2); None: as often as it likes.
IN_FEED = {
    "id": (1, 1), "title": (1, 1), "updated": (1, 1), "subtitle": (0, 1), "author": (1, None), "link": (0, None),
    "entry": (0, None),
}  # fmt: skip
IN_ENTRY = {
    "id": (1, 1), "title": (1, 1), "updated": (1, 1), "published": (0, 1), "summary": (0, 1), "content": (0, 1),
    "link": (0, None), "category": (0, None),
}  # fmt: skip


@pytest.fixture(scope="module", params=["week_4", "week_11"])
def run(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def feed_of(run: Path) -> Element:
    return ElementTree.parse(run / "exports" / "exceptions.atom").getroot()


def exceptions_of(run: Path) -> list[Row]:
    found = duckdb.execute("select * from read_parquet(?)", [str(run / "tables" / "exceptions.parquet")])
    columns = [column[0] for column in found.description or []]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def entries_of(run: Path) -> dict[str, Element]:
    """The entries by the exception that they are about, as their link says."""
    return {
        link.attrib["href"].removeprefix("../site/exceptions/").removesuffix(".html"): entry
        for entry in feed_of(run).iterfind(f"{ATOM}entry")
        for link in entry.iterfind(f"{ATOM}link")
    }


def text_of(element: Element, tag: str) -> str:
    return element.findtext(f"{ATOM}{tag}") or ""


def assert_holds(element: Element, allowed: dict[str, tuple[int, int | None]]) -> None:
    tags = [child.tag.removeprefix(ATOM) for child in element]
    assert set(tags) <= set(allowed)
    for tag, (least, most) in allowed.items():
        assert tags.count(tag) >= least, tag
        assert most is None or tags.count(tag) <= most, tag


def test_the_feed_keeps_the_rules_of_atom(run: Path) -> None:
    feed = feed_of(run)
    assert feed.tag == f"{ATOM}feed"
    assert_holds(feed, IN_FEED)
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        assert_holds(entry, IN_ENTRY)
        assert entry.find(f"{ATOM}content") is not None
        assert text_of(entry, "published") <= text_of(entry, "updated")
    ids = [text_of(each, "id") for each in (feed, *entries)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in ids)
    moments = [
        each.text or "" for tag in ("updated", "published") for each in feed.iterfind(f".//{ATOM}{tag}")
    ]
    assert all(MOMENT.fullmatch(each) for each in moments)
    updated = [text_of(entry, "updated") for entry in entries]
    assert updated == sorted(updated, reverse=True)
    assert text_of(feed, "updated") == updated[0]


def test_a_feed_reader_takes_it_as_it_is(run: Path) -> None:
    read = feedparser.parse(str(run / "exports" / "exceptions.atom"))
    assert (read.bozo, read.version) == (False, "atom10")
    assert len(read.entries) == len(exceptions_of(run)) > 0
    assert all(entry.title and entry.summary and entry.updated_parsed for entry in read.entries)


def test_links_lead_to_pages_that_are_there(run: Path) -> None:
    links = [each.attrib["href"] for each in feed_of(run).iterfind(f".//{ATOM}link")]
    assert len(links) == 2 + len(exceptions_of(run))
    assert all((run / "exports" / link).is_file() for link in links)


def turns_by_oracle(workspace: Path, run: Path, exception: Row) -> list[tuple[datetime, date, str]]:
    """What the ledger's own files say of the exception's life: when it was told, of which day, and how it begins."""
    chain = Ledger(workspace / ".plumbline" / "ledger").read()
    reports = {each.run: each.report for each in chain.runs}
    last_day = exception["closed_on"] or max(each.as_of for each in reports.values())
    said = sorted(
        (reports[line.run].as_of, reports[line.run].reported_at, line.answer)
        for line in chain.answers
        if line.answer.kr_id == exception["kr_id"]
        and line.answer.date == reports[line.run].as_of
        and exception["opened_on"] <= reports[line.run].as_of <= last_day
    )
    turns, before = [], ""
    for as_of, told_at, answer in said:
        now = "healthy" if answer.status == "green" else f"{answer.status} by {answer.rule}. {answer.reason}"
        if now.split(". ", maxsplit=1)[0] != before:
            turns.append((told_at.astimezone(UTC), as_of, now))
        before = now.split(". ", maxsplit=1)[0]
    for column, words in (
        ("escalated_on", f"escalated to {exception['sponsor_name']}"),
        ("closed_on", "closed"),
    ):
        if exception[column]:
            told = min(told_at for as_of, told_at, _ in said if as_of >= exception[column])
            turns.append((told.astimezone(UTC), exception[column], words))
    return sorted(turns)


def test_an_entry_tells_every_turn_and_is_new_when_the_last_of_them_was_told(run: Path) -> None:
    entries = entries_of(run)
    exceptions = exceptions_of(run)
    assert set(entries) == {each["exception_id"] for each in exceptions}
    for exception in exceptions:
        entry, turns = entries[exception["exception_id"]], turns_by_oracle(run.parents[2], run, exception)
        assert text_of(entry, "published") == turns[0][0].isoformat()
        assert text_of(entry, "updated") == turns[-1][0].isoformat()
        history = _Items.of(text_of(entry, "content"))
        assert history == [f"{day(on)}: {' '.join(what.split())}" for _, on, what in turns]
        state = exception["state"].replace("_", " ")
        standing = (
            f"{SIGNS[exception['status']]} {exception['status']}, {state}" if exception["is_open"] else state
        )
        assert text_of(entry, "title").startswith(f"{standing}: ")


def test_the_run_of_week_11_has_seen_every_turn(week_11: Path) -> None:
    items = [item for entry in entries_of(week_11).values() for item in _Items.of(text_of(entry, "content"))]
    turns = {re.sub(r"^\d+ \w+ \d+: (\w+).*", r"\1", item) for item in items}
    assert turns == {"amber", "red", "escalated", "healthy", "closed"}


def test_what_did_not_turn_is_told_again_with_the_same_id_and_moment(week_4: Path, week_11: Path) -> None:
    before, after = entries_of(week_4), entries_of(week_11)
    both = set(before) & set(after)
    assert len(both) >= 3
    for exception_id in both:
        for tag in ("id", "published"):
            assert text_of(before[exception_id], tag) == text_of(after[exception_id], tag)
    histories = {one: [_Items.of(text_of(each[one], "content")) for each in (before, after)] for one in both}
    for exception_id, (earlier, later) in histories.items():
        assert later[: len(earlier)] == earlier
        moved = text_of(before[exception_id], "updated") != text_of(after[exception_id], "updated")
        assert moved == (later != earlier), exception_id


class _Items(HTMLParser):
    """The texts of the list items."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[str] = []
        self._inside = False

    @classmethod
    def of(cls, html: str) -> list[str]:
        parser = cls()
        parser.feed(html)
        return parser.items

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"p", "ul", "li"}
        assert attrs == []
        if tag == "li":
            self.items.append("")
        self._inside = tag == "li"

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "li"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.items[-1] += data
