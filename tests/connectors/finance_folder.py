"""A folder of finance exports, pulled again and again as a refresh would, and what each pull landed."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.finance.connector import FinanceFiles, FinanceFilesConfig
from connectors.landing import Landing

COLUMNS = {
    "date": "Date",
    "account": "Account",
    "amount": "Amount",
    "document": "Document",
}
LAYOUT = {"match": "*", "into": "ledger", "columns": COLUMNS, "constants": {"currency": "EUR"}}


class Folder:
    """The folder and its landing under ``root``; ``ledger`` is what raw holds after the pulls: key to the last record landed.

    With another ``into`` in its layout, the same of budgets or rates.
    """

    def __init__(self, root: Path, **layout: Any) -> None:
        self.path = root / "exports"
        self.path.mkdir(exist_ok=True)
        self.landing = Landing(root / "landing")
        self.cursors: dict[str, str] = {}
        self.ledger: dict[str, dict[str, Any]] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.set(**layout)

    def set(self, **layout: Any) -> None:
        config = {
            "type": "finance_files",
            "folder": str(self.path),
            "layouts": [{**LAYOUT, **layout}],
            "settle_seconds": 0,
        }
        self.finance = FinanceFiles("finance", FinanceFilesConfig.model_validate(config), self.path)

    def write(self, name: str, content: str | bytes, modified: int = 1_000_000_000) -> None:
        path = self.path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (modified, modified))

    def pull(self) -> int:
        """Pull once; gives how many records of the ledger landed."""
        ledger, files = self.finance.pull(self.cursors, self.landing, lambda *_: None)
        self.cursors = {ledger.stream: str(ledger.cursor_to)}
        self.ledger |= {record["key"]: record for record in self._landed(ledger.file)}
        self.files |= {record["file"]: record for record in self._landed(files.file)}
        return ledger.rows

    def read(self, name: str, content: str | bytes) -> list[dict[str, Any]]:
        """Write a file, pull, and give the postings of it."""
        self.write(name, content)
        self.pull()
        return [
            record["posting"]
            for record in self.ledger.values()
            if record["file"] == name and "gone" not in record
        ]

    @property
    def standing(self) -> Mapping[str, str]:
        """The amounts by key of what is not gone."""
        return {
            key: record["posting"]["amount"] for key, record in self.ledger.items() if "gone" not in record
        }

    @property
    def amounts(self) -> list[str]:
        """The amounts of what is not gone, or its rates."""
        postings = [record["posting"] for record in self.ledger.values() if "gone" not in record]
        return [posting.get("amount") or posting["rate"] for posting in postings]

    def _landed(self, file: str) -> list[dict[str, Any]]:
        return [
            json.loads(line) for line in gzip.decompress((self.landing.root / file).read_bytes()).splitlines()
        ]
