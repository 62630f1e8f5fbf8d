"""The section `serve` of `plumbline.yml`: where people reach the pages, how they sign in, and who may see what."""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from strategy.field_types import Part
from strategy.yaml_source import rule_broken

_PERSON = re.compile(r"(\*|[A-Za-z0-9.!#$%&'+/=?^_`{|}~-]+)@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


def _web_address(value: Any) -> Any:
    """An https:// address without a path or anything behind it; http:// only on this machine."""
    if isinstance(value, str):
        parts = urlsplit(value)
        here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if parts.scheme != "https" and not (parts.scheme == "http" and here):
            raise rule_broken(
                "it does not begin with https://", "What is shown here must be encrypted on its way."
            )
        if not parts.hostname or parts.query or parts.fragment or parts.username or "@" in parts.netloc:
            raise rule_broken(
                "it is not an address of the form https://host", "Write no more than scheme and host."
            )
    return value


def _without_path(value: Any) -> Any:
    if isinstance(value, str):
        if urlsplit(value).path not in {"", "/"}:
            raise rule_broken("it has a path", "Give the pages a host name of their own.")
        return value.rstrip("/")
    return value


def _person(value: Any) -> Any:
    if isinstance(value, str) and not _PERSON.fullmatch(value):
        raise rule_broken(
            f"`{value[:60]}` is neither an e-mail address nor everybody of a domain",
            "Write somebody@example.com, or *@example.com in quotes.",
        )
    return value


WebAddress = Annotated[str, BeforeValidator(_web_address)]
Person = Annotated[str, BeforeValidator(_person)]


class OidcEntry(Part):
    issuer: WebAddress = Field(
        description="the issuer of an OpenID provider, such as https://login.example.com"
    )
    client_id: str = Field(min_length=1, description="the id under which the provider knows this program")
    client_secret: SecretStr = Field(description="a reference such as ${PLUMBLINE_CLIENT_SECRET}")


class TrustedProxyEntry(Part):
    header: str = Field(
        pattern=r"^[A-Za-z0-9-]+$",
        description="the header in which the proxy names who asks, such as X-Forwarded-Email",
    )
    networks: list[IPv4Network | IPv6Network] = Field(
        alias="from",
        min_length=1,
        description="the networks from which the proxy connects, such as 10.0.0.0/8",
    )


class SignInEntry(Part):
    """Exactly one of its two."""

    oidc: OidcEntry | None = Field(default=None, description="sign-in at an OpenID provider")
    trusted_proxy: TrustedProxyEntry | None = Field(default=None, description="a proxy that says who asks")

    @model_validator(mode="after")
    def _one_of_two(self) -> "SignInEntry":
        if (self.oidc is None) == (self.trusted_proxy is None):
            raise rule_broken(
                "it needs exactly one of `oidc` and `trusted_proxy`", "Keep the way in which people sign in."
            )
        return self


class AccessEntry(Part):
    who: list[Person] = Field(
        min_length=1, description="e-mail addresses, and *@example.com for everybody of a domain"
    )
    functions: list[str] | None = Field(
        default=None, description="the ids of the functions they see; absent: all"
    )
    finance: bool = Field(description="true or false: whether they see figures of finance")


class ServeConfig(Part):
    """All of it is needed. Of the entries of `access` the first that names somebody decides, and without one they see nothing."""

    address: Annotated[WebAddress, BeforeValidator(_without_path)] = Field(
        description="where people reach the pages, such as https://scorecard.example.com"
    )
    sign_in: SignInEntry = Field(description="oidc or trusted_proxy")
    access: list[AccessEntry] = Field(min_length=1, description="a list of who, functions and finance")
