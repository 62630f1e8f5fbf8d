"""The address of a service, as it stands in a configuration."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator


def origin(url: str) -> str:
    """Scheme, host and port of an address, without user name and password; "base_url" when it has no host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "base_url"
    if not host:
        return "base_url"
    shown = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{shown}" + ("" if port in (None, usual) else f":{port}")


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def service_address(url: str) -> str:
    """The address of a service without a slash at its end; raises ValueError for what is none or would leak credentials."""
    if not origin(url).startswith(("https://", "http://")):
        raise ValueError("it must be a full address such as https://example.atlassian.net")
    if not url.startswith("https://") and not is_loopback(url):
        raise ValueError("it must start with https://, or the credentials would travel in the clear")
    if not url.isprintable() or " " in url:
        raise ValueError("it must hold no blanks and no control characters")
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("it must hold neither credentials nor a query; credentials have fields of their own")
    return url.rstrip("/")


# Plain http is for this machine only.
ServiceAddress = Annotated[str, AfterValidator(service_address)]
