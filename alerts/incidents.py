"""What is wrong now, one incident for each cause, read from what was published.

Flags of one cause (its column `cause`) make one incident, whatever their kind; a new kind of flag needs nothing here. What two
people have to talk about is an incident of kind `review`: it speaks for the flags of its key results and of its hand-off, which
are told there and nowhere else. A key result that is amber only because its data cannot be trusted gives its people nothing to
talk about: it is named in the incident that is the cause.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from alerts.message import Evidence, Fact, Part, Reader, Severity, Turn
from publish.conversations import Conversation, conversations
from publish.reading import NothingPublishedError, Published, Row
from publish.site.page import exception_path, handoff_path, key_result_path
from publish.tables import FLAGS_ABOUT_WORK
from publish.wording import SIGNS, aim, counted, day, quantity

NOTICES = frozenset({"check_in", "week", "mid_cycle", "retrospective"})
"""Kinds that are told and never over; only a route that names them takes them."""

WORK = FLAGS_ABOUT_WORK | NOTICES | {"review"}
"""Kinds that speak of the company's work; all others speak of its data and of runs."""

_MOST = 6
_MOST_SENTENCES = 3
_OTHERWISE = "{kind} of {subject} fails"
_TITLES = {
    "source": "{subject} does not deliver",
    "model": "{subject} could not be computed",
    "run": "The {subject} failed",
    "gate": "What arrived in {subject} breaks its rules",
    "test": "{subject} breaks its rules",
    "handoff": "Hand-off: {subject}",
    "strategy": "The data contradicts what the strategy says of: {subject}",
    "key_result": "{subject}",
    "census": "Known records of {subject} are not to be seen any more",
    "delivery": "Messages do not get through to {subject}",
}


@dataclass(frozen=True)
class Incident:
    """One thing that is wrong. `key` is `kind/subject`; functions, sources and owners say whom it concerns.

    `severity` is amber or red; `escalated`: the scorecard has passed it on to the sponsor. `readers`: whom it addresses by name.
    Texts may come from source systems.
    """

    key: str
    severity: Severity
    title: str
    sentences: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    page: str | None = None
    readers: tuple[Reader, ...] = ()
    sponsor: Reader | None = None
    escalated: bool = False
    functions: frozenset[str] = field(default_factory=frozenset)
    sources: frozenset[str] = field(default_factory=frozenset)
    owners: frozenset[str] = field(default_factory=frozenset)

    @property
    def kind(self) -> str:
        return self.key.partition("/")[0]

    def part(self, turn: Turn, facts: Iterable[Fact] = ()) -> Part:
        """What a message says of it at this turn; `facts` come first."""
        severity = "green" if turn == "resolved" else self.severity
        return Part(
            self.key, turn, severity, self.title, self.sentences, (*facts, *self.facts), self.evidence, self.page
        )  # fmt: skip


def open_incidents(
    published: Published, owners_of_sources: Mapping[str, str], address: str | None
) -> list[Incident]:
    """Every incident of the run, reviews first. `address`: where the folder of the run is served; None: no links to pages."""
    return list(_Reading(published, owners_of_sources, address).incidents())


def page_at(address: str | None, path: str) -> str | None:
    """Where a page of the site is read, when the folder of the run is served at `address`; None where it is not."""
    return f"{address.rstrip('/')}/site/{path}" if address else None


