"""Narrow a published run to what an audience may see.

The copy has the shape of a published run and its pages are built from the copy alone, so that they can neither show nor link
to what was left out. What stays stands in `rules/`: one query for each public table. A table without a rule is empty in the
copy. The rules:

- Of key results with their days, forecasts, evidence, suspects, restatements and entries of the ledger: those of the audience's
  functions. Objectives above them are named, and stand as the key results that are shown.
- Hand-offs that these functions give or receive, or that their key results need. An exception over a hand-off that they give or
  receive is shown even when its key result is another function's; of that one stand name, owner and status, and nothing measured.
- Without finance: no key result whose unit is a currency, whose measure reads an amount, or that descends from a finance source
  or from one of which it is not known that it is none. Amounts are null; a text that states one says instead that it did.
- What checks found in the data names records of everybody, so it is only said that they fail; freshness is said in full.
- `hash` and `previous` of the ledger are empty: a hidden entry could be guessed from them, and a part of a chain proves nothing.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from publish.files import write_pages, write_table
from publish.reading import Published
from publish.tables import PUBLIC_TABLES, PublicTable

_RULES = Path(__file__).parent / "rules"
_SEEN = (Path(__file__).parent / "seen.sql").read_text(encoding="utf-8")
_ABOUT_THE_RUN = {
    "as_of", "company", "currency", "cycle", "cycle_end", "cycle_name", "cycle_start",
    "run_id", "started_at", "timezone", "version",
}  # fmt: skip


@dataclass(frozen=True)
class Audience:
    """What somebody may see: `functions` by their ids (None: every function), and whether figures of finance."""

    functions: frozenset[str] | None = None
    finance: bool = True

    @property
    def sees_everything(self) -> bool:
        return self.functions is None and self.finance

    @property
    def key(self) -> str:
        """A name for its copies that no other audience has."""
        said = json.dumps([None if self.functions is None else sorted(self.functions), self.finance])
        return sha256(said.encode()).hexdigest()[:24]


def tables_with_a_rule() -> set[str]:
    """The names of the public tables that a rule speaks of."""
    return {path.stem for path in _RULES.glob("*.sql")}


def narrow(published: Published, audience: Audience, into: Path) -> None:
    """Write what the audience may see of the run, with its pages, into the folder `into`, which must not exist yet.

    Its `run.json` says for whom it was made: `shown_to`, with `functions` (null: all) and `finance`.
    Raises `duckdb.Error` or `OSError` when it cannot; then the folder is not there.
    """
    try:
        narrow_tables(published, audience, into)
        write_pages(into)
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise


def narrow_tables(published: Published, audience: Audience, into: Path) -> None:
    """The same without pages and exports, for who reads the tables alone."""
    for folder in ("tables", "json", "sql"):
        (into / folder).mkdir(parents=True)
    with duckdb.connect() as con:
        _prepare(con, published, audience)
        rows = {
            table.name: write_table(con, table, _query(con, table, audience), into) for table in PUBLIC_TABLES
        }
        kr_ids = [
            kr_id for (kr_id,) in con.execute("select kr_id from seen_key_results where is_theirs").fetchall()
        ]
    for kr_id in kr_ids:
        sql = published.compiled_sql(kr_id)
        if sql is not None:
            (into / "sql" / f"{kr_id}.sql").write_text(sql, encoding="utf-8")
    shown_to = {
        "functions": None if audience.functions is None else sorted(audience.functions),
        "finance": audience.finance,
    }
    run = _about(published.run, kr_ids) | {"rows": rows, "shown_to": shown_to}
    (into / "run.json").write_text(json.dumps(run, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _prepare(con: duckdb.DuckDBPyConnection, published: Published, audience: Audience) -> None:
    """The published tables as views, and by ids what the audience may see of them."""
    con.execute("set timezone = 'UTC'")
    for table in PUBLIC_TABLES:
        parquet = str(published.folder / "tables" / f"{table.name}.parquet").replace("'", "''")
        con.execute(f"create view {table.name} as select * from read_parquet('{parquet}')")  # noqa: S608
    for name, value in {
        "every_function": audience.functions is None,
        "functions": sorted(audience.functions or ()),
        "finance": audience.finance,
        "currency": str(published.run["currency"]),
    }.items():
        con.execute(f"set variable {name} = $value", {"value": value})
    con.execute("create table lineage (kr_id varchar, source varchar, stream varchar)")
    lineage = [(kr_id, *stream) for kr_id, streams in published.run["lineage"].items() for stream in streams]
    if lineage:
        con.executemany("insert into lineage values (?, ?, ?)", lineage)
    con.execute(_SEEN)


def _query(con: duckdb.DuckDBPyConnection, table: PublicTable, audience: Audience) -> str:
    """What goes into the copy of a table: what its rule leaves in, with its texts and amounts as the audience may read them."""
    rule = _RULES / f"{table.name}.sql"
    if not rule.exists():
        return f"select * from {table.name} where false"  # noqa: S608
    columns = con.execute(f"describe {table.name}").fetchall()
    shown = ", ".join(_shown(table, str(name), str(kind), audience) for name, kind, *_ in columns)
    return f"select {shown} from ({rule.read_text(encoding='utf-8')})"  # noqa: S608


def _shown(table: PublicTable, column: str, kind: str, audience: Audience) -> str:
    """A column as it is selected. Money is DECIMAL(28,2) in every public table, so that no amount can be forgotten here."""
    if kind == "DECIMAL(28,2)" and not audience.finance:
        return f'cast(null as {kind}) as "{column}"'
    if kind == "VARCHAR" and column not in table.grain and not column.endswith("_id"):
        return f'as_shown("{column}") as "{column}"'
    return f'"{column}"'


def _about(run: Mapping[str, Any], kr_ids: Iterable[str]) -> dict[str, Any]:
    lineage = {kr_id: run["lineage"][kr_id] for kr_id in kr_ids if kr_id in run["lineage"]}
    kept = {name: value for name, value in run.items() if name in _ABOUT_THE_RUN}
    return kept | {"ledger": {"number": run["ledger"]["number"]}, "lineage": lineage}
