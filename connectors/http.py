"""JSON over HTTP to one host: what a retry can change is retried, everything else says at once what to mend."""

from __future__ import annotations

import base64
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import tenacity
import urllib3.exceptions
from requests.auth import AuthBase

from connectors.address import is_loopback, origin
from connectors.errors import Ended, InputError, PullFailed
from connectors.http_faults import Refusal, Transient, from_exception, from_status, given_up, refusal

log = logging.getLogger(__name__)

Params = Mapping[str, str | int]
# Whatever JSON can hold; the caller knows what to expect and checks it.
Json = Any
_Read = TypeVar("_Read")

# Larger than any page these systems send; a body beyond it is a fault, not data.
MAX_BODY_BYTES = 64 * 1024 * 1024
_READ_BYTES = 1 << 18
_MAX_REDIRECTS = 5
# Nobody answers at all: three tries tell a restart from a wrong address without keeping a person waiting.
_TRIES_TO_REACH = 3


@dataclass(frozen=True)
class Patience:
    """How long one request may be tried. Times are in seconds.

    The wait before retry n is drawn from [w/2, w] with w = ``first_wait`` * 2**(n-1), at most ``longest_wait``;
    a Retry-After header is a minimum to it. ``total`` bounds all tries and waits of one request together.
    """

    attempts: int = 7
    first_wait: float = 1.0
    longest_wait: float = 60.0
    total: float = 600.0
    connect: float = 10.0
    read: float = 60.0


@dataclass(frozen=True)
class Reply:
    """A whole answer with a good status; letters of the names in ``headers`` may be large or small."""

    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        """The body as JSON; raises ValueError."""
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except RecursionError:
            raise ValueError("it is nested without end") from None


