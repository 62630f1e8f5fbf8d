"""What the process imports of which all commands of the tests are forks (see `tests.command_line`)."""

import gc

import alembic.command
import dagster._core.execution.execute_in_process
import dagster._core.storage.event_log
import dagster._core.storage.runs
import dagster._core.storage.schedules
import dbt.task.build
import duckdb_engine
import great_expectations.core
import icalendar
import slack_sdk.web
from dbt.artifacts.resources.v1.model import ModelConfig
from dbt.artifacts.resources.v1.seed import SeedConfig
from dbt.contracts.graph.nodes import GenericTestNode, ModelNode, SeedNode
from dbt.contracts.graph.unparsed import UnparsedModelUpdate, UnparsedSourceDefinition
from dbt.contracts.project import Configuration, Project, ProjectFlags

import alerts.channels.mail
import alerts.channels.slack
import orchestration.cli
import orchestration.code_location
import orchestration.run
import publish.terminal.chain_page
from demo.world import simulate
from tests.dbt_at_speed import dbt_at_speed

__all__ = [
    "alembic", "alerts", "dagster", "dbt", "duckdb_engine", "great_expectations", "icalendar", "orchestration", "publish",
    "slack_sdk",
]  # fmt: skip

dbt_at_speed()

# dbt builds these when it first needs them, which takes the best part of a second.
for contract in (
    ModelNode, SeedNode, GenericTestNode, ModelConfig, SeedConfig, UnparsedModelUpdate, UnparsedSourceDefinition,
    Configuration, Project, ProjectFlags,
):  # fmt: skip
    contract.json_schema()

# The demo company's history, which is the same in every command.
simulate()

# All of this stays; no fork has to look through it for garbage.
gc.freeze()
