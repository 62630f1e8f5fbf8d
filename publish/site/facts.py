"""What the pages are made of: the rows of a published run, and who belongs to what."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from math import ceil

from publish.conversations import Conversation, conversations
from publish.reading import Published, Row


class Facts:
    """A published run as the pages read it. Days are ISO text in rows of small tables, dates in rows read day by day."""

    def __init__(self, published: Published) -> None:
        self.published = published
        self.run = {"shown_to": None, **published.run}
        self.currency = str(published.run["currency"])
        self.as_of = date.fromisoformat(published.run["as_of"])
        self.cycle_start = date.fromisoformat(published.run["cycle_start"])
        self.cycle_end = date.fromisoformat(published.run["cycle_end"])

    @property
    def week(self) -> int:
        """The week of the cycle that the run stands in, from 1; its last one when the cycle is over."""
        return (self.last_day - self.cycle_start).days // 7 + 1

    @property
    def weeks(self) -> int:
        """How many weeks the cycle has."""
        return ceil(((self.cycle_end - self.cycle_start).days + 1) / 7)

    @property
    def last_day(self) -> date:
        """The last reported day: of the cycle, when that is over."""
        return min(self.as_of, self.cycle_end)

    @cached_property
    def key_results(self) -> dict[str, Row]:
        return _by("kr_id", self.published.table("kr_current"))

    @cached_property
    def objectives(self) -> dict[str, Row]:
        return _by("objective_id", self.published.table("objective_current"))

    @cached_property
    def functions(self) -> dict[str, Row]:
        return _by("function_id", self.published.table("function_current"))

    @cached_property
    def handoffs(self) -> dict[str, Row]:
        return _by("handoff_id", self.published.table("handoff_current"))

    @cached_property
    def exceptions(self) -> dict[str, Row]:
        """The latest opened first."""
        rows = sorted(self.published.table("exceptions"), key=lambda one: one["opened_on"], reverse=True)
        return _by("exception_id", rows)

    @cached_property
    def flags(self) -> list[Row]:
        return self.published.table("flags")

    @cached_property
    def conversations(self) -> list[Conversation]:
        return conversations(self.published)

    @cached_property
    def resources(self) -> dict[str, Row]:
        return _by("kr_id", self.published.table("resource_alignment"))

    @cached_property
    def changes(self) -> dict[str, list[Row]]:
        """What moved in the strategy of each key result since the cycle began."""
        return _grouped("kr_id", self.published.table("strategy_changes"))

    @cached_property
    def restatements(self) -> dict[str, list[Row]]:
        return _grouped("kr_id", self.published.table("restatements"))

    @cached_property
    def handoff_days(self) -> dict[str, list[Row]]:
        return _grouped("handoff_id", self.published.table("handoff_daily"))

    @cached_property
    def series(self) -> dict[str, list[Row]]:
        """For each key result the date, value and status of every reported day, oldest first."""
        return _grouped("kr_id", self.published.series())

    @cached_property
    def a_week_ago(self) -> dict[str, Row]:
        """How each key result stood seven days before, as it is computed now; none of them in the first week."""
        return self.published.a_week_ago()

    @property
    def own_key_results(self) -> list[Row]:
        """Those that are shown whole; of others a narrowed run names some that wait for a hand-off."""
        return [row for row in self.key_results.values() if self.is_own(row["function_id"])]

    @property
    def own_functions(self) -> list[Row]:
        """Those that are shown whole."""
        return [row for row in self.functions.values() if self.is_own(row["function_id"])]

    def is_own(self, function_id: str) -> bool:
        """Whether the readers of the run see all of this function."""
        shown_to = self.run["shown_to"]
        return not shown_to or shown_to["functions"] is None or function_id in shown_to["functions"]

    def off_track_since(self, conversation: Conversation) -> str:
        """ISO day since which the first of its key results has its present status."""
        return min(str(self.key_results[kr_id]["since"]) for kr_id in conversation.kr_ids)

    def days_since(self, day: str) -> int:
        """Days from an ISO day to the one that the run stands on."""
        return (self.as_of - date.fromisoformat(day)).days

    def needed_by(self, kr: Row) -> list[Row]:
        """The hand-offs that a key result needs."""
        return [self.handoffs[one] for one in ids(kr["handoffs"]) if one in self.handoffs]

    def of_objective(self, objective_id: str) -> list[Row]:
        return [row for row in self.key_results.values() if row["objective_id"] == objective_id]

    def function_name(self, function_id: str) -> str:
        function = self.functions.get(function_id)
        return str(function["name"]) if function else function_id


def ids(text: str | None) -> list[str]:
    """The ids in a text that has them set apart by commas."""
    return [one for one in (text or "").split(",") if one]


def _by(column: str, rows: Iterable[Row]) -> dict[str, Row]:
    return {row[column]: row for row in rows}


def _grouped(column: str, rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups
