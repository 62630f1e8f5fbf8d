"""The ways out: each turns a message into its service's own form and escapes every text for it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from alerts.message import Message

Receipt = Mapping[str, str]
"""Where a sent message is found again in its service, kept in the store as JSON. Never holds a secret."""


class LaterError(Exception):
    """The service did not take it now, or it is not known whether it did: worth another try.

    `seconds`: how long the service asked to wait at least; None when it did not say. The text never holds a secret.
    """

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class RefusedError(Exception):
    """The service will never take it so: says what a person has to mend, and never a secret."""


class Channel(Protocol):
    """One configured way out."""

    def send(self, message: Message, thread: Receipt | None) -> Receipt:
        """Send it once; `thread`: the receipt of the first message about the same incident, to answer under it.

        Raises LaterError or RefusedError.
        """

    def find(self, message: Message, since: datetime, thread: Receipt | None = None) -> Receipt | None:
        """The receipt when the service shows that this very message (by its key) has arrived since then; None when it has not,
        or when the service cannot tell. `thread`: as it was given to `send`. Raises LaterError.
        """

    def amend(self, receipt: Receipt, message: Message) -> None:
        """Make a sent message read like this one; doing it twice changes nothing. Nothing where the service cannot edit.

        Raises LaterError or RefusedError.
        """
