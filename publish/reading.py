"""Read what was published: plain files under `published/current`, so that no reader ever locks the warehouse."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class NothingPublishedError(Exception):
    """No run has been published yet in this workspace."""


class Published:
    """The current published run of a workspace.

    Opened once: it holds on to the run's own folder, so that a run published meanwhile does not mix into the answers.
    """

    def __init__(self, root: Path) -> None:
        current = root / "current"
        if not current.exists():
            raise NothingPublishedError(f"Nothing is published under {root} yet. Run `plumbline run` first.")
        self.current = current
        self.folder = current.resolve()

    @cached_property
    def run(self) -> Mapping[str, Any]:
        """`run.json`: run id, as-of day, versions, inputs, timings."""
        return dict(self._json("run.json"))

    def table(self, name: str) -> list[Row]:
        """The rows of a table that is published as JSON; numbers are `Decimal` or `int`, days and times ISO text."""
        rows: list[Row] = self._json(f"json/{name}.json")
        return rows

    def compiled_sql(self, kr_id: str) -> str | None:
        """The SQL that computed the KR, or None when its model did not compile in that run."""
        path = self.folder / "sql" / f"{kr_id}.sql"
        return path.read_text(encoding="utf-8") if path.exists() else None

    def evidence(self, kr_id: str, limit: int) -> list[Row]:
        """The records behind a KR's value, heaviest contribution first: `record`, `at`, `part`, `contribution`."""
        import duckdb  # the table and the JSON do not need it, and it takes a fifth of a second

        rows = duckdb.execute(
            'select record, "at", part, contribution from read_parquet(?) where kr_id = ? '
            'order by abs(contribution) desc, record, "at" limit ?',
            [str(self.folder / "tables" / "evidence.parquet"), kr_id, limit],
        )
        columns = [column[0] for column in rows.description or []]
        return [dict(zip(columns, row, strict=True)) for row in rows.fetchall()]

    def _json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"), parse_float=Decimal)
