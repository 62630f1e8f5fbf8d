"""What stands in a page, read without a browser: its links, its ids and its text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path


@dataclass
class Read:
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    text: str = ""


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.read.links.append(value)
            if name == "id" and value:
                self.read.ids.append(value)

    def handle_data(self, data: str) -> None:
        self.read.text += data


def read_page(file: Path) -> Read:
    parser = _Parser()
    parser.feed(file.read_text(encoding="utf-8"))
    return parser.read


def one_of_each_kind(site: Path) -> list[Path]:
    """A page for each template: of those that a template makes many of, the longest."""
    kinds: dict[str, Path] = {}
    for file in sorted(site.rglob("*.html"), key=lambda file: file.stat().st_size):
        parts = file.relative_to(site).parts
        kinds[parts[0]] = file
    return sorted(kinds.values())
