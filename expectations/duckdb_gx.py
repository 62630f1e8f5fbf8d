"""Great Expectations over DuckDB: the one place that knows what the two need to work together."""

from __future__ import annotations

from enum import Enum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    from duckdb_engine import ConnectionWrapper
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource


class _KeptOpen(StrEnum):
    # Great Expectations compares the dialect's name with the members of its own enumeration, by value.
    DUCKDB = "duckdb"


def keep_duckdb_open() -> None:
    """Register DuckDB among the dialects whose connection Great Expectations keeps open.

    For the others it closes the connection before it reads the result, and a DuckDB result ends with its connection.
    There is no public setting; a test says when this is no longer needed. Calling it again changes nothing.
    """
    from great_expectations.execution_engine import sqlalchemy_execution_engine as engine

    dialects: tuple[Enum, ...] = engine._PERSISTED_CONNECTION_DIALECTS
    if _KeptOpen.DUCKDB not in dialects:
        engine._PERSISTED_CONNECTION_DIALECTS = (*dialects, _KeptOpen.DUCKDB)  # type: ignore[assignment]


def silent_datasource(connections: Connections) -> SQLDatasource:
    """The warehouse as a source of data, in a context that lives in memory, draws no bars and sends no statistics.

    Left to itself, ``get_context`` would also make a folder for a site of documents.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    keep_duckdb_open()
    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    # With every table that is looked at it writes its whole configuration anew, for nobody: a sixth of the gates' time.
    context._save_project_config = lambda: None  # type: ignore[method-assign]
    return context.data_sources.add_sql(
        name="warehouse",
        connection_string="duckdb://",
        kwargs={"creator": connections.connect},  # type: ignore[call-arg] # missing in its type stubs only
    )


class Connections:
    """Opens the connections that Great Expectations asks for, and closes them all at the end of the block.

    duckdb_engine by itself names itself in the configuration of its connections, and DuckDB refuses two connections
    of one process with different configurations; dbt's is already open.
    """

    def __init__(self, warehouse: Path) -> None:
        self._warehouse = warehouse
        self._open: list[duckdb.DuckDBPyConnection] = []

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *_: object) -> None:
        for con in self._open:
            con.close()

    def tables(self) -> set[str]:
        """The tables and views of the warehouse as ``schema.table``."""
        rows = self._connection().execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables"
        )
        return {row[0] for row in rows.fetchall()}

    def connect(self) -> ConnectionWrapper:
        """A connection as SQLAlchemy's ``creator`` must return it; the session's time zone is UTC."""
        from duckdb_engine import ConnectionWrapper

        return ConnectionWrapper(self._connection())

    def _connection(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        con = duckdb.connect(str(self._warehouse))
        self._open.append(con)
        con.execute("SET TimeZone = 'UTC'")
        return con
