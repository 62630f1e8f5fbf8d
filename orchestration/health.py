"""`plumbline health`: a look from outside at everything that has to go on by itself. Writes nothing, takes no lock.

Imports neither Dagster nor dbt, so that a monitor may ask every minute, also while a run is going on.
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from alerts import last_run
from alerts.last_run import published_at
from orchestration import daemon
from orchestration.workspace import Workspace
from publish import PUBLIC_TABLES, NothingPublishedError, Published
from strategy import InputErrors

State = Literal["ok", "warning", "failed"]

_LONG_RUN = timedelta(hours=2)
_LONG_WAIT = timedelta(hours=1)
_LITTLE_ROOM = 1 << 30


@dataclass(frozen=True)
class Finding:
    """What one look found. `sentence` says what to do where something is wrong."""

    check: str
    state: State
    sentence: str


def examine(workspace: Workspace, now: datetime) -> list[Finding]:
    """Everything that is looked at, in the order in which people should mend it. `now` in UTC."""
    return [_careful(look, workspace, now) for look in LOOKS]


def is_healthy(findings: list[Finding]) -> bool:
    """A warning can wait for office hours."""
    return all(finding.state != "failed" for finding in findings)


def _careful(look: Callable[[Workspace, datetime], Finding], workspace: Workspace, now: datetime) -> Finding:
    """A look that cannot look is a finding, not an end."""
    try:
        return look(workspace, now)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return Finding(look.__name__, "failed", f"Could not be looked at: {reason}.")


def run(workspace: Workspace, now: datetime) -> Finding:
    """The age of the last successful run, and how the last one ended."""
    try:
        succeeded_at = published_at(Published(workspace.published).folder)
    except NothingPublishedError:
        return Finding("run", "failed", "No run has ever succeeded. Start one: plumbline run.")
    late_after = timedelta(hours=workspace.config.schedule.late_after_hours)
    age = now - succeeded_at
    last = f"The last successful run ended {_ago(age)}"
    ended = last_run.recall(workspace.state)
    failed = ended is not None and not ended.succeeded
    if age > late_after:
        why = "and the last one failed" if failed else "and none has ended since"
        return Finding(
            "run",
            "failed",
            f"{last}, {why}; after {_long(late_after)} that is late. Run it by hand and read what it says: plumbline run.",
        )
    if failed and ended is not None:
        return Finding(
            "run",
            "warning",
            f"{last}; the last one failed {_ago(now - ended.ended_at)}. Run it by hand and read what it says: plumbline run.",
        )
    return Finding("run", "ok", f"{last}; up to {_long(late_after)} is in time.")


def published(workspace: Workspace, now: datetime) -> Finding:
    """Whether readers get a whole run."""
    try:
        current = Published(workspace.published)
    except NothingPublishedError:
        return Finding("published", "failed", "Nothing is published. Start a run: plumbline run.")
    files = [current.folder / "tables" / f"{table.name}.parquet" for table in PUBLIC_TABLES]
    files += [current.folder / "json" / f"{table.name}.json" for table in PUBLIC_TABLES if table.as_json]
    missing = [file for file in files if not file.is_file() or not file.stat().st_size]
    if missing:
        names = f"{missing[0].name}{f' and {len(missing) - 1} more' if missing[1:] else ''}"
        return Finding(
            "published",
            "failed",
            f"The published run lacks {names}. Publish it again: plumbline run.",
        )
    key_results = len(current.table("kr_current"))
    return Finding(
        "published",
        "ok",
        f"Readers see {key_results} key results as of {current.run['as_of']}, all files are there.",
    )


def dagster(workspace: Workspace, now: datetime) -> Finding:
    """Daemon, schedule and sensor, where `plumbline dev` is in use."""
    try:
        found = daemon.look(workspace.state / "dagster", now)
    except daemon.UnreadableError as error:
        return Finding("dagster", "warning", f"{error}. Look at Dagster's own page of its daemons.")
    if found is None:
        return Finding("dagster", "ok", "No daemon of Dagster is in use here.")
    if not found.is_alive(now):
        silent = f"Dagster's daemon is silent since {found.last_heartbeat:%Y-%m-%d %H:%M} UTC"
        ended = last_run.recall(workspace.state)
        if (
            ended is not None
            and ended.succeeded
            and ended.ended_at - found.last_heartbeat > daemon.SILENT_AFTER
        ):
            return Finding(
                "dagster",
                "warning",
                f"{silent}; runs have been started otherwise since. A week of silence counts as not in use.",
            )
        return Finding("dagster", "failed", f"{silent}: nothing starts by itself. Start it: plumbline dev.")
    problems = [problem for ticker in found.tickers if (problem := ticker.problem(now))]
    if threads := found.silent_threads(now):
        problems.insert(0, f"No heartbeat comes from {', '.join(threads)}.")
    if problems:
        return Finding(
            "dagster",
            "failed",
            f"{' '.join(problems)} Switch on what is off on Dagster's page Automation, else start plumbline dev again.",
        )
    names = ", ".join(ticker.name for ticker in found.tickers)
    return Finding("dagster", "ok", f"The daemon is alive, {names} tick.")


def streams(workspace: Workspace, now: datetime) -> Finding:
    """What the published run found of its sources."""
    try:
        current = Published(workspace.published)
    except NothingPublishedError:
        return Finding("streams", "ok", "No run has looked at any stream yet.")
    stale = [row["sentence"] for row in current.table("source_freshness") if row["stale"]]
    broken = [row for row in current.table("checks") if row["kind"] == "pull" and not row["passed"]]
    if broken:
        names = ", ".join(row["subject"] for row in broken)
        return Finding(
            "streams",
            "warning",
            f"The last run could not pull {names}. Try the connections: plumbline check.",
        )
    if stale:
        return Finding(
            "streams", "warning", f"{' '.join(stale)} Ask the owner of the source whether it still records."
        )
    return Finding("streams", "ok", "Every stream came, and as fresh as it has to be.")


def lock(workspace: Workspace, now: datetime) -> Finding:
    """Whether a run is writing. The system's list of locks tells without touching the lock."""
    file = workspace.warehouse.with_name(workspace.warehouse.name + ".lock")
    holder = _holder(file)
    if holder is None:
        return Finding("lock", "ok", "No run is writing to the warehouse.")
    running = now - _started(holder)
    said = f"Process {holder} may write to the warehouse; it was started {_ago(running)}"
    if running > _LONG_RUN:
        return Finding(
            "lock",
            "warning",
            f"{said}, and every other run waits for it. Look whether it still works; the lock goes when it ends.",
        )
    return Finding("lock", "ok", f"{said}.")


