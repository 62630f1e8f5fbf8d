"""What dbt does again and again though it cannot matter to a test, left out: seconds in each of hundreds of commands."""

import marshal
import os
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Any, cast

from dbt.adapters import cache
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.sql import connections
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.clients.jinja import MacroFuzzEnvironment


def parse_wherever_the_warehouse_is() -> None:
    """Have dbt leave the place of the warehouse out of what it compares a parsed project by, in this process.

    It parses a project anew when its warehouse stands elsewhere, though nothing that is parsed depends on where it stands.
    Tests work on copies of workspaces and on many small projects: each would be parsed from nothing, which takes three seconds.
    """
    keys: Callable[[Any], tuple[str, ...]] = DuckDBCredentials._connection_keys
    without_path = lambda credentials: tuple(key for key in keys(credentials) if key != "path")  # noqa: E731
    setattr(DuckDBCredentials, "_connection_keys", without_path)  # noqa: B010


def look_for_no_caller() -> None:
    """Have dbt not read the source of all its callers, which under pytest are many, to name one of them in a notice."""
    setattr(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt"))  # noqa: B010


def say_nothing_of_statements() -> None:
    """Have dbt not make up its debug events of each statement and relation: a sixth of a node's time, and no log is kept."""
    for module, events in (
        (connections, ("ConnectionUsed", "SQLQuery", "SQLQueryStatus", "SQLCommit")),
        (cache, ("CacheAction", "CacheDumpGraph")),
    ):
        for event in events:
            setattr(module, event, lambda **_: None)
        setattr(module, "fire_event", _unless_nothing(getattr(module, "fire_event")))  # noqa: B009, B010


def _unless_nothing(fire: Callable[..., None]) -> Callable[..., None]:
    return lambda event, *more, **named: None if event is None else fire(event, *more, **named)


def compile_once() -> None:
    """Have Jinja keep what a text compiles to, in the folder that the environment variable `KEPT_TEMPLATES` names.

    The package's models and dbt's macros are the same in every run and every small project.
    """
    compile_anew = MacroFuzzEnvironment.compile
    known: dict[bytes, CodeType] = {}

    def compiled(self: MacroFuzzEnvironment, source: Any, *named: Any, **how: Any) -> Any:
        about = (type(self).__name__, list(self.extensions), self.undefined.__name__, source, named, how)
        key = sha256(repr(about).encode()).digest()
        if key not in known:
            known[key] = kept(key) or keep(key, compile_anew(self, source, *named, **how))
        return known[key]

    setattr(MacroFuzzEnvironment, "compile", compiled)  # noqa: B010


def kept(key: bytes) -> CodeType | None:
    """What was kept under a key."""
    folder = os.environ.get("KEPT_TEMPLATES")
    try:
        return cast(CodeType, marshal.loads((Path(folder) / key.hex()).read_bytes())) if folder else None
    except FileNotFoundError:
        return None


def keep(key: bytes, code: CodeType) -> CodeType:
    """Keep a code under a key, whole or not at all: others read and write the same folder."""
    if folder := os.environ.get("KEPT_TEMPLATES"):
        part = Path(folder) / f"{key.hex()}.{os.getpid()}.{threading.get_ident()}"
        part.write_bytes(marshal.dumps(code))
        part.replace(part.with_name(key.hex()))
    return code


def dbt_at_speed() -> None:
    """All of it, in this process."""
    parse_wherever_the_warehouse_is()
    look_for_no_caller()
    say_nothing_of_statements()
    compile_once()
