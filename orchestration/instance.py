"""Where Dagster keeps what it knows of a workspace: runs, events, check results, ticks."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from orchestration.workspace import Workspace

_SETTINGS = """\
telemetry:
  enabled: false
# One database for all runs: with one per run, every event of an asset is written twice.
event_log_storage:
  module: orchestration.event_log
  class: EventLog
  config:
    base_dir: {home}
freshness:
  enabled: true
"""


@event.listens_for(Engine, "connect")
def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    """Dagster commits every event of a run by itself, and waiting for the disk each time took most of a small run.

    What a power cut could cost is the log of the last run, which is no data: the warehouse and what is published do wait.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = off")


def dagster_home(workspace: Workspace) -> Path:
    """The workspace's Dagster home, made when it is not there; also set for this process."""
    home = workspace.state / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    settings, wanted = home / "dagster.yaml", _SETTINGS.format(home=json.dumps(str(home / "events")))
    if not settings.exists() or settings.read_text(encoding="utf-8") != wanted:
        settings.write_text(wanted, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
