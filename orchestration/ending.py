"""What a refresh leaves behind for those who watch from outside: how it ended, and the metrics."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from alerts.last_run import LastRun, LoadedRows, keep, recall
from alerts.metrics import NAME, write_metrics
from orchestration import alerting, refresh
from orchestration.workspace import Workspace
from strategy import InputErrors


@contextmanager
def failure_noted(workspace: Workspace) -> Iterator[None]:
    """Note that a refresh failed when the block does."""
    started_at = datetime.now(UTC)
    try:
        yield
    except Exception as error:
        note_end(workspace, started_at, {}, error)
        raise


@contextmanager
def measured(workspace: Workspace) -> Iterator[None]:
    """Write the metrics anew at the end of the block, whose messages are in them then."""
    try:
        yield
    finally:
        if workspace.config.alerts is not None:
            measure(workspace)


def note_end(
    workspace: Workspace,
    started_at: datetime,
    phases: Mapping[str, float],
    failure: BaseException | None = None,
) -> None:
    """Keep how a refresh ended, and write the metrics. `phases`: seconds of each step that ended; `failure`: why it failed.

    A place that cannot be written to is only said: the scorecard does not depend on who watches.
    """
    loaded = tuple(LoadedRows.model_validate(row) for row in refresh.loaded_since(workspace, started_at))
    run = LastRun(
        started_at=started_at,
        ended_at=datetime.now(UTC),
        succeeded=failure is None,
        problem=None if failure is None else " ".join(str(failure).split()) or type(failure).__name__,
        phases=dict(phases),
        loaded=loaded,
    )
    try:
        keep(workspace.state, run)
    except OSError as error:
        refresh.log.warning("how the run ended could not be kept: %s", error)
    measure(workspace)


def measure(workspace: Workspace) -> None:
    """Write the metrics anew: of the last refresh, and of what is published now."""
    try:
        found = alerting.messages(workspace)
        counts = found.counts if found else {}
        write_metrics(workspace.state / NAME, recall(workspace.state), workspace.published, counts)
    except (OSError, ValueError, InputErrors, SQLAlchemyError) as error:
        refresh.log.warning("the metrics could not be written: %s", error)
