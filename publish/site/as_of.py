"""Every past day of the cycle as it was first reported."""

from collections.abc import Iterator
from itertools import groupby

from publish.site.facts import Facts
from publish.site.page import Page, day_path


def pages(facts: Facts) -> Iterator[Page]:
    """The list of days, then one page for each."""
    told = facts.published.first_told(facts.cycle_start)
    days = {day.isoformat(): list(rows) for day, rows in groupby(told, key=lambda row: row["date"])}
    yield Page("as-of.html", "as_of.html", "As of a past day", {"days": days})
    restated = {(row["kr_id"], row["date"]) for rows in facts.restatements.values() for row in rows}
    for day, rows in days.items():
        about = {"day": day, "rows": rows, "restated": restated}
        yield Page(day_path(day), "as_of_day.html", f"As of {day}", about)
