"""One refresh of a workspace with its phases timed, in a process of its own: `python -m benchmarks.refresh_phases DIR`.

It is `plumbline run`, with a stopwatch around each step. The heavy libraries are imported first, where the command imports each
when it comes to it; the sum is the same. After what the command says it prints the phases, a line of JSON.
"""

from __future__ import annotations

import argparse
import atexit
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Phase, Stopwatch, in_own_process, report

if TYPE_CHECKING:
    from orchestration.transformation import NodeResult
    from orchestration.workspace import Workspace

OUTSIDE = "start and end of the process"


@dataclass(frozen=True)
class RefreshFigures:
    """The phases of one refresh in the order they first ended, and the seconds that dbt's nodes took, by room."""

    phases: list[Phase]
    nodes: dict[str, tuple[int, float]]


def measured_refresh(workspace: Path, *, as_of: date | None = None, pull: bool = True) -> RefreshFigures:
    """Run the refresh of `workspace` in a fresh process. Without `pull` it starts from what lies in landing."""
    command = [sys.executable, "-m", "benchmarks.refresh_phases", str(workspace)]
    command += ["--as-of", as_of.isoformat()] if as_of else []
    whole, output = in_own_process(*command, *([] if pull else ["--no-pull"]))
    answer = json.loads(output.splitlines()[-1])
    phases = [Phase(**each) for each in answer["phases"]]
    outside = Phase(
        OUTSIDE,
        whole.seconds - sum(phase.seconds for phase in phases),
        whole.cpu_seconds - sum(phase.cpu_seconds for phase in phases),
        whole.peak_mb,
    )
    return RefreshFigures([*phases, outside], {room: tuple(seen) for room, seen in answer["nodes"].items()})


def report_nodes(runs: Mapping[str, RefreshFigures]) -> None:
    """Print how long dbt's nodes took by themselves, in each room of the project."""
    columns = ["dbt's nodes", "how many"] + [f"{name}: s" for name in runs]
    rooms = dict.fromkeys(room for run in runs.values() for room in run.nodes)
    none = (0, 0.0)
    rows = [
        [room, max(run.nodes.get(room, none)[0] for run in runs.values())]
        + [run.nodes.get(room, none)[1] for run in runs.values()]
        for room in rooms
    ]
    report("Of the dbt build: seconds of its nodes, summed up over its threads", columns, rows)


def main() -> None:
    """Refresh and print the phases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--as-of", type=date.fromisoformat)
    parser.add_argument("--no-pull", action="store_true", help="start from what lies in landing")
    asked = parser.parse_args()
    watch = Stopwatch()
    with watch.phase("import"):
        _import_heavy()
    nodes = _watch_steps(watch)
    if asked.no_pull:
        _skip_pull()
    atexit.register(_print_phases, watch, nodes)
    as_of = ["--as-of", asked.as_of.isoformat()] if asked.as_of else []
    sys.argv = ["plumbline", "run", "--workspace", str(asked.workspace), *as_of]
    from orchestration.cli import main as plumbline

    plumbline()


def _print_phases(watch: Stopwatch, nodes: list[NodeResult]) -> None:
    print(json.dumps({"phases": [asdict(phase) for phase in watch.phases()], "nodes": _by_room(nodes)}))


def _import_heavy() -> None:
    import dagster  # noqa: F401
    import dagster_dbt  # noqa: F401
    import dbt.adapters.duckdb
    import dbt.cli.main  # noqa: F401
    import great_expectations  # noqa: F401

    import orchestration.code_location  # noqa: F401


def _watch_steps(watch: Stopwatch) -> list[NodeResult]:
    """Put the stopwatch around the steps; gives the list that the results of dbt's nodes will be added to."""
    import demo.serving
    import strategy
    from demo.world import Snapshot, World
    from orchestration import refresh, run
    from orchestration.transformation import Transformation

    for owner, attribute in (
        (demo.serving, "simulate"),
        (World, "as_of"),
        (Snapshot, "write_finance"),
    ):
        watch.watch(owner, attribute, "simulate (demo only)")
    watch.watch(strategy, "compile", "compile strategy")
    watch.watch(run, "run_refresh", "Dagster: definitions, events")
    watch.watch(run, "check_all", "pull")
    watch.watch(refresh, "extract", "pull")
    watch.watch(refresh, "begin", "load")
    watch.watch(refresh, "load_landed", "load")
    watch.watch(refresh, "run_gates", "checks (Great Expectations)")
    watch.watch(refresh, "publish", "publish")
    watch.watch(Transformation, "_invoke", _dbt_phase)
    watch.watch(refresh, "transform", "between the steps")
    watch.watch(refresh, "publish_run", "between the steps")
    return _collect_nodes(Transformation)


def _dbt_phase(_: Any, command: str, *arguments: str, **named: Any) -> str:
    return "dbt build, models and tests" if command == "build" else "parse"


def _collect_nodes(transformation: Any) -> list[NodeResult]:
    collected: list[NodeResult] = []
    build = transformation.build

    def building(*arguments: Any, **named: Any) -> list[NodeResult]:
        results: list[NodeResult] = build(*arguments, **named)
        collected.extend(results)
        return results

    transformation.build = building
    return collected


def _by_room(nodes: Iterable[NodeResult]) -> dict[str, tuple[int, float]]:
    rooms: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for node in nodes:
        room = "tests" if node.resource_type == "test" else node.relation.split(".", 1)[0]
        count, seconds = rooms[room]
        rooms[room] = (count + 1, seconds + node.seconds)
    return dict(rooms)


def _skip_pull() -> None:
    """The sources of a landing that was made by hand are not there to be asked."""
    from orchestration import refresh, run

    @contextmanager
    def nothing_connected(workspace: Workspace, as_of: date) -> Iterator[list[Any]]:
        yield []

    for owner, name, stand_in in (
        (refresh, "extract", lambda workspace, as_of: []),
        (run, "connected", nothing_connected),
        (run, "check_all", lambda workspace, sources: {}),
    ):
        setattr(owner, name, stand_in)


if __name__ == "__main__":
    main()
