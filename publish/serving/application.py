"""The application that answers requests: a host that is its own, GET and HEAD, a door, and then files by their listed names.

    /                   to the scorecard
    /site/…             the pages
    /tables/…, /json/…, /sql/…, /run.json    the rest of the run's folder, as far as its reader may see it

No path of a request ever reaches the file system: it is looked up among the names of the files that are there. These are of
letters, digits, `.`, `_` and `-`, so an encoded path names none of them.
"""

import logging
import re
import secrets
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publish.audience import Audience
from publish.reading import NothingPublishedError
from publish.serving.copies import Copies, files_of
from publish.serving.doors import Door, refusal
from publish.serving.sign_in import SIGNED_IN_SECONDS

log = logging.getLogger("plumbline.serve")

_HOME = "/site/index.html"
# Without empty parts: `//host/` would be another host where somebody is sent back to it.
_PATH = re.compile(rb"/([A-Za-z0-9._-]+/)*[A-Za-z0-9._-]*")
_HOST = re.compile(r"(?P<name>\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")
_HERE = {"localhost", "127.0.0.1", "[::1]"}
_KINDS = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json", ".sql": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8", ".atom": "application/atom+xml", ".xml": "application/xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".parquet": "application/vnd.apache.parquet",
}  # fmt: skip
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}


def application(copies: Copies, door: Door, address: str | None) -> ASGIApp:
    """The application; `address` is where people reach it, such as https://scorecard.example.com (None: on its own machine)."""
    secure = (address or "").startswith("https://")
    session = Middleware(
        SessionMiddleware,
        secret_key=secrets.token_urlsafe(32),
        session_cookie="__Host-plumbline" if secure else "plumbline",
        max_age=SIGNED_IN_SECONDS,
        same_site="lax",
        https_only=secure,
    )

    async def file(request: Request) -> Response:
        audience = door.let_in(request)
        if isinstance(audience, Response):
            return audience
        return await _answer(copies, audience, request.url.path)

    routes = [*door.routes, Route("/{path:path}", file, methods=["GET"])]
    inner = Starlette(
        routes=routes, middleware=[Middleware(GZipMiddleware), *([session] if door.routes else [])]
    )
    inner.router.redirect_slashes = False
    return _Guarded(inner, address)


def is_loopback(host: str) -> bool:
    """Whether a server bound to this host can be reached from its own machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def _answer(copies: Copies, audience: Audience, path: str) -> Response:
    try:
        folder = await copies.folder(audience)
    except NothingPublishedError as error:
        return refusal(f"{error} Run `plumbline run` first.", 503)
    except Exception:
        log.exception("what %s may see could not be made", audience)
        return refusal("What you may see could not be made ready. It is in the log of the server.", 503)
    if path in {"/", "/site", "/site/"}:
        return RedirectResponse(_HOME, 302)
    if path == "/favicon.ico":
        # Browsers ask for it unasked, and a missing one would stand in their console as an error.
        return Response(status_code=204)
    found = files_of(folder).get(path.removeprefix("/"))
    if found is None or not found.is_file():
        return refusal("There is no such page.", 404)
    kind = _KINDS.get(PurePosixPath(path).suffix, "application/octet-stream")
    return FileResponse(found, media_type=kind)


class _Guarded:
    """What holds for every request, before anything else looks at it, and for every answer."""

    def __init__(self, inner: ASGIApp, address: str | None) -> None:
        self._inner = inner
        self._hosts = None if address is None else _hosts_of(address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self._refused(scope)
        await (refused or self._inner)(scope, receive, send_with_headers)

    def _refused(self, scope: Scope) -> Response | None:
        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return refusal("This is not the address of these pages.", 400)
        if scope["method"] not in {"GET", "HEAD"}:
            answer = refusal("These pages can be read and nothing else.", 405)
            answer.headers["Allow"] = "GET, HEAD"
            return answer
        if not _PATH.fullmatch(_raw_path(scope)):
            return refusal("There is no such page.", 404)
        return None

    def _is_own(self, host: str) -> bool:
        if self._hosts is not None:
            return host in self._hosts
        found = _HOST.fullmatch(host)
        return found is not None and found["name"] in _HERE


def _raw_path(scope: Scope) -> bytes:
    """The path as it came, still encoded."""
    raw: Any = scope.get("raw_path")
    return raw if isinstance(raw, bytes) else scope["path"].encode()


def _hosts_of(address: str) -> set[str]:
    """What a browser or a proxy sends as the host of an address."""
    parts = urlsplit(address.lower())
    port = {"https": 443, "http": 80}[parts.scheme]
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    return {f"{name}:{parts.port}"} if parts.port not in {None, port} else {name, f"{name}:{port}"}
