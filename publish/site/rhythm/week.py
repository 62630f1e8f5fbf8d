"""The weekly check-ins: of the company, of each function for its head, and of each owner of key results."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from publish.reading import Row
from publish.site.facts import Facts
from publish.site.page import function_week_path, person_week_path
from publish.site.rhythm.check_in import CheckIn, Section
from publish.site.rhythm.subjects import (
    WORST_FIRST,
    conversation,
    flag,
    handoff,
    key_result,
    within,
    worst_first,
)
from publish.tables import FLAGS_ABOUT_WORK
from publish.wording import counted, day

COMPANY_PAGE = "week/index.html"
# How many of the records that moved a key result are named: an owner wants to see them, a head the heaviest.
_OF_PERSON, _OF_FUNCTION = 8, 3


class Week:
    """The seven days up to the last reported one."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.first = facts.last_day - timedelta(days=6)
        self.last = facts.last_day
        self._records = facts.published.came_in_the_week(_OF_PERSON)
        self._people = _people(facts.own_key_results)

    @property
    def title(self) -> str:
        return f"Week {self.facts.week} of {self.facts.weeks}"

    def check_ins(self) -> Iterator[CheckIn]:
        """Of the company first, then of each function, then of each owner."""
        yield self._of_company()
        for function in self.facts.own_functions:
            yield self._of_function(function)
        for email, key_results in _by_owner(self.facts.own_key_results).items():
            yield self._of_person(email, key_results)

    def _of_company(self) -> CheckIn:
        facts = self.facts
        failing = [one for one in facts.handoffs.values() if one["status"] != "green"]
        links = [
            (f"{one['name']}: {one['head_name']}", function_week_path(one["function_id"]))
            for one in facts.own_functions
        ]
        return CheckIn(
            kind="company",
            subject="",
            name=str(facts.run["company"]),
            email=None,
            title=self.title,
            page=COMPANY_PAGE,
            sentences=self._on_top(facts.own_key_results),
            sections=(
                *_once(
                    self._conversations(None),
                    self._key_results(facts.own_key_results, 0),
                    *self._flags({flag["subject"] for flag in facts.flags}),
                    _handoffs(facts, "handoffs", "Hand-offs that fail", failing),
                ),
            ),
            links=(*links, *sorted((name, page) for name, page in self._people.values())),
        )

    def _of_function(self, function: Row) -> CheckIn:
        facts, function_id = self.facts, function["function_id"]
        key_results = [row for row in facts.own_key_results if row["function_id"] == function_id]
        given = [one for one in facts.handoffs.values() if one["giver_function"] == function_id]
        awaited = [one for one in facts.handoffs.values() if one["receiver_function"] == function_id]
        subjects = {row["kr_id"] for row in key_results} | {one["handoff_id"] for one in (*given, *awaited)}
        return CheckIn(
            kind="function",
            subject=function_id,
            name=str(function["head_name"]),
            email=function["head_email"],
            title=f"{function['name']}, {self.title.lower()}",
            page=function_week_path(function_id),
            sentences=self._on_top(key_results),
            sections=(
                *_once(
                    self._conversations(function["head_email"]),
                    self._key_results(key_results, _OF_FUNCTION),
                    *self._flags(subjects),
                    *_given_and_awaited(facts, given, awaited),
                ),
            ),
            links=(
                *dict.fromkeys(self._people[row["owner_email"]] for row in key_results),
                ("The company", COMPANY_PAGE),
            ),
        )

    def _of_person(self, email: str, key_results: Sequence[Row]) -> CheckIn:
        facts = self.facts
        name, page = self._people[email]
        functions = list(dict.fromkeys(row["function_id"] for row in key_results))
        given = [one for one in facts.handoffs.values() if one["giver_function"] in functions]
        needed = {one["handoff_id"]: one for row in key_results for one in facts.needed_by(row)}
        awaited = [one for one in needed.values() if one not in given]
        said = self._key_results(key_results, _OF_PERSON)
        return CheckIn(
            kind="person",
            subject=email,
            name=name,
            email=email,
            title=f"{name}, {self.title.lower()}",
            page=page,
            sentences=self._on_top(key_results),
            sections=(
                said,
                *self._flags({row["kr_id"] for row in key_results}),
                *_given_and_awaited(facts, given, awaited),
            ),
            links=(
                *(
                    (facts.function_name(one), function_week_path(one))
                    for one in functions
                    if one in facts.functions
                ),
                ("The company", COMPANY_PAGE),
            ),
        )

    def _on_top(self, key_results: Sequence[Row]) -> tuple[str, ...]:
        """The days it is about, and how many key results stand how."""
        statuses = Counter(row["status"] for row in key_results)
        standing = ", ".join(f"{statuses[word]} {word}" for word in WORST_FIRST if statuses[word])
        about = f"{day(self.first)} to {day(self.last)}"
        if not key_results:
            return (f"{about}.",)
        return (f"{about}. {counted(len(key_results), 'key result')}: {standing}.",)

    def _key_results(self, rows: Sequence[Row], most: int) -> Section:
        said = [
            key_result(self.facts, row, self._records.get(row["kr_id"], []), most)
            for row in worst_first(rows)
        ]
        owners = len({row["owner_email"] for row in rows}) > 1
        if owners:
            said = [
                replace(one, facts=(*one.facts, ("Owner", str(row["owner_name"]))))
                for one, row in zip(said, worst_first(rows), strict=True)
            ]
        heading = "Key results, and what moved them" if most else "Key results"
        return Section("standing", heading, tuple(said), "No key result.")

    def _flags(self, subjects: set[str]) -> Iterator[Section]:
        """What went amber or red in the week, and what did so before and is over."""
        about_work = [
            one for one in self.facts.flags if one["kind"] in FLAGS_ABOUT_WORK and one["subject"] in subjects
        ]
        opened = [one for one in about_work if within(one["opened_on"], self.first, self.last)]
        closed = [
            one for one in about_work if within(one["closed_on"], self.first, self.last) and one not in opened
        ]
        opened.sort(key=lambda one: (not one["is_open"], one["severity"] != "red", one["opened_on"]))
        said = tuple(flag(self.facts, one) for one in opened)
        yield Section("opened", "Went amber or red", said, "Nothing went amber or red this week.")
        if closed:
            said = tuple(replace(flag(self.facts, one), sentences=()) for one in closed)
            yield Section("closed", "Was amber or red, and is over", said, "")

    def _conversations(self, email: str | None) -> Section:
        """The open ones: of everybody, or of the head with this address."""
        mine = [
            one
            for one in self.facts.conversations
            if email is None
            or any(email in (row["giving_head_email"], row["receiving_head_email"]) for row in one.exceptions)
        ]
        said = tuple(conversation(self.facts, one) for one in mine)
        return Section(
            "conversations", "Needs a conversation", said, "Nobody has to talk: no exception is open."
        )


