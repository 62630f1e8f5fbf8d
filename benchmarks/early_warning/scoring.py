"""How good the warnings were: what the engine and the linear pace rule said, beside what became of the companies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import numpy as np

from benchmarks.early_warning.companies import CYCLE_END, CYCLE_START, Fate
from benchmarks.early_warning.judging import Answer
from benchmarks.early_warning.truth import Truth
from benchmarks.early_warning.workspace import key_result_id
from scorecard.handoffs import working_days_left

LINEAR_AMBER = 0.9
"""OKR products call a key result at risk below this share of the share of the cycle that has passed."""

Rule = Callable[[Answer], bool]
RULES: Mapping[str, Rule] = {
    "all rules": lambda answer: answer.status != "green",
    "hand-off rule alone": lambda answer: answer.handoff_status != "green",
    "linear pace": lambda answer: answer.progress < LINEAR_AMBER * answer.elapsed,
}


@dataclass(frozen=True)
class Odds:
    """Of the companies whose day of need was still to come: how many failed, how many were flagged, and how rightly."""

    rule: str
    week: int
    companies: int
    failing: int
    flagged: int
    precision: float
    recall: float


@dataclass(frozen=True)
class Notice:
    """Weeks from a rule's lasting amber to the day of need, in the middle of the failing companies; negative: after it.

    `earlier_than_linear` is the middle of the differences company by company.
    """

    rule: str
    weeks: float
    earlier_than_linear: float


@dataclass(frozen=True)
class RuleOdds:
    """So many key results were flagged by one of our rules, and so many of these failed."""

    rule: str
    flagged: int
    rightly: int


@dataclass(frozen=True)
class FateOdds:
    """Of the companies of one fate: how many failed, how many were flagged, and how many of these failed."""

    fate: str
    companies: int
    failing: int
    flagged: int
    rightly: int


@dataclass(frozen=True)
class Coverage:
    """In what share of the hand-offs that were open and begun the finish lay within the band from P10 to P90, or beside it.

    What nobody has begun ends with somebody's decision, of which nothing can be known from throughput.
    """

    week: int
    handoffs: int
    covered: float
    earlier: float
    later: float


class Scored:
    """The answers of all evenings and the truth, company by company."""

    def __init__(self, answers: Mapping[date, Sequence[Answer]], truths: Mapping[str, Truth]) -> None:
        self._answers = {
            evening: {answer.kr_id: answer for answer in those} for evening, those in answers.items()
        }
        self._truths = truths

    def odds(self, rule: str, week: int) -> Odds:
        """Precision and recall of a rule on the Friday of a week of the cycle; a hand-off that came too late is a failure."""
        evening = friday_of(week)
        ahead = [truth for truth in self._truths.values() if truth.needed_by > evening]
        failing = sum(truth.is_late for truth in ahead)
        flagged = [truth for truth in ahead if self._is_amber(rule, evening, truth)]
        right = sum(truth.is_late for truth in flagged)
        return Odds(
            rule,
            week,
            len(ahead),
            failing,
            len(flagged),
            right / len(flagged) if flagged else 1.0,
            right / failing if failing else 1.0,
        )

    def notice(self, rule: str) -> Notice:
        """How long before the day of need it warned of the failures."""
        late = [truth for truth in self._truths.values() if truth.is_late]
        ambers = [self.lasting_amber(rule, truth) for truth in late]
        linear = [self.lasting_amber("linear pace", truth) for truth in late]
        return Notice(
            rule,
            median((truth.needed_by - amber).days / 7 for truth, amber in zip(late, ambers, strict=True)),
            median((slow - amber).days / 7 for slow, amber in zip(linear, ambers, strict=True)),
        )

    def lasting_amber(self, rule: str, truth: Truth) -> date:
        """The first evening of amber that was not taken back before the day of need; the cycle's end when there was none."""
        candidate: date | None = None
        for evening in sorted(self._answers):
            if self._is_amber(rule, evening, truth):
                candidate = candidate or evening
            elif evening <= truth.needed_by:
                candidate = None
        return candidate or CYCLE_END

    def coverage(self, week: int) -> Coverage:
        """The band of the finish of what was open on the Friday of a week, drawn as for the scorecard, against the finish."""
        evening = friday_of(week)
        places = []
        for truth in self._truths.values():
            answer = self._answer(evening, truth)
            draws = working_days_left(answer.day)
            if not len(draws) or not (answer.day.done or answer.day.under_way):
                continue
            low, high = np.ceil(np.quantile(draws, (0.1, 0.9)))
            finished = truth.finished_on[evening]
            took = np.busday_count(evening, finished) if finished else np.inf
            places.append(-1 if took < low else 1 if took > high else 0)
        shares = [places.count(place) / len(places) for place in (0, -1, 1)]
        return Coverage(week, len(places), *shares)

    def by_rule(self, week: int) -> list[RuleOdds]:
        """Which rule decided over the flags on the Friday of a week."""
        evening = friday_of(week)
        flagged = [
            (self._answer(evening, truth).rule, truth.is_late)
            for truth in self._truths.values()
            if truth.needed_by > evening and self._is_amber("all rules", evening, truth)
        ]
        counts = Counter(rule for rule, _ in flagged)
        return [RuleOdds(rule, count, flagged.count((rule, True))) for rule, count in counts.most_common()]

    def by_fate(self, rule: str, week: int) -> list[FateOdds]:
        """The flags on the Friday of a week by fate, as in `odds`."""
        evening = friday_of(week)
        rows = []
        for fate in Fate:
            those = [
                truth for truth in self._truths.values() if truth.fate is fate and truth.needed_by > evening
            ]
            late = [truth for truth in those if truth.is_late]
            flagged = [truth for truth in those if self._is_amber(rule, evening, truth)]
            rows.append(
                FateOdds(fate, len(those), len(late), len(flagged), sum(truth.is_late for truth in flagged))
            )
        return rows

    def _is_amber(self, rule: str, evening: date, truth: Truth) -> bool:
        return RULES[rule](self._answer(evening, truth))

    def _answer(self, evening: date, truth: Truth) -> Answer:
        return self._answers[evening][key_result_id(truth.company)]


def friday_of(week: int) -> date:
    """The Friday of a week of the cycle, counted from 1."""
    return CYCLE_START + timedelta(days=7 * week - 3)
