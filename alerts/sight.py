"""What each reader may be told: the published run as those people may see it (`publish.audience`).

Where nothing says who may see what, everybody may be told everything.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from alerts.incidents import Incident
from publish.audience import Access, Audience, narrow_tables
from publish.reading import Published


class Sight:
    """The run as people may see it. `folder` takes narrowed copies for as long as this is used."""

    def __init__(self, published: Published, access: Access | None, folder: Path) -> None:
        self.published = published
        self._access = access
        self._folder = folder

    def is_anybody(self, email: str) -> bool:
        """Whether this person may be told anything."""
        return self._access is None or self._access.audience_of(email) is not None

    def of(self, email: str) -> Published:
        """The run as this person may see it, who is one that may see something."""
        audience = self._access.audience_of(email) if self._access else None
        return self._narrowed(audience or Audience())

    def of_all(self, emails: Sequence[str]) -> Published:
        """The run as all of them may see it together, as far as figures of finance go: what two functions have to talk about is
        theirs, whatever else they are limited to.
        """
        audiences = [self._access.audience_of(email) for email in emails] if self._access else []
        return self._narrowed(Audience(finance=all(one is not None and one.finance for one in audiences)))

    def _narrowed(self, audience: Audience) -> Published:
        if audience.sees_everything:
            return self.published
        if not (self._folder / audience.key).exists():
            narrow_tables(self.published, audience, self._folder / audience.key)
        return Published(self._folder, audience.key)


@contextmanager
def sight_of(published: Published, access: Access | None) -> Iterator[Sight]:
    """See `Sight`; its copies are gone afterwards."""
    with TemporaryDirectory(prefix="plumbline-alerts-") as folder:
        yield Sight(published, access, Path(folder))


def discreet(
    found: Sequence[Incident], sight: Sight, read: Callable[[Published], Sequence[Incident]]
) -> Iterator[Incident]:
    """The incidents, each told so that all whom it addresses may read it. `read` gives the incidents of a run."""
    for incident in found:
        emails = [one.email for one in (*incident.readers, *([incident.sponsor] if incident.sponsor else ()))]
        published = sight.of_all(emails)
        if published is sight.published:
            yield incident
            continue
        told = next((one for one in read(published) if one.key == incident.key), None)
        # Of what they may not see at all nothing is told but that it is there, and where those who may can read it.
        yield told or replace(incident, sentences=(_HIDDEN,), facts=(), evidence=())


_HIDDEN = "Not everybody whom this concerns may see its figures; the page shows what you may."
