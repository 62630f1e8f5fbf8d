"""Land what changes at a large company from one refresh to the next: one issue, deal and posting in a thousand."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import duckdb

from benchmarks.large.making import WORKSPACE
from connectors.landing import Landing
from orchestration.sources import listed
from orchestration.workspace import Workspace

_NOW = "2026-10-30T22:50:00.000+00:00"

# Issues are edited and get an entry in their history, deals get another amount, postings are new.
_CHANGED = {
    "issues": f"""
        select json_merge_patch(json, '{{"fields": {{"updated": "{_NOW}", "priority": {{"name": "Highest"}}}}}}')
        from records where hash(json ->> 'id') % 1000 = 0
    """,
    "changelogs": f"""
        select distinct json_object(
            'issueId', json ->> 'issueId',
            'id', '9' || (json ->> 'issueId'),
            'created', '{_NOW}',
            'items', [{{'field': 'priority', 'fieldId': 'priority', 'from': '1', 'to': '3'}}]
        )
        from records where hash(json ->> 'issueId') % 1000 = 0
    """,
    "deals": f"""
        select json_merge_patch(json, json_object(
            'updatedAt', '{_NOW}',
            'properties', {{'amount': '4711.00', 'amount_in_home_currency': '4711.00'}},
            'propertiesWithHistory', {{'amount': [
                {{'value': '4711.00', 'timestamp': '{_NOW}'}}, json -> '$.propertiesWithHistory.amount[0]'
            ]}}
        ))
        from records where hash(json ->> 'id') % 1000 = 0
    """,
    "ledger": """
        select json_merge_patch(json, json_object('key', (json ->> 'key') || '/new'))
        from records where hash(json ->> 'key') % 1000 = 0
    """,
}


def land_changes(landing: Path, into: Path) -> None:
    """Write a landing file with its manifest into the folder `into` for each stream that changes after `landing`."""
    con = duckdb.connect()
    for source in listed(Workspace(WORKSPACE)).values():
        for stream in source.streams:
            if stream.name not in _CHANGED:
                continue
            files = str(landing / source.name / stream.name / "*.ndjson.gz")
            con.execute("set variable files = ?", [files])
            con.execute(
                "create or replace temp view records as select json from read_ndjson_objects(getvariable('files'))"
            )
            with Landing(into).open(
                source.name, source.system, stream, None, "made for the benchmark"
            ) as writer:
                writer.write(
                    json.loads(record) for (record,) in con.execute(_CHANGED[stream.name]).fetchall()
                )


def main() -> None:
    """Land the changes, in a process of its own so that its memory is not the caller's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landing", type=Path)
    parser.add_argument("into", type=Path)
    asked = parser.parse_args()
    land_changes(asked.landing, asked.into)


if __name__ == "__main__":
    main()
