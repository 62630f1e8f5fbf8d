"""The starter workspace that `plumbline init` writes: commented, small, and running at once."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from strategy import InputErrors, Problem, write_schemas

_FILES = Path(__file__).parent / "files"
_LEDGER = "gl_sample.csv"


def write_starter(folder: Path, today: date | None = None) -> Iterator[Path]:
    """Write the starter into `folder`, its cycle being the present calendar quarter; yields each file written.

    Raises InputErrors, before anything is written, when the folder already holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputErrors(
            [Problem(folder, 1, "", "the folder is not empty", "Name a new one; nothing was written.")]
        )
    day = today or date.today()  # noqa: DTZ011  (the person's own calendar decides which quarter it is)
    start = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    words = {
        "@company@": folder.resolve().name.replace("-", " ").replace("_", " ").title(),
        "@cycle_id@": f"{start.year}-Q{(start.month + 2) // 3}",
        "@cycle_start@": start.isoformat(),
        "@cycle_end@": (_month(start, 3) - timedelta(days=1)).isoformat(),
        "@history_start@": start.replace(year=start.year - 1).isoformat(),
        # The sample ledger and budget cover the quarter before and this one.
        **{f"@month{number}@": f"{_month(start, number - 3):%Y-%m}" for number in range(6)},
    }
    yield from _write(folder, words, day)
    yield from write_schemas(folder / "strategy")


def _write(folder: Path, words: dict[str, str], today: date) -> Iterator[Path]:
    for template in sorted(path for path in _FILES.rglob("*") if path.is_file()):
        text = template.read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(word, value)
        if template.name == _LEDGER:
            text = _posted_by(today, text)
        target = folder / template.relative_to(_FILES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        yield target


def _month(start: date, number: int) -> date:
    months = 12 * start.year + start.month - 1 + number
    return date(months // 12, months % 12 + 1, 1)


def _posted_by(today: date, ledger: str) -> str:
    """The sample without postings that lie ahead: no ledger holds them, and the gates would rightly say so."""
    header, *postings = ledger.splitlines(keepends=True)
    return header + "".join(posting for posting in postings if posting[:10] <= today.isoformat())
