"""How fast a ledger of N rows is loaded, and with how much memory, beside DuckDB's own reading of the same file:
`python -m benchmarks.finance [--rows N] [--json]`.

Ours is the whole way with every behaviour on: found forms, a copy with its hash, quarantine and totals, landing, load into raw.
DuckDB makes a table of the file by `read_csv`. Each runs in a process of its own, and all runs count; the quicker of two is told.
"again" is ours with the same file sent once more, one row in a hundred changed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.measuring import Phase, as_json, in_own_process, report

_HEADER = "Date,Account,Account Name,Cost Centre,Amount,Currency,Document,Line,Counterparty,Description\n"
_ROWS_WRITTEN = 10_000


def main() -> None:
    """Measure and report; or, called by itself, be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="print figures for programs instead of a table")
    parser.add_argument("--as", dest="role", choices=["ours", "duckdb"], help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="?", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        {"ours": _ours, "duckdb": _duckdb}[options.role](Path(options.folder), options.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        exports = Path(folder, "exports")
        exports.mkdir()
        _write(exports / "gl.csv", options.rows)
        runs = {role: min((_run(role, Path(folder, f"{role} {n}"), options.rows) for n in range(2)),
                          key=lambda phase: phase.seconds)
                for role in ("duckdb", "ours")}  # fmt: skip
        megabytes = (exports / "gl.csv").stat().st_size / 1e6
        _change(exports / "gl.csv")
        again = (_run("ours", Path(folder, f"ours {n}"), options.rows) for n in range(2))
        runs["again"] = min(again, key=lambda phase: phase.seconds)
    ratio = runs["ours"].seconds / runs["duckdb"].seconds
    if options.json:
        print(as_json(rows=options.rows, megabytes=megabytes, runs=runs, ratio=ratio))
        return
    rows: list[list[Any]] = [
        [name, phase.seconds, phase.cpu_seconds, phase.peak_mb, phase.seconds / runs["duckdb"].seconds]
        for name, phase in runs.items()
    ]
    title = f"{options.rows:,} rows, {megabytes:,.0f} MB"
    report(title, ["", "s", "CPU s", "peak MB", "in multiples of DuckDB's time"], rows)


def _run(role: str, own: Path, rows: int) -> Phase:
    phase, _ = in_own_process(
        sys.executable, "-m", "benchmarks.finance", "--as", role, "--rows", str(rows), str(own)
    )
    return phase


def _write(path: Path, rows: int) -> None:
    chance = Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        for begin in range(0, rows, _ROWS_WRITTEN):
            file.writelines(_row(chance, n) for n in range(begin, min(begin + _ROWS_WRITTEN, rows)))


def _change(path: Path) -> None:
    changed = path.with_suffix(".new")
    with path.open(encoding="utf-8") as before, changed.open("w", encoding="utf-8") as after:
        after.writelines(
            line.replace("Supplier", "Vendor") if number % 100 == 99 else line
            for number, line in enumerate(before)
        )
    changed.replace(path)


def _row(chance: Random, number: int) -> str:
    account, cents = chance.randrange(300), chance.randrange(-(10**7), 10**7)
    amount = f"{'-' * (cents < 0)}{abs(cents) // 100:,}.{abs(cents) % 100:02}"
    return (
        f"{chance.randrange(1, 29):02}/{chance.randrange(1, 13):02}/2026,4{account:03},"
        f"{f'Account {account}' if account % 3 else f'{chr(34)}Revenue, region {account}{chr(34)}'},CC{chance.randrange(50)},"
        f'"{amount}",EUR,D{number // 4},{number % 4},Supplier {chance.randrange(2000)},Posting number {number} of the month\n'
    )


def _ours(folder: Path, rows: int) -> None:
    from connectors.finance.connector import FinanceFiles, FinanceFilesConfig
    from connectors.landing import Landing
    from warehouse.connection import connect
    from warehouse.control import create_control_tables
    from warehouse.raw import create_raw_tables, cursors, load, pending

    layout = {"match": "gl.csv", "profile": "generic"}
    config = {
        "type": "finance_files",
        "folder": str(folder.parent / "exports"),
        "layouts": [layout],
        "settle_seconds": 0,
    }
    finance = FinanceFiles("finance", FinanceFilesConfig.model_validate(config), folder)
    landing = Landing(folder / "landing")
    with connect(folder / "warehouse.duckdb") as con:
        create_control_tables(con)
        create_raw_tables(con)
        known = cursors(con, "finance")
    finance.pull(known, landing, lambda *_: None)
    with connect(folder / "warehouse.duckdb") as con:
        loaded = {manifest.stream: load(con, landing.root, manifest) for manifest in pending(con, landing)}
    ledger = loaded["ledger"]
    if (ledger.rows, ledger.updated) not in {(rows, 0), (rows, rows // 100)}:
        raise RuntimeError(f"{ledger} instead of {rows} rows")


def _duckdb(folder: Path, rows: int) -> None:
    import duckdb

    folder.mkdir()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as con:
        con.execute("CREATE TABLE ledger AS FROM read_csv(?)", [str(folder.parent / "exports" / "gl.csv")])
        found = con.execute("SELECT count(*) FROM ledger").fetchall()
    if found != [(rows,)]:
        raise RuntimeError(f"{found} instead of {rows} rows")


if __name__ == "__main__":
    main()
