"""What stands on each sheet of the workbook: which rows in which order, which columns under which headings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from publish.reading import Published, Row

Kind = Literal[
    "status", "name", "text", "word", "sentence", "id", "quantity", "share", "count", "money", "day"
]


@dataclass(frozen=True)
class Column:
    """A column of a sheet: its heading, the column of the rows that it shows, and what kind of value that is."""

    heading: str
    name: str
    kind: Kind


@dataclass(frozen=True)
class Sheet:
    """`frozen` columns stay in sight on the left; the first `printed` ones come on paper, the others are for looking up."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    printed: int
    frozen: int = 2


_KEY_RESULTS = (
    Column("Status", "status", "status"),
    Column("Key result", "name", "name"),
    Column("Objective", "objective_name", "text"),
    Column("Function", "function_name", "text"),
    Column("Owner", "owner_name", "text"),
    Column("Value", "value", "quantity"),
    Column("Target", "target", "quantity"),
    Column("Band from", "band_low", "quantity"),
    Column("Band to", "band_high", "quantity"),
    Column("Unit", "unit", "word"),
    Column("Progress", "progress", "share"),
    Column("Progress expected", "expected_progress", "share"),
    Column("Value at the end", "end_p50", "quantity"),
    Column("At least, 9 in 10 times", "end_p10", "quantity"),
    Column("At most, 9 in 10 times", "end_p90", "quantity"),
    Column("Chance of target", "end_p_met", "share"),
    Column("Status since", "since", "day"),
    Column("Why", "reason", "sentence"),
    Column("Baseline", "baseline", "quantity"),
    Column("Expected today", "expected_value", "quantity"),
    Column("Pace", "pace", "quantity"),
    Column("First target", "original_target", "quantity"),
    Column("Value without suspects", "value_strict", "quantity"),
    Column("Suspects", "suspects", "count"),
    Column("Data through", "data_through", "day"),
    Column("Rule", "rule", "text"),
    Column("Measured as", "measure_text", "sentence"),
    Column("Needs hand-offs", "handoffs", "id"),
    Column("Id", "kr_id", "id"),
)

_HANDOFFS = (
    Column("Status", "status", "status"),
    Column("Hand-off", "name", "name"),
    Column("State", "state", "text"),
    Column("From", "giver_name", "text"),
    Column("Giving head", "giving_head_name", "text"),
    Column("To", "receiver_name", "text"),
    Column("Receiving head", "receiving_head_name", "text"),
    Column("Items", "items", "count"),
    Column("Done", "done", "count"),
    Column("Open", "open", "count"),
    Column("Waiting", "waiting", "count"),
    Column("Oldest waits, days", "oldest_waiting_days", "count"),
    Column("Went back", "returned", "count"),
    Column("Needed by", "needed_by", "day"),
    Column("Done by, 5 in 10 times", "p50_on", "day"),
    Column("Done by, 85 in 100 times", "p85_on", "day"),
    Column("Slack, days", "slack_days", "count"),
    Column("Deals waiting", "deals_at_stake", "count"),
    Column("At stake", "amount_at_stake", "money"),
    Column("State since", "since", "day"),
    Column("How it stands", "sentence", "sentence"),
    Column("Id", "handoff_id", "id"),
)

_EXCEPTIONS = (
    Column("Status", "status", "status"),
    Column("Key result", "kr_name", "name"),
    Column("State", "state", "text"),
    Column("Giving head", "giving_head_name", "text"),
    Column("Receiving head", "receiving_head_name", "text"),
    Column("Sponsor", "sponsor_name", "text"),
    Column("Hand-off", "handoff_name", "text"),
    Column("At stake", "amount_at_stake", "money"),
    Column("Opened", "opened_on", "day"),
    Column("Talk by", "review_due_on", "day"),
    Column("Escalated", "escalated_on", "day"),
    Column("Closed", "closed_on", "day"),
    Column("Why", "reason", "sentence"),
    Column("Rule", "rule", "text"),
    Column("Last unhealthy", "last_unhealthy_on", "day"),
    Column("Giving head, address", "giving_head_email", "id"),
    Column("Receiving head, address", "receiving_head_email", "id"),
    Column("Id", "exception_id", "id"),
)


def sheets(published: Published) -> Iterator[Sheet]:
    """Key results by objective, hand-offs and exceptions: the sheets in their order."""
    functions = published.names("function_current", "function_id")
    key_results = published.names("kr_current", "kr_id")
    handoffs = published.names("handoff_current", "handoff_id")
    yield Sheet(
        "Key results",
        _KEY_RESULTS,
        tuple(_named(_by_objective(published), function_name=(functions, "function_id"))),
        printed=18,
    )
    yield Sheet(
        "Hand-offs",
        _HANDOFFS,
        tuple(
            _named(
                published.table("handoff_current"),
                giver_name=(functions, "giver_function"),
                receiver_name=(functions, "receiver_function"),
            )
        ),
        printed=21,
    )
    yield Sheet(
        "Exceptions",
        _EXCEPTIONS,
        tuple(
            _named(
                _latest_first(published.table("exceptions")),
                kr_name=(key_results, "kr_id"),
                handoff_name=(handoffs, "handoff_id"),
            )
        ),
        printed=13,
    )


def _by_objective(published: Published) -> list[Row]:
    places = {row["objective_id"]: place for place, row in enumerate(published.table("objective_current"))}
    return sorted(published.table("kr_current"), key=lambda row: places[row["objective_id"]])


def _latest_first(exceptions: Iterable[Row]) -> list[Row]:
    """Open before closed, then by the day of opening."""
    return sorted(
        sorted(exceptions, key=lambda row: row["opened_on"], reverse=True), key=lambda row: not row["is_open"]
    )


def _named(rows: Sequence[Row], **added: tuple[dict[str, str], str]) -> Iterator[Row]:
    """The rows with columns added: each the name, or else the id, of what one of their columns holds the id of."""
    for row in rows:
        yield row | {name: names.get(row[of], row[of]) for name, (names, of) in added.items()}
