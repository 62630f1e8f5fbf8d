"""The metrics of a run, as Prometheus' own parser reads them, against the published tables."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from alerts.last_run import LastRun, LoadedRows
from alerts.metrics import write_metrics

BEGAN = datetime(2026, 10, 30, 18, tzinfo=UTC)
RUN = LastRun(
    started_at=BEGAN,
    ended_at=BEGAN + timedelta(seconds=61.5),
    succeeded=False,
    phases={"extract": 1.5, "transform": 60},
    loaded=(LoadedRows(source="jira", stream="issues", inserted=3, updated=2, unchanged=1, deleted=0),),
)
MESSAGES = {("leaders", "sent"): 7, ("leaders", "dead"): 1, ("mail", "waiting"): 2}
Families = dict[str, Metric]


@pytest.fixture(scope="module")
def families(week_4: Path, tmp_path_factory: pytest.TempPathFactory) -> Families:
    file = tmp_path_factory.mktemp("metrics") / "metrics.prom"
    write_metrics(file, RUN, week_4.parent, MESSAGES)
    assert [each.name for each in file.parent.iterdir()] == ["metrics.prom"]
    return parsed(file)


def parsed(file: Path) -> Families:
    text = file.read_text(encoding="utf-8")
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(family: Metric, *labels: str) -> dict[tuple[str, ...], float]:
    return {tuple(sample.labels[label] for label in labels): sample.value for sample in family.samples}


def rows(run: Path, table: str, sql: str) -> list[tuple[Any, ...]]:
    found = duckdb.sql(sql.format(table=f"read_parquet('{run / 'tables' / f'{table}.parquet'}')"))
    assert found is not None
    return found.fetchall()


def test_names_units_and_texts_are_as_prometheus_asks(families: Families) -> None:
    for family in families.values():
        assert re.fullmatch(r"plumbline(_[a-z]+)+", family.name)
        assert family.type == "gauge"
        assert family.documentation.endswith(".")
        assert not re.search(r"_(minutes|hours|days|ms|total)$", family.name)
        for sample in family.samples:
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*", text) for text in sample.labels.values())


def test_the_last_run(families: Families) -> None:
    assert values(families["plumbline_run_success"]) == {(): 0}
    assert values(families["plumbline_run_duration_seconds"]) == {(): 61.5}
    assert values(families["plumbline_run_end_timestamp_seconds"]) == {(): RUN.ended_at.timestamp()}
    phases = values(families["plumbline_run_phase_duration_seconds"], "phase")
    assert phases == {("extract",): 1.5, ("transform",): 60}
    loaded = values(families["plumbline_run_loaded_rows"], "source", "stream", "outcome")
    assert loaded == {
        ("jira", "issues", outcome): number
        for outcome, number in {"inserted": 3, "updated": 2, "unchanged": 1, "deleted": 0}.items()
    }


def test_messages_by_channel_and_state(families: Families) -> None:
    told = values(families["plumbline_messages"], "channel", "state")
    assert {name: number for name, number in told.items() if number} == MESSAGES
    assert set(told) == {
        (channel, state)
        for channel in ("leaders", "mail")
        for state in ("waiting", "sending", "sent", "dead")
    }


def test_flags_and_key_results(families: Families, week_4: Path) -> None:
    told = values(families["plumbline_flags_open"], "kind", "severity")
    counted = rows(week_4, "flags", "select kind, severity, count(*) from {table} where is_open group by all")
    assert {name: number for name, number in told.items() if number} == {
        (kind, severity): number for kind, severity, number in counted
    }
    kinds = rows(week_4, "flags", "select distinct kind from {table}")
    assert set(told) == {(kind, severity) for (kind,) in kinds for severity in ("amber", "red")}
    statuses = dict(rows(week_4, "kr_current", "select status, count(*) from {table} group by 1"))
    assert values(families["plumbline_key_results"], "status") == {
        (status,): statuses.get(status, 0) for status in ("green", "amber", "red")
    }


def test_freshness_of_every_stream(families: Families, week_4: Path) -> None:
    found = rows(
        week_4,
        "source_freshness",
        "select source, stream, rows, epoch_us(last_landed_at), newest_record_on, stale from {table}",
    )
    names = ("rows", "last_landed_timestamp_seconds", "newest_record_timestamp_seconds", "stale")
    told = {name: values(families[f"plumbline_stream_{name}"], "source", "stream") for name in names}
    assert told["rows"] == {(source, stream): number for source, stream, number, *_ in found}
    assert told["stale"] == {(source, stream): stale for source, stream, *_, stale in found}
    assert told["last_landed_timestamp_seconds"] == pytest.approx(
        {(source, stream): at / 1e6 for source, stream, _, at, *_ in found if at}
    )

    def midnight(day: date) -> float:
        return datetime.combine(day, time(), ZoneInfo("Europe/Berlin")).timestamp()

    assert told["newest_record_timestamp_seconds"] == {
        (source, stream): midnight(day) for source, stream, _, _, day, _ in found if day
    }


def test_before_anything_ran_there_is_a_file_without_a_value(tmp_path: Path) -> None:
    write_metrics(tmp_path / "metrics.prom", None, tmp_path / "published", {})
    assert parsed(tmp_path / "metrics.prom") == {}


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "metrics.prom"
    place.mkdir()
    with pytest.raises(OSError, match=r"metrics\.prom"):
        write_metrics(place, RUN, tmp_path / "published", {})
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.prom"]
