"""A published run made larger: the same key results under other ids, with more days."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb

# These grow with the days; all other rows of a key result are only multiplied.
_DAILY = ("kr_daily", "ledger")


def multiplied(published: Path, run: Path, copies: float, days: int | None) -> int:
    """Write `published` as `run` with so many times the key results, and `days` of each; gives the number of key results."""
    shutil.copytree(published, run, ignore=shutil.ignore_patterns("site", "exports"))
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    as_of = date.fromisoformat(about["as_of"])
    ids = sorted(about["lineage"])
    wanted = [
        (kr_id, f"{kr_id}-{number}" if number else kr_id)
        for number in range(int(copies) + 1)
        for kr_id in ids
    ][: round(copies * len(ids))]
    con = duckdb.connect()
    con.execute("create table copies (old text, new text)")
    con.executemany("insert into copies values (?, ?)", wanted)
    for parquet in sorted((run / "tables").glob("*.parquet")):
        columns = con.sql(f"select * from '{parquet}' limit 0").columns
        if "kr_id" in columns and parquet.stem != "forecasts":
            con.execute(
                f"create or replace table grown as {_grown(parquet, columns, as_of, days)} order by all"
            )
            con.execute(f"copy grown to '{parquet}' (format parquet, compression zstd)")
            if (as_json := run / "json" / f"{parquet.stem}.json").exists():
                con.execute(f"copy grown to '{as_json}' (format json, array true)")
    for old, new in wanted:
        if new != old:
            shutil.copy(run / "sql" / f"{old}.sql", run / "sql" / f"{new}.sql")
    about["lineage"] = {new: about["lineage"][old] for old, new in wanted}
    if days:
        about["cycle_start"] = (as_of - timedelta(days=days - 1)).isoformat()
    (run / "run.json").write_text(json.dumps(about), encoding="utf-8")
    return len(wanted)


def _grown(parquet: Path, columns: list[str], as_of: date, days: int | None) -> str:
    """The query for a table's rows under the ids of the copies; those of each day go back over `days`, again and again."""
    said = {name: f'rows."{name}"' for name in columns} | {"kr_id": "copies.new"}
    if "exception_id" in columns:
        said["exception_id"] = "copies.new || '/' || rows.opened_on"
    source, where = f"'{parquet}'", ""
    if days and parquet.stem in _DAILY:
        said["date"] = f"cast(date '{as_of}' - cast(day as integer) as date)"
        source = (
            "(select *, row_number() over (partition by kr_id order by date desc) - 1 as place, "
            f"count(*) over (partition by kr_id) as places from '{parquet}')"
        )
        where = f"cross join range({days}) as days(day) where rows.place = day % rows.places"
    selected = ", ".join(f'{value} as "{name}"' for name, value in said.items())
    return f"select {selected} from {source} as rows join copies on copies.old = rows.kr_id {where}"
