"""A PostgreSQL server of the tests' own, on a free port of this machine."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = [*map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))), os.environ.get("PATH", "")]


def programs() -> Path | None:
    """The folder of PostgreSQL's own programs, None where there is no server."""
    found = shutil.which("initdb", path=os.pathsep.join(_PLACES))
    return Path(found).parent if found else None


@contextmanager
def server() -> Iterator[str]:
    """Its address for SQLAlchemy."""
    place = programs()
    assert place is not None
    # PostgreSQL does not run as root, and its user may not look into pytest's folders.
    with tempfile.TemporaryDirectory(prefix="plumbline-postgres-") as folder:
        data = Path(folder) / "data"
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        _run(place / "initdb", "-D", data, "-U", "plumbline", "-A", "trust", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        _run(place / "pg_ctl", "-D", data, "-w", "-l", Path(folder) / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://plumbline@127.0.0.1:{port}/postgres"
        finally:
            _run(place / "pg_ctl", "-D", data, "-m", "immediate", "stop")


@contextmanager
def database(address: str) -> Iterator[str]:
    """The address of an empty database of that server."""
    import psycopg

    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"create database {name}")
        yield address.replace("/postgres", f"/{name}")
        connection.execute(f"drop database {name} with (force)")


def _run(*command: str | Path) -> None:
    words = [*(("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()), *map(str, command)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
