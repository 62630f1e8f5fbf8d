"""Serve what was published, read-only, each person what they may see."""

from publish.serving.application import application, is_loopback
from publish.serving.copies import AlreadyServedError, Copies
from publish.serving.doors import Anybody, BehindProxy, Door
from publish.serving.server import server_of
from publish.serving.sign_in import OpenIdConnect, Provider

__all__ = [
    "AlreadyServedError",
    "Anybody",
    "BehindProxy",
    "Copies",
    "Door",
    "OpenIdConnect",
    "Provider",
    "application",
    "is_loopback",
    "server_of",
]
