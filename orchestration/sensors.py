"""What Dagster sees between two refreshes, turned into flags: failed runs, failed checks, data that has grown old.

The sensor writes nothing itself: when what it sees changes, it asks for one run of the recompute job with its observations,
so that there stays one writer to the warehouse and one way to a flag.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from pydantic import Field

from orchestration import alerting, refresh
from orchestration.daemon import SILENT_AFTER, UnreadableError, look
from orchestration.sources import listed
from orchestration.workspace import Workspace
from warehouse.control import CheckResult

NAME, SCHEDULE = "operations", "refresh_schedule"
OBSERVATIONS = dg.AssetKey(["control", "observations"])
_EVERY_SECONDS = 60
# Dagster ends a sensor after a minute.
_PATIENCE = timedelta(seconds=20)
OWN_JOBS = frozenset({"refresh", "recompute"})


class Observation(dg.Config):
    """One thing seen: `subject` is `source.stream`, `schema.table` or the job's name."""

    subject: str
    check_name: str
    passed: bool
    message: str


class ObservationsConfig(dg.Config):
    """What the sensor saw; empty when the recompute job is started by hand. `as_of` as in the refresh."""

    seen: list[Observation] = Field(default_factory=list)
    as_of: str = ""


def observations_asset(workspace: Workspace) -> dg.AssetsDefinition:
    """Begins a recompute: today's day, and what the sensor saw, recorded beside the other checks."""

    # One asset as a multi-asset: only so can the step have a name of its own, by which the sensor configures it.
    @dg.multi_asset(name="observe", specs=[dg.AssetSpec(OBSERVATIONS, group_name="control")])
    def observe(context: dg.AssetExecutionContext, config: ObservationsConfig) -> dg.MaterializeResult[Any]:
        as_of = refresh.as_of_day(workspace, date.fromisoformat(config.as_of) if config.as_of else None)
        refresh.begin(workspace, context.run.run_id, as_of)
        refresh.record_observations(
            workspace,
            [
                CheckResult("sensor", seen.subject, seen.check_name, seen.passed, "warn", seen.message)
                for seen in config.seen
            ],
        )
        return dg.MaterializeResult(asset_key=OBSERVATIONS, metadata={"seen": len(config.seen)})

    return observe


def operations_sensor(
    workspace: Workspace, recompute: Any, gates: list[dg.AssetCheckKey]
) -> dg.SensorDefinition:
    """Watches freshness by run, the outcome of refreshes and the results of checks."""

    @dg.sensor(
        name=NAME,
        job=recompute,
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def operations(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        seen = [
            *_freshness(context.instance, workspace),
            *_last_refresh(context.instance),
            *_checks_run_by_hand(context.instance, gates),
            *_schedule(workspace, context.last_sensor_start_time),
        ]
        digest = hashlib.sha256(
            json.dumps([one.model_dump() for one in seen], sort_keys=True).encode()
        ).hexdigest()
        if digest == context.cursor:
            return dg.SkipReason("nothing has changed since the last look")
        if context.cursor is None and all(one.passed for one in seen):
            return dg.SensorResult(cursor=digest, skip_reason="all is well at the first look")
        configuration = {"ops": {"observe": {"config": {"seen": [one.model_dump() for one in seen]}}}}
        return dg.SensorResult(
            run_requests=[dg.RunRequest(run_key=digest, run_config=configuration)], cursor=digest
        )

    return operations


def alerts_sensor(workspace: Workspace) -> dg.SensorDefinition:
    """Sends what is to be said, between runs as well: what quiet hours or a failing channel held back, and escalations."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def alerts() -> dg.SkipReason:
        alerting.send_if_possible(workspace, _PATIENCE)
        return dg.SkipReason("it starts no run")

    return alerts


def _freshness(instance: dg.DagsterInstance, workspace: Workspace) -> Iterator[Observation]:
    """Streams whose last pull lies further back than the policy allows."""
    keys = {
        dg.AssetKey(["landing", name, stream.name]): f"{name}.{stream.name}"
        for name, source in listed(workspace).items()
        for stream in source.streams
    }
    states = instance.get_freshness_state_records(list(keys))
    for key, subject in keys.items():
        if key in states:
            fresh = states[key].freshness_state != "FAIL"
            message = (
                "pulled in time" if fresh else "no pull has succeeded for longer than the schedule allows"
            )
            yield Observation(subject=subject, check_name="fresh_by_run", passed=fresh, message=message)


def _checks_run_by_hand(instance: dg.DagsterInstance, gates: list[dg.AssetCheckKey]) -> Iterator[Observation]:
    """Checks that somebody executed by themselves; those of a refresh are on record already."""
    for gate in gates:
        record = instance.get_latest_asset_check_evaluation_record(gate)
        run = instance.get_run_by_id(record.run_id) if record else None
        if record is None or run is None or run.job_name in OWN_JOBS or record.event is None:
            continue
        passed = record.status is AssetCheckExecutionRecordStatus.SUCCEEDED
        message = "passed when run by hand" if passed else "failed when run by hand"
        yield Observation(
            subject=".".join(gate.asset_key.path), check_name=gate.name, passed=passed, message=message
        )


def _schedule(workspace: Workspace, watching_since: float | None) -> Iterator[Observation]:
    """Whether the schedule is looked at. Right after a start it passes: the daemon may have come to this sensor first."""
    now = datetime.now(UTC)
    problem = None
    if watching_since is None or now.timestamp() - watching_since > SILENT_AFTER.total_seconds():
        try:
            found = look(workspace.state / "dagster", now)
        except UnreadableError as error:
            refresh.log.warning("%s", error)
            return
        tickers = {ticker.name: ticker for ticker in found.tickers} if found else {}
        problem = tickers[SCHEDULE].problem(now) if SCHEDULE in tickers else None
    yield Observation(
        subject=SCHEDULE, check_name="ticking", passed=problem is None, message=problem or "It ticks."
    )


def _last_refresh(instance: dg.DagsterInstance) -> Iterator[Observation]:
    ended = dg.RunsFilter(
        job_name="refresh", statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    )
    for run in instance.get_runs(filters=ended, limit=1):
        passed = run.status is dg.DagsterRunStatus.SUCCESS
        message = "the last refresh succeeded" if passed else "the last refresh failed; its log says where"
        yield Observation(subject="refresh", check_name="succeeded", passed=passed, message=message)