def _once(*sections: Section) -> Iterator[Section]:
    """The sections without sentences that stand in one before: a conversation is about why its key results are off track."""
    before: set[str] = set()
    for section in sections:
        said = tuple(
            replace(one, sentences=tuple(text for text in one.sentences if not _stands_in(text, before)))
            for one in section.said
        )
        before |= {text for one in said for text in one.sentences}
        yield replace(section, said=said)


def _stands_in(text: str, before: set[str]) -> bool:
    """Whether it ends with one of them: a key result that waits for a hand-off has the sentence of that as its reason."""
    return any(text.endswith(other) for other in before)


def _given_and_awaited(facts: Facts, given: Sequence[Row], awaited: Sequence[Row]) -> tuple[Section, Section]:
    return (
        _handoffs(facts, "given", "Hand-offs given", given),
        _handoffs(facts, "awaited", "Hand-offs awaited", awaited),
    )


def _handoffs(facts: Facts, key: str, heading: str, rows: Sequence[Row]) -> Section:
    return Section(key, heading, tuple(handoff(facts, one) for one in worst_first(rows)), "None.")


def _by_owner(key_results: Iterable[Row]) -> dict[str, list[Row]]:
    owners: dict[str, list[Row]] = {}
    for row in sorted(key_results, key=lambda row: str(row["owner_email"])):
        owners.setdefault(row["owner_email"], []).append(row)
    return owners


def _people(key_results: Sequence[Row]) -> dict[str, tuple[str, str]]:
    """By e-mail address the name of each owner and the page, named after the person; of namesakes also after the address."""
    names = {row["owner_email"]: str(row["owner_name"]) for row in key_results}
    often = Counter(_slug(name) for name in names.values())
    return {
        email: (
            name,
            person_week_path(
                slug
                if often[slug := _slug(name)] == 1
                else f"{slug}-{sha256(email.encode()).hexdigest()[:8]}"
            ),
        )
        for email, name in names.items()
    }


def _slug(name: str) -> str:
    """What of a name may stand in an address: lower-case letters of ASCII and digits, with hyphens between; not without end."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    return "-".join(words)[:60].strip("-") or "owner"
