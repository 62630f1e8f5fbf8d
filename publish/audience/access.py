"""Who may see what: a list of grants, of which the first that names somebody decides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from publish.audience.narrowing import Audience

# Plain ASCII: letters that look or fold alike must not turn one person into another.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


@dataclass(frozen=True)
class Grant:
    """What the people named by `who` see: e-mail addresses, and `*@example.com` for everybody of a domain."""

    who: tuple[str, ...]
    audience: Audience


class Access:
    """The grants in their order. Whoever is named by none sees nothing."""

    def __init__(self, grants: Sequence[Grant]) -> None:
        self._grants = [({name.lower() for name in grant.who}, grant.audience) for grant in grants]

    def audience_of(self, person: str) -> Audience | None:
        """What somebody with this e-mail address sees, None for nothing. Capital and small letters are the same."""
        email = person.lower()
        domain = "*@" + email.rpartition("@")[2]
        return next((audience for names, audience in self._grants if email in names or domain in names), None)


def email_of(text: object) -> str | None:
    """The text if it is an e-mail address and nothing beside it."""
    return text if isinstance(text, str) and len(text) <= 254 and _ADDRESS.fullmatch(text) else None
