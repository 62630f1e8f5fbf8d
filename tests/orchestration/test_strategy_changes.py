"""A target that is moved in mid-cycle stands in `strategy_changes`, and the status against the old one stays in sight.

Nor does it help to take the warehouse away: what was declared and told before stands in the ledger.
"""

import csv
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from publish import Published
from tests.command_line import plumbline

pytestmark = pytest.mark.timeout(600)


def test_a_moved_target_is_seen_by_the_next_run_even_without_the_warehouse(
    starter_run: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "acme"
    objective = workspace / "strategy" / "objectives" / "healthy-growth.yml"
    shutil.copytree(starter_run, workspace, symlinks=True)
    published = Published(workspace / ".plumbline" / "published")
    assert published.table("strategy_changes") == []
    (before,) = [row for row in published.table("kr_current") if row["kr_id"] == "revenue-posted"]
    assert before["original_target"] == before["target"]

    text = objective.read_text(encoding="utf-8")
    told = {
        row["date"]: row["value"] for row in published.table("kr_daily") if row["kr_id"] == "revenue-posted"
    }
    left_out = next(
        posting
        for posting in postings(workspace)
        if posting["Account Type"] == "revenue" and posting["Posting Date"] in told
    )
    text = text.replace("target: 900000", "target: 1")
    was, document = "account_type = 'revenue'", left_out["Document No"]
    assert was in text
    objective.write_text(text.replace(was, f"{was} and document <> '{document}'"), encoding="utf-8")
    (workspace / ".plumbline" / "warehouse.duckdb").unlink()
    assert plumbline("run", "-w", workspace).code == 0
    assert plumbline("verify", "-w", workspace).code == 0
    published = Published(workspace / ".plumbline" / "published")
    assert_restated(published, told, left_out)
    (change,) = [row for row in published.table("strategy_changes") if row["field"] == "target"]
    assert (change["kr_id"], change["field"]) == ("revenue-posted", "target")
    assert (change["old_value"], change["new_value"]) == ("900000", "1")
    assert change["changed_on"] == published.run["as_of"]
    assert change["run_id"] == published.run["run_id"]
    (after,) = [row for row in published.table("kr_current") if row["kr_id"] == "revenue-posted"]
    assert (after["target"], after["original_target"]) == (1, before["target"])
    assert after["progress"] > before["progress"]
    assert after["original_status"] == before["original_status"]


def postings(workspace: Path) -> list[dict[str, str]]:
    with (workspace / "finance" / "gl_sample.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_restated(published: Published, told: Mapping[str, Decimal], left_out: Mapping[str, str]) -> None:
    """What past days read differently is the target's and the definition's doing."""
    rows = {row["date"]: row for row in published.table("restatements") if row["kr_id"] == "revenue-posted"}
    # Before the first posting nothing was told of either; today was not told before it is over.
    assert rows.keys() == {day for day, value in told.items() if value and day < max(told)}
    for day, row in rows.items():
        lost = Decimal(left_out["Amount"]) if left_out["Posting Date"] <= day else Decimal(0)
        assert (row["difference"], row["from_definition"]) == (lost, lost)
        assert (row["from_late"], row["from_edited"]) == (0, 0)
        now = told[day] + lost
        assert abs(row["progress_from_value"] - lost / 900000) <= Decimal("0.000001")
        assert abs(row["progress_from_target"] - (now - now / 900000)) <= Decimal("0.000001")
