"""A small company that has reported three times: landed files and a ledger, made by the program's own writers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from connectors.landing import Landing
from connectors.stream import Stream
from scorecard.ledger import Answer, Chain, Finding, Ledger, RunReport
from scorecard.ledger_landing import check_landing, landed_files

FIRST_DAY = date(2026, 10, 5)
STREAMS = {"jira": Stream("issues", (("id",),), None), "finance": Stream("ledger", (("key",),), None)}


class Reporting:
    """The state folder of a workspace: `landing/` and `ledger/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.landing = folder / "landing"
        self.ledger = Ledger(folder / "ledger")

    def pull(self, records: int) -> None:
        """Land a file of so many records for each stream."""
        for system, stream in STREAMS.items():
            with Landing(self.landing).open(system, system, stream, None, "1") as writer:
                writer.write(
                    {"id": str(number), "key": f"k{number}", "text": "ä" * number}
                    for number in range(records)
                )
                writer.cursor_to = "c"

    def report(self, answers: Iterable[Answer]) -> None:
        """What a run does after its gates: add the answers and every landed file."""
        chain = self.ledger.read()
        assert chain.findings == []
        run = len(chain.runs) + 1
        about = RunReport(
            run_id=f"run-{run}",
            reported_at=datetime.now(UTC),
            as_of=FIRST_DAY + timedelta(days=run),
            strategy="5" * 64,
            computation="c" * 64,
            version="0.1.0",
        )
        inputs = landed_files(self.landing, self.loaded(), chain)
        self.ledger.append(chain, about, inputs, [], list(answers))

    def loaded(self) -> dict[str, str]:
        """What the warehouse would say it has loaded: everything that has landed."""
        manifests = [json.loads(path.read_bytes()) for path in self.landing.rglob("*.manifest.json")]
        return {manifest["file"]: manifest["sha256"] for manifest in manifests}

    def findings(self) -> list[Finding]:
        """Everything that is wrong, with ledger or landing."""
        chain = self.ledger.read()
        return [*chain.findings, *check_landing(self.landing, chain).findings]

    def chain(self) -> Chain:
        """The ledger, which must be whole."""
        chain = self.ledger.read()
        assert chain.findings == []
        return chain

    def files(self) -> list[Path]:
        """Every file of ledger and landing."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


def answer(kr: int, day: int, value: str | None = "1.500000", reason: str = "On its way, mate.") -> Answer:
    """An answer to key result number `kr` on a day of the cycle."""
    return Answer(
        kr_id=f"kr-{kr}",
        date=FIRST_DAY + timedelta(days=day),
        value=None if value is None else Decimal(value),
        value_strict=None,
        baseline=Decimal(0),
        target=Decimal("100.000000"),
        band_low=None,
        band_high=None,
        progress=Decimal("0.015000"),
        status="green",
        rule="pace",
        reason=reason,
        definition="d" * 64,
    )


def three_runs(folder: Path) -> Reporting:
    """Three runs with a pull each, and more answers each time."""
    company = Reporting(folder)
    for run in range(1, 4):
        company.pull(records=20 * run)
        company.report(answer(kr, day) for kr in range(run) for day in range(run))
    return company
