"""The rhythm of a cycle, made from the published tables: weekly check-ins, the review in the middle, the retrospective.

Each is plain data (`CheckIn`) that a page of the site shows and a message tells.
"""

from collections.abc import Iterator

from publish.reading import Published
from publish.site.facts import Facts
from publish.site.page import Page
from publish.site.rhythm import mid_cycle, retrospective
from publish.site.rhythm.check_in import CheckIn, Record, Said, Section
from publish.site.rhythm.week import COMPANY_PAGE, Week

__all__ = ["CheckIn", "Record", "Said", "Section", "check_ins", "pages", "places", "reviews"]


def check_ins(published: Published) -> list[CheckIn]:
    """The week of the company, of each function for its head, and of each owner of key results."""
    return list(Week(Facts(published)).check_ins())


def reviews(published: Published) -> list[CheckIn]:
    """The mid-cycle review from the middle week on, and the retrospective once the cycle has ended."""
    return list(_reviews(Facts(published)))


def _reviews(facts: Facts) -> Iterator[CheckIn]:
    for one in (mid_cycle, retrospective):
        if one.has_come(facts):
            yield one.review(facts)


def places(facts: Facts) -> list[tuple[str, str]]:
    """What of it the navigation leads to: path and name."""
    found = [(COMPANY_PAGE, "Week")]
    if mid_cycle.has_come(facts):
        found.append((mid_cycle.PAGE, "Mid-cycle"))
    if retrospective.has_come(facts):
        found.append((retrospective.PAGE, "Retrospective"))
    return found


def pages(facts: Facts) -> Iterator[Page]:
    """One for each check-in and review."""
    for one in (*Week(facts).check_ins(), *_reviews(facts)):
        yield Page(one.page, "check_in.html", one.title, {"one": one})
