"""What each step found, as rows of `control.check_results`: the one form in which doubt reaches the scorecard."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.source import Source
from expectations.gates import GateResult
from orchestration.daemon import Daemon
from orchestration.transformation import NodeResult
from warehouse.control import CheckResult, Severity
from warehouse.vanished import Counted, counted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def of_pulls(sources: Mapping[str, Source], failures: Mapping[str, str]) -> list[CheckResult]:
    """One for every stream; `failures` gives the reason for each source that could not be pulled."""
    return [
        CheckResult(
            kind="pull",
            subject=f"{name}.{stream.name}",
            check_name="pulled",
            passed=name not in failures,
            severity="error",
            message=failures.get(name, "pulled"),
        )
        for name, source in sources.items()
        for stream in source.streams
    ]


def of_nodes(nodes: Iterable[NodeResult]) -> Iterator[CheckResult]:
    """One for every dbt model, seed and test; what dbt says of one that went well depends on whether its table was there."""
    for node in nodes:
        if node.resource_type not in {"model", "seed", "test"}:
            continue
        is_test = node.resource_type == "test"
        yield CheckResult(
            kind="test" if is_test else "model",
            subject=node.relation,
            check_name=node.name if is_test else "computed",
            passed=node.ok,
            severity="warn" if is_test else "error",
            message=("Holds." if is_test else "Computed.") if node.ok else node.message or node.status,
            failing_rows=node.failing_rows,
            caused_by=node.caused_by,
        )


def of_gates(gates: Iterable[GateResult]) -> list[CheckResult]:
    """One for every check of Great Expectations."""
    return [
        CheckResult(
            "gate", gate.subject, gate.check, gate.passed, gate.severity, gate.message, gate.failing_rows
        )
        for gate in gates
    ]


def of_freshness(con: "DuckDBPyConnection") -> list[CheckResult]:
    """One for every dated stream, so that a later run knows when one that is fresh again had been stale."""
    found = con.execute(
        """
        select source || '.' || stream, not stale, sentence from scorecard.source_freshness
        where business_lag_days is not null order by 1
        """
    ).fetchall()
    return [
        CheckResult("freshness", subject, "business_date", passed, "warn", sentence)
        for subject, passed, sentence in found
    ]


def of_fields(changes: Mapping[str, Sequence[str]]) -> list[CheckResult]:
    """One for every stream (`source.stream`) of which files were loaded, by the changes of its fields."""
    return [
        CheckResult(
            "schema", subject, "fields", not found, "warn", " ".join(found) or "Its fields are as they were."
        )
        for subject, found in changes.items()
    ]


def of_counts(con: "DuckDBPyConnection") -> list[CheckResult]:
    """One for every stream all of whose records are looked at: whether all that are known were found, or deleted one by one."""
    lost: dict[str, list[str]] = {}
    archived: Counter[str] = Counter()
    for one in counted(con):
        stream = f"{one.source}.{one.stream}"
        sentences = lost.setdefault(stream, [])
        if one.state == "archived":
            archived[stream] += one.missing
        elif one.state != "seen":
            sentences.append(_lost(one))
    return [
        CheckResult(
            "census",
            subject,
            "all_seen",
            not sentences,
            "error",
            " ".join(sentences)
            or "Every known record was found, or deleted by itself."
            + (f" {archived[subject]} are archived." if archived[subject] else ""),
        )
        for subject, sentences in lost.items()
    ]


def _lost(one: Counted) -> str:
    if one.state == "access lost":
        return (
            f"{one.scope} is not to be seen any more, with {one.missing} known records. "
            "Give the account access to it again; until then they count as they were."
        )
    of = f" of {one.scope}" if one.scope else ""
    return (
        f"{one.missing} of {one.known} known records{of} were not found, all at once: rather a lost permission than a deletion. "
        "Give the account access again; until then they count as they were."
    )


def of_quarantine(con: "DuckDBPyConnection", streams: Iterable[tuple[str, str]]) -> Iterator[CheckResult]:
    """Two for every stream (source, stream) read from files: no row in quarantine, no file refused whole or waiting."""
    found = con.execute(
        """
        select
            _source, record ->> 'stream', record ->> 'file', record ->> 'state',
            concat_ws('. ', record ->> 'reason', record ->> 'mend'),
            coalesce(cast(record ->> 'quarantined' as bigint), 0),
            record ->> '$.quarantine[0].row', record ->> '$.quarantine[0].reason'
        from raw.finance_files where not _deleted order by 3
        """
    ).fetchall()
    for stream in streams:
        mine = [row[2:] for row in found if row[:2] == stream]
        refused = [reason for _, state, reason, *_ in mine if state == "refused"]
        broken = [(file, rows, line, reason) for file, _, _, rows, line, reason in mine if rows]
        rows = sum(each[1] for each in broken)
        said = "Every row of its files was read or is known to be no data."
        if broken:
            file, _, line, reason = broken[0]
            row_s, file_s = f"{rows} row{'s'[: rows != 1]}", f"{len(broken)} file{'s'[: len(broken) != 1]}"
            said = f"{row_s} of {file_s} could not be read and went to quarantine, the first in {file}, line {line}, {reason}."
        yield CheckResult("quarantine", ".".join(stream), "rows", not broken, "warn", said, rows or None)
        waiting = [file for file, state, *_ in mine if state == "waiting"]
        said = "No file was refused, and none waits."
        if refused:
            many = f" {len(refused) - 1} more." if len(refused) > 1 else ""
            said = f"A file was refused whole: {refused[0]}{many}"
        elif waiting:
            said = f"{waiting[0]} is still being written and waits for the next run."
        severity: Severity = "error" if refused else "warn"
        yield CheckResult("quarantine", ".".join(stream), "files", not (refused or waiting), severity, said)


def of_tickers(found: Daemon | None, now: datetime) -> list[CheckResult]:
    """One for the daemon's schedule and each of its sensors, where a daemon is in use."""
    return [
        CheckResult("sensor", ticker.name, "ticking", problem is None, "warn", problem or "It ticks.")
        for ticker in (found.tickers if found else ())
        for problem in [ticker.problem(now)]
    ]


def of_volume(con: "DuckDBPyConnection") -> list[CheckResult]:
    """One for every stream that this run pulled and whose records bear a day; none where the model was not built."""
    if not con.execute(
        "select 1 from duckdb_tables() where schema_name = 'operations' and table_name = 'stream_volume'"
    ).fetchone():
        return []
    found = con.execute(
        "select source || '.' || stream, is_usual, sentence from operations.stream_volume order by 1"
    ).fetchall()
    return [
        CheckResult("volume", subject, "usual", passed, "warn", sentence)
        for subject, passed, sentence in found
    ]
