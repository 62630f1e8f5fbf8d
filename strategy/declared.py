"""What a strategy declares, fact by fact, so that two versions of it can be held against each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from strategy.measure_text import measure_text
from strategy.model import Handoff
from strategy.strategy import KeyResult, Strategy


class Declared(NamedTuple):
    """One fact. `kind` is key_result, handoff, cycle or threshold; `subject` the id, for a threshold its rule.

    `value` is text: numbers without trailing zeros, days as 2026-10-05. Each key result and hand-off also declares
    itself (field `declared`), so that its absence is a change as well.
    """

    kind: str
    subject: str
    field: str
    value: str | None


def declared(strategy: Strategy, metrics: Path | None = None) -> Iterator[Declared]:
    """The facts that decide what a status means and who answers for it; `metrics` holds the company's SQL models."""
    for field in ("start", "end", "timezone", "currency"):
        yield Declared("cycle", "cycle", field, str(getattr(strategy.cycle, field)))
    for rule, limits in strategy.thresholds:
        for limit, number in limits:
            yield Declared("threshold", rule, limit, _plain(Decimal(number)))
    for key_result in strategy.key_results:
        for field, value in _of_key_result(key_result, metrics):
            yield Declared("key_result", key_result.id, field, value)
    for handoff in strategy.handoffs:
        for field, value in _of_handoff(handoff):
            yield Declared("handoff", handoff.id, field, value)


def _of_key_result(key_result: KeyResult, metrics: Path | None) -> Iterator[tuple[str, str | None]]:
    said = key_result.definition
    yield "declared", "yes"
    yield "owner", said.owner.email
    yield "kind", said.kind
    yield "unit", said.unit
    yield "baseline", _plain(said.baseline)
    yield "target", _plain(said.target)
    yield "band_low", _plain(said.band.low) if said.band else None
    yield "band_high", _plain(said.band.high) if said.band else None
    steps = [f"{_plain(step.value)} by {step.date}" for step in said.steps]
    yield "pace", f"{said.pace}: {', '.join(steps)}" if steps else said.pace
    yield "measure", measure_text(said.measure) + _version_of_metric(key_result.metric, metrics)
    yield "handoffs", ", ".join(sorted(said.handoffs)) or None


def _version_of_metric(metric: str | None, metrics: Path | None) -> str:
    if metric is None or metrics is None:
        return ""
    return f" (SHA-256 {hashlib.sha256((metrics / f'{metric}.sql').read_bytes()).hexdigest()[:12]})"


def _of_handoff(handoff: Handoff) -> Iterator[tuple[str, str | None]]:
    yield "declared", "yes"
    yield "from", handoff.giver
    yield "to", handoff.receiver
    yield "needed_by", handoff.needed_by.isoformat()
    yield "scope", handoff.scope


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else format(number.normalize(), "f")
