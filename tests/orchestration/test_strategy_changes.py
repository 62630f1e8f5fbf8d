"""A target that is moved in mid-cycle stands in `strategy_changes`, and the status against the old one stays in sight."""

import shutil
from pathlib import Path

import pytest

from publish import Published
from tests.command_line import plumbline

pytestmark = pytest.mark.timeout(600)


def test_a_moved_target_is_seen_by_the_next_run(starter_run: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "acme"
    objective = workspace / "strategy" / "objectives" / "healthy-growth.yml"
    shutil.copytree(starter_run, workspace, symlinks=True)
    published = Published(workspace / ".plumbline" / "published")
    assert published.table("strategy_changes") == []
    (before,) = [row for row in published.table("kr_current") if row["kr_id"] == "revenue-posted"]
    assert before["original_target"] == before["target"]

    text = objective.read_text(encoding="utf-8")
    objective.write_text(text.replace("target: 900000", "target: 1"), encoding="utf-8")
    assert plumbline("run", "-w", workspace).code == 0
    published = Published(workspace / ".plumbline" / "published")
    (change,) = published.table("strategy_changes")
    assert (change["kr_id"], change["field"]) == ("revenue-posted", "target")
    assert (change["old_value"], change["new_value"]) == ("900000", "1")
    assert change["changed_on"] == published.run["as_of"]
    assert change["run_id"] == published.run["run_id"]
    (after,) = [row for row in published.table("kr_current") if row["kr_id"] == "revenue-posted"]
    assert (after["target"], after["original_target"]) == (1, before["target"])
    assert after["progress"] > before["progress"]
    assert after["original_status"] == before["original_status"]
