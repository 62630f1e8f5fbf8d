"""What a monitor watches, in Prometheus' text format: a file for the textfile collector of node_exporter.

Names follow https://prometheus.io/docs/practices/naming. Label values are ids of the configuration and words of our own,
never texts of a source.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Metric, write_to_textfile
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from alerts.last_run import LastRun, published_at
from publish.reading import NothingPublishedError, Published, Row

NAME = "metrics.prom"
_STREAM = ("source", "stream")


def write_metrics(
    file: Path,
    last_run: LastRun | None,
    published: Path,
    messages: Mapping[tuple[str, str], int],
) -> None:
    """Write the metrics of the last refresh and of what is published under `published` to `file`, in one step.

    `messages`: how many there are by channel and state. What is not known yet (nothing ran, nothing is published) is left out.
    Raises OSError, and then `file` is as it was.
    """
    registry = CollectorRegistry()
    registry.register(_Metrics(last_run, published, messages))
    write_to_textfile(str(file), registry)


class _Metrics(Collector):
    def __init__(
        self, last_run: LastRun | None, published: Path, messages: Mapping[tuple[str, str], int]
    ) -> None:
        self._last_run = last_run
        self._published = published
        self._messages = messages

    def collect(self) -> Iterator[Metric]:
        """Every family; one of something else is added here."""
        if self._last_run is not None:
            yield from _of_run(self._last_run)
        if self._messages:
            yield _of_messages(self._messages)
        try:
            published = Published(self._published)
        except NothingPublishedError:
            return
        yield from _of_publication(published)


def _of_run(run: LastRun) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "plumbline_run_success", "Whether the last refresh succeeded: 1, or 0.", value=run.succeeded
    )
    yield GaugeMetricFamily(
        "plumbline_run_end_timestamp_seconds",
        "When the last refresh ended, well or not.",
        value=run.ended_at.timestamp(),
    )
    yield GaugeMetricFamily(
        "plumbline_run_duration_seconds", "How long the last refresh took.", value=run.seconds
    )
    phases = GaugeMetricFamily(
        "plumbline_run_phase_duration_seconds",
        "How long each phase of the last refresh took, as far as it came.",
        labels=["phase"],
    )
    for phase, seconds in run.phases.items():
        phases.add_metric([phase], seconds)
    yield phases
    loaded = GaugeMetricFamily(
        "plumbline_run_loaded_rows",
        "Rows that the last refresh loaded, by what became of them: inserted, updated, unchanged or deleted.",
        labels=[*_STREAM, "outcome"],
    )
    for each in run.loaded:
        for outcome in ("inserted", "updated", "unchanged", "deleted"):
            loaded.add_metric([each.source, each.stream, outcome], getattr(each, outcome))
    yield loaded


def _of_messages(messages: Mapping[tuple[str, str], int]) -> Metric:
    family = GaugeMetricFamily(
        "plumbline_messages",
        "Messages of the alerts, by what became of them: waiting, sending, sent or dead.",
        labels=["channel", "state"],
    )
    # A state without messages is told with 0: a series that vanishes ends no alert.
    for channel in sorted({channel for channel, _ in messages}):
        for state in ("waiting", "sending", "sent", "dead"):
            family.add_metric([channel, state], messages.get((channel, state), 0))
    return family


def _of_publication(published: Published) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "plumbline_published_timestamp_seconds",
        "When the run that readers see was published.",
        value=published_at(published.folder).timestamp(),
    )
    yield from _of_streams(published.table("source_freshness"), str(published.run["timezone"]))
    flags = GaugeMetricFamily(
        "plumbline_flags_open", "Flags that are open, by kind and severity.", labels=["kind", "severity"]
    )
    # A kind that was ever seen is told with 0: a series that vanishes ends no alert.
    seen = published.table("flags")
    open_now = Counter((flag["kind"], flag["severity"]) for flag in seen if flag["is_open"])
    for kind in sorted({flag["kind"] for flag in seen}):
        for severity in ("amber", "red"):
            flags.add_metric([kind, severity], open_now[kind, severity])
    yield flags
    key_results = GaugeMetricFamily("plumbline_key_results", "Key results by status.", labels=["status"])
    statuses = Counter(row["status"] for row in published.table("kr_current"))
    for status in ("green", "amber", "red"):
        key_results.add_metric([status], statuses[status])
    yield key_results


def _of_streams(streams: list[Row], timezone: str) -> Iterator[Metric]:
    rows = GaugeMetricFamily("plumbline_stream_rows", "Records in raw that are not deleted.", labels=_STREAM)
    landed = GaugeMetricFamily(
        "plumbline_stream_last_landed_timestamp_seconds",
        "When a new or changed record last came.",
        labels=_STREAM,
    )
    newest = GaugeMetricFamily(
        "plumbline_stream_newest_record_timestamp_seconds",
        "Beginning of the newest business day that the records bear, in the time zone of the cycle.",
        labels=_STREAM,
    )
    stale = GaugeMetricFamily(
        "plumbline_stream_stale", "Whether its records are older than they may be: 1, or 0.", labels=_STREAM
    )
    for stream in streams:
        name = [stream["source"], stream["stream"]]
        rows.add_metric(name, stream["rows"])
        stale.add_metric(name, stream["stale"])
        if stream["last_landed_at"]:
            landed.add_metric(name, _instant(stream["last_landed_at"]).timestamp())
        if stream["newest_record_on"]:
            day = datetime.combine(
                datetime.fromisoformat(stream["newest_record_on"]), time(), ZoneInfo(timezone)
            )
            newest.add_metric(name, day.timestamp())
    yield from (rows, landed, newest, stale)


def _instant(text: str) -> datetime:
    """An instant as a published table writes it; UTC where it does not say."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
