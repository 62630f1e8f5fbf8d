"""The refresh as Dagster assets: landing per stream, raw tables, every dbt model, the published scorecard."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from expectations.gates import TABLE_THERE, GateResult
from expectations.suites import Suite
from orchestration import refresh
from orchestration.ledger import append_ledger, recall_ledger
from orchestration.sources import listed
from orchestration.transformation import Transformation
from orchestration.workspace import Workspace

PUBLISHED_KEY = dg.AssetKey(["published", "scorecard"])

Specs = list[dg.AssetSpec]


class RefreshConfig(dg.Config):
    """`as_of`: the day to stand on, `YYYY-MM-DD`; empty: today, where the cycle is."""

    as_of: str = ""


def landing_asset(workspace: Workspace) -> dg.AssetsDefinition:
    """One asset per source and stream; all systems are pulled at once, in threads of one step."""
    specs = [
        dg.AssetSpec(
            _landing_key(name, stream.name),
            group_name=name,
            owners=_owners(workspace.config.sources[name].owner),
            kinds={source.system},
            description=f"Records of {source.system} {stream.name} as they came, with a manifest per pull.",
        )
        for name, source in listed(workspace).items()
        for stream in source.streams
    ]

    @dg.multi_asset(name="extract", specs=specs)
    def extract(
        context: dg.AssetExecutionContext, config: RefreshConfig
    ) -> Iterator[dg.MaterializeResult[Any]]:
        as_of = refresh.as_of_day(workspace, date.fromisoformat(config.as_of) if config.as_of else None)
        refresh.begin(workspace, context.run.run_id, as_of)
        landed = {(each.source, each.stream): each for each in refresh.extract(workspace, as_of)}
        for name, source in listed(workspace).items():
            for stream in source.streams:
                manifest = landed.get((name, stream.name))
                about = manifest.model_dump(mode="json", include=_LANDED) if manifest else {"landed": False}
                yield dg.MaterializeResult(asset_key=_landing_key(name, stream.name), metadata=about)

    return extract


_LANDED = {"rows", "bytes", "file", "sha256", "cursor_to"}


def raw_asset(workspace: Workspace) -> dg.AssetsDefinition:
    """One asset per raw table; a table may be filled by several sources of one system."""
    feeding: dict[dg.AssetKey, list[dg.AssetKey]] = {}
    for name, source in listed(workspace).items():
        for stream in source.streams:
            feeding.setdefault(dg.AssetKey(["raw", f"{source.system}_{stream.name}"]), []).append(
                _landing_key(name, stream.name)
            )
    specs = [
        dg.AssetSpec(key, deps=deps, group_name="raw", kinds={"duckdb"}) for key, deps in feeding.items()
    ]

    @dg.multi_asset(name="load", specs=specs)
    def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        outcomes = refresh.load_landed(workspace)
        context.log.info("loaded %d files", len(outcomes))
        for key in feeding:
            yield dg.MaterializeResult(asset_key=key)

    return load


def transformation_asset(workspace: Workspace, transformation: Transformation) -> dg.AssetsDefinition:
    """Every dbt model as an asset with its owner, its dbt tests and the gates on what arrived as asset checks.

    One step: the gates stand between the two halves of the build, and a KR that fails must not skip the scorecard.
    """
    manifest, translator = transformation.manifest, Translator()
    specs = {
        unique_id: translator.get_asset_spec(manifest, unique_id, None).replace_attributes(skippable=True)
        for unique_id in _assets_of(manifest)
    }
    tests = {
        unique_id: dg.AssetCheckSpec(
            node["name"], asset=specs[attached].key, description=node.get("description")
        )
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "test" and (attached := node.get("attached_node")) in specs
    }

    gates = _gate_specs(refresh.arriving(workspace, datetime.now(UTC)))

    @dg.multi_asset(
        name="transform",
        specs=list(specs.values()),
        check_specs=[*tests.values(), *gates],
    )
    def transform(context: dg.AssetExecutionContext) -> Iterator[Any]:
        recall_ledger(workspace)
        done = refresh.transform(workspace, transformation)
        results = {node.unique_id: node for node in done.nodes}
        for (
            node
        ) in done.nodes:  # in the order of completion, which is one that Dagster accepts: parents first
            if node.unique_id in specs and node.ok:
                key = specs[node.unique_id].key
                yield dg.MaterializeResult(asset_key=key, metadata={"seconds": node.seconds})
            elif node.unique_id in specs:
                context.log.error("%s: %s", node.relation, node.message)
        for unique_id, check in tests.items():
            tested = results.get(unique_id)
            passed, message = (
                (tested.ok, tested.message) if tested else (False, "not run: its table was not built")
            )
            yield _check_result(check.key, passed, message, dg.AssetCheckSeverity.WARN)
        yield from _gate_results(gates, done.gates, dg.AssetCheckSeverity.WARN)

    return transform


def published_checks(workspace: Workspace) -> dg.AssetChecksDefinition:
    """The gates on the public tables. They block: what fails them is not published."""

    gates = _gate_specs(refresh.leaving(workspace, workspace.strategy.cycle.end), blocking=True)

    @dg.multi_asset_check(name="check_published", specs=gates)
    def check_published() -> Iterator[dg.AssetCheckResult]:
        yield from _gate_results(gates, refresh.check_published(workspace), dg.AssetCheckSeverity.ERROR)

    return check_published


def published_asset(workspace: Workspace, transformation: Transformation) -> dg.AssetsDefinition:
    """The published run: tables, JSON and SQL, switched to in one step."""
    tables = [
        dg.AssetKey(["scorecard", node["name"]])
        for node in transformation.manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "scorecard"
    ]

    @dg.asset(key=PUBLISHED_KEY, deps=tables, group_name="published")
    def published() -> dg.MaterializeResult[Any]:
        append_ledger(workspace)
        publication = refresh.publish_run(workspace, transformation)
        return dg.MaterializeResult(metadata={"folder": str(publication.folder), **publication.rows})

    return published


class Translator(DagsterDbtTranslator):
    """Asset keys are `schema/table`, groups are the rooms of the dbt project, owners come from the KR."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return str(dbt_resource_props["schema"])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return _owners(dbt_resource_props["config"].get("meta", {}).get("owner"))


