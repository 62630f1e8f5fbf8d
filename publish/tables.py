"""The public tables of schema `scorecard`: their names, their grain and how each is published."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublicTable:
    """One published table.

    `grain` is the key of a row and the order rows are written in, so that equal content gives equal bytes.
    `as_json` is off for tables that grow with the records instead of with the strategy.
    """

    name: str
    grain: tuple[str, ...]
    as_json: bool = True


FLAGS_ABOUT_WORK = frozenset({"key_result", "handoff", "strategy"})
"""Kinds of flags that speak of the company's work; all others speak of its data and of runs."""

PUBLIC_TABLES = (
    PublicTable("kr_current", ("kr_id",)),
    PublicTable("kr_daily", ("kr_id", "date")),
    PublicTable("forecasts", ("kr_id", "date", "horizon")),
    PublicTable("leading_indicators", ("kr_id", "indicator_no")),
    PublicTable("forecast_scores", ("basis", "horizon", "p_from")),
    PublicTable("kr_forecast_scores", ("kr_id", "horizon")),
    PublicTable("grades", ("kind", "subject")),
    PublicTable("objective_current", ("objective_id",)),
    PublicTable("function_current", ("function_id",)),
    PublicTable("handoff_current", ("handoff_id",)),
    PublicTable("handoff_daily", ("handoff_id", "date")),
    PublicTable("handoff_evidence", ("handoff_id", "part", "record"), as_json=False),
    PublicTable("resource_alignment", ("kr_id",)),
    PublicTable("starvation", ("giver_function", "receiver_function", "cycle_week")),
    PublicTable("exceptions", ("exception_id",)),
    PublicTable("flags", ("flag_id",)),
    PublicTable("source_freshness", ("source", "stream")),
    PublicTable("checks", ("kind", "subject", "check_name")),
    PublicTable("strategy_changes", ("kind", "subject", "field", "seen_at")),
    PublicTable("integrity_events", ("event_id", "kr_id"), as_json=False),
    PublicTable("evidence", ("kr_id", "part", "record", "at", "contribution"), as_json=False),
    PublicTable("restatements", ("kr_id", "date")),
    PublicTable("ledger", ("number",), as_json=False),
)
