"""What happens at the end of a run, whoever started it: Dagster calls these in the process of the run."""

from datetime import UTC, datetime

import dagster as dg

from orchestration import ending
from orchestration.assets import PUBLISHED_KEY
from orchestration.workspace import Workspace

_LAST_STEP = PUBLISHED_KEY.to_python_identifier()


def refresh_hooks(workspace: Workspace) -> set[dg.HookDefinition]:
    """Note how a refresh ended: well with its last step, badly with any."""

    def note(context: dg.HookContext) -> None:
        steps = context.instance.get_run_step_stats(context.run_id)
        ended = {
            _phase(step.step_key): step.end_time - step.start_time
            for step in steps
            if step.start_time is not None and step.end_time is not None
        }
        record = context.instance.get_run_record_by_id(context.run_id)
        began = record.start_time if record else None
        started_at = datetime.now(UTC) if began is None else datetime.fromtimestamp(began, UTC)
        ending.note_end(workspace, started_at, ended, context.op_exception)

    @dg.success_hook(name="note_success")
    def note_success(context: dg.HookContext) -> None:
        if context.step_key == _LAST_STEP:
            note(context)

    @dg.failure_hook(name="note_failure")
    def note_failure(context: dg.HookContext) -> None:
        note(context)

    return {note_success, note_failure}


def _phase(step: str) -> str:
    return "publish" if step == _LAST_STEP else step


def recompute_hooks(workspace: Workspace) -> set[dg.HookDefinition]:
    """What is published has changed; how the last refresh ended has not."""

    @dg.success_hook(name="measure")
    def measure(context: dg.HookContext) -> None:
        if context.step_key == _LAST_STEP:
            ending.measure(workspace)

    return {measure}
