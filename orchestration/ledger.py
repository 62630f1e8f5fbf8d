"""The ledger in a run, and `plumbline verify`: the chain, the warehouse's copy of it, the published head, the landed files."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from typing import TYPE_CHECKING, Any

import strategy
from orchestration.project import DBT_PACKAGE
from orchestration.refresh import begun_run
from orchestration.workspace import Workspace
from publish import NothingPublishedError, Published
from scorecard.ledger import (
    Answer,
    AnswerLine,
    Chain,
    Declared,
    Finding,
    Head,
    Ledger,
    LedgerError,
    RunLine,
    RunReport,
)
from scorecard.ledger_landing import check_landing, landed_files
from warehouse.connection import connect
from warehouse.control import create_control_tables
from warehouse.ledger_mirror import ledger_head, mirror, strayed, unreported
from warehouse.strategy_versions import VersionRow, kept_versions, restore_versions
from warehouse.writer_lock import writer_lock

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger("plumbline")

_LOCK_SECONDS = 600.0
_CUT = (
    "Restore the folder ledger/ from a backup. To begin a new ledger, which proves nothing of what was reported before, "
    "remove ledger/, published/ and warehouse.duckdb and run again."
)
_FILLED_AGAIN = "Drop that table of the warehouse: the next run fills it again from the ledger."


def recall_ledger(workspace: Workspace) -> None:
    """Make the warehouse's copy of the ledger whole before anything is computed from it; it may have been built anew.

    Raises LedgerError when the ledger is not what earlier runs left.
    """
    with connect(workspace.warehouse) as con:
        _recalled(workspace, con)


def append_ledger(workspace: Workspace) -> None:
    """Add what the run is about to publish to the ledger, and to the warehouse's copy of it.

    Raises LedgerError, before anything is written, when the ledger is not what earlier runs left.
    """
    with connect(workspace.warehouse) as con:
        chain = _recalled(workspace, con)
        run = begun_run(con)
        report = RunReport(
            run_id=run.run_id,
            reported_at=datetime.now(UTC),
            as_of=run.as_of,
            strategy=strategy.strategy_hash(workspace.root / "strategy", workspace.metrics),
            computation=strategy.computation_hash(DBT_PACKAGE),
            version=version("plumbline"),
        )
        loaded = dict(con.execute("select file, sha256 from control.loads").fetchall())
        definitions = strategy.definition_hashes(workspace.strategy, workspace.dbt, DBT_PACKAGE)
        answers = [Answer.model_validate(row) for row in unreported(con, definitions)]
        inputs = landed_files(workspace.landing, loaded, chain)
        declared = _undeclared(con, chain)
        line, lines = Ledger(workspace.ledger).append(chain, report, inputs, declared, answers)
        mirror(con, ledger_rows([line], lines))
    log.info("ledger: %d answers by run %d", len(lines), line.run)


def ledger_rows(runs: Sequence[RunLine], answers: Sequence[AnswerLine]) -> list[dict[str, Any]]:
    """The answers of these runs as rows of `control.ledger`."""
    about = {line.run: line.report.model_dump(mode="json") for line in runs}
    return [
        {
            **about[line.run],
            **line.answer.model_dump(mode="json"),
            **{"number": line.number, "run": line.run, "previous": line.previous, "hash": line.hash},
        }
        for line in answers
        if line.run in about
    ]


def version_rows(runs: Iterable[RunLine]) -> list[VersionRow]:
    """What these runs declared as rows of `control.strategy_versions`."""
    return [
        (each.run_id, each.as_of, each.seen_at, each.cycle_start, each.cycle_end, *fact)
        for run in runs
        for each in run.declared
        for fact in each.facts
    ]


@dataclass(frozen=True)
class Verification:
    """What `plumbline verify` found. `waiting`: landed files that the next run takes in, after one that was interrupted."""

    findings: list[Finding]
    waiting: list[str]
    runs: int
    answers: int
    landed: int
    head: Head

    @property
    def notes(self) -> list[str]:
        """What else there is to say, a sentence each."""
        told = []
        if self.waiting:
            told.append(
                f"{len(self.waiting)} landed files are in no run yet, {self.waiting[0]} first: an interrupted run left them, and "
                "`plumbline run` takes them in."
            )
        if not self.findings:
            told.append(
                f"The ledger is whole: {self.runs} runs, {self.answers} answers, {self.landed} landed files.\n"
                f"Line {self.head.number} has hash {self.head.hash}: kept elsewhere, it proves all of this later."
            )
        return told


def verify(workspace: Workspace) -> Verification:
    """Check the ledger, the warehouse's copy of it, the newest published head, and every landed file. Waits for a run under way.

    Raises NothingPublishedError where no run has reported anything yet.
    """
    with writer_lock(workspace.warehouse, timeout=_LOCK_SECONDS, waiting=log.warning):
        chain = Ledger(workspace.ledger).read()
        findings = [*chain.findings, *_cut(chain, _published_heads(workspace))]
        if workspace.warehouse.exists():
            with connect(workspace.warehouse) as con:
                create_control_tables(con)
                findings += _cut(chain, list(_warehouse_heads(con)))
                # Of a ledger that is damaged itself the copy must differ.
                findings += _copy_findings(con, chain) if not findings else []
        landing = check_landing(workspace.landing, chain)
    findings += landing.findings
    if not findings and not chain.runs:
        raise NothingPublishedError(
            f"No run has reported anything in {workspace.root} yet. Run `plumbline run` first."
        )
    return Verification(
        findings, landing.waiting, len(chain.runs), len(chain.answers), len(chain.inputs), chain.head
    )


def _recalled(workspace: Workspace, con: "DuckDBPyConnection") -> Chain:
    """The ledger, whole and mirrored in the warehouse."""
    chain = Ledger(workspace.ledger).read()
    # A simulated world that went back in time has begun a new ledger, and what is published still names the old one.
    heads = [] if workspace.config.simulation is not None else _published_heads(workspace)
    for finding in [*chain.findings, *_cut(chain, [*_warehouse_heads(con), *heads])]:
        raise LedgerError(str(finding))
    mirror(con, ledger_rows(chain.runs, chain.answers))
    restore_versions(con, version_rows(chain.runs))
    return chain


def _undeclared(con: "DuckDBPyConnection", chain: Chain) -> Iterator[Declared]:
    """The versions of the strategy that the ledger does not have yet, run by run."""
    known = set(version_rows(chain.runs))
    new = (row for row in kept_versions(con) if row not in known)
    for (run_id, as_of, seen_at, cycle_start, cycle_end), rows in groupby(new, key=lambda row: row[:5]):
        yield Declared(
            run_id=run_id,
            as_of=as_of,
            seen_at=seen_at,
            cycle_start=cycle_start,
            cycle_end=cycle_end,
            facts=tuple(row[5:] for row in rows),
        )


def _published_heads(workspace: Workspace) -> list[tuple[str, Head]]:
    """The newest line that the published run knows of."""
    try:
        head = Published(workspace.published).run.get("ledger")
    except NothingPublishedError:
        return []
    return [("published/current/run.json", Head(**head))] if head else []


def _warehouse_heads(con: "DuckDBPyConnection") -> Iterator[tuple[str, Head]]:
    head = ledger_head(con)
    if head is not None:
        yield "warehouse.duckdb", Head(**head)


def _cut(chain: Chain, heads: Sequence[tuple[str, Head]]) -> Iterator[Finding]:
    """Lines that others have seen and the ledger does not have: its end was cut off, or it was written anew."""
    for witness, head in heads:
        if chain.lacks(head):
            what = f"line number {head.number}, as {witness} knows it, is not in the ledger"
            yield Finding("ledger", None, what, _CUT)


def _copy_findings(con: "DuckDBPyConnection", chain: Chain) -> Iterator[Finding]:
    numbers = strayed(con, ledger_rows(chain.runs, chain.answers))
    if numbers:
        what = f"{len(numbers)} rows of control.ledger are not what the ledger says, the first is number {numbers[0]}"
        yield Finding("warehouse.duckdb", None, what, _FILLED_AGAIN)
    # What an interrupted run saw is in no ledger yet; the next run takes it in.
    declared, reported = set(version_rows(chain.runs)), {run.report.run_id for run in chain.runs}
    versions = [row for row in kept_versions(con) if row not in declared and row[0] in reported]
    if versions:
        what = f"{len(versions)} rows of control.strategy_versions are not what the ledger says, the first is of {versions[0][6]}"
        yield Finding("warehouse.duckdb", None, what, _FILLED_AGAIN)
