"""The steps of one refresh, from the source systems to the published scorecard. Dagster calls them in this order.

Each step reads what the step before left on disk or in the warehouse, so that a step can be run again by itself.
Only one process may write to a workspace's warehouse; it holds that right until it ends or calls `let_go`.
"""

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import strategy
from connectors.errors import InputError, PullFailed, SourceError
from connectors.finance.connector import FILES, FinanceFiles
from connectors.landing import Landing, Manifest
from connectors.source import Source
from expectations.arriving import arriving_suites
from expectations.gates import GateResult, run_gates
from expectations.published import published_suites
from expectations.suites import Suite
from orchestration import check_results, daemon
from orchestration.ahead import look_ahead
from orchestration.alerting import channel_checks
from orchestration.project import DBT_PACKAGE
from orchestration.restatements import restate
from orchestration.sources import connected, listed, problem_of
from orchestration.transformation import NodeResult, Transformation
from orchestration.workspace import Workspace
from publish import Publication, publish
from strategy import InputErrors, Problem
from warehouse.connection import connect
from warehouse.control import (
    CheckResult,
    ConfiguredStream,
    KeyResultInput,
    Run,
    begin_run,
    built_by,
    create_control_tables,
    current_run,
    mark_built,
    record_checks,
    set_addresses,
    set_kr_inputs,
    set_streams,
)
from warehouse.fields import note_fields
from warehouse.forecasts import create_forecast_tables
from warehouse.ledger_mirror import ledger_head
from warehouse.listed_fields import note_listed_fields
from warehouse.merge import LoadResult
from warehouse.raw import create_raw_tables, cursors, load, loaded_rows, pending
from warehouse.strategy_versions import record_strategy
from warehouse.writer_lock import writer_lock

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger("plumbline")

_LOCK_SECONDS = 600.0
_PROGRESS_SECONDS = 2.0
# Streams whose records bear the day something happened in the business; plans and lists of names do not.
_DATED_STREAMS = frozenset({"issues", "deals", "opportunities", "ledger"})

# A KR whose model fails must not take the scorecard with it, so what gathers the KRs is built by a second dbt call.
_COMPUTED = " ".join(
    f"config.schema:{each}"
    for each in ("strategy", "staging", "flow", "key_results", "handoffs", "operations")
)
_SCORED = "kr_values config.schema:scorecard"

_held = ExitStack()
_held_warehouses: set[Path] = set()


@dataclass(frozen=True)
class Transformed:
    """What dbt and the gates on what arrived said."""

    nodes: list[NodeResult]
    gates: list[GateResult]


def as_of_day(workspace: Workspace, asked: date | None) -> date:
    """The day a refresh stands on: the one asked for, else the simulation's, else today where the cycle is."""
    if asked is not None:
        return asked
    if workspace.config.simulation is not None:
        return workspace.config.simulation.as_of
    return datetime.now(ZoneInfo(workspace.strategy.cycle.timezone)).date()


def begin(workspace: Workspace, run_id: str, as_of: date) -> None:
    """Take the right to write, and make the warehouse ready: tables, the run's day, the configured streams."""
    hold_writer(workspace)
    if workspace.config.simulation is not None:
        _rewind_simulation(workspace, as_of)
    streams = [
        ConfiguredStream(
            name,
            source.system,
            stream.name,
            workspace.config.sources[name].freshness_days if stream.name in _DATED_STREAMS else None,
        )
        for name, source in listed(workspace).items()
        for stream in source.streams
    ]
    with connect(workspace.warehouse) as con:
        create_control_tables(con)
        create_raw_tables(con)
        create_forecast_tables(con)
        set_streams(con, streams)
        begin_run(con, run_id, as_of, workspace.strategy.cycle.timezone)
        record_checks(con, channel_checks(workspace))


