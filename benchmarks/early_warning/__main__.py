"""How early, and how rightly, failing hand-offs are flagged.

`python -m benchmarks.early_warning [--json] [--companies 300] [--seeds 201 202 203]`: made-up companies are played to their end.
Evening after evening the engine gets what their tracker would have shown by then, in a process that knows nothing else; what
became of them is kept in a file of its own, and only the scorer reads it. On the same companies and evenings the linear pace rule
of OKR products is scored, over the same values of the same key results.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.early_warning.companies import Company, play
from benchmarks.early_warning.judging import Answers
from benchmarks.early_warning.landing import land_evening
from benchmarks.early_warning.scoring import RULES, Scored, friday_of
from benchmarks.early_warning.truth import read_truth, write_truth
from benchmarks.early_warning.workspace import write_workspace
from benchmarks.measuring import as_json, in_own_process, report

_WEEKS = (2, 4, 6, 8, 10, 12)
_JUDGED_WEEKS = (4, 6, 8)
# The limits and priors of the rules were chosen on seeds 1 to 13; 101 to 103 were reported before they were last changed.
_REPORTING_SEEDS = (201, 202, 203)


def main() -> None:
    """Play, judge, score, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--companies", type=int, default=300, help="how many in all")
    parser.add_argument("--seeds", type=int, nargs="+", default=_REPORTING_SEEDS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scored, seconds = _scored(Path(folder), asked.companies, asked.seeds)
    odds = [scored.odds(rule, week) for week in _JUDGED_WEEKS for rule in RULES]
    notices = [scored.notice(rule) for rule in RULES]
    coverages = [scored.coverage(week) for week in _JUDGED_WEEKS]
    rules = scored.by_rule(_JUDGED_WEEKS[0])
    fates = scored.by_fate("all rules", _JUDGED_WEEKS[0])
    if asked.json:
        found: dict[str, list[Any]] = {
            "odds": odds,
            "notices": notices,
            "coverages": coverages,
            "rules": rules,
            "fates": fates,
        }
        figures = {name: [asdict(each) for each in rows] for name, rows in found.items()}
        print(as_json(seeds=list(asked.seeds), companies=asked.companies, seconds=round(seconds), **figures))
        return
    title = f"{asked.companies} companies of seeds {', '.join(map(str, asked.seeds))}"
    _table(f"Amber or red on the Friday of a week: {title}", odds)
    _table("Weeks from lasting amber to the day of need, in the middle of the failing hand-offs", notices)
    _table("The finish of the open items against its band from P10 to P90, where work has begun", coverages)
    _table(f"Which rule decided on the Friday of week {_JUDGED_WEEKS[0]}", rules)
    _table(f"All rules on the Friday of week {_JUDGED_WEEKS[0]}, by what became of the hand-off", fates)


def _scored(folder: Path, companies: int, seeds: Sequence[int]) -> tuple[Scored, float]:
    """Play the companies, have them judged in a process of its own, and open the truth; with the seconds of the judging."""
    evenings, truth, answers = folder / "evenings", folder / "truth.json", folder / "answers.json"
    _write_world([play(seeds[number % len(seeds)], number) for number in range(companies)], folder)
    command = [sys.executable, "-m", "benchmarks.early_warning.judging"]
    took, _ = in_own_process(*command, str(folder / "workspace"), str(evenings), str(answers))
    return Scored(Answers.validate_json(answers.read_bytes()), read_truth(truth)), took.seconds


def _write_world(companies: list[Company], folder: Path) -> None:
    write_workspace(folder / "workspace", companies)
    fridays = [friday_of(week) for week in _WEEKS]
    for before, friday in zip([None, *fridays], fridays, strict=False):
        land_evening(companies, before, friday, folder / "evenings" / friday.isoformat())
    write_truth(folder / "truth.json", companies, fridays)


def _table(title: str, rows: Sequence[Any]) -> None:
    plain = [asdict(row) for row in rows]
    report(title, [name.replace("_", " ") for name in plain[0]], [[*row.values()] for row in plain])


if __name__ == "__main__":
    main()
