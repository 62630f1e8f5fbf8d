"""What `plumbline dev` leaves behind in Dagster's storage."""

from datetime import datetime

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    SensorInstigatorData,
)
from dagster._daemon.types import DaemonHeartbeat

from orchestration.instance import dagster_home
from orchestration.workspace import Workspace


class Dev:
    """What `plumbline dev` leaves of itself in Dagster's storage, written by Dagster's own code."""

    def __init__(self, workspace: Workspace) -> None:
        dagster_home(workspace)
        self._instance = dg.DagsterInstance.get()
        location = RegisteredCodeLocationOrigin("orchestration.definitions")
        self._repository = RemoteRepositoryOrigin(location, "__repository__")

    def beat(self, *threads: str, at: datetime) -> None:
        for thread in threads or ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR", "ASSET"):
            self._instance.add_daemon_heartbeat(DaemonHeartbeat(at.timestamp(), thread, "one", []))

    def tick(
        self,
        schedule: datetime,
        sensor: datetime,
        status: InstigatorStatus = InstigatorStatus.DECLARED_IN_CODE,
    ) -> None:
        data: dict[str, ScheduleInstigatorData | SensorInstigatorData] = {
            "refresh_schedule": ScheduleInstigatorData(
                "0 6 * * *", schedule.timestamp(), schedule.timestamp()
            ),
            "operations": SensorInstigatorData(
                last_tick_timestamp=sensor.timestamp(),
                min_interval=60,
                last_tick_start_timestamp=sensor.timestamp(),
            ),
        }
        for name, known in data.items():
            origin = RemoteInstigatorOrigin(self._repository, name)
            kind = (
                InstigatorType.SCHEDULE
                if isinstance(known, ScheduleInstigatorData)
                else InstigatorType.SENSOR
            )
            state = InstigatorState(origin, kind, status, known)
            storage = self._instance.schedule_storage
            assert storage is not None
            if storage.get_instigator_state(origin.get_id(), origin.get_selector().get_id()):
                storage.update_instigator_state(state)
            else:
                storage.add_instigator_state(state)
