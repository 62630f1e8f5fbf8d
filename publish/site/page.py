"""A page before it is written: where it stands, which template shows it and what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Page:
    """`path` is relative to the site, with `/` between folders; `about` is what the template is given beside the facts."""

    path: str
    template: str
    title: str
    about: Mapping[str, Any]

    @property
    def to_root(self) -> str:
        """The way from this page to the site's own folder: pages link to each other relatively and work from a file system."""
        return "../" * self.path.count("/")


def key_result_path(kr_id: str) -> str:
    """Ids are lower-case letters, digits and hyphens (and `/` in those that were put together), so they are safe in a path."""
    return f"key-results/{kr_id}.html"


def handoff_path(handoff_id: str) -> str:
    return f"hand-offs/{handoff_id}.html"


def exception_path(exception_id: str) -> str:
    return f"exceptions/{exception_id}.html"


def day_path(day: str) -> str:
    return f"as-of/{day}.html"


def function_week_path(function_id: str) -> str:
    return f"week/functions/{function_id}.html"


def person_week_path(slug: str) -> str:
    return f"week/people/{slug}.html"