def extract(workspace: Workspace, as_of: date) -> list[Manifest]:
    """Pull every source into landing, all systems at once.

    Raises InputErrors for what a person must mend, before anything is loaded; a source that merely fails is recorded as a
    failed check, and the others go on.
    """
    landing = Landing(workspace.landing)
    with connect(workspace.warehouse) as con:
        committed = {name: cursors(con, name) for name in workspace.config.sources}
    manifests: list[Manifest] = []
    failures: dict[str, str] = {}
    problems: list[Problem] = []
    with connected(workspace, as_of) as sources, ThreadPoolExecutor(max_workers=len(sources)) as pool:
        pulls = {
            source.name: pool.submit(source.pull, committed[source.name], landing, _Progress())
            for source in sources
        }
        for name, pull in pulls.items():
            try:
                manifests.extend(pull.result())
            except InputError as error:
                problems.append(problem_of(workspace, name, error))
            except PullFailed as error:
                log.warning("%s could not be pulled: %s", name, error)
                failures[name] = str(error)
        if problems:
            raise InputErrors(problems)
        addresses = _addresses(source for source in sources if source.name not in failures)
    with connect(workspace.warehouse) as con:
        set_addresses(con, addresses)
        record_checks(con, [*check_results.of_pulls(listed(workspace), failures), *_tickers_seen(workspace)])
    return manifests


def record_observations(workspace: Workspace, seen: list[CheckResult]) -> None:
    """Put what the sensor saw beside the results of the other checks."""
    with connect(workspace.warehouse) as con:
        record_checks(con, seen)


def load_landed(workspace: Workspace) -> dict[str, LoadResult]:
    """Load every landed file that is not in the warehouse yet, oldest first; gives the outcome by file."""
    landing = Landing(workspace.landing)
    loaded = {}
    changes: dict[str, list[str]] = {}
    with connect(workspace.warehouse) as con:
        for manifest in pending(con, landing):
            outcome = loaded[manifest.file] = load(con, landing.root, manifest)
            log.info(
                "loaded %s %s: %d new, %d changed, %d as they were",
                manifest.source, manifest.stream, outcome.inserted, outcome.updated, outcome.unchanged,
            )  # fmt: skip
            if manifest.mode == "census":
                continue
            told = (note_fields(con, landing.root, manifest), note_listed_fields(con, manifest))
            changes.setdefault(f"{manifest.source}.{manifest.stream}", []).extend(filter(None, told))
        read_from_files = [
            (name, stream.name)
            for name, source in listed(workspace).items()
            if source.system == FinanceFiles.system
            for stream in source.streams
            if stream is not FILES
        ]
        record_checks(
            con,
            [
                *check_results.of_fields(changes),
                *check_results.of_counts(con),
                *check_results.of_quarantine(con, read_from_files),
            ],
        )
    return loaded


def loaded_since(workspace: Workspace, moment: datetime) -> list[dict[str, str | int]]:
    """What was loaded from a moment on, as `warehouse.raw.loaded_rows` gives it; nothing when this process may not look."""
    if workspace.warehouse not in _held_warehouses:
        return []
    with connect(workspace.warehouse) as con:
        create_control_tables(con)
        return loaded_rows(con, moment)


def arriving(workspace: Workspace, latest: datetime) -> list[Suite]:
    """The suites for what arrives from the configured streams; `latest`: nothing can have happened after it."""
    streams = [
        (name, source.system, stream.name)
        for name, source in listed(workspace).items()
        for stream in source.streams
    ]
    return arriving_suites(streams, latest)


def leaving(workspace: Workspace, as_of: date) -> list[Suite]:
    """The suites for what is about to be published."""
    return published_suites([kr.id for kr in workspace.strategy.key_results], as_of)