def _assets_of(manifest: Mapping[str, Any]) -> list[str]:
    kinds = {"model", "seed", "snapshot"}
    return [unique_id for unique_id, node in manifest["nodes"].items() if node["resource_type"] in kinds]


def _gate_specs(suites: list[Suite], *, blocking: bool = False) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=dg.AssetKey([suite.schema, suite.table]), blocking=blocking)
        for suite in suites
        for name in (TABLE_THERE, *(check.name for check in suite.checks))
    ]


def _gate_results(
    specs: list[dg.AssetCheckSpec], gates: list[GateResult], severity: dg.AssetCheckSeverity
) -> Iterator[dg.AssetCheckResult]:
    """A result for every check; those of a table that is not there were never run."""
    by_key = {dg.AssetCheckKey(dg.AssetKey(gate.subject.split(".")), gate.check): gate for gate in gates}
    for spec in specs:
        gate = by_key.get(spec.key)
        passed, message = (gate.passed, gate.message) if gate else (False, "not run: the table is not there")
        yield _check_result(spec.key, passed, message, severity)


def _check_result(
    key: dg.AssetCheckKey, passed: bool, message: str, severity: dg.AssetCheckSeverity
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key.asset_key, check_name=key.name, passed=passed, severity=severity, description=message
    )


def _landing_key(source: str, stream: str) -> dg.AssetKey:
    return dg.AssetKey(["landing", source, stream])


def _owners(owner: str | None) -> list[str]:
    return [owner] if owner else []
