"""The rhythm of the cycle as notices: the week of each owner, each head and the company, the mid-cycle review, the retrospective.

What they say is what the pages of the same run show (`publish.site.rhythm`). Kinds: `check_in`, `week` (the company's),
`mid_cycle`, `retrospective`.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from alerts.incidents import Incident, page_at
from alerts.message import Evidence, Fact, Reader
from alerts.sight import Sight
from publish.reading import Published
from publish.site.rhythm import CheckIn, Said, check_ins, reviews
from publish.wording import SIGNS

_MOST = 12


def week_of(published: Published) -> str:
    """The key of the company's week, which is the same all week long."""
    year, week, _ = date.fromisoformat(published.run["as_of"]).isocalendar()
    return f"week/{year}-W{week:02}"


def weekly(sight: Sight, heads: Sequence[Reader], address: str | None) -> Iterator[Incident]:
    """The company's week for those heads who may see all of it, and everybody's own as they may see it."""
    week = week_of(sight.published)
    own = check_ins(sight.published)
    seen_in = {sight.published.folder: own}
    for one in own:
        if one.email is None:
            yield from _for_heads(week, one, sight, heads, address)
        elif sight.is_anybody(one.email):
            seen = sight.of(one.email)
            if seen.folder not in seen_in:
                seen_in[seen.folder] = check_ins(seen)
            key = f"check_in/{week.partition('/')[2]}/{one.kind}/{one.subject}"
            for same in seen_in[seen.folder]:
                if (same.kind, same.subject) == (one.kind, one.subject):
                    yield _notice(key, same, (Reader(one.name, one.email),), address)


def of_the_cycle(sight: Sight, heads: Sequence[Reader], address: str | None) -> Iterator[Incident]:
    """The mid-cycle review and the retrospective, where their time has come."""
    for one in reviews(sight.published):
        key = f"{one.kind.replace('-', '_')}/{sight.published.run['cycle']}"
        yield from _for_heads(key, one, sight, heads, address)


def _for_heads(
    key: str, one: CheckIn, sight: Sight, heads: Sequence[Reader], address: str | None
) -> Iterator[Incident]:
    readers = [
        head for head in heads if sight.is_anybody(head.email) and sight.of(head.email) is sight.published
    ]
    if readers:
        yield _notice(key, one, readers, address)


def _notice(key: str, one: CheckIn, readers: Sequence[Reader], address: str | None) -> Incident:
    said = [(section, said) for section in one.sections for said in section.said]
    facts = [Fact(f"{section.heading}: {_title(said)}", _text(said)) for section, said in said[:_MOST]]
    if len(said) > _MOST:
        facts.append(Fact("And more", f"{len(said) - _MOST} further lines stand on the page."))
    records = [record for _, said in said for record in said.records]
    return Incident(
        key=key,
        severity="green",
        title=one.title,
        sentences=one.sentences,
        facts=tuple(facts),
        evidence=tuple(Evidence(f"{record.name} {record.title}", record.url) for record in records[:_MOST]),
        page=page_at(address, one.page),
        readers=tuple(readers),
    )


def _title(said: Said) -> str:
    return f"{SIGNS[said.status]} {said.title}" if said.status else said.title


def _text(said: Said) -> str:
    numbers = "; ".join(f"{label.lower()} {value}" for label, value in said.facts if value not in {"", "–"})
    return " ".join(part for part in (numbers and f"{numbers}.", *said.sentences) if part)
