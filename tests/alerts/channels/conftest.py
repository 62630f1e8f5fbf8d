"""The servers that channels speak to, and channels to them."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from alerts.channels import Channel
from alerts.channels.config import AnyChannel
from alerts.channels.opening import open_channel
from alerts.channels.posting import Patience
from tests.alerts.channels.hook_server import HookServer, SignedServer, TeamsServer
from tests.alerts.channels.mail_server import MailServer, mail_server
from tests.alerts.channels.messages import AMARA, TOMASZ
from tests.alerts.channels.slack_server import TOKEN, SlackServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAbCdEfGhIjK="
_READ: TypeAdapter[AnyChannel] = TypeAdapter(AnyChannel)
# Long enough for a busy machine.
_PATIENCE = Patience(connect=10.0, read=10.0, total=20.0)
IMPATIENT = Patience(connect=10.0, read=0.1, total=20.0)


def channel(patience: Patience = _PATIENCE, /, **entry: Any) -> Channel:
    """The channel of an entry of plumbline.yml."""
    return open_channel(_READ.validate_python(entry), patience)


def to_slack(server: SlackServer, patience: Patience = _PATIENCE, /, **more: Any) -> Channel:
    return channel(patience, **{"type": "slack", "token": TOKEN, "base_url": server.base_url} | more)


def to_mail(server: MailServer, patience: Patience = _PATIENCE, /, **more: Any) -> Channel:
    return channel(
        patience,
        **{
            "type": "email",
            "host": "127.0.0.1",
            "port": server.port,
            "security": "none",
            "from": "plumbline@meridian-logistics.example",
        }
        | more,
    )


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer([TOMASZ.email, AMARA.email]) as server:
        yield server


@pytest.fixture
def hook() -> Iterator[HookServer]:
    with HookServer() as server:
        yield server


@pytest.fixture
def teams() -> Iterator[TeamsServer]:
    with TeamsServer() as server:
        yield server


@pytest.fixture
def signed() -> Iterator[SignedServer]:
    with SignedServer(SECRET) as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server
