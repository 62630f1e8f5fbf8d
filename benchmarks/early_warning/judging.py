"""The engine's own answers, evening after evening: `python -m benchmarks.early_warning.judging WORKSPACE EVENINGS ANSWERS`.

The refresh of `plumbline run` without its pull and its publishing: each evening's landing is put into the workspace, loaded and
computed, as if it had just been pulled. Only landing and strategy are known here.
"""

from __future__ import annotations

import argparse
import shutil
from datetime import date
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from orchestration import refresh
from orchestration.project import prepare
from orchestration.workspace import Workspace
from scorecard.handoffs import HandoffDay
from warehouse.connection import connect


class Answer(BaseModel):
    """What the scorecard says of a key result and its hand-off on one evening."""

    kr_id: str
    status: str
    rule: str
    progress: float
    elapsed: float
    handoff_status: str
    day: HandoffDay


Answers = TypeAdapter(dict[date, list[Answer]])

_ANSWERS = """
    select
        kr_current.kr_id, kr_current.status, kr_current.rule, kr_current.progress, kr_current.expected_progress as elapsed,
        handoff_current.status as handoff_status, handoff_days as day
    from scorecard.kr_current
    inner join strategy.strategy_kr_handoffs as needs using (kr_id)
    inner join scorecard.handoff_current using (handoff_id)
    inner join handoffs.handoff_days
        on handoff_days.handoff_id = needs.handoff_id
        and handoff_days.date = kr_current.as_of
    order by kr_id
"""


def judge(workspace: Workspace, evenings: Path) -> dict[date, list[Answer]]:
    """Refresh the workspace on every evening in the folder, and read what the scorecard says."""
    transformation = prepare(workspace)
    said = {}
    for folder in sorted(evenings.iterdir()):
        evening = date.fromisoformat(folder.name)
        shutil.copytree(folder, workspace.landing, dirs_exist_ok=True)
        refresh.begin(workspace, folder.name, evening)
        refresh.load_landed(workspace)
        refresh.transform(workspace, transformation)
        with connect(workspace.warehouse) as con:
            found = con.execute(_ANSWERS)
            columns = [column[0] for column in found.description or ()]
            rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        said[evening] = [Answer.model_validate(row) for row in rows]
    return said


def main() -> None:
    """Judge in a process of its own, which never sees the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("evenings", type=Path)
    parser.add_argument("answers", type=Path)
    asked = parser.parse_args()
    said = judge(Workspace(asked.workspace), asked.evenings)
    asked.answers.write_bytes(Answers.dump_json(said, indent=1))


if __name__ == "__main__":
    main()
