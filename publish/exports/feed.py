"""The exceptions as a feed (Atom 1.0, RFC 4287): an entry each, which readers show again whenever its state has turned."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from uuid import UUID, uuid5
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement
from zoneinfo import ZoneInfo

from markupsafe import Markup

from publish.reading import Published, Row
from publish.site.page import exception_path
from publish.wording import SIGNS, clean, day, quantity

_ATOM = "http://www.w3.org/2005/Atom"
# Ids are made in it from the company and the exception: no run and no place where the feed is read from changes them.
_NAMESPACE = UUID("8061dca2-cc3b-41fe-8261-4105b9f3c46a")
_SITE = "../site/"


@dataclass(frozen=True, order=True)
class Turn:
    """A turn in the life of an exception: when a run first told of it (UTC), the day it stands on, and what it was."""

    told_at: datetime
    on: date
    what: str


def write_feed(published: Published, file: Path) -> None:
    """Write the feed, what turned last on top. Names and sentences are text: they are escaped as HTML, and that as XML."""
    company = clean(published.run["company"])
    told = _told(published)
    feed = Element("feed", {"xmlns": _ATOM, "xml:lang": "en"})
    _text(feed, "id", _urn(company, "exceptions"))
    _text(feed, "title", f"{company}: exceptions")
    _text(feed, "subtitle", "What two people have to talk about, opened and closed by the data")
    newest = max(
        (turns[-1].told_at for _, turns in told),
        default=_start(published, date.fromisoformat(published.run["as_of"])),
    )
    _text(feed, "updated", newest.isoformat())
    _text(SubElement(feed, "author"), "name", "Plumbline")
    SubElement(feed, "link", rel="self", type="application/atom+xml", href=file.name)
    SubElement(feed, "link", rel="alternate", type="text/html", href=f"{_SITE}exceptions.html")
    for exception, turns in told:
        _entry(SubElement(feed, "entry"), company, published, exception, turns)
    ElementTree.indent(feed)
    file.write_bytes(ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True) + b"\n")


def _entry(entry: Element, company: str, published: Published, exception: Row, turns: Sequence[Turn]) -> None:
    key_results = published.names("kr_current", "kr_id")
    name = clean(key_results.get(exception["kr_id"], exception["kr_id"]))
    status, state = exception["status"], exception["state"].replace("_", " ")
    _text(entry, "id", _urn(company, exception["exception_id"]))
    standing = f"{SIGNS[status]} {status}, {state}" if exception["is_open"] else state
    _text(entry, "title", f"{standing}: {name}")
    _text(entry, "published", turns[0].told_at.isoformat())
    _text(entry, "updated", turns[-1].told_at.isoformat())
    SubElement(
        entry,
        "link",
        rel="alternate",
        type="text/html",
        href=_SITE + exception_path(exception["exception_id"]),
    )
    for term in (exception["status"], exception["state"], exception["rule"]):
        SubElement(entry, "category", term=clean(term))
    _text(entry, "summary", clean(exception["reason"]))
    content = _text(entry, "content", str(_story(published, exception, turns)))
    content.set("type", "html")


def _story(published: Published, exception: Row, turns: Sequence[Turn]) -> Markup:
    """Who has to talk and what waits, then every turn with its day."""
    lines = Markup("").join(
        Markup("<li>{}: {}</li>").format(day(turn.on), clean(turn.what)) for turn in turns
    )
    return Markup("<p>{}</p>\n<ul>{}</ul>").format(_people(published, exception), lines)


def _people(published: Published, exception: Row) -> str:
    handoffs = published.names("handoff_current", "handoff_id")
    giver, receiver = clean(exception["giving_head_name"]), clean(exception["receiving_head_name"])
    told = [f"{giver} and {receiver} have to talk by {day(exception['review_due_on'])}."]
    if exception["closed_on"]:
        told = [f"{giver} and {receiver} had to talk; closed on {day(exception['closed_on'])}."]
    if exception["handoff_id"]:
        told.append(
            f"It is about the hand-off “{clean(handoffs.get(exception['handoff_id'], exception['handoff_id']))}”."
        )
    if exception["amount_at_stake"]:
        told.append(f"{quantity(exception['amount_at_stake'], str(published.run['currency']))} wait for it.")
    return " ".join(told)


def _told(published: Published) -> list[tuple[Row, list[Turn]]]:
    """Every exception with its turns, what turned last first."""
    evaluations = published.evaluations()
    told = [
        (exception, sorted(_turns(published, exception, evaluations.get(exception["kr_id"], []))))
        for exception in published.table("exceptions")
    ]
    return sorted(told, key=lambda one: (one[1][-1].told_at, one[0]["exception_id"]), reverse=True)


def _turns(published: Published, exception: Row, of_key_result: Sequence[Row]) -> Iterator[Turn]:
    """What the runs said from its opening to its end, each time they said something else, and its own milestones."""
    opened = date.fromisoformat(exception["opened_on"])
    last = date.fromisoformat(exception["closed_on"] or published.run["as_of"])
    said = [row for row in of_key_result if opened <= row["as_of"] <= last]
    for _, same in groupby(_by_day(said), key=_verdict):
        row = next(same)
        yield Turn(row["reported_at"].astimezone(UTC), row["as_of"], _in_words(row))
    if not said:
        yield Turn(_start(published, opened), opened, _in_words(exception))
    milestones = {"escalated_on": f"escalated to {exception['sponsor_name']}", "closed_on": "closed"}
    for column, what in milestones.items():
        if exception[column]:
            on = date.fromisoformat(exception[column])
            told_at = next((row["reported_at"] for row in said if row["as_of"] >= on), _start(published, on))
            yield Turn(told_at.astimezone(UTC), on, what)


def _in_words(row: Row) -> str:
    return "healthy" if row["status"] == "green" else f"{row['status']} by {row['rule']}. {row['reason']}"


def _by_day(said: Iterable[Row]) -> Iterator[Row]:
    """Of each day the run that was the first to say what its last one said: to run again turns nothing."""
    for _, runs in groupby(said, key=itemgetter("as_of")):
        of_day = list(runs)
        yield next(row for row in of_day if _verdict(row) == _verdict(of_day[-1]))


def _verdict(row: Row) -> tuple[str, str]:
    return (row["status"], "" if row["status"] == "green" else row["rule"])


def _start(published: Published, on: date) -> datetime:
    """The first moment of a day where the cycle is."""
    return datetime.combine(on, time(), ZoneInfo(published.run["timezone"])).astimezone(UTC)


def _urn(company: str, what: str) -> str:
    return uuid5(_NAMESPACE, f"{company}\n{what}").urn


def _text(parent: Element, tag: str, text: str) -> Element:
    child = SubElement(parent, tag)
    child.text = text
    return child
