"""A measure as a sentence that a leader reads."""

from __future__ import annotations

from strategy.measures import Against, Measure, MetricMeasure, RollingWindow, TableMeasure

_AGGREGATES = {
    "sum": "sum of",
    "avg": "average of",
    "median": "median of",
    "p85": "85th percentile of",
    "level": "standing sum of",
}


def measure_text(measure: Measure) -> str:
    """For example "85th percentile of cycle_time_days of work_items where type = 'Bug', by done_at, over the last 28 days"."""
    if isinstance(measure, MetricMeasure):
        return f"the metric {measure.metric}, as metrics/{measure.metric}.sql computes it"
    parts = [_what(measure), f"by {measure.at}"]
    if measure.until is not None:
        parts.append(f"until {measure.until}")
    parts.append(_window(measure))
    if measure.negate:
        parts.append("with the sign turned")
    return ", ".join(parts)


def _what(measure: TableMeasure) -> str:
    records = _records(measure)
    if measure.aggregate == "ratio":
        amount = f"{measure.column} of {records}" if measure.column else records
        if measure.against is not None:
            return f"{amount} divided by {measure.against.column} of {_records(measure.against)}"
        return f"share of {amount} for which {measure.numerator}"
    if measure.column is None:
        return f"number of {records}"
    return f"{_AGGREGATES[measure.aggregate]} {measure.column} of {records}"


def _records(side: TableMeasure | Against) -> str:
    return f"{side.table} where {side.filter}" if side.filter else side.table


def _window(measure: TableMeasure) -> str:
    if isinstance(measure.window, RollingWindow):
        days = measure.window.rolling_days
        return "on the day" if days == 1 else f"over the last {days} days"
    return "since the start of the cycle" if measure.window == "cycle" else "as it stands on the day"
