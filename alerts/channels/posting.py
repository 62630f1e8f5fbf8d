"""One POST to the one address that was configured: what a retry can change, what a person must mend, and no secret in either."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

import requests
import urllib3.exceptions

from alerts.channels import LaterError, RefusedError
from alerts.channels.config import is_loopback
from publish.wording import clean

_MAX_ANSWER_BYTES = 4 * 1024 * 1024
_READ_BYTES = 1 << 16
_MAX_QUOTED = 200
_DAY = 24 * 3600.0


@dataclass(frozen=True)
class Patience:
    """How long one request may take, in seconds: to connect, between two pieces of the answer, and in all."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 60.0


@dataclass(frozen=True)
class Service:
    """Who is posted to. `name` and `mend` are shown to people, `secrets` to nobody."""

    name: str
    mend: str
    secrets: tuple[str, ...] = field(repr=False)


def post(service: Service, url: str, body: bytes, headers: Mapping[str, str], patience: Patience) -> bytes:
    """What the service answered to `body` with a status of 2xx, as far as it came; asks no other address, whatever it says.

    Raises LaterError for 408, 425, 429, 5xx and what breaks on the way, RefusedError for every other status.
    """
    until = time.monotonic() + patience.total
    try:
        with requests.Session() as session:
            # A proxy of the environment cannot reach this machine's own loopback.
            session.trust_env = not is_loopback(urlsplit(url).hostname or "")
            session.auth = _as_it_is
            answer = session.post(
                url,
                data=body,
                headers=dict(headers),
                timeout=(patience.connect, patience.read),
                allow_redirects=False,
                stream=True,
            )
            said = _body(answer, until)
    except requests.exceptions.SSLError as error:
        # Anything else may be a connection that was cut off. The reason is told in words alone, three libraries deep.
        if not any(reason in str(error) for reason in ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER")):
            raise LaterError(f"{service.name} broke off the TLS connection") from None
        raise RefusedError(
            f"{service.name}: there is no TLS connection that can be trusted. Check the address, and that this machine "
            "trusts the certificate authority of any proxy on the way."
        ) from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
        raise RefusedError(f"{service.name}: the address cannot be called. {service.mend}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise LaterError(f"{service.name} {_broken(error)}") from None
    status = answer.status_code
    if status in (408, 425, 429) or status >= 500:
        raise LaterError(f"{service.name} answered {status}", _retry_after(answer.headers.get("Retry-After")))
    if 300 <= status < 400:
        raise RefusedError(
            f"{service.name} answered {status} and sends us to another address, where nothing is sent. {service.mend}"
        )
    if status >= 400:
        quoted = quote(said.decode(errors="replace"), service.secrets)
        raise RefusedError(f"{service.name} answered {status}{quoted}. {service.mend}")
    return said


def quote(said: str, secrets: Iterable[str]) -> str:
    """What a service said, short, in brackets and without secrets; empty when it said nothing."""
    text = said
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = clean(text)[:_MAX_QUOTED]
    return f" ({text})" if text else ""


def secrets_of(url: str) -> tuple[str, ...]:
    """The parts of a secret address that nobody may see: all of it, its path and query, and every long piece of these."""
    parts = urlsplit(url)
    behind = url.partition(parts.netloc)[2] if parts.netloc else url
    pieces = [piece for piece in re.split(r"[/?&=:@]", f"{behind}&{parts.netloc}") if len(piece) >= 8]
    host = parts.hostname or ""
    hidden = (url, behind, *pieces, parts.username or "", parts.password or "")
    return tuple(
        dict.fromkeys(
            text for part in hidden for text in (part, unquote(part)) if len(text) > 3 and text != host
        )
    )


def key_id(key: str) -> str:
    """The key of a message as an id that may stand in any header: 32 letters and digits."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No authentication of our own, and none from a .netrc either."""
    return request


def _body(answer: requests.Response, until: float) -> bytes:
    """What came of an answer, bounded in bytes and time: the status before it has said whether the message was taken."""
    body = bytearray()
    with suppress(urllib3.exceptions.HTTPError, OSError):
        # Not iter_content: it waits for whole chunks, so a server that drips would never meet the deadline.
        while chunk := answer.raw.read1(_READ_BYTES, decode_content=True):
            body += chunk
            if len(body) > _MAX_ANSWER_BYTES or time.monotonic() > until:
                break
    return bytes(body)


def _broken(error: Exception) -> str:
    """What happened on the way, in words of ours: texts of libraries hold addresses."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "could not be connected to"
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return "took too long to answer"
    # requests keeps urllib3's error as its first argument, and urllib3 the reason in it.
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return "could not be connected to"
    return "broke off the connection"


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait, a day at most, by a Retry-After header of seconds or an HTTP date; None when it says nothing usable."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _DAY)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (until - datetime.now(UTC)).total_seconds()), _DAY)
