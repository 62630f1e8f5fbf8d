"""What does not look as it should: suspect records, moved goalposts, days that read otherwise than they were first told."""

from collections.abc import Iterator

from publish.site.facts import Facts
from publish.site.page import Page

_SUSPECTS = 500


def pages(facts: Facts) -> Iterator[Page]:
    """One page."""
    suspects = facts.published.all_suspects(_SUSPECTS + 1)
    about = {
        "suspects": suspects[:_SUSPECTS],
        "cut": len(suspects) > _SUSPECTS,
        "changes": facts.published.table("strategy_changes"),
        "restatements": facts.published.table("restatements"),
    }
    yield Page("integrity.html", "integrity.html", "Integrity", about)
