"""What a published key result must share with its oracle: every day's value, and the records behind the last one."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tests.real_records.oracle import Oracle, Value
from tests.real_records.replay import Refreshed

# Values and contributions are published with six decimals.
_TOLERANCE = Fraction(1, 10**6)


def assert_value(workspace: Refreshed, kr_id: str, oracle: Oracle, last: date) -> None:
    """The key result stands where the oracle says."""
    (row,) = [row for row in workspace.table("kr_current") if row["kr_id"] == kr_id]
    assert row["as_of"] == last.isoformat()
    assert _same(row["value"], oracle.on(last)), (row["value"], oracle.on(last))


def assert_series(workspace: Refreshed, kr_id: str, oracle: Oracle, last: date) -> None:
    """It has a value for each day since the start of the cycle, and each is the oracle's."""
    published = {row["date"]: row["value"] for row in workspace.table("kr_daily") if row["kr_id"] == kr_id}
    expected = {day.isoformat(): value for day, value in oracle.series(last).items()}
    assert len(set(expected.values())) > 1, "a series that never moves proves nothing"
    assert list(published) == list(expected)
    wrong = {d: (published[d], value) for d, value in expected.items() if not _same(published[d], value)}
    assert not wrong


def assert_evidence(workspace: Refreshed, kr_id: str, oracle: Oracle, last: date) -> None:
    """Behind the value are the very records that the oracle counts, each with what it brings."""
    expected = _by_record((e.record, e.part, e.amount) for e in oracle.held(last))
    found = _by_record((r, part, Fraction(amount)) for r, part, amount in workspace.evidence(kr_id))
    assert found.keys() == expected.keys()
    wrong = {
        key: (found[key], amounts)
        for key, amounts in expected.items()
        if len(found[key]) != len(amounts)
        or any(abs(f - e) > _TOLERANCE for f, e in zip(found[key], amounts, strict=True))
    }
    assert not wrong


def _same(published: Decimal | int | None, expected: Value) -> bool:
    if published is None or expected is None:
        return published is None and expected is None
    return abs(Fraction(published) - expected) <= _TOLERANCE


def _by_record(
    contributions: Iterable[tuple[str, str, Fraction]],
) -> dict[tuple[str, str], list[Fraction]]:
    found: dict[tuple[str, str], list[Fraction]] = defaultdict(list)
    for record, part, amount in contributions:
        found[record, part].append(amount)
    return {key: sorted(amounts) for key, amounts in found.items()}
