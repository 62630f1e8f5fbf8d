"""The real application on a real server on loopback, and raw requests to it."""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from publish.serving import server_of


@dataclass(frozen=True)
class Said:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Line:
    """A connection that is kept open; requests go out as they are given, whatever stands in them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(
        self,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        method: str = "GET",
        host: str | None = None,
    ) -> Said:
        try:
            return self._ask(target, headers, method, host)
        except (http.client.HTTPException, ConnectionError):
            # The server hangs up after what is no HTTP.
            self._connection.close()
            return self._ask(target, headers, method, host)

    def _ask(self, target: str, headers: Sequence[tuple[str, str]], method: str, host: str | None) -> Said:
        connection = self._connection
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", f"127.0.0.1:{self._port}" if host is None else host)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return Said(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


@contextmanager
def serving(made: Callable[[int], ASGIApp]) -> Iterator[int]:
    """Serve the application that `made` gives for the port it is told; yields the port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = int(listening.getsockname()[1])
        server = server_of(made(port), "127.0.0.1", port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join(20)