def transform(workspace: Workspace, transformation: Transformation) -> Transformed:
    """Build staging, flow and every KR, judge what arrived, then build the scorecard in the light of that."""
    definition, cycle = strategy.flow_hash(workspace.dbt, DBT_PACKAGE), workspace.strategy.cycle
    with connect(workspace.warehouse) as con:
        record_strategy(
            con, strategy.declared(workspace.strategy, workspace.metrics), (cycle.start, cycle.end)
        )
        set_kr_inputs(con, _kr_inputs(workspace, transformation))
        full = built_by(con) != definition
    log.info("computing %d key results", len(workspace.strategy.key_results))
    computed = transformation.build(_COMPUTED, exclude="kr_values resource_type:unit_test", full=full)
    log.info("checking what arrived")
    with connect(workspace.warehouse) as con:
        run = begun_run(con)
    gates = run_gates(
        workspace.warehouse, arriving(workspace, max(run.as_of_at, run.started_at)), _narrate_gate
    )
    for node in computed:
        if node.status == "error":
            log.warning("%s: %s", node.relation, " ".join(node.message.split()))
    with connect(workspace.warehouse) as con:
        _drop_failed(con, computed)
        mark_built(con, definition)
        record_checks(
            con,
            [
                *check_results.of_nodes(computed),
                *check_results.of_gates(gates),
                *check_results.of_volume(con),
            ],
        )
    log.info("looking ahead")
    with connect(workspace.warehouse) as con:
        look_ahead(con, workspace)
    log.info("judging the key results")
    scored = transformation.build(_SCORED)
    broken = [node for node in scored if node.resource_type == "model" and not node.ok]
    if broken:
        raise RuntimeError(f"{broken[0].relation} could not be computed: {broken[0].message}")
    restate(
        workspace.warehouse,
        transformation,
        strategy.definition_hashes(workspace.strategy, workspace.dbt, DBT_PACKAGE),
        workspace.strategy.cycle.timezone,
        simulated=workspace.config.simulation is not None,
    )
    with connect(workspace.warehouse) as con:
        record_checks(con, check_results.of_freshness(con))
    return Transformed([*computed, *scored], gates)


def check_published(workspace: Workspace) -> list[GateResult]:
    """Judge the tables that are about to be published."""
    log.info("checking what is published")
    with connect(workspace.warehouse) as con:
        run = begun_run(con)
    results = run_gates(workspace.warehouse, leaving(workspace, run.as_of), _narrate_gate)
    with connect(workspace.warehouse) as con:
        record_checks(con, check_results.of_gates(results))
    return results


def publish_run(workspace: Workspace, transformation: Transformation) -> Publication:
    """Publish all tables of the run, atomically."""
    lineage: dict[str, set[tuple[str, str]]] = {kr_id: set() for kr_id in transformation.key_result_models()}
    for each in _kr_inputs(workspace, transformation):
        if each.source and each.stream:
            lineage[each.kr_id].add((each.source, each.stream))
    with connect(workspace.warehouse) as con:
        run = begun_run(con)
        about = {
            "run_id": run.run_id,
            "company": workspace.config.company,
            "as_of": run.as_of.isoformat(),
            "cycle": workspace.strategy.cycle.id,
            "cycle_name": workspace.strategy.cycle.name,
            "cycle_start": workspace.strategy.cycle.start.isoformat(),
            "cycle_end": workspace.strategy.cycle.end.isoformat(),
            "timezone": workspace.strategy.cycle.timezone,
            "currency": workspace.strategy.cycle.currency,
            "started_at": run.started_at.isoformat(),
            "snoozed": [
                {"incident": one.incident, "until": one.until.isoformat(), "because": one.because}
                for one in (workspace.config.alerts.snoozed if workspace.config.alerts else ())
                if run.as_of < one.until
            ],
            "version": version("plumbline"),
            "strategy": strategy.strategy_hash(workspace.root / "strategy", workspace.metrics),
            "ledger": ledger_head(con),
            "lineage": {kr_id: sorted(pairs) for kr_id, pairs in sorted(lineage.items())},
        }
        publication = publish(con, workspace.published, about, transformation.compiled_sql())
    log.info("published %s", publication.folder)
    return publication


