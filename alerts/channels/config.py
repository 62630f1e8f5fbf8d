"""The channels of `plumbline.yml`: where messages go out, and with which secret."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from strategy.field_types import Part
from strategy.yaml_source import rule_broken

_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


def is_mailbox(address: str) -> bool:
    """Whether a text is one e-mail address and nothing else."""
    return bool(_MAILBOX.fullmatch(address)) and len(address) <= 254


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _secret_address(url: SecretStr) -> SecretStr:
    _web_address(url.get_secret_value())
    return url


def _web_address(url: str) -> str:
    """An https:// address; http:// only on this machine. What is wrong with it is said without showing it."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise rule_broken("it is no web address", "Copy the whole address that the service shows.") from None
    if not host or not url.isprintable() or " " in url or parts.username or parts.password or parts.fragment:
        raise rule_broken("it is no web address", "Copy the whole address that the service shows.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise rule_broken(
            "it does not begin with https://", "What is sent there must be encrypted on its way."
        )
    return url


def _mailbox(value: Any) -> Any:
    if isinstance(value, str) and not is_mailbox(value):
        raise rule_broken(f"`{value[:60]}` is no e-mail address", "Write it as somebody@example.com.")
    return value


SecretWebAddress = Annotated[SecretStr, AfterValidator(_secret_address)]
Mailbox = Annotated[str, BeforeValidator(_mailbox)]


class SlackConfig(Part):
    """A Slack app. With `channel` everything goes there and mentions the readers; without, the readers get it together."""

    type: Literal["slack"]
    token: SecretStr = Field(description="the bot token of the app, a reference such as ${SLACK_TOKEN}")
    channel: str | None = Field(
        default=None,
        pattern=r"^[CG][A-Z0-9]+$",
        description="the id of a channel, such as C024BE91L; it stands at the end of the channel's details in Slack",
    )
    base_url: Annotated[str, AfterValidator(_web_address)] = Field(
        default="https://slack.com/api/",
        description="https://slack.com/api/, or https://slack-gov.com/api/ for GovSlack",
    )


class SlackWebhookConfig(Part):
    """An incoming webhook of Slack: one channel, no threads, and no way to see or change what was sent."""

    type: Literal["slack_webhook"]
    url: SecretWebAddress = Field(
        description="the address of an incoming webhook, a reference such as ${SLACK_URL}"
    )


class TeamsConfig(Part):
    """A workflow of Microsoft Teams that begins when a webhook request is received."""

    type: Literal["teams"]
    url: SecretWebAddress = Field(description="the address of the workflow, a reference such as ${TEAMS_URL}")


class EmailConfig(Part):
    """A mail server. With `to` everything goes there; without, to the readers of each message."""

    type: Literal["email"]
    host: str = Field(min_length=1, description="the host name of the SMTP server")
    port: int | None = Field(default=None, ge=1, le=65535, description="the port of the SMTP server")
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = Field(default=None, description="the name to sign in with")
    password: SecretStr | None = Field(
        default=None, description="the password to sign in with, a reference such as ${SMTP_PASSWORD}"
    )
    sender: Mailbox = Field(alias="from", description="the e-mail address that messages come from")
    to: list[Mailbox] | None = Field(default=None, min_length=1, description="a list of e-mail addresses")

    @model_validator(mode="after")
    def _encrypted(self) -> EmailConfig:
        if self.security == "none" and not is_loopback(self.host):
            raise rule_broken(
                "mail would travel in the clear", "Write starttls or tls, as the server offers.", "security"
            )
        if (self.username is None) != (self.password is None):
            missing = "password" if self.password is None else "username"
            raise rule_broken("of `username` and `password` one is missing", "Give both or neither.", missing)
        return self


class WebhookConfig(Part):
    """Any program that takes signed JSON, as https://www.standardwebhooks.com has it."""

    type: Literal["webhook"]
    url: SecretWebAddress = Field(description="where to post to, a reference such as ${WEBHOOK_URL}")
    secret: SecretStr = Field(
        description="the key of the signature, whsec_ and 24 to 64 bytes in base64, a reference such as ${WEBHOOK_SECRET}"
    )


class AppriseConfig(Part):
    """Any of the services that Apprise knows."""

    type: Literal["apprise"]
    url: SecretStr = Field(description="an address of Apprise, a reference such as ${APPRISE_URL}")


AnyChannel = Annotated[
    SlackConfig | SlackWebhookConfig | TeamsConfig | EmailConfig | WebhookConfig | AppriseConfig,
    Field(discriminator="type"),
]
