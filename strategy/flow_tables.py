"""The columns of each flow table, as far as a measure may name them.

This is the one place that both the validator and the compiler read. The dbt contracts of the flow models say the
same in SQL types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["text", "number", "date", "timestamp", "boolean"]
FlowTable = Literal[
    "work_items",
    "work_item_changes",
    "work_item_links",
    "sprint_items",
    "deals",
    "deal_changes",
    "ledger_entries",
    "budget_lines",
    "budget_days",
]


def _columns(**names_by_kind: str) -> dict[str, Kind]:
    kinds: tuple[Kind, ...] = ("text", "number", "date", "timestamp", "boolean")
    return {name: kind for kind in kinds for name in names_by_kind.get(kind, "").split()}


FLOW_TABLES: Mapping[FlowTable, Mapping[str, Kind]] = {
    "work_items": _columns(
        text="item_id source key type project_id project_key function_id summary status_id status status_category"
        " epic_id epic_key parent_id labels fix_versions priority assignee_id reporter_id _record",
        number="lead_time_days cycle_time_days estimate",
        timestamp="created_at started_at resolved_at done_at",
        boolean="deleted",
    ),
    "work_item_changes": _columns(
        text="item_id function_id field from_value to_value from_text to_text from_category to_category"
        " by_id _record",
        timestamp="at",
    ),
    "work_item_links": _columns(
        text="link_id link_type blocker_id blocked_id blocker_function blocked_function _record",
    ),
    "sprint_items": _columns(
        text="item_id function_id project_key sprint_id sprint_name sprint_state _record",
        number="estimate",
        timestamp="started_at ends_at completed_at done_at",
        boolean="done_in_sprint",
    ),
    "deals": _columns(
        text="deal_id source name pipeline_id pipeline stage_id stage currency owner_id product waits_for function_id"
        " _record",
        number="amount amount_company",
        date="close_date",
        timestamp="created_at closed_at won_at",
        boolean="is_closed is_won deleted",
    ),
    "deal_changes": _columns(
        text="deal_id field from_value to_value by_id _record",
        timestamp="at",
    ),
    "ledger_entries": _columns(
        text="entry_id account account_name account_type cost_centre function_id currency document line counterparty"
        " description _record",
        number="amount amount_company",
        date="date",
        timestamp="posted_at",
    ),
    "budget_lines": _columns(
        text="line_id account account_type cost_centre function_id currency _record",
        number="amount amount_company",
        date="month",
    ),
    "budget_days": _columns(
        text="line_id account account_type cost_centre function_id currency _record",
        number="amount amount_company",
        date="month date",
    ),
}
"""Flow table -> column -> type class. `calendar` is left out: nothing is measured over it."""
