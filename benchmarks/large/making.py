"""Make the landing files of a large company without HTTP, in the format that the connectors write."""

from __future__ import annotations

import argparse
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from connectors.landing import Manifest
from connectors.source import Source
from connectors.stream import Stream
from orchestration.sources import listed
from orchestration.workspace import Workspace

WORKSPACE = Path(__file__).parent / "workspace"
_ISSUES, _DEALS, _POSTINGS = 1_000_000, 2_000_000, 10_000_000
# Pulled on the evening of the as-of day.
_PULLED = datetime(2026, 10, 30, 23, 0, tzinfo=UTC)


def make_landing(into: Path, scale: float) -> None:
    """Write a file with its manifest for every stream of the large workspace; `scale` 1 is a million issues."""
    con = duckdb.connect()
    for name, full in (("issues", _ISSUES), ("deals", _DEALS), ("postings", _POSTINGS)):
        con.execute(f"set variable {name} = {int(full * scale)}")
    con.execute(Path(__file__).with_name("making.sql").read_text(encoding="utf-8"))
    for source in listed(Workspace(WORKSPACE)).values():
        for stream in source.streams:
            _land(con, into, source, stream)


def _land(con: duckdb.DuckDBPyConnection, root: Path, source: Source, stream: Stream) -> None:
    file = f"{source.name}/{stream.name}/{_PULLED:%Y%m%dT%H%M%S.%fZ}-00000000.ndjson.gz"
    path = root / file
    path.parent.mkdir(parents=True)
    quoted = str(path).replace("'", "''")
    copied = con.execute(
        f"copy landed_{stream.name} to '{quoted}' (format json, compression gzip)"
    ).fetchone()
    assert copied is not None
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    manifest = Manifest(
        source=source.name,
        system=source.system,
        stream=stream.name,
        key=stream.key,
        updated_at=stream.updated_at,
        mode=stream.mode,
        cursor_from=None,
        cursor_to=_PULLED.isoformat(),
        rows=copied[0],
        bytes=path.stat().st_size,
        sha256=digest,
        started_at=_PULLED,
        finished_at=_PULLED,
        api_version="made for the benchmark",
        file=file,
    )
    described = path.with_name(path.name.removesuffix(".ndjson.gz") + ".manifest.json")
    described.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Make the landing, in a process of its own so that its memory is not the caller's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("into", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    make_landing(asked.into, asked.scale)


if __name__ == "__main__":
    main()
