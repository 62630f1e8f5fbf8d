"""The demo's published run with rows that its month did not bring: moved goals, restatements, failed checks, amounts in words."""

import json
import shutil
from pathlib import Path

import duckdb

AMOUNTS_IN_WORDS = (
    "It costs 12 kEUR.", "It costs € 5.", "It costs 5€", "USD 1,200 were spent.", "About 5 million euros.",
    "1.2 Mio. CHF too much.", "It is EUR 66,000.", "3 000 000 eur", "GBP -5", "Some 40k USD.", "The 7,000 dollars.", "5 EUR/day",
    "12,00 PLN",
)  # fmt: skip
NO_AMOUNTS = (
    "5 APIs of 12 items.",
    "ITEM-722 took 5 days.",
    "It is 50 % of 12 points.",
    "Europe has 3 depots, TOP has 0.",
)
BUDGET = "7654321.00"
CHECK_FOUND = "It found three, such as HIDDEN-ROW-OF-ANOTHER/91 (-91234.56)."


def planted(run: Path, root: Path) -> Path:
    """A folder of published runs under `root` whose current run is `run` with more rows."""
    folder = root / run.name
    shutil.copytree(run, folder, symlinks=True)
    (root / "current").symlink_to(run.name)
    with duckdb.connect() as con:
        _flags(con, folder)
        _add(
            con,
            folder,
            "strategy_changes",
            """
            select 'key_result' as kind, kr_id as subject, kr_id, 'target' as field, '1' as old_value,
                '2 of ' || kr_id as new_value
            from 'kr_current' union all
            select 'handoff', handoff_id, null, 'scope', 'a', 'b of ' || handoff_id from 'handoff_current' union all
            select 'threshold', 'pace', null, 'red', '0.5', '0.7'
            """,
            "timestamptz '2026-10-20 06:00Z' as seen_at, date '2026-10-20' as changed_on, 'r' as run_id",
        )
        _add(
            con,
            folder,
            "restatements",
            "select kr_id, date '2026-10-06' as date, value + 1 as reported_value, value from 'kr_current'",
            "'red' as reported_status, true as is_split",
        )
        _add(
            con,
            folder,
            "kr_forecast_scores",
            "select kr_id, 'soon' as horizon, 0.123456 as brier from 'kr_current'",
            "2 as forecasts, 1 as in_band, 0.5 as foretold, 0.5 as came_true",
        )
        _suspects(con, folder)
        _exceptions(con, folder)
        _key_results(con, folder)
    _lineage(folder)
    return root


def _key_results(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """One in doubt, one that spends too much, and of those that have to do with money each by one mark alone."""
    doubt = f"Not to be trusted. The gate g on flow.deals failed: {CHECK_FOUND}"
    reason = f"case kr_id when 'sprint-delivery' then '{doubt}' else reason end as reason"

    def numbers(rule: str, name: str) -> str:
        return f"""
            case kr_id when 'sprint-delivery' then 'untrusted' when 'close-automation' then '{rule}' else rule end as rule,
            case kr_id
                when 'sprint-delivery' then '{{"kind":"gate","subject":"HIDDEN-ROW-OF-ANOTHER"}}'
                when 'close-automation' then '{{"{name}":{BUDGET},"progress":0.5}}'
                else inputs
            end as inputs
        """

    marks = """
        case kr_id when 'open-pipeline' then 'The pipeline stays full' else name end as name,
        case kr_id when 'discovery-time' then 'kEUR' when 'open-pipeline' then 'count' else unit end as unit,
        case kr_id when 'win-rate' then 'the metric wins, as metrics/wins.sql computes it' else measure_text end as measure_text
    """
    _write(
        con, folder, "kr_daily", f"select * replace ({reason}, {numbers('pace', 'budget')}) from 'kr_daily'"
    )
    today = f"select * replace ({reason}, {numbers('resources', 'outlay')}, {marks}) from 'kr_current'"
    _write(con, folder, "kr_current", today)
    _write(
        con,
        folder,
        "resource_alignment",
        "select * replace (0.5 as spent_share, 0.25 as spent_ahead, 2 as people) from 'resource_alignment'",
    )


def _lineage(folder: Path) -> None:
    file = folder / "run.json"
    about = json.loads(file.read_text(encoding="utf-8"))
    about["lineage"]["customer-interviews"] = [["jira", "issues"], ["finance", "budgets"]]
    about["lineage"]["on-time-delivery"] = [["jira", "issues"], ["of-a-new-kind", "parcels"]]
    del about["lineage"]["billing-correction-time"]
    file.write_text(json.dumps(about), encoding="utf-8")


def _exceptions(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """A key result that waits for a hand-off can be amber by another rule, which tells its numbers."""
    _write(
        con,
        folder,
        "exceptions",
        "select * replace ('At 9 it is 38 % of the way. ' || reason as reason) from 'exceptions'",
    )


def _suspects(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    rows = f"""
        select 'round/finance/ledger/HIDDEN-POSTING' as event_id, 'finance/ledger/HIDDEN-POSTING' as record,
            'HIDDEN-POSTING' as item, 'finance' as function_id, 'It is a round {BUDGET}.' as sentence
        union all
        select 'edited/hubspot/deals/1', 'hubspot/deals/1', 'Deal one', 'sales',
            'Deal one was won, and its amount was changed from 1 to {BUDGET}.'
    """
    _add(
        con, folder, "integrity_events", rows, "'r' as rule, true as is_severe, date '2026-10-20' as on_date"
    )


def _flags(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    rows = [("gate", "staging.stg_hubspot__deals", "gate", CHECK_FOUND)]
    rows += [
        ("model", "key_results.kr_win_rate", "model", CHECK_FOUND),
        ("pull", "finance.ledger", "pull", CHECK_FOUND),
    ]
    rows += [("freshness", "jira.issues", "freshness", "The newest record of jira.issues is 5 days old.")]
    rows += [
        ("key_result", kr_id, f"rule-{number}", text)
        for kr_id in ("bug-fix-time", "close-automation")
        for number, text in enumerate(AMOUNTS_IN_WORDS + NO_AMOUNTS)
    ]
    said = ", ".join("('{}', '{}', '{}', '{}')".format(*row) for row in rows)
    _add(
        con,
        folder,
        "flags",
        f"select * from (values {said}) as said(kind, subject, rule, sentence)",
        "kind || '/' || subject || '/' || rule as flag_id, 'amber' as severity, date '2026-10-20' as opened_on, true as is_open",
    )


def _add(con: duckdb.DuckDBPyConnection, folder: Path, table: str, rows: str, more: str) -> None:
    _write(con, folder, table, f"select * from '{table}' union all by name select *, {more} from ({rows})")


def _write(con: duckdb.DuckDBPyConnection, folder: Path, table: str, query: str) -> None:
    """Replace a table by a query in which other tables stand by name in quotes; its columns keep their types and order."""
    file = folder / "tables" / f"{table}.parquet"
    for other in (table, "kr_current", "handoff_current"):
        query = query.replace(f"'{other}'", f"read_parquet('{folder}/tables/{other}.parquet')")
    columns = con.execute(f"describe select * from '{file}'").fetchall()
    same = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind, *_ in columns)
    con.execute(f"copy (select {same} from ({query})) to '{file}.new' (format parquet)")
    Path(f"{file}.new").replace(file)
