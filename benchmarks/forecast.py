"""How well running cycles are foretold: `python -m benchmarks.forecast [--json]`.

On the sprints of a public Jira (skipped with a reason where the shared folder is absent), with three meanings of a hit, and on
simulated organisations with different habits. Each cycle is looked at after 30, 50 and 80 % of its time. Two tests: each
fifth of the cycles foretold from the others, and the later 40 % of each group foretold from the earlier 60 %. Beside ours: the
linear pace rule, and a crude reference class (the twenty cycles of the same group nearest in progress at the same share).
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from benchmarks.measuring import REPOSITORY, as_json, report
from scorecard.forecast import Observations, target_probability
from scorecard.forecast.observations import Floats, Whole

_LOOKS = (0.3, 0.5, 0.8)
_FOLDS = 5
_EARLIER = 0.6
_SPRINTS = Path("jira_titanium/issues.jsonl.gz")
_HITS: dict[str, Callable[[float, float, float], bool]] = {
    "delivered as much as planned at the start": lambda done, planned, scope: done >= planned,
    "80 % of the scope at the end": lambda done, planned, scope: done >= 0.8 * scope,
    "half of the scope at the end": lambda done, planned, scope: done >= 0.5 * scope,
}


@dataclass(frozen=True)
class Cycles:
    """Observations, and when the cycle of each row began, in any unit that sorts."""

    name: str
    rows: Observations
    began: Floats


Model = Callable[[Observations, Observations], Floats]


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    asked = parser.parse_args()
    shared = REPOSITORY.parent / "shared" / "data"
    sets = [_simulated(seed) for seed in range(1, 7)]
    skipped = None
    if (shared / _SPRINTS).exists():
        sets = [*_sprints(shared / _SPRINTS), *sets]
    else:
        skipped = f"The real sprints are left out: there is no {shared / _SPRINTS}."
    figures = [row for cycles in sets for row in _figures(cycles)]
    if asked.json:
        print(as_json(skipped=skipped, figures=figures))
        return
    for test in dict.fromkeys(row["test"] for row in figures):
        columns = [
            "cycles",
            "model",
            *(f"AUC at {look:.0%}" for look in _LOOKS),
            "AUC",
            "Brier",
            "calibration error",
        ]
        rows = [list(row.values())[1:] for row in figures if row["test"] == test]
        report(str(test), columns, rows)
    print(skipped or "")


def pace_rule(history: Observations, now: Observations) -> Floats:
    """Done over scope, over the elapsed share; as a probability it is cut at 1."""
    del history
    return np.asarray(np.clip(_progress(now) / np.maximum(now.elapsed, 1e-9), 0, 1))


def crude_reference_class(history: Observations, now: Observations) -> Floats:
    """The share of hits among the group's twenty cycles nearest in progress at about the same time, and one at the base rate."""
    base, groups = history.hit.mean(), np.array(history.group)
    answer = np.full(len(now), base)
    for row in range(len(now)):
        same = (groups == now.group[row]) & (np.abs(history.elapsed - now.elapsed[row]) < 0.11)
        found = np.flatnonzero(same)
        near = np.abs(_progress(history)[found] - _progress(now)[row])
        nearest = found[np.argsort(near, kind="stable")[:20]]
        answer[row] = (history.hit[nearest].sum() + base) / (len(nearest) + 1)
    return answer


def ours(history: Observations, now: Observations) -> Floats:
    """The forecast of `plumbline forecast`."""
    return target_probability(history, now).p_hit


MODELS: dict[str, Model] = {"linear pace": pace_rule, "crude class": crude_reference_class, "ours": ours}


def auc(hit: np.ndarray[Any, np.dtype[np.bool_]], score: Floats) -> float:
    """The chance that a hit scores higher than a miss, ties as one half (Mann and Whitney, 1947)."""
    hits = int(hit.sum())
    misses = len(hit) - hits
    if not hits or not misses:
        return float("nan")
    return float((rankdata(score)[hit].sum() - hits * (hits + 1) / 2) / (hits * misses))


def _figures(cycles: Cycles) -> Iterator[dict[str, Any]]:
    for test, splits in (
        ("each fifth from the others", _fifths(cycles)),
        ("later from earlier", [_in_time(cycles)]),
    ):
        for name, model in MODELS.items():
            answers = [(later, model(earlier, later)) for earlier, later in splits]
            hit = np.concatenate([later.hit for later, _ in answers])
            elapsed = np.concatenate([later.elapsed for later, _ in answers])
            p_hit = np.concatenate([p for _, p in answers])
            at_look = [auc(hit[elapsed == look], p_hit[elapsed == look]) for look in _LOOKS]
            tenths = [np.minimum(np.floor(10 * p_hit), 9) == tenth for tenth in range(10)]
            off = sum(abs((p_hit[tenth] - hit[tenth]).sum()) for tenth in tenths) / len(hit)
            yield {
                "test": test,
                "cycles": cycles.name,
                "model": name,
                **{f"auc_{look:.0%}": value for look, value in zip(_LOOKS, at_look, strict=True)},
                "auc": float(np.mean(at_look)),
                "brier": float(((p_hit - hit) ** 2).mean()),
                "calibration_error": float(off),
            }


def _fifths(cycles: Cycles) -> list[tuple[Observations, Observations]]:
    keys = sorted(set(zip(cycles.rows.group, cycles.rows.cycle, strict=True)))
    fold = dict(zip(keys, np.random.default_rng(1).permutation(len(keys)) % _FOLDS, strict=True))
    of_row = np.array([fold[key] for key in zip(cycles.rows.group, cycles.rows.cycle, strict=True)])
    return [_split(cycles.rows, of_row == number) for number in range(_FOLDS)]


