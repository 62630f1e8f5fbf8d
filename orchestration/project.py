"""The workspace's dbt project: the strategy compiled into models, with what they have to know of the sources."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import strategy
from connectors.hubspot.config import DealProperties, HubSpotConfig
from connectors.jira.config import JiraCloudFields, JiraConfig, JiraFields
from connectors.salesforce.config import OpportunityFields, SalesforceConfig
from orchestration.transformation import Transformation
from orchestration.workspace import Workspace
from strategy import InputErrors, WarehouseSettings

DBT_PACKAGE = Path(__file__).parent.parent / "dbt_project"
# No record has such a field, so what is read from it is empty.
_NO_FIELD = "no_such_field"

Mapped = TypeVar("Mapped", JiraFields, DealProperties, OpportunityFields)


def prepare(workspace: Workspace) -> Transformation:
    """Compile the strategy into the workspace's dbt project; what has not changed is neither written nor parsed again."""
    entries = workspace.config.sources.items()
    trackers: dict[str, JiraFields] = {
        name: entry.fields for name, entry in entries if isinstance(entry, JiraConfig)
    }
    accounts = {name: entry.properties for name, entry in entries if isinstance(entry, HubSpotConfig)}
    jira = _shared(workspace, "fields", trackers, JiraCloudFields())
    deals = _shared(workspace, "properties", accounts, DealProperties())
    orgs = {name: entry.fields for name, entry in entries if isinstance(entry, SalesforceConfig)}
    opportunities = _shared(workspace, "fields", orgs, OpportunityFields())
    settings = WarehouseSettings(
        warehouse=workspace.warehouse,
        threads=workspace.config.threads,
        jira_estimate_field=jira.estimate or _NO_FIELD,
        jira_sprint_field=jira.sprints or _NO_FIELD,
        jira_epic_field=jira.epic or _NO_FIELD,
        hubspot_product_property=deals.product or _NO_FIELD,
        hubspot_waits_for_property=deals.waits_for or _NO_FIELD,
        salesforce_product_field=opportunities.product or _NO_FIELD,
        salesforce_waits_for_field=opportunities.waits_for or _NO_FIELD,
    )
    strategy.compile(workspace.strategy, workspace.metrics, settings, DBT_PACKAGE, workspace.dbt)
    return Transformation(workspace.dbt)


def _shared(workspace: Workspace, field: str, by_source: Mapping[str, Mapped], usual: Mapped) -> Mapped:
    """What all sources of a system have in common: its staging SQL reads the same fields for all of them.

    Raises InputErrors where two differ; `usual` stands in for a system that no source is of.
    """
    first = next(iter(by_source.values()), usual)
    problems = [
        workspace.problem(
            ("sources", name, field),
            f"`{field}` differs from that of another source of the same system",
            "Give both the same ids: records of a system are read by the same fields.",
        )
        for name, given in by_source.items()
        if given.model_dump() != first.model_dump()
    ]
    if problems:
        raise InputErrors(problems)
    return first
