"""Dagster over a workspace: assets with owners, checks, schedule, and a sensor through which flags are raised by themselves."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestration import refresh
from orchestration.code_location import build_definitions
from orchestration.instance import dagster_home
from orchestration.starter import write_starter
from orchestration.workspace import Workspace
from tests.alerts.channels.conftest import SECRET
from tests.alerts.channels.hook_server import SignedServer
from tests.orchestration.dev import Dev

ALERTS = """
alerts:
  channels:
    hook: {type: webhook, url: "${HOOK_URL}", secret: "${HOOK_SECRET}"}
  routes:
    operations: {to: hook, kinds: [operations]}
"""
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def hook() -> Iterator[SignedServer]:
    with SignedServer(SECRET) as server:
        yield server


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, hook: SignedServer) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("dagster") / "acme"
    list(write_starter(folder))
    file = folder / "plumbline.yml"
    text = file.read_text().replace("freshness_days: 100", "freshness_days: 100\n    owner: data@example.com")
    file.write_text(text + ALERTS)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOOK_URL", hook.url)
        environment.setenv("HOOK_SECRET", SECRET)
        yield Workspace(folder)


@pytest.fixture(scope="module")
def definitions(workspace: Workspace) -> dg.Definitions:
    return build_definitions(workspace)


@pytest.fixture(scope="module")
def instance(workspace: Workspace) -> Iterator[dg.DagsterInstance]:
    dagster_home(workspace)
    with dg.DagsterInstance.get() as instance:
        yield instance
    refresh.let_go()


@pytest.fixture(scope="module")
def refreshed(definitions: dg.Definitions, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """One refresh as the schedule would start it."""
    result = definitions.resolve_job_def("refresh").execute_in_process(run_config=QUIET, instance=instance)
    assert result.success
    return result


def published(workspace: Workspace, table: str) -> list[dict[str, object]]:
    text = (workspace.published / "current" / "json" / f"{table}.json").read_text(encoding="utf-8")
    rows: list[dict[str, object]] = json.loads(text)
    return rows


def test_streams_and_key_results_are_assets_with_owners_and_groups(definitions: dg.Definitions) -> None:
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    assert specs["landing/finance/ledger"].owners == ["data@example.com"]
    assert specs["landing/finance/ledger"].group_name == "finance"
    key_result = specs["key_results/kr_revenue_posted"]
    assert key_result.owners == ["kim@example.com"]
    assert key_result.group_name == "key_results"
    assert {dep.asset_key.to_user_string() for dep in key_result.deps} == {
        "flow/ledger_entries",
        "flow/calendar",
    }
    assert specs["published/scorecard"].freshness_policy is not None


def test_lineage_reaches_from_the_pull_to_the_published_scorecard(definitions: dg.Definitions) -> None:
    upstream = dg.AssetSelection.assets("published/scorecard").upstream()
    keys = {key.to_user_string() for key in upstream.resolve(definitions.resolve_asset_graph())}
    assert {
        "landing/finance/ledger",
        "raw/finance_ledger",
        "flow/ledger_entries",
        "key_results/kr_spend_in_plan",
    } <= keys


def test_refresh_runs_every_check_and_publishes(
    refreshed: dg.ExecuteInProcessResult, definitions: dg.Definitions, workspace: Workspace
) -> None:
    evaluated = {evaluation.asset_check_key for evaluation in refreshed.get_asset_check_evaluations()}
    declared = set(definitions.resolve_asset_graph().asset_check_keys)
    assert evaluated == declared
    assert dg.AssetCheckKey(dg.AssetKey(["staging", "stg_finance__ledger"]), "amount_present") in declared
    assert {row["kr_id"] for row in published(workspace, "kr_current")} == {"revenue-posted", "spend-in-plan"}


def metrics(workspace: Workspace) -> dict[tuple[str, tuple[str, ...]], float]:
    """What a scrape of the file gives, by name and values of labels."""
    text = (workspace.state / "metrics.prom").read_text(encoding="utf-8")
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_refresh_leaves_its_metrics(refreshed: dg.ExecuteInProcessResult, workspace: Workspace) -> None:
    found = metrics(workspace)
    assert found["plumbline_run_success", ()] == 1
    phases = {labels[0]: value for (name, labels), value in found.items() if "phase" in name}
    assert set(phases) == {"extract", "load", "transform", "check_published", "publish"}
    assert sum(phases.values()) <= found["plumbline_run_duration_seconds", ()]
    postings = len((workspace.root / "finance" / "gl_sample.csv").read_text().splitlines()) - 1
    assert found["plumbline_run_loaded_rows", ("inserted", "finance", "ledger")] == postings
    assert found["plumbline_stream_rows", ("finance", "ledger")] == postings


def test_schedule_runs_by_itself_in_the_time_zone_of_the_cycle(definitions: dg.Definitions) -> None:
    [schedule] = definitions.schedules or []
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * 1-5", "Europe/Berlin")


def look(definitions: dg.Definitions, instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    sensor = definitions.resolve_sensor_def("operations")
    with dg.build_sensor_context(
        instance=instance, cursor=cursor, definitions=definitions, sensor_name="operations"
    ) as context:
        result = sensor(context)
    if isinstance(result, dg.SkipReason):
        return dg.SensorResult(skip_reason=result, cursor=cursor)
    assert isinstance(result, dg.SensorResult)
    return result


def heard(
    definitions: dg.Definitions, instance: dg.DagsterInstance, hook: SignedServer
) -> list[tuple[str, str]]:
    """Turn and incident of all that the sensor of the alerts says when it ticks."""
    hook.kept.clear()
    with dg.build_sensor_context(instance=instance, definitions=definitions, sensor_name="alerts") as context:
        definitions.resolve_sensor_def("alerts")(context)
    messages = [body["data"] for body in hook.kept.values() if isinstance(body, dict)]
    return [(part["turn"], part["incident"]) for message in messages for part in message["parts"]]


def open_flags(workspace: Workspace) -> set[tuple[object, object]]:
    return {(flag["subject"], flag["rule"]) for flag in published(workspace, "flags") if flag["is_open"]}


def test_a_failed_refresh_becomes_a_flag_and_a_good_one_closes_it_with_nobody_taking_part(
    refreshed: dg.ExecuteInProcessResult,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    workspace: Workspace,
    hook: SignedServer,
) -> None:
    assert heard(definitions, instance, hook) == []
    first = look(definitions, instance, None)
    assert not first.run_requests
    assert not look(definitions, instance, first.cursor).run_requests

    metrics_before = metrics(workspace)
    exports = workspace.root / "finance"
    exports.rename(workspace.root / "elsewhere")
    broken = definitions.resolve_job_def("refresh").execute_in_process(
        run_config=QUIET, instance=instance, raise_on_error=False
    )
    assert not broken.success
    assert ("refresh", "succeeded") not in open_flags(workspace)
    failed = metrics(workspace)
    assert failed["plumbline_run_success", ()] == 0
    assert failed["plumbline_key_results", ("green",)] == metrics_before["plumbline_key_results", ("green",)]

    assert heard(definitions, instance, hook) == [("opened", "run/refresh")]
    assert heard(definitions, instance, hook) == []

    seen = look(definitions, instance, first.cursor)
    assert seen.run_requests is not None
    [request] = seen.run_requests
    recomputed = definitions.resolve_job_def("recompute").execute_in_process(
        run_config={**QUIET, **request.run_config}, instance=instance
    )
    assert recomputed.success
    assert ("refresh", "succeeded") in open_flags(workspace)
    judged_again = metrics(workspace)
    assert judged_again["plumbline_run_success", ()] == 0
    assert judged_again["plumbline_flags_open", ("sensor", "amber")] == 1
    assert not look(definitions, instance, seen.cursor).run_requests
    assert heard(definitions, instance, hook) == []

    dev, now = Dev(workspace), datetime.now(UTC)
    dev.beat(at=now)
    dev.tick(schedule=now - timedelta(hours=3), sensor=now)
    (workspace.root / "elsewhere").rename(exports)
    assert (
        definitions.resolve_job_def("refresh").execute_in_process(run_config=QUIET, instance=instance).success
    )
    assert metrics(workspace)["plumbline_run_success", ()] == 1
    assert ("refresh_schedule", "ticking") in open_flags(workspace)
    assert heard(definitions, instance, hook) == [
        ("opened", "sensor/refresh_schedule"),
        ("resolved", "run/refresh"),
    ]
    well = look(definitions, instance, seen.cursor)
    assert well.run_requests is not None
    [request] = well.run_requests
    assert (
        definitions.resolve_job_def("recompute")
        .execute_in_process(run_config={**QUIET, **request.run_config}, instance=instance)
        .success
    )
    assert open_flags(workspace) & {
        ("refresh", "succeeded"), ("refresh_schedule", "ticking"), ("operations", "ticking"),
    } == {("refresh_schedule", "ticking")}  # fmt: skip
