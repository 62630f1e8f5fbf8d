"""What a failed HTTP exchange means: worth another try, or for the user to mend."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import urllib3.exceptions

from connectors.errors import InputError, PullFailed, SourceError

# What was asked, the status, the body, the configuration's field of the credential, and secrets that must not be quoted.
Refusal = Callable[[str, int, bytes, str, Iterable[str]], "SourceError | Transient"]
_MAX_QUOTED = 300
_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationParseError,
)


class Transient(Exception):  # noqa: N818 - it may pass, that is all that is known
    """A fault that another try may get past; the text completes "jira: GET https://host/path ...".

    ``retry_after`` is what the service asked to wait, in seconds. ``reached`` tells whether anybody answered at all.
    ``verdict`` is what to raise when the tries are used up and it is known better than "failed".
    """

    def __init__(
        self, what: str, *, retry_after: float = 0.0, reached: bool = True, verdict: SourceError | None = None
    ) -> None:
        super().__init__(what)
        self.retry_after = retry_after
        self.reached = reached
        self.verdict = verdict


def from_exception(error: Exception, source: str, origin: str) -> Transient | InputError:
    """What it means that no whole answer came; ``origin`` is scheme, host and port of the service."""
    causes = list(_causes(error))

    def is_a(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if is_a(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        return InputError(
            f"{source}: there is no TLS connection to {origin} that can be trusted",
            "Check base_url, and that this machine trusts the certificate authority of any proxy on the way.",
            field="base_url",
        )
    if is_a(*_NO_ADDRESS):
        return InputError(
            f"{source}: {origin} is not an address that can be called",
            "Set base_url to a full address such as https://example.atlassian.net.",
            field="base_url",
        )
    if is_a(urllib3.exceptions.NameResolutionError):
        unresolved = InputError(
            f"{source}: the host name of {origin} does not resolve",
            "Check base_url for a typing error, and that this machine can reach the network.",
            field="base_url",
        )
        passing = any(isinstance(c, socket.gaierror) and c.errno == socket.EAI_AGAIN for c in causes)
        return Transient("does not resolve", reached=False, verdict=unresolved) if passing else unresolved
    if is_a(urllib3.exceptions.NewConnectionError, requests.exceptions.ConnectTimeout):
        return Transient("could not be connected to", reached=False)
    if is_a(requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
        return Transient("took too long to answer")
    return Transient("broke off the connection")


def from_status(response: requests.Response) -> Transient | None:
    """The fault of an answer whose status is worth another try, or None."""
    status = response.status_code
    if status in (408, 429) or status >= 500:
        return Transient(f"answered {status}", retry_after=_retry_after(response.headers.get("Retry-After")))
    return None


def refusal(what: str, status: int, body: bytes, credential_field: str, secrets: Iterable[str]) -> InputError:
    """The error for an answer that no retry changes, quoting what the service said but none of ``secrets``."""
    where = f"{what} answered {status}{_quoted(body, secrets)}"
    if status == 401:
        mend = f"Check {credential_field}: it is wrong, has expired or belongs to another site."
        return InputError(where, mend, field=credential_field, status=status)
    if status == 403:
        mend = f"Give the account behind {credential_field} the permission to read this."
        return InputError(where, mend, field=credential_field, status=status)
    if status == 404:
        mend = "Check base_url: this API is not at that address."
        return InputError(where, mend, field="base_url", status=status)
    mend = "The service does not accept the request; check this source's settings."
    return InputError(where, mend, status=status)


def given_up(what: str, fault: Transient, tries: int, seconds: float) -> SourceError:
    """The error for a request whose tries or time are used up."""
    if fault.verdict is not None:
        return fault.verdict
    asked = f" and asked to wait {fault.retry_after:.0f} s" if fault.retry_after else ""
    message = f"{what} {fault}{asked}; given up after {tries} tries in {seconds:.1f} s"
    if not fault.reached:
        return PullFailed(message, "Check base_url and that the service is running.", field="base_url")
    return PullFailed(message, "Run again later; if it stays so, look at the service's status page.")


def quoted(text: str, secrets: Iterable[str]) -> str:
    """What a service said, as it may stand in an error: cut short, without any of ``secrets``; "" when it said nothing."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return f' ("{text[:_MAX_QUOTED]}")' if text else ""


def _retry_after(header: str | None) -> float:
    """Seconds to wait by a Retry-After header, which holds seconds or an HTTP date; 0 when it says nothing usable."""
    if header is None:
        return 0.0
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _quoted(body: bytes, secrets: Iterable[str]) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    said = answer.get("errorMessages") or answer.get("message") or answer.get("errors") or ""
    return quoted(" ".join(map(str, said)) if isinstance(said, list) else str(said), secrets)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it; urllib3 and requests keep them in three different places."""
    open_, seen = [error], set[int]()
    while open_:
        cause = open_.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        linked = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        open_.extend(link for link in linked if isinstance(link, BaseException))
