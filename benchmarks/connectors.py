"""How fast the connectors pull, and with how much memory, beside dlt: `python -m benchmarks.connectors [--records N] [--json]`.

Needs the group `benchmarks` of the dependencies (`uv sync --group benchmarks`). Both pull the same records from one server on
loopback, without latency and with 100 ms for every answer, and write them into a DuckDB file: ours by its connector, landing and
load; dlt by its REST source into its DuckDB destination, nothing unnested. Each runs in a process of its own, twice, and the
quicker run counts; the server has its answers ready from the first on. In the end ours pulls five times the deals, to show that
memory does not grow with them. What is pulled, and how, is in `benchmarks.beside_dlt`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.measuring import REPOSITORY, Phase, as_json, in_own_process, report

# The modules of benchmarks.beside_dlt, and how many records each has for one that is asked for.
_SYSTEMS = {"hubspot": 1.0, "jira_cloud": 0.5, "jira_data_center": 0.5, "salesforce": 1.0}
_BOTH = ("plumbline", "dlt")
_MORE = 5
_ANSWERS = 10**9


@dataclass(frozen=True)
class _Leg:
    system: str
    records: int
    latency: int
    programs: tuple[str, ...] = _BOTH

    @property
    def name(self) -> str:
        return f"{self.system}, {self.records:,}, {self.latency} ms"


def _legs(records: int) -> list[_Leg]:
    beside = [
        _Leg(system, round(records * share), latency)
        for system, share in _SYSTEMS.items()
        for latency in (0, 100)
    ]
    return [*beside, _Leg("hubspot", _MORE * records, 0, ("plumbline",))]


def main() -> None:
    """Measure and report; or, called by itself, be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="deals, and half as many issues")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--as", dest="role", nargs="+", default=["parent"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    role, *about = asked.role
    if role == "parent":
        _compare(asked.records, for_programs=asked.json)
    else:
        {"server": _serve, "plumbline": _pull, "dlt": _pull_by_dlt}[role](*about)


def _compare(records: int, *, for_programs: bool) -> None:
    runs: dict[str, dict[str, Phase]] = {}
    pulled: dict[str, dict[str, int]] = {}
    for leg in _legs(records):
        measured = _measured(leg)
        runs[leg.name] = {program: phase for program, (phase, _) in measured.items()}
        pulled[leg.name] = {program: number for program, (_, number) in measured.items()}
    if for_programs:
        print(as_json(runs=runs, records=pulled))
        return
    columns = ["", "records", "dlt's", "a second", "dlt", "ratio", "peak MB", "dlt", "ratio"]
    report("Records pulled and written", columns, [_row(name, runs[name], pulled[name]) for name in runs])


def _measured(leg: _Leg) -> dict[str, tuple[Phase, int]]:
    """The quicker of two runs of each program, and how many records it wrote."""
    measured = {}
    with _server(leg) as url, tempfile.TemporaryDirectory() as folder:
        for program in leg.programs:
            tries = [_child(program, leg.system, url, f"{folder}/{program}{number}") for number in range(2)]
            measured[program] = min(tries, key=lambda one: one[0].seconds)
    return measured


def _row(name: str, runs: dict[str, Phase], records: dict[str, int]) -> list[Any]:
    speed = {program: records[program] / run.seconds for program, run in runs.items()}
    if "dlt" not in runs:
        return [name, records["plumbline"], "", speed["plumbline"], "", "", runs["plumbline"].peak_mb, "", ""]
    memory = {program: run.peak_mb for program, run in runs.items()}
    beside = [[each["plumbline"], each["dlt"], each["plumbline"] / each["dlt"]] for each in (speed, memory)]
    return [name, records["plumbline"], records["dlt"], *beside[0], *beside[1]]


def _child(program: str, system: str, url: str, folder: str) -> tuple[Phase, int]:
    phase, output = in_own_process(
        sys.executable, "-m", "benchmarks.connectors", "--as", program, system, url, folder
    )
    seconds, number = json.loads(output.splitlines()[-1])
    return replace(phase, seconds=seconds), number


@contextmanager
def _server(leg: _Leg) -> Iterator[str]:
    about = [leg.system, str(leg.records), str(leg.latency)]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.connectors", "--as", "server", *about],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("done")


def _module(system: str) -> Any:
    return import_module(f"benchmarks.beside_dlt.{system}")


def _serve(system: str, records: str, latency: str) -> None:
    from demo.servers.loopback import Fault

    faults = [Fault(delay=int(latency) / 1000, times=_ANSWERS)] if int(latency) else []
    with _module(system).serve(int(records), faults) as server:
        print(server.url, flush=True)
        sys.stdin.read()


def _pull(system: str, url: str, folder: str) -> None:
    from connectors.landing import Landing
    from warehouse.connection import connect
    from warehouse.control import create_control_tables
    from warehouse.raw import create_raw_tables, load, pending

    source = _module(system).source(url)
    began = time.perf_counter()
    landing = Landing(Path(folder))
    source.pull({}, landing, lambda *_: None)
    rows = 0
    with connect(Path(folder) / "warehouse.duckdb") as con:
        create_control_tables(con)
        create_raw_tables(con)
        for manifest in pending(con, landing):
            rows += load(con, landing.root, manifest).inserted
    print(json.dumps([time.perf_counter() - began, rows]))


def _pull_by_dlt(system: str, url: str, folder: str) -> None:
    import os

    os.environ |= {
        "HOME": folder,
        "DLT_DATA_DIR": folder,
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
    }
    dlt: Any = import_module("dlt")
    rest_api: Any = import_module("dlt.sources.rest_api")

    config = _module(system).dlt(url)
    began = time.perf_counter()
    source = rest_api.rest_api_source(config)
    destination = dlt.destinations.duckdb(f"{folder}/warehouse.duckdb")
    Path(folder).mkdir(parents=True, exist_ok=True)
    pipeline = dlt.pipeline("benchmark", pipelines_dir=folder, destination=destination, dataset_name="raw")
    pipeline.run(source)
    counts = pipeline.last_trace.last_normalize_info.row_counts
    print(json.dumps([time.perf_counter() - began, counts[config["resources"][0]["name"]]]))


if __name__ == "__main__":
    main()
