"""dbt parses a project anew when its warehouse stands elsewhere, though nothing that is parsed depends on where it stands.

Tests work on copies of workspaces and on many small projects: each would be parsed from nothing, which takes three seconds.
"""

from collections.abc import Callable
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials


def parse_wherever_the_warehouse_is() -> None:
    """Have dbt leave the place of the warehouse out of what it compares a parsed project by, in this process."""
    keys: Callable[[Any], tuple[str, ...]] = DuckDBCredentials._connection_keys
    without_path = lambda credentials: tuple(key for key in keys(credentials) if key != "path")  # noqa: E731
    setattr(DuckDBCredentials, "_connection_keys", without_path)  # noqa: B010
