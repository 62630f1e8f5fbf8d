"""A small OpenID provider on loopback: it signs real tokens, holds clients to PKCE, and misbehaves when it is told to."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "plumbline", "a-secret-that-nobody-else-has-0123456789"

Claims = dict[str, Any]


class OpenIdProvider:
    """Vouches for `email` to all. `bend` changes the claims, `sign` the token, `answer` what the token endpoint says."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.email = "head@example.com"
        self.bend: Callable[[Claims], Claims] = dict
        self.sign: Callable[[Claims], str] = self.signed
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.userinfo: Claims = {}
        self.metadata: dict[str, Any] = {}
        self.url = ""
        self.tokens_given = 0
        self._asked: dict[str, dict[str, str]] = {}

    def signed(self, claims: Claims) -> str:
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)

    def signed_by_another_key(self, claims: Claims) -> str:
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, RSAKey.generate_key(2048, {"kid": "one"}))

    def signed_with_the_shared_secret(self, claims: Claims) -> str:
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET))

    def unsigned(self, claims: Claims) -> str:
        return f"{_base64(json.dumps({'alg': 'none'}).encode())}.{_base64(json.dumps(claims).encode())}."

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {}, self._configuration()
        if path == "/jwks":
            return 200, {}, {"keys": [self.key.as_dict(private=False)]}
        if path == "/userinfo":
            return 200, {}, self.userinfo
        if path == "/authorize":
            code = secrets.token_urlsafe(16)
            self._asked[code] = query
            return (
                302,
                {"Location": f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"},
                {},
            )
        return 404, {}, {}

    def post(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, str], Any]:
        """The token endpoint."""
        asked = self._asked.pop(form.get("code", ""), None)
        challenge = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        client = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if (
            asked is None
            or asked.get("code_challenge_method") != "S256"
            or asked.get("code_challenge") != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
            or authorization != f"Basic {client}"
        ):
            return 400, {}, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url, "sub": "4711", "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            "email": self.email, "email_verified": True,
        }  # fmt: skip
        token = {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign(self.bend(claims))}
        self.tokens_given += 1
        return 200, {}, self.answer(token)

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.metadata,
        }


@contextmanager
def running(provider: OpenIdProvider) -> Iterator[OpenIdProvider]:
    """The provider at `provider.url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._send(*provider.get(parts.path, _flat(parts.query)))

        def do_POST(self) -> None:
            form = _flat(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._send(*provider.post(form, self.headers.get("Authorization", "")))

        def _send(self, status: int, headers: dict[str, str], body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(text)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join(10)


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
