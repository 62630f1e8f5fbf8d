"""What a strategy of 400 key results costs: `python -m benchmarks.many_key_results [--json] [--key-results 400]`.

The demo company's world, with its objectives and their key results taken over and over under new ids: the same records,
measures and phases as in `benchmarks.demo`, so that the difference is what key results cost.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks.demo import cold_and_warm, copy_of_demo
from benchmarks.measuring import as_json, report_phases
from benchmarks.refresh_phases import report_nodes


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--key-results", type=int, default=400, help="how many key results in all")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = copy_of_demo(Path(folder) / "demo")
        multiply(workspace / "strategy" / "objectives", asked.key_results)
        runs = cold_and_warm(workspace)
    if asked.json:
        print(as_json(key_results=asked.key_results, **{name: vars(run) for name, run in runs.items()}))
        return
    title = f"Refresh of the demo company with {asked.key_results} key results"
    report_phases(title, {name: run.phases for name, run in runs.items()})
    report_nodes(runs)


def multiply(objectives: Path, key_results: int) -> None:
    """Add copies of the objectives in the folder until all together have that many key results."""
    originals = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(objectives.glob("*.yml"))
    }
    there = sum(len(each["key_results"]) for each in originals.values())
    for name, copied in itertools.islice(_copies(originals), key_results):
        missing = key_results - there
        if missing <= 0:
            return
        copied["key_results"] = copied["key_results"][:missing]
        there += len(copied["key_results"])
        text = yaml.safe_dump(copied, allow_unicode=True, sort_keys=False)
        (objectives / f"{name}.yml").write_text(text, encoding="utf-8")


def _copies(originals: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Round after round a copy of each objective, with a number at the end of its id and of those of its key results."""
    for number in itertools.count(2):
        for name, original in originals.items():
            objective = {**original["objective"], "id": f"{original['objective']['id']}-{number}"}
            key_results = [{**each, "id": f"{each['id']}-{number}"} for each in original["key_results"]]
            yield f"{name}-{number}", {"objective": objective, "key_results": key_results}


if __name__ == "__main__":
    main()
