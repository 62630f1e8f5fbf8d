"""A filter is a condition over the columns of one flow table, and nothing else passes."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.filters import FilterError, parse_filter
from strategy.flow_tables import FLOW_TABLES, FlowTable, Kind

SQL_TYPES: dict[Kind, str] = {
    "text": "varchar",
    "number": "decimal(18, 2)",
    "date": "date",
    "timestamp": "timestamptz",
    "boolean": "boolean",
}


@pytest.fixture(scope="module")
def flow() -> duckdb.DuckDBPyConnection:
    """Every flow table, empty."""
    con = duckdb.connect()
    for table, columns in FLOW_TABLES.items():
        listed = ", ".join(f'"{name}" {SQL_TYPES[kind]}' for name, kind in columns.items())
        con.execute(f"create table {table} ({listed})")
    return con


@pytest.mark.parametrize(
    ("table", "text", "sql"),
    [
        ("work_items", "type = 'Bug' and not deleted", "type = 'Bug' AND NOT deleted"),
        ("work_items", "TYPE IN ('Bug', 'Task') -- a remark", "type IN ('Bug', 'Task')"),
        (
            "work_items",
            "type = 'Bug' /* }} */ or labels like '%|api|%'",
            "type = 'Bug' OR labels LIKE '%|api|%'",
        ),
        ("work_items", "estimate between 1 and 3 + 2 * estimate", "estimate BETWEEN 1 AND 3 + 2 * estimate"),
        ("work_items", "started_at is not null", "NOT started_at IS NULL"),
        ("work_items", "created_at < done_at", "created_at < done_at"),
        (
            "work_items",
            "created_at >= '2026-10-05T00:00:00+02:00'",
            "created_at >= '2026-10-05T00:00:00+02:00'",
        ),
        (
            "work_items",
            "coalesce(lower(trim(priority)), '') <> 'low'",
            "COALESCE(LOWER(TRIM(priority)), '') <> 'low'",
        ),
        (
            "work_items",
            "length(summary) > -1 and abs(estimate) > 0.5",
            "LENGTH(summary) > -1 AND ABS(estimate) > 0.5",
        ),
        ("work_items", "summary ilike '%o''clock%'", "summary ILIKE '%o''clock%'"),
        ("work_item_changes", "at > '2026-10-05T00:00:00Z'", "\"at\" > '2026-10-05T00:00:00Z'"),
        ("deals", "is_won", "is_won"),
        ("deals", "(is_won = true or is_closed is false)", "(is_won = TRUE OR is_closed IS FALSE)"),
        ("deals", "close_date > date '2026-10-05'", "close_date > CAST('2026-10-05' AS DATE)"),
        ("deals", "close_date = '2026-10-05'", "close_date = '2026-10-05'"),
        ("ledger_entries", "nullif(account, '') in ('4100', null)", "NULLIF(account, '') IN ('4100', NULL)"),
    ],
)
def test_what_passes_comes_out_in_one_spelling_that_the_warehouse_takes(
    flow: duckdb.DuckDBPyConnection, table: FlowTable, text: str, sql: str
) -> None:
    assert parse_filter(text, table).sql == sql
    flow.execute(f"select * from {table} where {sql}")


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ("", "the filter is empty", "Write one boolean"),
        ("-- nothing", "the filter is empty", "Write one boolean"),
        ("type = 'Bug", "not readable as SQL", "Check quotes"),
        ("type = ", "not a boolean expression, at `=`", "Write one boolean"),
        ("type = 'Bug'; drop table x", "not a boolean expression, at `drop`", "Write one boolean"),
        ("select 1", "not a boolean expression", "Write one boolean"),
        ("delete from work_items", "not a boolean expression", "Write one boolean"),
        ("key in (select key from deals)", "a sub-query has no place", "Compare columns"),
        ("exists (select 1)", "a sub-query has no place", "Compare columns"),
        ("type", "`type` is not a condition", "Write a comparison"),
        ("estimate + 1", "`estimate + 1` is not a condition", "Write a comparison"),
        ("statu = 'Done'", "work_items has no column `statu`", "Did you mean `status`?"),
        ("xyzzy = 1 and foo = 2", "work_items has no column `xyzzy`, `foo`", "Known are item_id"),
        ('type = "Bug"', 'work_items has no column `"Bug"`', "Text stands in single quotes: 'Bug'."),
        ("w.type = 'Bug'", "work_items has no column `w.type`", "Write `type` without a table"),
        (
            "type = 3",
            "`type` and `3` cannot be compared: text and number",
            "Text values stand in single quotes",
        ),
        ("estimate in (1, 'x')", "`estimate` and `'x'` cannot be compared", "Text values"),
        ("deleted > 1", "`deleted` and `1` cannot be compared", "Compare values of the same type"),
        ("estimate like '1%'", "`estimate` is a number where a text belongs", "Give a text."),
        ("deleted and 1", "`1` is a number where a boolean belongs", "Give a boolean."),
        ("created_at > '2026-10-05'", "'2026-10-05' is not a moment with its offset", "Write it as"),
        (
            "created_at > date '2026-10-05'",
            "`created_at` and `CAST('2026-10-05' AS DATE)` cannot",
            "Give the moment",
        ),
        ("count(*) > 1", "COUNT counts over rows", "Use the measure's aggregate."),
        ("row_number() over () = 1", "`ROW_NUMBER() OVER ()` cannot be used", "Use comparisons"),
        ("created_at > current_timestamp", "the function CURRENT_TIMESTAMP is not among", "Use lower, upper"),
        ("read_csv('/etc/passwd') = 'x'", "the function READ_CSV is not among", "Use lower, upper"),
        ("getenv('HOME') = 'x'", "the function GETENV is not among", "Use lower, upper"),
        ("case when deleted then true end", "the function CASE is not among", "Use lower, upper"),
        ("cast(done_at as date) is null", "`CAST(done_at AS DATE)` cannot be used", "Use comparisons"),
        ("trim(leading 'x' from type) = 'y'", "the function TRIM is not among", "Use lower, upper"),
        ("estimate / 2 > 1", "`estimate / 2` cannot be used", "Use comparisons"),
        ("type = ?", "`?` cannot be used", "Use comparisons"),
        ("type in ()", "IN needs a list of values", "Write IN"),
        ("type in unnest(['a'])", "", ""),
        ("type is 'Bug'", "`type IS 'Bug'` compares with IS", "Use `=`"),
        ("type = 'a\\'", "`'a\\'` has a backslash", "Match around it"),
        ("{{ var('x') }} = 1", "", ""),
        ("(" * 5000 + "deleted" + ")" * 5000, "nested too deeply", "Split it up"),
    ],
)
def test_what_does_not_pass_says_what_and_how_to_mend_it(text: str, what: str, mend: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, "work_items")
    assert caught.value.what.startswith(what)
    assert caught.value.mend.startswith(mend)


def test_the_columns_a_filter_reads_are_known() -> None:
    assert parse_filter("Type = 'Bug' or estimate > 3", "work_items").columns == {"type", "estimate"}


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"), max_size=12)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@given(_TEXT, _TEXT, st.sampled_from(["=", "<>", "like", "<"]), st.booleans())
def test_any_text_stays_a_value(
    flow: duckdb.DuckDBPyConnection, one: str, other: str, sign: str, negated: bool
) -> None:
    condition = f"{'not ' if negated else ''}(summary {sign} {_literal(one)} or type in ({_literal(other)}))"
    parsed = parse_filter(condition, "work_items")
    assert parsed.columns == {"summary", "type"}
    values = f"(select {_literal(one)} as summary, {_literal(other)} as type)"
    spellings = f"select ({parsed.sql}) is not distinct from ({condition}) from {values}"
    assert flow.execute(spellings).fetchone() == (True,)
    assert parse_filter(parsed.sql, "work_items") == parsed