def disk(workspace: Workspace, now: datetime) -> Finding:
    """Whether another run has room: for a copy of what is published and for the warehouse once more."""
    place = workspace.state if workspace.state.exists() else workspace.root
    free = shutil.disk_usage(place).free
    needed = sum(_size(path) for path in (workspace.warehouse, workspace.published / "current"))
    said = f"{_bytes(free)} are free where a run may need {_bytes(needed)}"
    if free < needed:
        return Finding("disk", "failed", f"{said}. Make room on the disk of {place}.")
    if free < max(3 * needed, _LITTLE_ROOM):
        return Finding("disk", "warning", f"{said}. Make room on the disk of {place} soon.")
    return Finding("disk", "ok", f"{said}.")


def messages(workspace: Workspace, now: datetime) -> Finding:
    """Whether alerts get through."""
    if workspace.config.alerts is None:
        return Finding("messages", "ok", "Nobody is to be alerted: plumbline.yml has no `alerts`.")
    # Half a second of import, which a company without alerts need not wait for.
    from sqlalchemy.exc import SQLAlchemyError

    from orchestration import alerting

    try:
        found = alerting.messages(workspace)
    except (InputErrors, SQLAlchemyError) as error:
        return Finding(
            "messages", "warning", f"Whether alerts get through cannot be seen: {type(error).__name__}."
        )
    if found is None:
        return Finding("messages", "ok", "Nothing has had to be said yet.")
    if found.trouble:
        said = " ".join(f"{name}: {problem.rstrip('.')}." for name, problem in found.trouble.items())
        return Finding(
            "messages", "warning", f"Messages do not get through. {said} Try again: plumbline alerts test."
        )
    if found.waiting_since and now - found.waiting_since > _LONG_WAIT:
        waiting = f"Messages wait since {found.waiting_since:%Y-%m-%d %H:%M} UTC"
        return Finding(
            "messages", "warning", f"{waiting}. Send them, and read what it says: plumbline alerts send."
        )
    sent = sum(number for (_, state), number in found.counts.items() if state == "sent")
    return Finding("messages", "ok", f"{sent} messages were sent, none waits for long.")


LOOKS: tuple[Callable[[Workspace, datetime], Finding], ...] = (
    run,
    published,
    dagster,
    streams,
    messages,
    lock,
    disk,
)
"""Another look is added here."""


def as_json(findings: list[Finding]) -> str:
    """For programs: whether it is healthy, and each finding."""
    checks = [vars(finding) for finding in findings]
    return json.dumps({"healthy": is_healthy(findings), "checks": checks}, indent=2, ensure_ascii=False)


def _holder(lock: Path) -> int | None:
    """The id of the process that holds a lock; None when nobody does, or when the system has no such list (it is Linux's)."""
    locks = Path("/proc/locks")
    if not lock.exists() or not locks.exists():
        return None
    inode = str(lock.stat().st_ino)
    for line in locks.read_text(encoding="ascii").splitlines():
        # "1: FLOCK ADVISORY WRITE 19219 fe:00:2173062 0 EOF"; "->" marks those who wait.
        words = line.split()
        if words[1] == "FLOCK" and words[5].rpartition(":")[2] == inode:
            return int(words[4])
    return None


def _started(process: int) -> datetime:
    boot = next(
        int(line.split()[1])
        for line in Path("/proc/stat").read_text(encoding="ascii").splitlines()
        if line.startswith("btime")
    )
    # After the name, which may hold anything but ends with the last bracket; the 22nd field, proc(5).
    fields = (
        Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    )
    return datetime.fromtimestamp(boot + int(fields[19]) / os.sysconf("SC_CLK_TCK"), UTC)


def _size(path: Path) -> int:
    path = path.resolve()
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(file.stat().st_size for file in files)


def _ago(age: timedelta) -> str:
    return f"{_long(age)} ago"


def _long(time: timedelta) -> str:
    minutes = max(0, round(time.total_seconds() / 60))
    if minutes < 120:
        return f"{minutes} minutes"
    if minutes < 72 * 60:
        return f"{minutes // 60} hours"
    return f"{minutes // (24 * 60)} days"


def _bytes(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 30 else f"{size / (1 << 20):.0f} MiB"
