"""Whether Dagster's daemon, its schedule and its sensors are alive, read from outside of Dagster.

Plain SQL over three columns of Dagster's SQLite files: importing Dagster takes longer than a watchdog may, and its API
would create what is missing. `tests/orchestration/test_health.py` holds it against what the installed Dagster writes.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# The threads without which nothing starts by itself; each sends a heartbeat every 30 seconds.
_THREADS = ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR")
SILENT_AFTER = timedelta(minutes=10)
# A schedule tells of itself about every hour, whatever its times are: after 3600 to 4200 seconds.
_SCHEDULE_SILENT_AFTER = timedelta(hours=2)
_NOT_IN_USE_AFTER = timedelta(days=7)


class UnreadableError(Exception):
    """Dagster's files cannot be read, or are not as the Dagster that was tried wrote them."""


@dataclass(frozen=True)
class Ticker:
    """A schedule or a sensor. `last`: when it was last at work, UTC; None when it never was."""

    name: str
    kind: str
    switched_off: bool
    last: datetime | None

    def problem(self, now: datetime) -> str | None:
        """What is wrong with it, in a sentence that stays the same while it is; None when it ticks."""
        if self.switched_off:
            return f"The {self.kind} {self.name} is switched off in Dagster."
        limit = _SCHEDULE_SILENT_AFTER if self.kind == "schedule" else SILENT_AFTER
        if self.last is None or now - self.last > limit:
            since = f"since {self.last:%Y-%m-%d %H:%M} UTC" if self.last else "yet"
            return f"The {self.kind} {self.name} has not ticked {since}."
        return None


@dataclass(frozen=True)
class Daemon:
    """`heartbeats`: the last of each thread that it takes, UTC."""

    heartbeats: dict[str, datetime]
    tickers: tuple[Ticker, ...]

    @property
    def last_heartbeat(self) -> datetime:
        return max(self.heartbeats.values())

    def is_alive(self, now: datetime) -> bool:
        return now - self.last_heartbeat <= SILENT_AFTER

    def silent_threads(self, now: datetime) -> list[str]:
        return [
            thread
            for thread in _THREADS
            if thread not in self.heartbeats or now - self.heartbeats[thread] > SILENT_AFTER
        ]


def look(home: Path, now: datetime) -> Daemon | None:
    """The daemon of a Dagster home; None where none was ever started, or none within a week. Raises UnreadableError."""
    try:
        heartbeats = {
            str(thread): datetime.fromisoformat(at).replace(tzinfo=UTC)
            for thread, at in _rows(
                home / "history" / "runs.db", "select daemon_type, timestamp from daemon_heartbeats"
            )
        }
        if not heartbeats or now - max(heartbeats.values()) > _NOT_IN_USE_AFTER:
            return None
        tickers = tuple(
            _ticker(str(kind), str(status), json.loads(body))
            for kind, status, body in _rows(
                home / "schedules" / "schedules.db",
                "select instigator_type, status, instigator_body from instigators order by id",
            )
        )
    except (sqlite3.Error, KeyError, TypeError, ValueError) as error:
        raise UnreadableError(f"Dagster's files under {home} cannot be read: {error}") from error
    return Daemon(heartbeats, tickers)


def _ticker(kind: str, status: str, body: dict[str, Any]) -> Ticker:
    # A schedule notes when it was last looked at, a sensor when it last ran.
    known = body["job_specific_data"] or {}
    last = known.get("last_iteration_timestamp" if kind == "SCHEDULE" else "last_tick_start_timestamp")
    return Ticker(
        name=str(body["origin"]["job_name"]),
        kind=kind.lower(),
        switched_off=status == "STOPPED",
        last=None if last is None else datetime.fromtimestamp(last, UTC),
    )


def _rows(file: Path, query: str) -> Iterator[tuple[Any, ...]]:
    if not file.exists():
        return
    # Reading must leave no files behind: without a write-ahead log nobody has it open, and all there is stands in the file.
    live = file.with_name(file.name + "-wal").exists()
    uri = f"{file.resolve().as_uri()}?{'mode=ro' if live else 'immutable=1'}"
    with closing(sqlite3.connect(uri, uri=True, timeout=0.2)) as database:
        yield from database.execute(query).fetchall()
