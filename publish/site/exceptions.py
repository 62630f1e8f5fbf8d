"""The exceptions, open and closed, each with its history."""

from collections.abc import Iterator

from publish.chain import chain_of
from publish.site.facts import Facts
from publish.site.page import Page, exception_path


def pages(facts: Facts) -> Iterator[Page]:
    """The list, then one for each exception."""
    rows = list(facts.exceptions.values())
    about = {
        "open_ones": [one for one in rows if one["is_open"]],
        "closed_ones": [one for one in rows if not one["is_open"]],
        "flags": [flag for flag in facts.flags if flag["is_open"]],
    }
    yield Page("exceptions.html", "exceptions.html", "Exceptions", about)
    for one in rows:
        title = f"{facts.key_results[one['kr_id']]['name']}, {one['opened_on']}"
        chain = chain_of(facts.published, one["exception_id"])
        yield Page(exception_path(one["exception_id"]), "exception.html", title, {"chain": chain})
