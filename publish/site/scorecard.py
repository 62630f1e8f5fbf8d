"""The first page: what needs a conversation now, what changed since last week, and the table of key results."""

from collections.abc import Iterator

from publish.reading import Row
from publish.site.charts import sparkline
from publish.site.facts import Facts
from publish.site.page import Page


def pages(facts: Facts) -> Iterator[Page]:
    """The scorecard."""
    about = {
        "groups": [
            (objective, members)
            for objective in facts.objectives.values()
            if (members := facts.of_objective(objective["objective_id"]))
        ],
        "sparklines": {kr_id: sparkline(facts.series[kr_id]) for kr_id in facts.key_results},
        "turned": list(_turned(facts)),
        "stale": [row for row in facts.published.table("source_freshness") if row["stale"]],
    }
    yield Page("index.html", "scorecard.html", "Scorecard", about)


def _turned(facts: Facts) -> Iterator[tuple[Row, Row]]:
    """The key results whose status is not that of a week ago: as they are and as they were."""
    for kr_id, kr in facts.key_results.items():
        before = facts.a_week_ago.get(kr_id)
        if before and before["status"] != kr["status"]:
            yield kr, before
