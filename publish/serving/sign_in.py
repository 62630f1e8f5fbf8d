"""Sign-in by OpenID Connect: authorization code with PKCE, state and nonce, and an ID token that is verified.

Who is signed in stands in a cookie that is signed with a key of this process: a restart signs everybody out.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.starlette_client import OAuth
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from publish.audience import Audience
from publish.audience.access import Access, email_of
from publish.serving.doors import refusal, stranger

log = logging.getLogger("plumbline.serve")

SIGNED_IN_SECONDS = 12 * 60 * 60
_START, _DONE, _END = "/sign-in", "/sign-in/done", "/sign-out"
# Signatures that only the provider can make: not `none`, and none by a secret that both sides share.
_SIGNATURES = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
_LEEWAY_SECONDS = 60


class SignInError(Exception):
    """The provider's answer does not prove who somebody is."""


@dataclass(frozen=True)
class Provider:
    """An OpenID provider, by its issuer, and this program as its client."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


class OpenIdConnect:
    """Lets in whom the provider vouches for; `address` is where people reach the pages, without a slash at its end."""

    def __init__(self, provider: Provider, address: str, access: Access) -> None:
        self._provider = provider
        self._access = access
        self._address = address
        self._client = OAuth().register(
            "provider",
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            server_metadata_url=provider.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={"scope": "openid email", "code_challenge_method": "S256", "timeout": 10},
        )
        self.routes = (
            Route(_START, self._start, methods=["GET"]),
            Route(_DONE, self._done, methods=["GET"]),
            Route(_END, self._end, methods=["GET"]),
        )

    def let_in(self, request: Request) -> Audience | Response:
        person = email_of(request.session.get("email"))
        if person is None or time.time() - request.session.get("since", 0) > SIGNED_IN_SECONDS:
            return self._ask(request)
        return self._access.audience_of(person) or stranger(person)

    def _ask(self, request: Request) -> Response:
        path = request.url.path
        if request.method != "GET" or not (path.endswith(("/", ".html")) or path == "/site"):
            return refusal(f"Sign in first, at {_START}.", 401)
        request.session["to"] = path
        return RedirectResponse(_START, 302)

    async def _start(self, request: Request) -> Response:
        try:
            await self._metadata()
            return await self._client.authorize_redirect(request, self._address + _DONE)  # type: ignore[no-any-return]
        except Exception as error:
            log.warning("sign-in cannot begin: %s: %s", type(error).__name__, error)
            return refusal("The sign-in service cannot be reached. Try again later.", 503)

    async def _done(self, request: Request) -> Response:
        try:
            person = await self._person(request)
        # Whatever goes wrong on the way, nobody is signed in by it.
        except Exception as error:
            log.warning("sign-in refused: %s: %s", type(error).__name__, error)
            request.session.clear()
            return refusal(f"You could not be signed in. Try again at {_START}.")
        to = str(request.session.get("to", "/"))
        request.session.clear()
        request.session.update(email=person, since=time.time())
        return RedirectResponse(to, 303)

    async def _end(self, request: Request) -> Response:
        request.session.clear()
        return PlainTextResponse(f"You are signed out. Sign in again at {_START}.\n")

    async def _person(self, request: Request) -> str:
        """The verified e-mail address of whoever comes back from the provider."""
        metadata = await self._metadata()
        token = await self._client.authorize_access_token(
            request,
            # Authlib checks the issuer by itself, and the audience only when it is told.
            claims_options={
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": self._provider.client_id},
            },
            leeway=_LEEWAY_SECONDS,
        )
        claims: Mapping[str, Any] | None = token.get("userinfo")
        if not claims:
            raise SignInError("the provider gave no ID token")
        said = claims if "email" in claims else await self._more(token, claims)
        person = email_of(said.get("email"))
        if person is None or said.get("email_verified") is not True:
            raise SignInError("the provider does not vouch for an e-mail address")
        return person

    async def _more(self, token: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the provider says at its userinfo endpoint, where some keep the address."""
        said: Mapping[str, Any] = await self._client.userinfo(token=token)
        if said.get("sub") != claims["sub"]:
            raise SignInError("the provider speaks of somebody else")
        return said

    async def _metadata(self) -> Mapping[str, Any]:
        """What the provider publishes of itself, with the signatures that are accepted of those it offers."""
        metadata: dict[str, Any] = await self._client.load_server_metadata()
        if str(metadata.get("issuer")).rstrip("/") != self._provider.issuer.rstrip("/"):
            raise SignInError(f"it calls itself {metadata.get('issuer')}, not {self._provider.issuer}")
        offered = metadata.get("id_token_signing_alg_values_supported", [])
        metadata["id_token_signing_alg_values_supported"] = sorted(_SIGNATURES & set(offered)) or ["RS256"]
        return metadata
