"""What is in a workspace's warehouse and landing folder, for tests that compare two states of them."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

Json = dict[str, Any]


@dataclass(frozen=True)
class Pull:
    """One landed file: its manifest and its records."""

    manifest: Json
    records: list[Json]

    @property
    def stream(self) -> str:
        return f"{self.manifest['source']}.{self.manifest['stream']}"


def pulls(workspace: Path, but: Path | None = None) -> dict[str, Pull]:
    """The landed files by their place; without those that the other workspace has as well."""
    landing = workspace / ".plumbline" / "landing"
    found = {}
    for path in sorted(landing.rglob("*.manifest.json")):
        place = str(path.relative_to(landing))
        if but is None or not (but / ".plumbline" / "landing" / place).exists():
            manifest = json.loads(path.read_text(encoding="utf-8"))
            with gzip.open(landing / manifest["file"], "rt", encoding="utf-8") as lines:
                found[manifest["file"]] = Pull(manifest, [json.loads(line) for line in lines])
    return found


def raw_tables(workspace: Path) -> dict[str, tuple[int, str]]:
    """Rows and a digest over all rows and columns of every raw table."""
    with duckdb.connect(str(workspace / ".plumbline" / "warehouse.duckdb"), read_only=True) as con:
        names = con.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()
        digest = "select count(*), md5(string_agg(cast(each as text), chr(10) order by cast(each as text))) from raw.{} as each"
        return {name: con.execute(digest.format(name)).fetchall()[0] for (name,) in names}


def loads(workspace: Path) -> dict[str, Json]:
    """What loading each landed file did, by the file's place."""
    with duckdb.connect(str(workspace / ".plumbline" / "warehouse.duckdb"), read_only=True) as con:
        answer = con.execute("select * from control.loads")
        columns = [column[0] for column in answer.description or []]
        rows = [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]
    return {row["file"]: row for row in rows}


def published_files(workspace: Path) -> dict[str, bytes]:
    """Every file of the current published run, by its place."""
    folder = (workspace / ".plumbline" / "published" / "current").resolve()
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
