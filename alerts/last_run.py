"""How the last refresh ended: kept in a file, so that whoever watches from outside need not ask Dagster or the warehouse."""

import os
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

NAME = "last_run.json"


class LoadedRows(BaseModel):
    """What loading a stream did, in rows: keys that are new, got a newer version, came as they were, or are gone."""

    model_config = ConfigDict(frozen=True)

    source: str
    stream: str
    inserted: int
    updated: int
    unchanged: int
    deleted: int


class LastRun(BaseModel):
    """The last refresh that ended, well or not. Times are UTC; `phases` gives seconds by step, as far as it came.

    `problem`: why it failed.
    """

    model_config = ConfigDict(frozen=True)

    started_at: AwareDatetime
    ended_at: AwareDatetime
    succeeded: bool
    problem: str | None = None
    phases: dict[str, float] = {}
    loaded: tuple[LoadedRows, ...] = ()

    @property
    def seconds(self) -> float:
        return (self.ended_at - self.started_at).total_seconds()


def keep(state: Path, run: LastRun) -> None:
    """Write it into the folder `state`, in one step, for readers of any moment. Raises OSError."""
    state.mkdir(parents=True, exist_ok=True)
    # Two may end at once, one of them for having waited too long for the other.
    part = state / f"{NAME}.{os.getpid()}.part"
    part.write_text(run.model_dump_json(indent=2) + "\n", encoding="utf-8")
    part.replace(state / NAME)


def recall(state: Path) -> LastRun | None:
    """The last refresh, or None when none has ended yet. Raises OSError or ValueError when the file cannot be read."""
    file = state / NAME
    return LastRun.model_validate_json(file.read_bytes()) if file.exists() else None


def published_at(folder: Path) -> datetime:
    """When the run in this folder was published, UTC: its name begins with that moment."""
    return datetime.strptime(folder.name.partition("-")[0], "%Y%m%dT%H%M%S.%f%z")
