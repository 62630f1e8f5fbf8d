"""A session with a Salesforce org: the token, which lives in memory only, the org's clock and its daily limit."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from pydantic import BaseModel, Field, ValidationError

from connectors.address import is_loopback, origin
from connectors.errors import InputError, PullFailed
from connectors.http import HttpClient, Params, Patience, Reply
from connectors.http_faults import Refusal
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import LIMIT_MEND, SessionExpired, refusal

log = logging.getLogger(__name__)

_TOKEN = "/services/oauth2/token"  # noqa: S105 - a path
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Salesforce takes assertions that end within five minutes; less, since its clock may not agree with ours.
_ASSERTION_SECONDS = 180
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
# Other programs live on the same limit: the last requests of the day are left to people.
MOST_OF_LIMIT = 0.95
# Salesforce's own domains: those of its clouds for the public, for governments and in China.
_DOMAINS = (".salesforce.com", ".salesforce.mil", ".sfcrmproducts.cn")

_Read = TypeVar("_Read")


class _Token(BaseModel):
    access_token: str = Field(min_length=1)
    instance_url: str


class SalesforceSession:
    """Requests to the org of ``config``; may be shared between threads.

    Signs in with the first request, and anew once where the token has expired, for all threads together.
    """

    def __init__(self, source: str, config: SalesforceConfig, patience: Patience | None = None) -> None:
        self.requests_used: tuple[int, int] | None = None
        self._source = source
        self._config = config
        self._patience = patience
        self._flow_field = "client_secret" if config.client_secret else "private_key"
        self._signing_in = threading.Lock()
        self._client: HttpClient | None = None
        self._opened: list[HttpClient] = []
        self._closed = threading.Event()
        self._instance_url = ""
        self._time: datetime | None = None

    @property
    def instance_url(self) -> str:
        """The address of the org, as its login told it."""
        self._signed_in()
        return self._instance_url

    @property
    def service_time(self) -> datetime:
        """The time at which the org gave its last answer, to whatever thread, by its own clock, to the second."""
        self._signed_in()
        if self._time is None:
            raise PullFailed(
                f"{self._source}: the answers of {origin(self._config.base_url)} bear no date",
                "Check any proxy on the way: it must pass the header Date on.",
            )
        return self._time

    def exchange(  # noqa: PLR0913 - as HttpClient's
        self,
        method: str,
        path: str,
        read: Callable[[Reply], _Read],
        *,
        params: Params | None = None,
        body: bytes | None = None,
        accepts: str = "application/json",
    ) -> _Read:
        """What ``read`` makes of the answer, as by ``HttpClient.exchange``; raises InputError or PullFailed.

        PullFailed also when the org's daily requests are nearly used up.
        """

        def watched(reply: Reply) -> _Read:
            self._note(reply.headers)
            return read(reply)

        def ask(client: HttpClient) -> _Read:
            return client.exchange(method, path, watched, params=params, body=body, accepts=accepts)

        client = self._signed_in()
        try:
            return ask(client)
        except SessionExpired:
            return ask(self._signed_in(instead_of=client))

    def pause(self, seconds: float) -> None:
        """Wait for so long, or until the session is closed."""
        self._closed.wait(seconds)

    def close(self) -> None:
        """Close the connections; what other threads have under way is not tried again, nor asked anew."""
        self._closed.set()
        for client in self._opened:
            client.close()

    def _signed_in(self, instead_of: HttpClient | None = None) -> HttpClient:
        """The client with the present token, which is renewed where it is still that of the client that was refused."""
        with self._signing_in:
            if self._client is None or self._client is instead_of:
                if instead_of is not None:
                    log.info("%s: the session has expired; signing in again", self._source)
                token = self._new_token()
                self._instance_url = self._allowed(token.instance_url)
                self._client = self._open(
                    self._instance_url, refusal, {"Authorization": f"Bearer {token.access_token}"}
                )
            return self._client

    def _open(self, url: str, refused: Refusal, headers: Mapping[str, str] | None = None) -> HttpClient:
        """A client that is closed with the session; those with an expired token too, as other threads may still use them."""
        client = HttpClient(
            self._source,
            url,
            headers=headers,
            credential_field=self._flow_field,
            patience=self._patience,
            refusal=refused,
        )
        self._opened.append(client)
        if self._closed.is_set():
            client.close()
        return client

    def _new_token(self) -> _Token:
        form = self._form()
        login = self._open(
            self._config.base_url,
            # What is sent is kept out of every message.
            lambda what, status, body, field, _: refusal(what, status, body, field, form.values()),
        )

        def read(reply: Reply) -> object:
            self._note(reply.headers)
            return reply.json()

        try:
            sent = urlencode(form).encode()
            answer = login.exchange(
                "POST", _TOKEN, read, body=sent, sends="application/x-www-form-urlencoded"
            )
        finally:
            login.close()
        try:
            return _Token.model_validate(answer)
        except ValidationError:
            raise PullFailed(
                f"{self._source}: {_TOKEN} answered without a token",
                "Set base_url to the My Domain address of the org, https://….my.salesforce.com.",
                field="base_url",
            ) from None

    def _form(self) -> dict[str, str]:
        config = self._config
        client_id = config.client_id.get_secret_value()
        if config.client_secret is not None:
            secret = config.client_secret.get_secret_value()
            return {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        return {"grant_type": _JWT_GRANT, "assertion": self._assertion(client_id)}

    def _assertion(self, client_id: str) -> str:
        config = self._config
        if config.username is None or config.private_key is None:
            raise ValueError("a configuration without a flow")  # the model lets none pass
        claims = {
            "iss": client_id,
            "sub": config.username.get_secret_value(),
            "aud": config.audience,
            "exp": int(time.time()) + _ASSERTION_SECONDS,
        }
        # Where an environment variable cannot hold line breaks they are written as \n.
        pem = config.private_key.get_secret_value().replace("\\n", "\n")
        try:
            return jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(pem))
        except (ValueError, TypeError, JoseError):
            raise InputError(
                f"{self._source}: private_key is no RSA key in PEM",
                "Give the whole key, from -----BEGIN to -----END, without a password.",
                field="private_key",
            ) from None

    def _allowed(self, instance_url: str) -> str:
        """The address if the token may be sent there: base_url itself, or Salesforce's own domain where base_url is in it."""
        base, told = origin(self._config.base_url), origin(instance_url)
        base_host, told_host = urlsplit(base).hostname or "", urlsplit(told).hostname or ""
        same_domain = told.startswith("https://") and any(
            base_host.endswith(domain) and told_host.endswith(domain) for domain in _DOMAINS
        )
        both_here = is_loopback(base) and is_loopback(told)
        if not (told == base or same_domain or both_here):
            raise InputError(
                f"{self._source}: the login sends us to {told}, which is not in the domain of {base}",
                "Set base_url to the My Domain address of the org; the token is not sent anywhere else.",
                field="base_url",
            )
        return told

    def _note(self, headers: Mapping[str, str]) -> None:
        """Take the time and the daily limit from an answer; raises PullFailed when too little is left of it."""
        if date := headers.get("Date"):
            self._time = parsedate_to_datetime(date).astimezone(UTC)
        usage = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
        if usage is None:
            return
        used, limit = int(usage[1]), int(usage[2])
        self.requests_used = used, limit
        if used > MOST_OF_LIMIT * limit:
            raise PullFailed(
                f"{self._source}: {used:,} of the {limit:,} API requests that {origin(self._config.base_url)} has in 24 hours "
                f"are used; from {MOST_OF_LIMIT:.0%} on nothing is pulled",
                LIMIT_MEND,
            )
