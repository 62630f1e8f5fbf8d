"""Dagster's way in: `dagster dev -m orchestration.definitions`, with PLUMBLINE_WORKSPACE naming the workspace."""

from orchestration.code_location import build_definitions
from orchestration.workspace import Workspace, default_workspace

defs = build_definitions(Workspace(default_workspace()))
