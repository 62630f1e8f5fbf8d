"""What a key result measures: an aggregate over one flow table, or a metric of the company's own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from strategy.field_types import Part, known, require_known
from strategy.flow_tables import FLOW_TABLES, FlowTable, Kind
from strategy.problems import nearest
from strategy.yaml_source import rule_broken

Aggregate = Literal["count", "sum", "avg", "median", "p85", "ratio", "level"]

_FILTER = "a SQL condition over the table's columns, for example type = 'Bug'"
_AT = "the date or timestamp column that puts a record in time"


class RollingWindow(Part):
    """The last days before each day, that day included."""

    rolling_days: Annotated[int, Field(strict=True, gt=0, le=1000)] = Field(
        description="a number of days, for example 28"
    )


Window = Annotated[
    Annotated[Literal["cycle", "as_of"], Tag("a named window")]
    | Annotated[RollingWindow, Tag("a rolling window")],
    Discriminator(
        lambda value: "a rolling window" if isinstance(value, dict | RollingWindow) else "a named window"
    ),
]


class Against(Part):
    """The other side of a ratio: a sum over another table in the same window."""

    table: FlowTable = Field(description=f"the flow table of the denominator: {', '.join(FLOW_TABLES)}")
    column: str = Field(description="the number column to sum up")
    at: str = Field(description=_AT)
    filter: str | None = Field(default=None, description=_FILTER)

    @field_validator("column")
    @classmethod
    def _column_is_a_number(cls, column: str, info: ValidationInfo) -> str:
        return _require_column(column, info, ("number",))

    @field_validator("at")
    @classmethod
    def _at_is_a_time(cls, column: str, info: ValidationInfo) -> str:
        return _require_column(column, info, ("date", "timestamp"))

    @field_validator("filter")
    @classmethod
    def _filter_holds(cls, text: str | None, info: ValidationInfo) -> str | None:
        return _checked_filter(text, info)


class TableMeasure(Part):
    """An aggregate over the records of one flow table that a filter keeps and a window holds."""

    table: FlowTable = Field(description=f"the flow table to measure: {', '.join(FLOW_TABLES)}")
    aggregate: Aggregate = Field(description="count, sum, avg, median, p85, ratio or level")
    window: Window = Field(description="cycle, as_of or {rolling_days: 28}")
    column: str | None = Field(
        default=None, validate_default=True, description="the number column to aggregate"
    )
    at: str = Field(description=_AT)
    until: str | None = Field(
        default=None, description="the date or timestamp column from which a record no longer counts"
    )
    filter: str | None = Field(default=None, description=_FILTER)
    numerator: str | None = Field(
        default=None, description="a SQL condition for the records above the line of a ratio"
    )
    against: Against | None = Field(
        default=None,
        validate_default=True,
        description="the table below the line of a ratio: {table, column, at, filter}",
    )
    negate: bool = Field(default=False, strict=True, description="true turns the sign of the value")

    @field_validator("window")
    @classmethod
    def _level_stands(cls, window: Window, info: ValidationInfo) -> Window:
        if info.data.get("aggregate") == "level" and window != "as_of":
            raise rule_broken("a level is what stands on a day", "Write `window: as_of`.")
        return window

    @field_validator("column")
    @classmethod
    def _column_fits(cls, column: str | None, info: ValidationInfo) -> str | None:
        aggregate = info.data.get("aggregate")
        if column is None:
            if aggregate in ("sum", "avg", "median", "p85"):
                raise rule_broken(
                    "`column` is missing", f"Add `column`: the number column to take the {aggregate} of."
                )
            return None
        if aggregate == "count":
            raise rule_broken("a count takes no column", "Remove `column`, or use another aggregate.")
        return _require_column(column, info, ("number",))

    @field_validator("at")
    @classmethod
    def _at_is_a_time(cls, column: str, info: ValidationInfo) -> str:
        return _require_column(column, info, ("date", "timestamp"))

    @field_validator("until")
    @classmethod
    def _until_is_a_time(cls, column: str | None, info: ValidationInfo) -> str | None:
        if column is not None and info.data.get("window", "as_of") != "as_of":
            raise rule_broken(
                "`until` belongs to the window as_of", "Remove `until`, or write `window: as_of`."
            )
        return column and _require_column(column, info, ("date", "timestamp"))

    @field_validator("filter", "numerator")
    @classmethod
    def _condition_holds(cls, text: str | None, info: ValidationInfo) -> str | None:
        if (
            info.field_name == "numerator"
            and text is not None
            and info.data.get("aggregate", "ratio") != "ratio"
        ):
            raise rule_broken(
                "`numerator` belongs to a ratio", "Put the condition into `filter`, or use a ratio."
            )
        return _checked_filter(text, info)

    @field_validator("against")
    @classmethod
    def _ratio_has_two_sides(cls, against: Against | None, info: ValidationInfo) -> Against | None:
        if info.data.get("aggregate") != "ratio":
            if against is not None and "aggregate" in info.data:
                raise rule_broken("`against` belongs to a ratio", "Remove it, or use `aggregate: ratio`.")
            return against
        if "numerator" not in info.data:
            return against
        if against is None and info.data["numerator"] is None:
            raise rule_broken(
                "a ratio needs `numerator` or `against`",
                "Add `numerator`: a condition for the records above the line; or `against`: the table below it.",
            )
        if against is not None and info.data["numerator"] is not None:
            raise rule_broken("a ratio takes `numerator` or `against`, not both", "Remove one of the two.")
        if against is not None and "column" in info.data and info.data["column"] is None:
            raise rule_broken(
                "a ratio `against` another table needs `column`", "Add `column`: the number column to sum up."
            )
        return against


class MetricMeasure(Part):
    """A SQL model in metrics/ that gives date, value and records."""

    metric: str = Field(description="the name of a file in metrics/, without .sql")

    @field_validator("metric")
    @classmethod
    def _metric_exists(cls, metric: str, info: ValidationInfo) -> str:
        strategy = known(info)
        return require_known(metric, strategy.metrics, "file in metrics/ for") if strategy else metric


Measure = Annotated[
    Annotated[TableMeasure, Tag("a table's measure")] | Annotated[MetricMeasure, Tag("a metric's measure")],
    Discriminator(
        lambda value: (
            "a metric's measure"
            if isinstance(value, MetricMeasure) or (isinstance(value, dict) and "metric" in value)
            else "a table's measure"
        )
    ),
]


def is_total_of_cycle(measure: Measure) -> bool:
    """Whether it counts or sums up since the start of the cycle, so that earlier periods have such a total too."""
    return (
        isinstance(measure, TableMeasure)
        and measure.window == "cycle"
        and measure.aggregate in ("count", "sum")
    )


def work_filter(measure: Measure) -> str | None:
    """The condition over work_items by which it finds its records, None where it looks at something else or at all of them."""
    is_work = isinstance(measure, TableMeasure) and measure.table == "work_items"
    return measure.filter if is_work and isinstance(measure, TableMeasure) else None


def column_kind(table: FlowTable, column: str) -> Kind:
    """The type class of a column that a checked measure names."""
    return FLOW_TABLES[table][column]


def _require_column(column: str, info: ValidationInfo, kinds: tuple[Kind, ...]) -> str:
    table: FlowTable | None = info.data.get("table")
    if table is None:
        return column
    columns = FLOW_TABLES[table]
    fitting = [name for name, kind in columns.items() if kind in kinds]
    listed = ", ".join(f"`{name}`" for name in fitting)
    if column not in columns:
        close = nearest(column, fitting)
        mend = f"Did you mean `{close}`?" if close else _choose(table, listed)
        raise rule_broken(f"{table} has no column `{column}`", mend)
    if columns[column] not in kinds:
        what = f"`{column}` of {table} is a {columns[column]}, not a {' or '.join(kinds)}"
        raise rule_broken(what, _choose(table, listed))
    return column


def _choose(table: FlowTable, listed: str) -> str:
    return f"Use one of {listed}." if listed else f"{table} has none: measure another table."


def _checked_filter(text: str | None, info: ValidationInfo) -> str | None:
    table: FlowTable | None = info.data.get("table")
    return text if text is None or table is None else checked_filter(text, table)


def checked_filter(text: str, table: FlowTable) -> str:
    """The filter in its one spelling; what is wrong with it as the error of a field."""
    # Reading the strategy's types must not cost the parser's import.
    from strategy.filters import FilterError, parse_filter

    try:
        return parse_filter(text, table).sql
    except FilterError as error:
        raise rule_broken(error.what, error.mend) from error