class _Reading:
    def __init__(self, published: Published, owners: Mapping[str, str], address: str | None) -> None:
        self.published = published
        self.owners = owners
        self.address = address
        self.key_results = {row["kr_id"]: row for row in published.table("kr_current")}
        self.handoffs = {row["handoff_id"]: row for row in published.table("handoff_current")}

    def incidents(self) -> Iterator[Incident]:
        told = set[str]()
        for conversation in conversations(self.published):
            # What merely cannot be trusted is the doing of a source, a gate or a model.
            if any(one["rule"] != "untrusted" for one in conversation.exceptions):
                told |= {f"key_result/{kr_id}" for kr_id in conversation.kr_ids}
                if conversation.handoff:
                    told.add(f"handoff/{conversation.handoff['handoff_id']}")
                yield self._review(conversation)
        flags = [flag for flag in self.published.table("flags") if flag["is_open"]]
        if any("cause" not in flag for flag in flags):
            raise NothingPublishedError(
                "What is published is of an older version. Run `plumbline run` first."
            )
        for cause, of_cause in groupby(sorted(flags, key=itemgetter("cause")), key=itemgetter("cause")):
            if cause not in told:
                yield self._caused(cause, list(of_cause))

    def _review(self, talk: Conversation) -> Incident:
        first, handoff = talk.exceptions[0], talk.handoff
        key_results = [self.key_results[kr_id] for kr_id in talk.kr_ids]
        named = handoff["name"] if handoff else key_results[0]["name"]
        subject = handoff["handoff_id"] if handoff else talk.kr_ids[0]
        page = handoff_path(subject) if handoff else exception_path(first["exception_id"])
        facts = [
            Fact("Slipping since", day(handoff["since"] if handoff else key_results[0]["since"])),
            Fact("Who must talk", f"{talk.giving_head} and {talk.receiving_head}"),
        ]
        if talk.amount_at_stake:
            at_stake = quantity(talk.amount_at_stake, self.published.run["currency"])
            facts.append(Fact("At stake", at_stake))
        sides = {handoff["giver_function"], handoff["receiver_function"]} if handoff else set()
        return Incident(
            key=f"review/{subject}",
            severity="red" if talk.status == "red" else "amber",
            title=f"{named}: {talk.giving_head} and {talk.receiving_head} must talk",
            sentences=(str(handoff["sentence"] if handoff else first["reason"]),),
            facts=(*facts, *map(self._standing, key_results[:_MOST])),
            evidence=tuple(self._records(subject, is_handoff=handoff is not None)),
            page=page_at(self.address, page),
            readers=_heads(first),
            sponsor=Reader(first["sponsor_name"], first["sponsor_email"]),
            escalated=any(one["escalated_on"] for one in talk.exceptions),
            functions=frozenset(sides | {kr["function_id"] for kr in key_results}),
            owners=frozenset(kr["owner_email"] for kr in key_results),
        )

    def _caused(self, cause: str, flags: list[Row]) -> Incident:
        """What is no review: what the flags say, the worst first, and the key results that cannot be trusted for it."""
        kind, _, subject = cause.partition("/")
        own = [flag for flag in flags if flag["kind"] != "key_result"] or flags
        own.sort(key=lambda flag: (flag["severity"] != "red", flag["flag_id"]))
        reached = [] if own is flags else [flag["subject"] for flag in flags if flag["kind"] == "key_result"]
        key_results = [self.key_results[kr_id] for kr_id in (subject, *reached) if kr_id in self.key_results]
        handoff = self.handoffs.get(subject) if kind == "handoff" else None
        sides = {handoff["giver_function"], handoff["receiver_function"]} if handoff else set()
        sources = {subject} if kind == "source" else set()
        named = handoff or self.key_results.get(subject)
        title = _TITLES.get(kind, _OTHERWISE).format(kind=kind, subject=named["name"] if named else subject)
        if handoff and not handoff["is_declared"]:
            title = f"{handoff['name']}: {handoff['giving_head_name']} and {handoff['receiving_head_name']}"
        facts = [Fact("Since", day(min(flag["opened_on"] for flag in flags)))]
        symptoms = sorted({flag["subject"] for flag in own})
        if len(symptoms) > 1:
            facts.append(Fact("Where it shows", _listed(symptoms)))
        if reached:
            label = f"Not to be trusted until then: {counted(len(reached), 'key result')}"
            facts.append(Fact(label, _listed([row["name"] for row in key_results])))
        return Incident(
            key=cause,
            severity="red" if own[0]["severity"] == "red" else "amber",
            title=title,
            sentences=tuple(dict.fromkeys(str(flag["sentence"]) for flag in own))[:_MOST_SENTENCES],
            facts=tuple(facts),
            readers=_heads(handoff) if handoff else (),
            page=page_at(self.address, _page_of(kind, subject) if named else "data.html"),
            functions=frozenset(sides | {row["function_id"] for row in key_results}),
            sources=frozenset(sources),
            owners=frozenset(
                {row["owner_email"] for row in key_results}
                | {self.owners[name] for name in sources if name in self.owners}
            ),
        )

    def _standing(self, kr: Row) -> Fact:
        """A key result as it stands: its sign, value and aim."""
        value = quantity(kr["value"], kr["unit"])
        return Fact(f"{SIGNS[kr['status']]} {kr['name']}", f"{value}, to be {aim(kr)}")

    def _records(self, subject: str, *, is_handoff: bool) -> Iterator[Evidence]:
        """The records that prove it: of a hand-off what is open and what waits for it, else the heaviest of the value."""
        if not is_handoff:
            for row in self.published.evidence(subject, _MOST):
                yield Evidence(f"{row['name'] or row['record']} {row['title'] or ''}", row["url"])
            return
        rows = [row for row in self.published.handoff_evidence(subject) if row["state"] != "done"]
        for row in rows[:_MOST]:
            since = f", since {day(row['since'])}" if row["since"] else ""
            yield Evidence(f"{row['name']} {row['title'] or ''}: {row['state']}{since}", row["url"])
        if len(rows) > _MOST:
            yield Evidence(f"and {len(rows) - _MOST} more")


def _heads(row: Row) -> tuple[Reader, ...]:
    """The two people of a hand-off or an exception; one where they are the same."""
    giving = Reader(row["giving_head_name"], row["giving_head_email"])
    receiving = Reader(row["receiving_head_name"], row["receiving_head_email"])
    return (giving, receiving) if giving.email != receiving.email else (giving,)


def _page_of(kind: str, subject: str) -> str:
    return handoff_path(subject) if kind == "handoff" else key_result_path(subject)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
