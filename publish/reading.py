"""Read what was published: plain files under `published/current`, so that no reader ever locks the warehouse."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]


class NothingPublishedError(Exception):
    """No run has been published yet in this workspace."""


class Published:
    """A published run of a workspace: the current one, unless another folder of `root` is named.

    Opened once: it holds on to the run's own folder, so that a run published meanwhile does not mix into the answers.
    """

    def __init__(self, root: Path, run: str = "current") -> None:
        current = root / run
        if not current.exists():
            raise NothingPublishedError(f"Nothing is published under {root} yet. Run `plumbline run` first.")
        self.current = current
        self.folder = current.resolve()
        self._tables: dict[str, list[Row]] = {}

    @cached_property
    def run(self) -> Mapping[str, Any]:
        """`run.json`: run id, as-of day, versions, inputs, timings."""
        return dict(self._json("run.json"))

    def table(self, name: str) -> list[Row]:
        """The rows of a table that is published as JSON; numbers are `Decimal` or `int`, days and times ISO text."""
        if name not in self._tables:
            self._tables[name] = self._json(f"json/{name}.json")
        return self._tables[name]

    def names(self, table: str, key: str) -> dict[str, str]:
        """The names of what a table is about, by the ids in its column `key`."""
        return {row[key]: row["name"] for row in self.table(table)}

    def compiled_sql(self, kr_id: str) -> str | None:
        """The SQL that computed the KR, or None when its model did not compile in that run."""
        path = self.folder / "sql" / f"{kr_id}.sql"
        return path.read_text(encoding="utf-8") if path.exists() else None

    def evidence(self, kr_id: str, limit: int | None = None) -> list[Row]:
        """The records behind a KR's value, heaviest contribution first; `limit`: no more than so many."""
        return self._rows("evidence", "kr_id", kr_id, 'abs(contribution) desc, record, "at", part', limit)

    def days(self, kr_id: str) -> list[Row]:
        """The reported days of a KR, oldest first."""
        return self._rows("kr_daily", "kr_id", kr_id, "date")

    def series(self) -> list[Row]:
        """Date, value and status of every reported day of every KR, by KR, oldest first."""
        return self._query(
            "select kr_id, date, value, status from read_parquet(?) order by kr_id, date",
            [self._parquet("kr_daily")],
        )

    def a_week_ago(self) -> dict[str, Row]:
        """By KR how it stood seven days before its last day, as it is computed now: `date`, `value`, `status`; and what was to be
        expected of the cycle's end then: `end_p50`, `end_p_met` (null where nothing was). A KR without that day is left out.
        """
        rows = self._query(
            """
            select now.kr_id, before.date, before.value, before.status, forecasts.p50 as end_p50, forecasts.p_met as end_p_met
            from read_parquet(?) as now
            inner join read_parquet(?) as before on before.kr_id = now.kr_id and before.date = now.as_of - 7
            left join read_parquet(?) as forecasts
                on forecasts.kr_id = now.kr_id and forecasts.date = before.date and forecasts.horizon = 'end'
            """,
            [self._parquet("kr_current"), self._parquet("kr_daily"), self._parquet("forecasts")],
        )
        return {row["kr_id"]: row for row in rows}

    def came_in_the_week(self, most: int) -> dict[str, list[Row]]:
        """By KR the records in its last value whose own day is one of its last seven: no more than `most`, heaviest first.

        `day` is in the cycle's time zone; `contribution` is summed where a record counts on several days; `came`: how many came.
        """
        rows = self._query(
            """
            with dated as (
                select evidence.*, as_of,
                    case
                        when length("at") = 10 then cast("at" as date)
                        else cast(cast("at" as timestamptz) at time zone ? as date)
                    end as day
                from read_parquet(?) as evidence
                inner join read_parquet(?) as now using (kr_id)
            ),

            records as (
                select kr_id, part, record, name, title, url, found_in, max(day) as day, sum(contribution) as contribution
                from dated
                where day > as_of - 7
                group by all
            ),

            ranked as (
                select
                    *,
                    count(*) over (partition by kr_id) as came,
                    row_number() over (partition by kr_id order by part = 'denominator', abs(contribution) desc, record) as place
                from records
            )

            select * from ranked
            where place <= ?
            order by kr_id, place
            """,
            [self.run["timezone"], self._parquet("evidence"), self._parquet("kr_current"), most],
        )
        return {kr_id: list(of_kr) for kr_id, of_kr in groupby(rows, key=itemgetter("kr_id"))}

    def exceptions_by_pair(self) -> list[Row]:
        """How often two functions had to talk and how long it took, the pair with the most first.

        `giver_function`, `receiver_function` (where no hand-off fails: the function of the KR, and null), `exceptions`, `closed`,
        `escalated`, `reopened`; of those that are closed `median_days` and `longest_days` from opening to closing.
        """
        return self._query(
            """
            select
                coalesce(giver_function, kr.function_id) as giver_function,
                receiver_function,
                count(*) as exceptions,
                count(closed_on) as closed,
                count(escalated_on) as escalated,
                count(*) filter (is_reopened) as reopened,
                median(closed_on - opened_on) as median_days,
                max(closed_on - opened_on) as longest_days
            from read_parquet(?) as exceptions
            inner join read_parquet(?) as kr using (kr_id)
            left join read_parquet(?) as handoff on handoff.handoff_id = exceptions.handoff_id
            group by 1, 2
            order by exceptions desc, giver_function, receiver_function
            """,
            [self._parquet("exceptions"), self._parquet("kr_current"), self._parquet("handoff_current")],
        )

    def suspects(self, kr_id: str) -> list[Row]:
        """The suspect records of a KR, those that the strict value leaves out first, then the heaviest."""
        order = "is_severe desc, abs(coalesce(effect, 0)) desc, event_id"
        return self._rows("integrity_events", "kr_id", kr_id, order)

    def all_suspects(self, limit: int) -> list[Row]:
        """The suspect records, the latest first, each once, with the ids of the key results that count it."""
        return self._query(
            "select event_id, rule, is_severe, item, on_date, sentence, url, found_in, "
            "string_agg(distinct kr_id, ',' order by kr_id) as kr_ids "
            "from read_parquet(?) group by all order by on_date desc, event_id limit ?",
            [self._parquet("integrity_events"), limit],
        )

    def first_told(self, since: date) -> list[Row]:
        """What the ledger first says of each day from `since` on, by day and KR; `reported_at` is ISO text in UTC."""
        return self._query(
            "select kr_id, date, status, reason, value, target, end_p10, end_p90, end_p_met, "
            "strftime(reported_at at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ') as reported_at "
            "from read_parquet(?) where date >= ? "
            "qualify row_number() over (partition by kr_id, date order by number) = 1 order by date, kr_id",
            [self._parquet("ledger"), since],
        )

    def evaluations(self) -> dict[str, list[Row]]:
        """By KR what each run said of its own day, oldest day first: `as_of`, `reported_at`, `status`, `rule`, `reason`."""
        rows = self._query(
            "select kr_id, as_of, reported_at, status, rule, reason from read_parquet(?) "
            "where date = least(as_of, cast(? as date)) order by kr_id, as_of, number",
            [self._parquet("ledger"), self.run["cycle_end"]],
        )
        return {kr_id: list(of_kr) for kr_id, of_kr in groupby(rows, key=itemgetter("kr_id"))}

    def handoff_evidence(self, handoff_id: str) -> list[Row]:
        """The items of a hand-off, waiting, in progress and done, and the deals that wait for it, largest first."""
        order = "part desc, case when part = 'item' then state end desc, amount desc, since, record"
        return self._rows("handoff_evidence", "handoff_id", handoff_id, order)

    def landed_files(self, kr_id: str) -> list[Row]:
        """The landed files that the records behind a KR's value came in: `landed_file`, `records`."""
        return self._query(
            "select landed_file, count(distinct record) as records from read_parquet(?) where kr_id = ? "
            "group by landed_file order by records desc, landed_file",
            [self._parquet("evidence"), kr_id],
        )

    def _rows(self, table: str, column: str, subject: str, order: str, limit: int | None = None) -> list[Row]:
        # Names of our own, from the methods above.
        return self._query(
            f"select * from read_parquet(?) where {column} = ? order by {order} limit ?",  # noqa: S608
            [self._parquet(table), subject, limit],
        )

    def _query(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        answer = self._tables_of_run.execute(sql, parameters)
        columns = [column[0] for column in answer.description or []]
        return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]

    @cached_property
    def _tables_of_run(self) -> "duckdb.DuckDBPyConnection":
        import duckdb  # the table and the JSON do not need it, and it takes a fifth of a second

        # A published file never changes, and the pages ask each of them for one key result after the other.
        connection = duckdb.connect()
        connection.execute("set parquet_metadata_cache = true")
        return connection

    def _parquet(self, table: str) -> str:
        return str(self.folder / "tables" / f"{table}.parquet")

    def _json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"), parse_float=Decimal)
