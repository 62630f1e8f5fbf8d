"""What the demo's servers share: a threading JSON server on loopback, a log of requests, and faults on order."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

JsonObject = dict[str, Any]
# Whatever JSON can hold.
Json = Any


@dataclass(frozen=True)
class Request:
    """One request as it came; ``query`` holds the last value of each parameter, ``body`` the parsed JSON or None.

    ``sent`` is the body byte for byte, over which signatures are made.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    sent: bytes = b""


@dataclass(frozen=True)
class Answer:
    """An answer to send: ``body`` is sent as JSON, or as it is when it is bytes."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Logged:
    """One line of the request log; ``status`` is 0 where the connection was reset on order."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Json
    status: int


@dataclass
class Fault:
    """A misbehaviour on order: what the next ``times`` requests whose path contains ``path`` get.

    The first ``after`` matching requests are served well. ``answer`` replaces the true answer. ``delay`` seconds pass
    before anything is sent. ``reset`` drops the connection without an answer, ``half`` after half of the body, and
    ``cut`` sends half of the body as if it were all of it.
    """

    path: str = ""
    answer: Answer | None = None
    delay: float = 0.0
    reset: bool = False
    half: bool = False
    cut: bool = False
    times: int = 1
    after: int = 0


@dataclass(frozen=True)
class RateLimit:
    """At most ``requests`` in any ``seconds`` to paths that contain ``path``; beyond it 429 with Retry-After."""

    path: str
    requests: int
    seconds: float = 1.0


class LoopbackServer:
    """A JSON server on 127.0.0.1 and a free port; a context manager that serves while it is open.

    Subclasses implement :meth:`answer`, which is called from one thread per connection, never two at a time. ``log``
    holds every request in the order of arrival; ``faults`` and ``limits`` may be changed while it serves.
    """

    def __init__(self, faults: Iterable[Fault] | None = None, limits: Iterable[RateLimit] = ()) -> None:
        self.log: list[Logged] = []
        self.faults: list[Fault] = list(faults or ())
        self.limits: list[RateLimit] = list(limits)
        self._recent: dict[RateLimit, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._http: _Http | None = None

    def answer(self, request: Request) -> Answer:
        """The answer to one request, before faults and rate limits."""
        raise NotImplementedError

    def too_many(self, limit: RateLimit) -> Answer:
        """The answer to a request beyond a rate limit."""
        return Answer(
            {"message": "Rate limit exceeded."}, 429, {"Retry-After": str(max(1, round(limit.seconds)))}
        )

    @property
    def url(self) -> str:
        """The address, such as ``http://127.0.0.1:54321``."""
        if self._http is None:
            raise RuntimeError("the server is not running")
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._http = _Http(self)
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            self._http.stop()
            self._http = None

    def _respond(self, request: Request) -> tuple[Answer, Fault | None]:
        """The answer to send and the fault to send it with; logs the request."""
        with self._lock:
            fault = self._next_fault(request.path)
            ordered = fault.answer if fault else None
            answer = ordered or self._over_limit(request.path) or self.answer(request)
            status = 0 if fault and fault.reset else answer.status
            self.log.append(Logged(request.method, request.path, request.query, request.body, status))
        return answer, fault

    def _next_fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.path not in path or fault.times == 0:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.times -= 1
            return fault
        return None

    def _over_limit(self, path: str) -> Answer | None:
        now = time.monotonic()
        for limit in self.limits:
            if limit.path not in path:
                continue
            recent = self._recent[limit]
            while recent and recent[0] <= now - limit.seconds:
                recent.popleft()
            if len(recent) >= limit.requests:
                return self.too_many(limit)
            recent.append(now)
        return None


_Connection = socket.socket | tuple[bytes, socket.socket]


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: LoopbackServer) -> None:
        self.owner = owner
        self._connections: set[_Connection] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def stop(self) -> None:
        """Stop, also on connections that clients keep alive: they would be answered on and on otherwise."""
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            self.shutdown_request(connection)

    def process_request(self, request: _Connection, client_address: object) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Connection) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: _Connection, client_address: object) -> None:
        """A client that went away is none of the server's errors."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without this, Nagle's algorithm and delayed acknowledgements cost 40 ms for every answer.
    disable_nagle_algorithm = True
    server: _Http

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=dict(self.headers.items()),
            body=_parsed(sent),
            sent=sent,
        )
        answer, fault = self.server.owner._respond(request)
        self._send(answer, fault or Fault())

    def _send(self, answer: Answer, fault: Fault) -> None:
        if fault.delay:
            time.sleep(fault.delay)
        if fault.reset:
            return self._reset()
        raw = isinstance(answer.body, bytes)
        body = answer.body if raw else json.dumps(answer.body, ensure_ascii=False).encode()
        if fault.cut:
            body = body[: len(body) // 2]
        headers = {"Content-Type": "application/json;charset=UTF-8", "Content-Length": str(len(body))}
        headers |= answer.headers
        # One write for head and body: two would be two packets.
        head = f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        self.wfile.write(head.encode("latin-1") + (body[: len(body) // 2] if fault.half else body))
        if fault.half:
            self.close_connection = True

    def _reset(self) -> None:
        # Linger 0 makes close() send a reset instead of an orderly end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Requests are kept in the server's log, not printed."""


def _parsed(sent: bytes) -> Json:
    if not sent:
        return None
    try:
        return json.loads(sent)
    except ValueError:
        return sent.decode(errors="replace")
