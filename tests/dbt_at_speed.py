"""What dbt does again and again though it cannot matter to a test, left out: seconds in each of hundreds of commands."""

from collections.abc import Callable
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt_common.behavior_flags import BehaviorFlagRendered


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
