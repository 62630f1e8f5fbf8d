"""Who has to talk about what: the open exceptions, those of one pair of people about one hand-off together."""

from dataclasses import dataclass
from decimal import Decimal

from publish.reading import Published, Row


@dataclass(frozen=True)
class Conversation:
    """One topic of two people: rows of the table exceptions, and the row of the failing hand-off if there is one."""

    exceptions: tuple[Row, ...]
    handoff: Row | None

    @property
    def giving_head(self) -> str:
        return str(self.exceptions[0]["giving_head_name"])

    @property
    def receiving_head(self) -> str:
        return str(self.exceptions[0]["receiving_head_name"])

    @property
    def kr_ids(self) -> list[str]:
        return [one["kr_id"] for one in self.exceptions]

    @property
    def status(self) -> str:
        """The worst of its exceptions."""
        return str(self._worst["status"])

    @property
    def state(self) -> str:
        return str(self._worst["state"])

    @property
    def amount_at_stake(self) -> Decimal:
        """In the company's currency. All of its exceptions wait for the same hand-off, so the amounts do not add up.

        Zero as well where it may not be known.
        """
        return max(Decimal(one["amount_at_stake"] or 0) for one in self.exceptions)

    @property
    def opened_on(self) -> str:
        """ISO day on which the first of them was opened."""
        return min(str(one["opened_on"]) for one in self.exceptions)

    @property
    def review_due_on(self) -> str:
        """ISO day by which the two have to talk."""
        return min(str(one["review_due_on"]) for one in self.exceptions)

    @property
    def _worst(self) -> Row:
        return max(self.exceptions, key=lambda one: one["status"] == "red")


def conversations(published: Published) -> list[Conversation]:
    """Those that are open: what is most at stake first, then what is red."""
    handoffs = {row["handoff_id"]: row for row in published.table("handoff_current")}
    topics: dict[tuple[str, ...], list[Row]] = {}
    for one in published.table("exceptions"):
        if one["is_open"]:
            people = (one["giving_head_email"], one["receiving_head_email"])
            topics.setdefault((*people, one["handoff_id"] or one["kr_id"]), []).append(one)
    found = [Conversation(tuple(rows), handoffs.get(rows[0]["handoff_id"] or "")) for rows in topics.values()]
    return sorted(found, key=lambda one: (-one.amount_at_stake, one.status != "red"))
