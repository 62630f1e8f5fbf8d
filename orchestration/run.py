"""`plumbline run`: the refresh job, in this process."""

from datetime import date

from orchestration import alerting, refresh
from orchestration.ending import failure_noted, measured
from orchestration.instance import dagster_home
from orchestration.sources import check_all, connected
from orchestration.workspace import Workspace

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_refresh(workspace: Workspace, as_of: date | None) -> None:
    """Try every connection, then run the refresh job on a day of the cycle.

    Raises InputErrors for what a person must mend, before anything has changed.
    """
    # Dagster's hooks are not called when a failure is raised to the caller.
    with measured(workspace), alerting.told_of(workspace), failure_noted(workspace):
        try:
            _refresh(workspace, as_of)
        finally:
            refresh.let_go()


def _refresh(workspace: Workspace, as_of: date | None) -> None:
    day = refresh.as_of_day(workspace, as_of)
    with connected(workspace, day) as sources:
        check_all(workspace, sources)
    refresh.log.info("%s: %d sources answer; as of %s", workspace.config.company, len(sources), day)
    refresh.hold_writer(workspace)
    dagster_home(workspace)
    import dagster as dg  # a second of import, which bad input need not wait for

    from orchestration.code_location import REFRESH, build_definitions

    definitions = build_definitions(workspace)
    configuration = {**_QUIET, "ops": {"extract": {"config": {"as_of": day.isoformat()}}}}
    with dg.DagsterInstance.get() as instance:
        definitions.resolve_job_def(REFRESH).execute_in_process(run_config=configuration, instance=instance)
