"""The demo's published run with rows that its month did not bring: moved goals, restatements, failed checks, amounts in words."""

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
        doubt = f"Not to be trusted. The gate g on flow.deals failed: {CHECK_FOUND}"
        reason = f"case when kr_id = 'sprint-delivery' then '{doubt}' else reason end"
        for table in ("kr_current", "kr_daily"):
            _write(con, folder, table, f"select * replace ({reason} as reason) from '{table}'")
    return root


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
