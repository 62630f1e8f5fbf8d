"""The published evidence is what makes up the value: whoever adds it up comes to the same number."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from publish import Published
from tests.demo_oracles.evenings import RUNS
from tests.demo_oracles.key_results import mean, percent, percentile, total
from tests.demo_oracles.known import CYCLE, Known, berlin_day
from tests.demo_oracles.verdicts import key_results, rounded
from tests.demo_runs import DemoRuns

MEASURED = sorted(kr_id for kr_id, kr in key_results().items() if "table" in kr["measure"])
CLOSE = Decimal("0.000001")

pytestmark = [pytest.mark.timeout(1500), pytest.mark.parametrize("day", RUNS, ids=str)]


@pytest.fixture
def published(demo_run: DemoRuns, day: date) -> Published:
    return Published(demo_run(*RUNS[day]) / ".plumbline" / "published")


def evidence(published: Published, kr_id: str) -> list[dict[str, Any]]:
    answer = duckdb.execute(
        'select record, "at", part, contribution from read_parquet(?) where kr_id = ?',
        [str(published.folder / "tables" / "evidence.parquet"), kr_id],
    )
    return [
        dict(zip(("record", "at", "part", "contribution"), row, strict=True)) for row in answer.fetchall()
    ]


def put_together(measure: dict[str, Any], rows: list[dict[str, Any]]) -> Decimal | None:
    """The value from its contributions, by the aggregate that the strategy asks for."""
    amounts = [row["contribution"] for row in rows]
    over = [row["contribution"] for row in rows if row["part"] == "numerator"]
    match measure["aggregate"]:
        case "count" | "sum" | "level":
            return total(amounts)
        case "avg":
            return mean(amounts)
        case "median" | "p85" as aggregate:
            return percentile(amounts, Decimal("0.5") if aggregate == "median" else Decimal("0.85"))
        case "ratio" if "against" in measure:
            return percent(
                total(over), total(row["contribution"] for row in rows if row["part"] == "denominator")
            )
        case "ratio":
            return percent(total(over), total(amounts) if "column" in measure else len(rows))
    raise AssertionError(f"no way is known to put {measure['aggregate']} together")


@pytest.mark.parametrize("kr_id", MEASURED)
def test_the_evidence_adds_up_to_the_value(published: Published, kr_id: str) -> None:
    current = {row["kr_id"]: row for row in published.table("kr_current")}[kr_id]
    rows = evidence(published, kr_id)
    value = put_together(key_results()[kr_id]["measure"], rows)
    assert value is not None
    assert abs(rounded(value) - current["value"]) <= CLOSE
    counted = [
        row for row in rows if "against" not in key_results()[kr_id]["measure"] or row["part"] == "numerator"
    ]
    assert len(counted) == current["records"]


@pytest.mark.parametrize("kr_id", MEASURED)
def test_the_evidence_names_records_that_the_systems_hold(
    published: Published, known: Callable[[date], Known], day: date, kr_id: str
) -> None:
    then = known(day)
    systems = (then.issues, then.deals, then.postings, then.budget)
    held = {each.record for records in systems for each in records}
    rows = evidence(published, kr_id)
    assert rows
    assert {row["record"] for row in rows} <= held
    assert all(day_of(row["at"]) <= day for row in rows)


def test_a_key_result_that_adds_up_over_the_cycle_names_nothing_older(
    published: Published, day: date
) -> None:
    over_the_cycle = [kr for kr in MEASURED if key_results()[kr]["measure"]["window"] == "cycle"]
    oldest = min(day_of(row["at"]) for kr_id in over_the_cycle for row in evidence(published, kr_id))
    assert CYCLE[0] <= oldest <= day


def day_of(at: str) -> date:
    return date.fromisoformat(at) if len(at) == 10 else berlin_day(datetime.fromisoformat(at))
