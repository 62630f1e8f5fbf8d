"""The chain from a sentence to the records: of a key result, a hand-off or an exception, from what was published alone.

A chain is plain data for a page, a message or a program. Each holds `kind`, `id`, `as_of` and

    key_result   key_result (row of kr_current), numbers (of the rule), handoff (a chain, where the rule speaks of one), suspects,
                 exceptions, leading_indicators, restatements, sql, sources, records, landed_files
    handoff      handoff (row of handoff_current), items, deals, exceptions, currency
    exception    exception (row of exceptions), currency, history (`on`, `what`), key_result, handoff (a chain or None), earlier

Records bear `url`, where they are opened in their system, or `found_in`, and `landed_file`.
"""

import difflib
import json
from decimal import Decimal

from publish.reading import Published, Row


class UnknownSubjectError(Exception):
    """An id that is none of a key result, a hand-off or an exception; the message names those there are."""


def chain_of(published: Published, subject: str, records: int | None = None) -> Row:
    """The chain of the key result, hand-off or exception with this id; raises UnknownSubjectError.

    `handoff/ID` is the hand-off where a key result has the same id. `records`: no more than so many, the heaviest.
    """
    key_results = {row["kr_id"]: row for row in published.table("kr_current")}
    handoffs = {row["handoff_id"]: row for row in published.table("handoff_current")}
    exceptions = {row["exception_id"]: row for row in published.table("exceptions")}
    if subject in key_results:
        return _key_result(published, key_results[subject], handoffs, records)
    if subject.removeprefix("handoff/") in handoffs:
        return _handoff(published, handoffs[subject.removeprefix("handoff/")])
    if subject in exceptions:
        return _exception(published, exceptions[subject], key_results, handoffs)
    raise UnknownSubjectError(_none_of(subject, key_results, handoffs, exceptions))


def _key_result(published: Published, kr: Row, handoffs: dict[str, Row], records: int | None) -> Row:
    kr_id = kr["kr_id"]
    numbers = json.loads(kr["inputs"], parse_float=Decimal) if kr["inputs"] else {}
    handoff = handoffs.get(numbers.get("handoff_id", ""))
    inputs = {tuple(pair) for pair in published.run["lineage"].get(kr_id, [])}
    return {
        "kind": "key_result",
        "id": kr_id,
        "as_of": kr["as_of"],
        "key_result": kr,
        "numbers": numbers,
        "handoff": handoff and _handoff(published, handoff),
        "suspects": published.suspects(kr_id),
        "exceptions": [one for one in published.table("exceptions") if one["kr_id"] == kr_id],
        "leading_indicators": [one for one in published.table("leading_indicators") if one["kr_id"] == kr_id],
        "restatements": [one for one in published.table("restatements") if one["kr_id"] == kr_id],
        "sql": published.compiled_sql(kr_id),
        "sources": [
            row for row in published.table("source_freshness") if (row["source"], row["stream"]) in inputs
        ],
        "records": published.evidence(kr_id, records),
        "landed_files": published.landed_files(kr_id),
    }


def _handoff(published: Published, handoff: Row) -> Row:
    handoff_id = handoff["handoff_id"]
    parts = published.handoff_evidence(handoff_id)
    return {
        "kind": "handoff",
        "id": handoff_id,
        "as_of": handoff["as_of"],
        "currency": published.run["currency"],
        "handoff": handoff,
        "items": [row for row in parts if row["part"] == "item"],
        "deals": [row for row in parts if row["part"] == "deal"],
        "exceptions": [one for one in published.table("exceptions") if one["handoff_id"] == handoff_id],
    }


def _exception(
    published: Published, exception: Row, key_results: dict[str, Row], handoffs: dict[str, Row]
) -> Row:
    handoff = handoffs.get(exception["handoff_id"] or "")
    return {
        "kind": "exception",
        "id": exception["exception_id"],
        "as_of": published.run["as_of"],
        "currency": published.run["currency"],
        "exception": exception,
        "history": _history(exception),
        "key_result": key_results[exception["kr_id"]],
        "handoff": handoff and _handoff(published, handoff),
        "earlier": [
            one
            for one in published.table("exceptions")
            if one["kr_id"] == exception["kr_id"] and one["opened_on"] < exception["opened_on"]
        ],
    }


def _history(exception: Row) -> list[Row]:
    """What happened to it, and the review that was due, by day."""
    events = (
        ("opened_on", "opened again, soon after the one before was closed" if exception["is_reopened"] else "opened"),
        ("review_due_on", "joint review due"),
        ("escalated_on", f"escalated to {exception['sponsor_name']}"),
        ("last_unhealthy_on", f"last found {exception['status']} by rule `{exception['rule']}`"),
        ("healthy_on", "found healthy once"),
        ("closed_on", "found healthy twice in a row: closed"),
    )  # fmt: skip
    happened = [{"on": exception[column], "what": what} for column, what in events if exception[column]]
    return sorted(happened, key=lambda event: str(event["on"]))


def _none_of(subject: str, *known: dict[str, Row]) -> str:
    names = [name for each in known for name in each]
    close = difflib.get_close_matches(subject, names, n=3)
    lists = (
        f"{kind}: {', '.join(sorted(each)) or 'none'}"
        for kind, each in zip(("Key results", "Hand-offs", "Exceptions"), known, strict=True)
    )
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    return "\n".join((f"{subject!r} is neither a key result nor a hand-off nor an exception.{meant}", *lists))
