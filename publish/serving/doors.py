"""Who is let in: a door looks at a request and says as whom it is answered."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from publish.audience import Audience
from publish.audience.access import Access, email_of

Network = IPv4Network | IPv6Network

# What a proxy adds to a request that it passes on.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


class Door(Protocol):
    """Says what a request may see. `routes` are the paths at which somebody signs in, if they do so here."""

    @property
    def routes(self) -> Sequence[Route]: ...

    def let_in(self, request: Request) -> Audience | Response:
        """The audience as which the request is answered, or the answer that refuses it."""
        ...


class Anybody:
    """Everybody sees everything: for a server that can be reached from its own machine alone.

    A request that came through a proxy is refused, for then others can reach it.
    """

    routes: Sequence[Route] = ()

    def let_in(self, request: Request) -> Audience | Response:
        if any(name in request.headers for name in _FORWARDED):
            return refusal(
                "A proxy passed this request on. Write `serve:` with sign_in and access into plumbline.yml first."
            )
        return Audience()


class BehindProxy:
    """The e-mail address in a header that a proxy sets, believed only when the connection comes from one of these networks."""

    routes: Sequence[Route] = ()

    def __init__(self, header: str, networks: Sequence[Network], access: Access) -> None:
        self._header = header
        self._networks = tuple(networks)
        self._access = access

    def let_in(self, request: Request) -> Audience | Response:
        if not self._is_proxy(request.client.host if request.client else ""):
            return refusal("Only the company's proxy is answered here.")
        given = request.headers.getlist(self._header)
        person = email_of(given[0]) if len(given) == 1 else None
        if person is None:
            return refusal("The proxy does not say who asks.")
        return self._access.audience_of(person) or stranger(person)

    def _is_proxy(self, host: str) -> bool:
        try:
            address: IPv4Address | IPv6Address = ip_address(host)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def refusal(sentence: str, status: int = 403) -> Response:
    return PlainTextResponse(sentence + "\n", status)


def stranger(person: str) -> Response:
    """The answer to somebody who is known and may see nothing."""
    return refusal(
        f"You are {person}, and nobody by that address may see these pages. Ask whoever keeps plumbline.yml."
    )
