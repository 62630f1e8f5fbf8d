"""Who waits for whom: the matrix of functions, a page for each hand-off, and how long work waits in other functions' queues."""

from collections.abc import Iterator

from publish.chain import chain_of
from publish.reading import Row
from publish.site.charts import handoff_chart
from publish.site.facts import Facts
from publish.site.page import Page, handoff_path

_WORST_FIRST = ("red", "amber", "green")


def pages(facts: Facts) -> Iterator[Page]:
    """The overview, then one for each hand-off."""
    handoffs = sorted(facts.handoffs.values(), key=lambda one: _WORST_FIRST.index(one["status"]))
    pairs: dict[tuple[str, str], list[Row]] = {}
    for one in handoffs:
        pairs.setdefault((one["giver_function"], one["receiver_function"]), []).append(one)
    starvation = facts.published.table("starvation")
    last_week = max((row["cycle_week"] for row in starvation), default=None)
    about = {
        "handoffs": handoffs,
        "pairs": pairs,
        "starvation": [row for row in starvation if row["cycle_week"] == last_week],
    }
    yield Page("hand-offs.html", "handoffs.html", "Hand-offs", about)
    for one in handoffs:
        about = {
            "handoff": one,
            "chain": chain_of(facts.published, f"handoff/{one['handoff_id']}"),
            "chart": handoff_chart(facts, one),
            "needed_for": [kr for kr in facts.key_results.values() if one in facts.needed_by(kr)],
        }
        yield Page(handoff_path(one["handoff_id"]), "handoff.html", one["name"], about)
