"""Compute the large workspace's key results by the hand-written script, in a process of its own; prints its phases as JSON."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import duckdb

from benchmarks.measuring import Stopwatch


def main() -> None:
    """Run the script over the landing files and write its answers to a Parquet file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landing", type=Path)
    parser.add_argument("answers", type=Path)
    asked = parser.parse_args()
    watch = Stopwatch()
    con = duckdb.connect()
    con.execute("set variable landing = ?", [str(asked.landing)])
    script = Path(__file__).with_name("by_hand.sql").read_text(encoding="utf-8")
    for statement in con.extract_statements(script):
        with watch.phase("read the landing files" if "read_ndjson" in statement.query else "compute"):
            con.execute(statement)
    con.table("answers").write_parquet(str(asked.answers))
    print(json.dumps([asdict(phase) for phase in watch.phases()]))


if __name__ == "__main__":
    main()
