"""Dagster's log of events in one SQLite database per workspace."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, create_engine


class EventLog(ConsolidatedSqliteEventLogStorage):
    """The storage that it extends, with one engine for all connections.

    By itself it makes an engine for each event, which compiles every statement anew: a tenth of a small run.
    """

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._conn_string, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def has_table(self, table_name: str) -> bool:
        with self._engine.connect() as connection:
            return bool(self._engine.dialect.has_table(connection, table_name))
