"""Write every page of a run: templates filled with what its published tables say."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from publish.reading import Published
from publish.site import (
    as_of,
    data_health,
    exceptions,
    handoffs,
    integrity,
    key_results,
    resources,
    rhythm,
    scorecard,
    strategy_map,
)
from publish.site.facts import Facts
from publish.site.page import Page, day_path, exception_path, handoff_path, key_result_path
from publish.wording import SIGNS, aim, clean, counted, day, exact, percent, quantity

_STATIC = Path(__file__).parent / "static"
# A name of a record may be as long as its system allows; nobody reads more than this of it in a table.
_LONGEST = 600
_STATUS = {
    word: Markup('<span class="status {}"><span aria-hidden="true">{}</span> {}</span>').format(
        word, sign, word
    )
    for word, sign in SIGNS.items()
}
# Of an objective whose key results could none of them be computed.
_UNKNOWN = Markup('<span class="status">unknown</span>')
_ROOMS = (
    scorecard,
    strategy_map,
    handoffs,
    exceptions,
    integrity,
    resources,
    data_health,
    as_of,
    key_results,
    rhythm,
)


def build_site(published: Published, into: Path) -> None:
    """Write the pages into the folder `into`, which must not exist yet. Raises OSError when it cannot be written."""
    facts = Facts(published)
    environment = _environment(facts)
    shutil.copytree(_STATIC, into / "static")
    for page in _pages(facts):
        file = into / page.path
        file.parent.mkdir(parents=True, exist_ok=True)
        template = environment.get_template(page.template)
        file.write_text(template.render(page=page, **page.about), encoding="utf-8")


def _pages(facts: Facts) -> Iterator[Page]:
    for room in _ROOMS:
        yield from room.pages(facts)


def _environment(facts: Facts) -> Environment:
    environment = Environment(
        loader=PackageLoader("publish.site"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_tidy,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "day": day, "percent": percent, "quantity": quantity, "aim": aim, "as_written": _as_written, "number": exact,
        "status": lambda word: _STATUS.get(word, _UNKNOWN), "spoken": lambda name: str(name).replace("_", " "), "plural": counted,
    }  # fmt: skip
    environment.globals |= {
        "facts": facts, "signs": SIGNS, "key_result_path": key_result_path, "handoff_path": handoff_path,
        "exception_path": exception_path, "day_path": day_path, "may_follow": _may_follow,
        "rhythm": rhythm.places(facts),
    }  # fmt: skip
    return environment


def _tidy(value: Any) -> Any:
    """What a template writes out: text on one line without characters that turn its direction, and not without end."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return "–"
    text = clean(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _as_written(text: str) -> Markup:
    """Text whose lines stay apart, such as SQL."""
    return Markup("\n").join(escape(clean(line)) if line.strip() else "" for line in _with_indents(text))


def _with_indents(text: str) -> Iterator[str]:
    # `clean` folds blanks; in front of a line they are kept as blanks that do not fold.
    for line in text.splitlines():
        bare = line.lstrip(" ")
        yield "\N{NO-BREAK SPACE}" * (len(line) - len(bare)) + bare


def _may_follow(url: object) -> bool:
    """Whether an address from a source may become a link."""
    return str(url or "").startswith(("https://", "http://"))