def begun_run(con: "DuckDBPyConnection") -> Run:
    """The run that `begin` began. Raises RuntimeError when a step is run on a warehouse without one."""
    run = current_run(con)
    if run is None:
        raise RuntimeError("nothing was ever pulled here: start with the whole refresh")
    return run


def hold_writer(workspace: Workspace) -> None:
    """Take the right to write to the workspace's state, waiting for another run to end; taking it twice changes nothing."""
    if workspace.warehouse not in _held_warehouses:
        _held.enter_context(writer_lock(workspace.warehouse, timeout=_LOCK_SECONDS, waiting=log.warning))
        _held_warehouses.add(workspace.warehouse)


def let_go() -> None:
    """Give the right to write back before the process ends."""
    _held.close()
    _held_warehouses.clear()


def _narrate_gate(subject: str, done: int, all_of_them: int) -> None:
    log.info("checked %s (%d of %d)", subject, done, all_of_them)


class _Progress:
    """Tells the log how many records a pull has brought, every few seconds."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, source: str, stream: str, rows: int) -> None:
        now = time.monotonic()
        if now - self._told >= _PROGRESS_SECONDS:
            self._told = now
            log.info("pulling %s %s: %d records", source, stream, rows)


def _addresses(sources: Iterable[Source]) -> dict[str, Mapping[str, str]]:
    """Where people open the records of these sources; records are worth having without a link, so a refusal is only said."""
    addresses = {}
    for source in sources:
        try:
            addresses[source.name] = source.addresses()
        except SourceError as error:
            log.warning("links into %s stay as they were: %s", source.name, error)
    return addresses


def _tickers_seen(workspace: Workspace) -> list[CheckResult]:
    """Whether what should start runs does; a refresh does not depend on that it can be told."""
    now = datetime.now(UTC)
    try:
        return check_results.of_tickers(daemon.look(workspace.state / "dagster", now), now)
    except daemon.UnreadableError as error:
        log.warning("%s", error)
        return []


def _rewind_simulation(workspace: Workspace, as_of: date) -> None:
    """A simulated world that goes back in time is pulled afresh: what was landed later is not known yet on that evening."""
    with connect(workspace.warehouse) as con:
        create_control_tables(con)
        create_raw_tables(con)
        before = current_run(con)
        if before is not None and as_of < before.as_of:
            log.warning(
                "The demo goes back from %s to %s: its records are pulled afresh.", before.as_of, as_of
            )
            shutil.rmtree(workspace.landing, ignore_errors=True)
            shutil.rmtree(workspace.ledger, ignore_errors=True)
            for file in workspace.state.glob("alerts.sqlite*"):
                file.unlink()
            con.execute("drop schema raw cascade; drop schema control cascade")


def _kr_inputs(workspace: Workspace, transformation: Transformation) -> Iterator[KeyResultInput]:
    """Every table a KR descends from, by dbt's lineage; a raw one with each source and stream that fills it."""
    filled = {
        f"raw.{source.system}_{stream.name}": (stream.name, source.system)
        for source in listed(workspace).values()
        for stream in source.streams
    }
    names = {name: source.system for name, source in listed(workspace).items()}
    for kr_id, model in transformation.key_result_models().items():
        for node in transformation.inputs(model):
            stream, system = filled.get(node, (None, None))
            if stream is None:
                yield KeyResultInput(kr_id, node, None, None)
            for source in (name for name, of in names.items() if of == system):
                yield KeyResultInput(kr_id, node, source, stream)


def _drop_failed(con: "DuckDBPyConnection", nodes: Iterable[NodeResult]) -> None:
    """Remove the tables of models that failed: what an earlier run left there must not pass for today's value."""
    for node in nodes:
        if node.resource_type == "model" and not node.ok:
            schema, table = node.relation.split(".")
            kind = "view" if node.materialized == "view" else "table"
            con.execute(f'drop {kind} if exists "{schema}"."{table}"')
