"""What is wrong with a file a person wrote: where, what, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One finding in an input file.

    `line` is 1-based; `field` is the path inside the file (`key_results[0].owner.email`), empty for the whole file.
    `what` and `mend` are sentences without and with a full stop: `str()` puts them together.
    """

    file: Path
    line: int
    field: str
    what: str
    mend: str
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return (
            f"{place}: {self.field}: {self.what}. {self.mend}"
            if self.field
            else f"{place}: {self.what}. {self.mend}"
        )


class InputErrors(Exception):  # noqa: N818 - it carries many
    """Everything that is wrong with a set of files, errors before warnings, then by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = sorted(
            problems, key=lambda p: (p.severity != "error", str(p.file), p.line, p.field)
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @property
    def errors(self) -> list[Problem]:
        """Those that stop the load."""
        return [problem for problem in self.problems if problem.severity == "error"]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, or None when none is close."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def pick_from(word: str, known: Iterable[str]) -> str:
    """How to mend a word that is not among the known ones: the nearest, else all of them."""
    known = sorted(known)
    close = nearest(word, known)
    if close is not None:
        return f"Did you mean `{close}`?"
    return (
        f"Known are {', '.join(f'`{name}`' for name in known)}."
        if known
        else "There are none yet: declare it first."
    )