def _in_time(cycles: Cycles) -> tuple[Observations, Observations]:
    groups = np.array(cycles.rows.group)
    cut = {group: np.quantile(cycles.began[groups == group], _EARLIER) for group in set(cycles.rows.group)}
    return _split(cycles.rows, cycles.began > np.array([cut[group] for group in cycles.rows.group]))


def _split(
    rows: Observations, later: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[Observations, Observations]:
    earlier: Whole = np.flatnonzero(~later)
    return rows.take(earlier), rows.take(np.flatnonzero(later))


def _progress(rows: Observations) -> Floats:
    return np.asarray(rows.done / np.maximum(rows.scope, 1e-9))


def _sprints(file: Path) -> Iterator[Cycles]:
    """Sprints of at least four issues, by board: scope is what had been created, done what was resolved."""
    sprints: dict[int, dict[str, Any]] = {}
    issues: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            fields = json.loads(line)["fields"]
            open_sprint = fields.get("sprint")
            of_issue = {
                each["id"]: each for each in [*(fields.get("closedSprints") or []), open_sprint] if each
            }
            sprints |= of_issue
            resolved = fields.get("resolutiondate")
            for number in of_issue:
                dates = (
                    datetime.fromisoformat(fields["created"]),
                    datetime.fromisoformat(resolved) if resolved else None,
                )
                issues[number].append(dates)
    looks: list[tuple[str, str, float, float, float, float, tuple[float, float, float]]] = []
    for number, sprint in sorted(sprints.items()):
        if not all(sprint.get(name) for name in ("startDate", "endDate", "completeDate")):
            continue
        start, end = datetime.fromisoformat(sprint["startDate"]), datetime.fromisoformat(sprint["endDate"])
        own = [(made, done) for made, done in issues[number] if made <= end and not (done and done < start)]
        planned = sum(made <= start for made, _ in own)
        if not planned or len(own) < 4 or not 0 < (end - start).days <= 90:
            continue
        finished = sum(done is not None and done <= end for _, done in own)
        for look in _LOOKS:
            at = start + look * (end - start)
            so_far = sum(done is not None and done <= at for _, done in own)
            scope = sum(made <= at for made, _ in own)
            ended = (float(finished), float(planned), float(len(own)))
            board = str(sprint.get("originBoardId"))
            looks.append((board, str(number), look, so_far, scope, start.timestamp(), ended))
    group, cycle, elapsed, done, scope_, began, ends = zip(*looks, strict=True)
    rows = Observations(
        group, cycle, np.array(elapsed), *_floats(done, scope_), np.zeros(len(group), dtype=np.bool_)
    )
    for name, is_hit in _HITS.items():
        hit = np.array([is_hit(*end) for end in ends])
        yield Cycles(f"sprints: {name}", replace(rows, hit=hit), np.array(began))


def _simulated(seed: int) -> Cycles:
    """Five organisations of a few teams: late or steady, creeping scope or not, plans too big or too small, some in points."""
    dice = np.random.default_rng(seed)
    looks: list[tuple[str, str, float, float, float, float, bool]] = []
    for organisation in range(5):
        late, creep = dice.uniform(0.6, 3.5), dice.choice([0, 0.1, 0.3, 0.6])
        optimism, pace, luck = dice.normal(0.1, 0.35), np.exp(dice.uniform(1.6, 4)), dice.uniform(0.15, 0.5)
        points = dice.random() < 0.5
        for team in range(dice.integers(1, 8)):
            own_late, own_creep = late * np.exp(dice.normal(0, 0.3)), creep * np.exp(dice.normal(0, 0.4))
            own_optimism, own_pace, drift = (
                optimism + dice.normal(0, 0.25),
                pace * np.exp(dice.normal(0, 0.5)),
                0.0,
            )
            for number in range(dice.integers(8, 60)):
                drift = 0.9 * drift + dice.normal(0, 0.1)
                capacity = own_pace * np.exp(dice.normal(0, luck) + drift)
                planned = max(2, dice.poisson(own_pace * np.exp(own_optimism + dice.normal(0, 0.3))))
                added = dice.poisson(planned * own_creep * np.exp(dice.normal(0, 0.5)))
                items = planned + added
                size = (
                    dice.choice([1.0, 2, 3, 5, 8], items, p=[0.3, 0.25, 0.25, 0.15, 0.05])
                    if points
                    else np.ones(items)
                )
                comes = np.r_[np.zeros(planned), dice.beta(1, 1.3, added)]
                order = np.argsort(0.6 * comes + dice.random(items))
                spent = np.cumsum((dice.gamma(2, 0.5, items) * size / size.mean())[order]) / capacity
                ready = np.empty(items)
                ready[order] = np.where(
                    spent <= 1, np.minimum(spent, 1) ** (1 / (own_late * np.exp(dice.normal(0, 0.25)))), 2
                )
                ready = np.maximum(ready, comes + 0.02)
                hit = bool(size[ready <= 1].sum() >= size[:planned].sum())
                for look in _LOOKS:
                    done, scope = size[ready <= look].sum(), size[comes <= look].sum()
                    looks.append((f"{organisation}/{team}", str(number), look, done, scope, number, hit))
    group, cycle, elapsed, all_done, all_scope, began, hits = zip(*looks, strict=True)
    rows = Observations(group, cycle, np.array(elapsed), *_floats(all_done, all_scope), np.array(hits))
    return Cycles(f"simulated organisations {seed}", rows, np.array(began, dtype=np.float64))


def _floats(*columns: tuple[float, ...]) -> tuple[Floats, Floats]:
    done, scope = columns
    return np.array(done, dtype=np.float64), np.array(scope, dtype=np.float64)


if __name__ == "__main__":
    main()
