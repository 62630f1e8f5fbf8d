"""The large workspace beside a hand-written script: `python -m benchmarks.large [--json] [--scale 0.1] [--data DIR]`.

A million issues with ten million changes, two million deals and ten million postings lie in landing, made without HTTP (minutes;
kept in the folder given by --data and made once). Then, each in a process of its own: a refresh from landing to the published
scorecard, a second one with nothing new, a third after one record in a thousand has changed, and one DuckDB script that computes
the same key results from the same files and nothing else. Its values and those of the second refresh must agree; the ratio of
the times is what the pipeline's raw history, checks, evidence and published tables cost.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.measuring import Phase, as_json, in_own_process, report, report_phases
from benchmarks.refresh_phases import RefreshFigures, measured_refresh, report_nodes

_AS_OF = date(2026, 10, 30)
_WORKSPACE = Path(__file__).parent / "workspace"
# Both sides round averages and shares of doubles to six decimals, in their own order.
_TOLERANCE = 2e-6


def main() -> None:
    """Make the data where it is missing, measure both, compare, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--scale", type=float, default=1.0, help="0.1 for a tenth of everything")
    parser.add_argument(
        "--data", type=Path, help="where the landing files are kept from one measuring to the next"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.data) as folder:
        landing = _landing(asked.data or Path(folder), asked.scale)
        workspace = _workspace(Path(folder) / "workspace", landing)
        answers = Path(folder) / "answers.parquet"
        by_hand = _by_hand(landing, answers)
        runs = {
            "first": measured_refresh(workspace, as_of=_AS_OF, pull=False),
            "second": measured_refresh(workspace, as_of=_AS_OF, pull=False),
        }
        sizes = _compared(workspace, landing, answers)
        changes = (str(landing), str(workspace / ".plumbline" / "landing"))
        in_own_process(sys.executable, "-m", "benchmarks.large.changing", *changes)
        runs["0.1 % changed"] = measured_refresh(workspace, as_of=_AS_OF, pull=False)
    ratios = {name: _ratios(run.phases, by_hand) for name, run in runs.items()}
    if asked.json:
        figures = {name: vars(run) for name, run in runs.items()}
        print(as_json(scale=asked.scale, sizes=sizes, by_hand=by_hand, **figures, ratios=ratios))
    else:
        _report(asked.scale, sizes, by_hand, runs, ratios)


def _landing(data: Path, scale: float) -> Path:
    """The folder with the landing files at that scale; an interrupted making leaves nothing that passes for it."""
    landing = data.resolve() / f"landing-{scale:g}"
    if not landing.exists():
        print(f"making the landing files at scale {scale:g} in {landing} ...", file=sys.stderr)
        unfinished = landing.with_name(landing.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        in_own_process(
            sys.executable, "-m", "benchmarks.large.making", str(unfinished), "--scale", str(scale)
        )
        unfinished.rename(landing)
    return landing


def _workspace(into: Path, landing: Path) -> Path:
    """The workspace with links to the landed files, so that others can land beside them."""
    shutil.copytree(_WORKSPACE, into)
    shutil.copytree(landing, into / ".plumbline" / "landing", copy_function=os.symlink)
    return into


def _by_hand(landing: Path, answers: Path) -> list[Phase]:
    whole, output = in_own_process(
        sys.executable, "-m", "benchmarks.large.by_hand", str(landing), str(answers)
    )
    phases = [Phase(**each) for each in json.loads(output)]
    rest = Phase(
        "start and end of the process",
        whole.seconds - sum(phase.seconds for phase in phases),
        whole.cpu_seconds - sum(phase.cpu_seconds for phase in phases),
        whole.peak_mb,
    )
    return [*phases, rest]


def _compared(workspace: Path, landing: Path, answers: Path) -> dict[str, Any]:
    """How much there was. Raises RuntimeError when the pipeline and the script do not agree on every value."""
    import duckdb  # only now: the processes that were measured began with this one's memory

    warehouse = workspace / ".plumbline" / "warehouse.duckdb"
    con = duckdb.connect(str(warehouse), read_only=True)
    apart = con.execute(
        """
        select coalesce(computed.kr_id, by_hand.kr_id), coalesce(computed.date, by_hand.date), computed.value, by_hand.value
        from (
            select kr_values.* from key_results.kr_values
            inner join flow.calendar on calendar.date = kr_values.date and calendar.is_in_cycle
        ) as computed
        full join read_parquet(?) as by_hand using (kr_id, date)
        where not coalesce(abs(computed.value - by_hand.value) <= ? * greatest(1, abs(by_hand.value)), false)
        order by all
        """,
        [str(answers), _TOLERANCE],
    ).fetchall()
    if apart:
        raise RuntimeError(
            f"The pipeline and the script differ in {len(apart)} values. The first: {apart[:5]}"
        )
    counts = {}
    for table in ("work_items", "work_item_changes", "deals", "deal_changes", "ledger_entries"):
        row = con.execute(f"select count(*) from flow.{table}").fetchone()
        counts[table] = row[0] if row else 0
    values = con.execute("select count(*) from read_parquet(?)", [str(answers)]).fetchone()
    return {
        **counts,
        "values_that_agree": values[0] if values else 0,
        "landing_mb": round(sum(file.stat().st_size for file in landing.rglob("*.gz")) / 1e6),
        "warehouse_mb": round(warehouse.stat().st_size / 1e6),
    }


def _ratios(refresh: list[Phase], by_hand: list[Phase]) -> dict[str, float]:
    return {
        "seconds": sum(each.seconds for each in refresh) / sum(each.seconds for each in by_hand),
        "cpu_seconds": sum(each.cpu_seconds for each in refresh) / sum(each.cpu_seconds for each in by_hand),
        "peak_mb": max(each.peak_mb for each in refresh) / max(each.peak_mb for each in by_hand),
    }


def _report(
    scale: float,
    sizes: dict[str, Any],
    by_hand: list[Phase],
    runs: dict[str, RefreshFigures],
    ratios: dict[str, dict[str, float]],
) -> None:
    report(f"What there is at scale {scale:g}", ["", "rows or MB"], [[*pair] for pair in sizes.items()])
    report_phases(
        "Refresh of the large workspace, from landing",
        {name: run.phases for name, run in runs.items()},
    )
    report_nodes(runs)
    report_phases("The same key results by one hand-written DuckDB script", {"by hand": by_hand})
    report(
        "The refresh in multiples of the script",
        ["refresh", "time", "CPU time", "peak memory"],
        [[name, *ratio.values()] for name, ratio in ratios.items()],
    )


if __name__ == "__main__":
    main()
