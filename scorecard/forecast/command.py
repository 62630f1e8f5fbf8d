"""The command `plumbline forecast`: two CSV files in, one answer out."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scorecard.forecast.csv_files import read_history, read_now, write_csv, write_json
from scorecard.forecast.observations import Observations
from scorecard.forecast.target_probability import target_probability
from strategy import InputErrors, Problem


def forecast_files(history: Path, now: Path, out: Path | None, as_json: bool) -> Iterator[str]:
    """Write `now` with its probabilities to `out`, else to standard output; yield what the reader should know.

    InputErrors, with nothing written, when a file is wrong.
    """
    ended = read_history(history)
    table, running = read_now(now)
    ended, dropped = _without_running(ended, running)
    if not len(ended):
        what = "every cycle here is also in the file of --now"
        raise InputErrors(
            [Problem(history, 1, "cycle", what, "Give cycles that have ended, under names of their own.")]
        )
    forecast = target_probability(ended, running)
    text = io.StringIO()
    (write_json if as_json else write_csv)(table, forecast, text)
    if out is None:
        sys.stdout.write(text.getvalue())
    else:
        try:
            out.write_text(text.getvalue(), encoding="utf-8")
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise InputErrors([Problem(out, 1, "", what, "Name a file in a folder that is there.")]) from None
    if dropped:
        yield f"{history}: left out {dropped} cycles that are in {now} too: a running cycle says nothing about itself."
    if forecast.not_monotone:
        yield (
            "Against the rule that more done is a better chance stands the history of: "
            f"{', '.join(forecast.not_monotone)}. Their records are likely kept late; they are taken as they are."
        )


def _without_running(ended: Observations, running: Observations) -> tuple[Observations, int]:
    """The history without the cycles that are running, and how many those were."""
    names = set(zip(running.group, running.cycle, strict=True))
    cycles = list(zip(ended.group, ended.cycle, strict=True))
    kept = [row for row, name in enumerate(cycles) if name not in names]
    return ended.take(np.array(kept, dtype=np.int64)), len(names & set(cycles))
