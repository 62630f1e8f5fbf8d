"""Whether the data can be trusted: sources, freshness, and the checks that fail."""

from collections.abc import Iterator

from publish.site.facts import Facts
from publish.site.page import Page
from publish.tables import FLAGS_ABOUT_WORK


def pages(facts: Facts) -> Iterator[Page]:
    """One page."""
    flags = [flag for flag in facts.flags if flag["kind"] not in FLAGS_ABOUT_WORK]
    about = {
        "checks": sorted(facts.published.table("checks"), key=lambda row: bool(row["passed"])),
        "sources": facts.published.table("source_freshness"),
        "open_flags": [flag for flag in flags if flag["is_open"]],
        "closed_flags": [flag for flag in flags if not flag["is_open"]],
    }
    yield Page("data.html", "data_health.html", "Data", about)