class HttpClient:
    """A client for the JSON API at ``base_url`` of the source named ``source``; may be shared between threads.

    ``auth`` is (user, password) for basic authentication; other schemes pass their header in ``headers``.
    ``credential_field`` names the configuration field that a 401 or 403 puts in question. ``requests_per_second``
    spaces requests out. Redirects are followed within the host only, and the size of an answer is bounded. ``refusal``
    makes the error of an answer that is neither good nor 408, 429 or 5xx, for systems that say more than a status.
    """

    def __init__(  # noqa: PLR0913 - all but the first two are by keyword
        self,
        source: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        credential_field: str = "api_token",
        requests_per_second: float | None = None,
        patience: Patience | None = None,
        refusal: Refusal = refusal,
    ) -> None:
        self._source = source
        self._base_url = base_url.rstrip("/")
        self._origin = origin(base_url)
        self._shown_url = self._origin + (urlsplit(self._base_url).path if self._origin != "base_url" else "")
        self._credential_field = credential_field
        self._patience = patience or Patience()
        self._refusal = refusal
        self._pace = _Pace(requests_per_second)
        self._credential = _Credential(headers or {}, auth)
        self._closed = threading.Event()
        self._session = requests.Session()
        self._session.auth = self._credential
        # A proxy of the environment cannot reach this machine's own loopback.
        self._session.trust_env = not is_loopback(base_url)

    def get(self, path: str, params: Params | None = None) -> Json:
        """The JSON answer to GET ``path``; raises InputError or PullFailed."""
        return self.exchange("GET", path, Reply.json, params=params)

    def post(self, path: str, body: Mapping[str, Json]) -> Json:
        """The JSON answer to POST ``path``; for requests that change nothing, since they may be repeated."""
        return self.exchange("POST", path, Reply.json, body=json.dumps(body).encode())

    def pace(self, requests_per_second: float) -> None:
        """Space requests out from now on, as a system asks for that says its limits with its answers."""
        self._pace.per_second(requests_per_second)

    def close(self) -> None:
        """Close the connections that are kept alive; what other threads have under way is not tried again, nor asked anew."""
        self._closed.set()
        self._session.close()

    def exchange(  # noqa: PLR0913 - all but the first three are by keyword
        self,
        method: str,
        path: str,
        read: Callable[[Reply], _Read],
        *,
        params: Params | None = None,
        body: bytes | None = None,
        sends: str = "application/json",
        accepts: str = "application/json",
    ) -> _Read:
        """What ``read`` makes of the answer; raises InputError or PullFailed, and what ``read`` raises.

        A ValueError of ``read`` means that the body is not whole, and another try is made. ``sends`` and ``accepts``
        are media types.
        """
        call = _Call(
            method=method,
            url=self._base_url + path,
            params=params,
            body=body,
            read=read,
            headers={"Accept": accepts} | ({"Content-Type": sends} if body is not None else {}),
            # The path without its query: a query can hold what is nobody's business in a log.
            what=f"{self._source}: {method} {self._shown_url}{path.partition('?')[0]}",
            started=time.monotonic(),
        )
        tries = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Transient),
            stop=self._used_up,
            wait=self._wait,
            sleep=tenacity.sleep_using_event(self._closed),
            before_sleep=lambda state: _log_retry(call, state),
        )
        try:
            answer: _Read = tries(self._try, call)
        except tenacity.RetryError as error:
            if self._closed.is_set():
                raise Ended(f"{call.what} was not tried again, as the pull had ended", "Run again.") from None
            last = error.last_attempt
            seconds = time.monotonic() - call.started
            raise given_up(call.what, _fault(last), last.attempt_number, seconds) from None
        return answer

    def _try(self, call: _Call) -> Json:
        url, params = call.url, call.params
        for _ in range(_MAX_REDIRECTS + 1):
            self._pace.wait()
            if self._closed.is_set():
                raise Ended(f"{call.what} was not sent, as the pull had ended", "Run again.")
            try:
                with self._send(call, url, params) as response:
                    if not response.is_redirect:
                        return self._answer(call, response)
                    url = self._within_host(call, urljoin(url, response.headers["Location"]))
                    params = None  # the new address brings its own
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise from_exception(error, self._source, self._origin) from None
        raise InputError(
            f"{call.what} was redirected more than {_MAX_REDIRECTS} times",
            "Set base_url to the address that answers by itself.",
            field="base_url",
        )

    def _send(self, call: _Call, url: str, params: Params | None) -> requests.Response:
        return self._session.request(
            call.method,
            url,
            params=params,
            data=call.body,
            headers=call.headers,
            timeout=(self._patience.connect, self._patience.read),
            allow_redirects=False,
            stream=True,
        )

    def _answer(self, call: _Call, response: requests.Response) -> Json:
        if fault := from_status(response):
            raise fault
        body = self._body(call, response)
        if not response.ok:
            secrets = self._credential.secrets
            raise self._refusal(call.what, response.status_code, body, self._credential_field, secrets)
        try:
            return call.read(Reply(response.headers, body))
        except ValueError:
            if body.lstrip().startswith(b"<"):
                raise InputError(
                    f"{call.what} answered with a web page instead of JSON",
                    "Set base_url to the address of the API, and check any proxy on the way.",
                    field="base_url",
                ) from None
            raise Transient(f"answered with {len(body)} bytes that are no whole answer") from None

    def _body(self, call: _Call, response: requests.Response) -> bytes:
        body = bytearray()
        # Not iter_content: it waits for whole chunks, so a server that drips would never meet the deadline.
        while chunk := response.raw.read1(_READ_BYTES, decode_content=True):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise PullFailed(
                    f"{call.what} sent more than {MAX_BODY_BYTES >> 20} MiB in one answer",
                    "Check that base_url is the address of the API.",
                    field="base_url",
                )
            if time.monotonic() > call.started + self._patience.total:
                raise Transient("was still sending its answer when the time was up")
        return bytes(body)

    def _within_host(self, call: _Call, url: str) -> str:
        if origin(url) != self._origin:
            raise InputError(
                f"{call.what} redirects to {origin(url)}, which is not the host of base_url",
                "Set base_url to the address of the API itself; credentials are not sent anywhere else.",
                field="base_url",
            )
        return url

    def _used_up(self, state: tenacity.RetryCallState) -> bool:
        reached = _fault(state.outcome).reached
        most = self._patience.attempts if reached else min(_TRIES_TO_REACH, self._patience.attempts)
        spent = (state.seconds_since_start or 0.0) + state.upcoming_sleep
        return state.attempt_number >= most or spent > self._patience.total or self._closed.is_set()

    def _wait(self, state: tenacity.RetryCallState) -> float:
        first = self._patience.first_wait
        backoff = min(self._patience.longest_wait, first * 2.0 ** (state.attempt_number - 1))
        asked = _fault(state.outcome).retry_after
        # Jitter in both: clients that were turned away together must not come back together.
        jitter = random.uniform(0.5, 1)  # noqa: S311
        return max(backoff * jitter, asked + first * jitter if asked else 0.0)


@dataclass(frozen=True)
class _Call:
    """One request and all its tries; ``what`` names it in messages, ``started`` is on the monotonic clock."""

    method: str
    url: str
    params: Params | None
    body: bytes | None
    read: Callable[[Reply], Any]
    headers: Mapping[str, str]
    what: str
    started: float


class _Pace:
    """Lets requests through at most ``per_second``, whatever thread they come from."""

    def __init__(self, per_second: float | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def per_second(self, number: float) -> None:
        self._gap = 1 / number

    def wait(self) -> None:
        if not self._gap:
            return
        with self._lock:
            slot = max(self._next, time.monotonic())
            self._next = slot + self._gap
        time.sleep(max(0.0, slot - time.monotonic()))


class _Credential(AuthBase):
    """Sets the credential on every request; as ``auth``, because requests lets a .netrc overrule a plain header."""

    def __init__(self, headers: Mapping[str, str], auth: tuple[str, str] | None) -> None:
        self._headers = dict(headers)
        self.secrets = [part for value in headers.values() for part in (value, value.split(" ")[-1]) if part]
        if auth is not None:
            token = base64.b64encode(":".join(auth).encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
            self.secrets += [token, *(part for part in auth if part)]

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def _fault(outcome: tenacity.Future | None) -> Transient:
    fault = outcome.exception() if outcome is not None else None
    if not isinstance(fault, Transient):
        raise TypeError(f"only transient faults are tried again, not {fault!r}")
    return fault


def _log_retry(call: _Call, state: tenacity.RetryCallState) -> None:
    log.warning("%s %s; next try in %.1f s", call.what, _fault(state.outcome), state.upcoming_sleep)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
