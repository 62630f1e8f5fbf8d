"""The servers that channels speak to, and channels to them."""

import datetime as dt
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that signs itself, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


def certified(certificate: Path) -> ssl.SSLContext:
    """A server's TLS with that certificate."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate)
    return made
