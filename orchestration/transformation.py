"""Run dbt in this process over a workspace's project, and read its lineage.

In process because the import of dbt is most of a small build: the parse and both builds of a run share one import and
one parsed manifest (figures in `docs/benchmarks.md`).
"""

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest as DbtManifest
    from dbt_common.events.base_types import EventMsg

log = logging.getLogger("plumbline.dbt")

_PROGRESS_SECONDS = 2.0

OWN_SCHEMAS = frozenset({"strategy", "control"})
"""Schemas that Plumbline fills itself; everything else in a KR's lineage comes from a source system."""


class TransformationError(Exception):
    """dbt could not even start: the project does not parse, or the warehouse does not open."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node. `status` is dbt's own word: success, error, skipped, pass, warn, fail.

    `relation` is `schema.name` of the table or view a model built or a test looked at, `materialized` how a model is kept.
    `caused_by` is the relation of the model whose error made dbt skip this one.
    """

    unique_id: str
    resource_type: str
    name: str
    relation: str
    materialized: str
    status: str
    message: str
    failing_rows: int | None
    seconds: float
    caused_by: str | None = None

    @property
    def ok(self) -> bool:
        return self.status in {"success", "pass"}


class Transformation:
    """The dbt project of a workspace, parsed once and built as often as needed."""

    def __init__(self, project: Path) -> None:
        self.project = project

    @cached_property
    def parsed(self) -> "DbtManifest":
        """The project as dbt parsed it. Raises TransformationError with dbt's own words when it does not parse."""
        if not (self.project / "dbt_packages").exists():
            self._invoke("deps")
        result = self._invoke("parse")
        return result.result  # type: ignore[no-any-return]

    def parse(self) -> None:
        """Have dbt parse the project, once. Raises TransformationError."""
        _ = self.parsed

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """What `manifest.json` of the parsed project would hold. Not read from that file: another process may be writing it."""
        return self.parsed.writable_manifest().to_dict(omit_none=False)

    def build(
        self, select: str, exclude: str = "resource_type:unit_test", *, full: bool = False
    ) -> list[NodeResult]:
        """Build and test what `select` names; `full` builds incremental models from all records.

        Failures of nodes are in the results; only a dbt that cannot run raises.
        """
        arguments = ["--select", select, "--exclude", exclude, *(["--full-refresh"] if full else [])]
        result = self._invoke("build", *arguments, manifest=self.parsed)
        broken = {run.node.unique_id for run in result.result.results if str(run.status) == "error"}
        return [self._node_result(run, broken) for run in result.result.results]

    def key_result_models(self) -> dict[str, str]:
        """KR id to the unique id of its model."""
        return {
            node["config"]["meta"]["kr_id"]: unique_id
            for unique_id, node in self.manifest["nodes"].items()
            if "kr_id" in node["config"].get("meta", {})
        }

    def inputs(self, unique_id: str) -> Iterator[str]:
        """`schema.name` of the node itself and of every table that it descends from, up to the raw ones."""
        for relation in map(self.relation, self._descent(unique_id)):
            if relation.split(".", 1)[0] not in OWN_SCHEMAS:
                yield relation

    def compiled_sql(self) -> dict[str, str]:
        """KR id to the SQL that its model ran, for every model that compiled in the last build."""
        found = {}
        for kr_id, unique_id in self.key_result_models().items():
            node = self.parsed.nodes[unique_id]
            path = self.project / "target" / "compiled" / node.package_name / node.original_file_path
            if path.exists():
                found[kr_id] = path.read_text(encoding="utf-8").strip() + "\n"
        return found

    def computed_from_records(self, unique_ids: Iterable[str]) -> set[str]:
        """The models themselves and all that they descend from, as far as it descends from a raw table; with these tables."""
        parents: Mapping[str, list[str]] = self.manifest["parent_map"]

        @cache
        def is_from_raw(node: str) -> bool:
            return self.relation(node).startswith("raw.") or any(map(is_from_raw, parents.get(node, ())))

        waiting, found = list(unique_ids), set[str]()
        while waiting:
            node = waiting.pop()
            if node not in found and is_from_raw(node):
                found.add(node)
                waiting.extend(parents.get(node, ()))
        return found

    def sql_from_everything(self, unique_ids: Iterable[str]) -> dict[str, str]:
        """Unique id to the SQL that builds the model from all records, parents first."""
        names = [self.manifest["nodes"][unique_id]["name"] for unique_id in unique_ids]
        result = self._invoke(
            "compile", "--full-refresh", "--select", *sorted(names), "--exclude", "resource_type:test",
            "resource_type:unit_test", manifest=self.parsed,
        )  # fmt: skip
        return {run.node.unique_id: str(run.node.compiled_code) for run in result.result.results}

    def relation(self, unique_id: str) -> str:
        """`schema.name` of a node; for a test, of the table it looks at."""
        kind = unique_id.split(".", 1)[0]
        node = self.manifest["sources" if kind == "source" else "nodes"][unique_id]
        if kind == "test":
            attached = node.get("attached_node") or next(iter(self.manifest["parent_map"][unique_id]), None)
            return self.relation(attached) if attached else f"test.{node['name']}"
        return f"{node['schema']}.{node.get('alias') or node.get('identifier') or node['name']}"

    def _descent(self, unique_id: str) -> Iterator[str]:
        """The node itself and everything that it descends from, nearest first."""
        parents: Mapping[str, list[str]] = self.manifest["parent_map"]
        waiting, seen = deque([unique_id]), {unique_id}
        while waiting:
            node = waiting.popleft()
            yield node
            found = [parent for parent in parents.get(node, ()) if parent not in seen]
            seen.update(found)
            waiting.extend(found)

    def _node_result(self, run: Any, broken: Set[str]) -> NodeResult:
        node = run.node
        skipped_for = (each for each in self._descent(node.unique_id) if each in broken)
        cause = next(skipped_for, None) if str(run.status) == "skipped" else None
        return NodeResult(
            unique_id=node.unique_id,
            resource_type=str(node.resource_type),
            name=node.name,
            relation=self.relation(node.unique_id),
            materialized=str(node.config.materialized),
            status=str(run.status),
            message=str(run.message or ""),
            failing_rows=run.failures,
            seconds=float(run.execution_time),
            caused_by=self.relation(cause) if cause else None,
        )

    def _invoke(self, command: str, *arguments: str, manifest: "DbtManifest | None" = None) -> Any:
        from dbt.cli.main import dbtRunner  # takes two seconds, and most commands never need it

        place = ["--project-dir", str(self.project), "--profiles-dir", str(self.project)]
        quiet = [
            "--quiet",
            "--no-write-json",
            "--log-level",
            "none",
            "--log-path",
            str(self.project / "logs"),
        ]
        runner = dbtRunner(manifest=manifest, callbacks=[_Progress()])
        result = runner.invoke([command, *quiet, "--no-send-anonymous-usage-stats", *place, *arguments])
        if result.exception is not None:
            raise TransformationError(f"dbt {command} failed: {result.exception}") from result.exception
        return result


class _Progress:
    """Tells the log how far a build is, every few seconds."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, event: "EventMsg") -> None:
        now = time.monotonic()
        if event.info.name in {"LogModelResult", "LogSeedResult"} and now - self._told >= _PROGRESS_SECONDS:
            self._told = now
            log.info(
                "computed %d of %d, last %s",
                event.data.index,
                event.data.total,
                event.data.node_info.node_name,
            )
