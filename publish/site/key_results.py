"""A page for each key result: how it went, why it stands as it does, and the records behind it."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from publish.chain import chain_of
from publish.reading import Row
from publish.site.charts import key_result_chart
from publish.site.facts import Facts
from publish.site.page import Page, key_result_path

# The heaviest records; all of them stand in the published table evidence.
_RECORDS = 100


def pages(facts: Facts) -> Iterator[Page]:
    """One for each key result."""
    for kr_id, kr in facts.key_results.items():
        days = facts.published.days(kr_id)
        about = {
            "kr": kr,
            "chain": chain_of(facts.published, kr_id, records=_RECORDS),
            "chart": key_result_chart(facts, kr, days),
            "days": days,
            "stretches": _stretches(days),
            "before": facts.a_week_ago.get(kr_id),
            "handoffs": facts.needed_by(kr),
        }
        yield Page(key_result_path(kr_id), "key_result.html", kr["name"], about)


def _stretches(days: Sequence[Row]) -> list[Row]:
    """The stretches of days with one status by one rule, the latest first, each with the reason of its last day."""
    found = []
    for (status, rule), stretch in groupby(days, key=lambda day: (day["status"], day["rule"])):
        together = list(stretch)
        last = together[-1]
        found.append(
            {
                "status": status,
                "rule": rule,
                "since": together[0]["date"],
                "until": last["date"],
                "reason": last["reason"],
            }
        )
    return found[::-1]
