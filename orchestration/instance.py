"""Where Dagster keeps what it knows of a workspace: runs, events, check results, ticks."""

import os
from pathlib import Path

from orchestration.workspace import Workspace

_SETTINGS = """\
telemetry:
  enabled: false
freshness:
  enabled: true
# One writer to the warehouse at a time: DuckDB gives the file to one process.
concurrency:
  pools:
    default_limit: 1
"""


def dagster_home(workspace: Workspace) -> Path:
    """The workspace's Dagster home, made when it is not there; also set for this process."""
    home = workspace.state / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists() or settings.read_text(encoding="utf-8") != _SETTINGS:
        settings.write_text(_SETTINGS, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
