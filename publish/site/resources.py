"""Money and people against progress."""

from collections.abc import Iterator

from publish.site.charts import share_chart
from publish.site.facts import Facts
from publish.site.page import Page


def pages(facts: Facts) -> Iterator[Page]:
    """One page."""
    rows = list(facts.resources.values())
    shares = [
        (str(facts.key_results[row["kr_id"]]["name"]), row["progress"], row["spent_share"])
        for row in rows
        if row["spent_share"] is not None
    ]
    about = {"rows": rows, "chart": share_chart(shares, ("progress", "spent")) if shares else None}
    yield Page("resources.html", "resources.html", "Resources", about)
