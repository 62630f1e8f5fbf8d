"""Everything Dagster knows of a workspace, put together: assets, checks, jobs, schedule, sensor.

Freshness is applied here, by one mapping, and nowhere else.
"""

import warnings
from datetime import timedelta

import dagster as dg

from orchestration.assets import (
    landing_asset,
    published_asset,
    published_checks,
    raw_asset,
    transformation_asset,
)
from orchestration.hooks import recompute_hooks, refresh_hooks
from orchestration.project import prepare
from orchestration.sensors import SCHEDULE, alerts_sensor, observations_asset, operations_sensor
from orchestration.workspace import Workspace

# Mapping a freshness policy over all assets is the one preview feature in use; the lock file pins what it was tried with.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

REFRESH = "refresh"
RECOMPUTE = "recompute"


def build_definitions(workspace: Workspace) -> dg.Definitions:
    """All assets, checks, jobs, the schedule and the sensors of a workspace. Compiles and parses its strategy.

    Raises InputErrors when plumbline.yml or the strategy is wrong.
    """
    transformation = prepare(workspace)
    late = timedelta(hours=workspace.config.schedule.late_after_hours)
    everything = dg.AssetSelection.all()
    pulled = dg.AssetSelection.key_prefixes(["landing"], ["raw"])
    observed = dg.AssetSelection.key_prefixes(["control"])
    refresh_job = dg.define_asset_job(
        REFRESH,
        everything - observed,
        description="Pull, compute, check, publish.",
        hooks=refresh_hooks(workspace),
    )
    recompute_job = dg.define_asset_job(
        RECOMPUTE,
        everything - pulled,
        description="Judge again what is already here, and publish it.",
        hooks=recompute_hooks(workspace),
    )
    gates = published_checks(workspace)
    definitions = dg.Definitions(
        assets=[
            landing_asset(workspace),
            raw_asset(workspace),
            observations_asset(workspace),
            transformation_asset(workspace, transformation),
            published_asset(workspace, transformation),
        ],
        asset_checks=[gates],
        jobs=[refresh_job, recompute_job],
        schedules=[
            dg.ScheduleDefinition(
                name=SCHEDULE,
                job=refresh_job,
                cron_schedule=workspace.config.schedule.cron,
                execution_timezone=workspace.strategy.cycle.timezone,
                default_status=dg.DefaultScheduleStatus.RUNNING,
            )
        ],
        sensors=[
            operations_sensor(workspace, recompute_job, [spec.key for spec in gates.check_specs]),
            *([alerts_sensor(workspace)] if workspace.config.alerts else []),
        ],
        # A process per step would import dbt and Great Expectations for each of them: minutes instead of seconds.
        executor=dg.in_process_executor,
    )
    policy = dg.FreshnessPolicy.time_window(fail_window=late)
    return definitions.map_resolved_asset_specs(
        selection=dg.AssetSelection.key_prefixes(["landing"], ["published"]),
        func=lambda spec: dg.apply_freshness_policy(spec, policy),
    )
