"""How much of what a past day reads differently now is late data, edited records or a changed definition.

A day's value is computed again by today's SQL, as dbt compiled it, in one query each: from the records of the run that first
told it, and from those with what came late. Staging of records that did not change since is taken as it stands, which holds
because a staging model with a row per record is incremental: it makes the rows of each record from that record alone.
"""

# ruff: noqa: S608 - the names put into queries are those of dbt's relations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.transformation import Transformation
from warehouse.connection import connect
from warehouse.known_then import changed_since, raw_then, raw_with_late
from warehouse.restatements import RestatedDay, Split, record_splits, restated_days

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger("plumbline")

# What one run may compute again: records of raw tables, and moments (each with the tables of its key results). Days beyond
# that wait for the next run.
_RECORDS = 2_500_000
_GROUPS = 16

_CHANGED = ", changed"


def restate(
    warehouse: Path,
    transformation: Transformation,
    definitions: Mapping[str, str],
    timezone: str,
    *,
    simulated: bool,
) -> None:
    """Find the past days that read differently now and split the differences, after `scorecard.kr_daily` was built.

    `definitions` maps the id of each key result to the hash of its definition; `timezone` is the cycle's. What cannot be
    split says why; nothing but a broken warehouse raises.
    """
    with connect(warehouse) as con:
        days = restated_days(con, definitions, timezone, simulated=simulated)
        if not days:
            return
        log.info("splitting what %d past days read differently", len(days))
        try:
            splits = list(_splits(con, Computation(transformation, {day.kr_id for day in days}), days))
        except Exception as error:
            # What past days were made of must never cost the evening's scorecard.
            log.warning("what past days read differently could not be split: %s", error)
            splits = [_unsplit(day, error) for day in days]
        record_splits(con, splits, datetime.now(UTC))


class Computation:
    """Today's SQL of some key results, from the raw tables on, to be run over other records. Raises TransformationError."""

    def __init__(self, transformation: Transformation, kr_ids: Iterable[str]) -> None:
        nodes: Mapping[str, Any] = transformation.manifest["nodes"] | transformation.manifest["sources"]
        models = transformation.key_result_models()
        self._relations = {kr_id: transformation.relation(models[kr_id]) for kr_id in kr_ids}
        self._descent = {
            kr_id: {transformation.relation(node) for node in _from_records(transformation, [models[kr_id]])}
            for kr_id in kr_ids
        }
        wanted = _from_records(transformation, [models[kr_id] for kr_id in kr_ids])
        built = transformation.sql_from_everything(node for node in wanted if node.startswith("model."))
        self._sql = {transformation.relation(node): sql for node, sql in built.items()}
        self._quoted = {transformation.relation(node): str(nodes[node]["relation_name"]) for node in wanted}
        parents = {node: wanted & set(transformation.manifest["parent_map"][node]) for node in built}
        self._raw_of = _by_record(transformation, built, parents)

    def raw(self, kr_id: str) -> frozenset[str]:
        """The raw tables that the key result is computed from, as `raw.table`."""
        return frozenset(relation for relation in self._descent[kr_id] if relation not in self._sql)

    def values(self, kr_ids: Iterable[str], landed_by: datetime, raw: Callable[..., str]) -> str:
        """The query for kr_id, date and value of every day. `raw`: gives the records of a raw table, as `raw_then` does."""
        kr_ids = sorted(kr_ids)
        needed = set[str]().union(*(self._descent[kr_id] for kr_id in kr_ids))
        changed_only = set(self._raw_of.values())
        steps = [
            f'"{relation}" AS ({raw(_table(relation), whole=relation not in changed_only)})'
            for relation in sorted(needed - self._sql.keys())
        ]
        for relation in (each for each in self._sql if each in needed):
            if relation not in self._raw_of:
                steps.append(f'"{relation}" AS MATERIALIZED ({self._over(relation, "")}\n)')
                continue
            changed = changed_since(_table(self._raw_of[relation]), landed_by)
            steps.append(f'"{relation}{_CHANGED}" AS MATERIALIZED ({self._over(relation, _CHANGED)}\n)')
            steps.append(
                f"""
                "{relation}" AS NOT MATERIALIZED (
                    SELECT * FROM {self._quoted[relation]}
                    WHERE _record NOT IN (SELECT _source || '/' || _stream || '/' || _key FROM ({changed}))
                    UNION ALL BY NAME
                    FROM "{relation}{_CHANGED}"
                )
                """
            )
        asked = " UNION ALL ".join(
            f'SELECT kr_id, date, value FROM "{self._relations[kr_id]}"' for kr_id in kr_ids
        )
        return f"WITH {', '.join(steps)} {asked}"

    def _over(self, relation: str, suffix: str) -> str:
        """The SQL of a relation with the steps of the query in place of the tables that dbt built."""
        sql = self._sql[relation]
        for other, quoted in self._quoted.items():
            sql = sql.replace(quoted, f'"{other}{suffix if other in self._raw_of else ""}"')
        return sql


def _from_records(transformation: Transformation, models: Iterable[str]) -> set[str]:
    """What these models are computed from. Older versions of records are no records of a moment: they are read as they stand."""
    nodes = transformation.computed_from_records(models)
    return {node for node in nodes if not transformation.relation(node).endswith("__superseded")}


def _by_record(
    transformation: Transformation, built: Iterable[str], parents: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    """The relations whose rows come from one record of a raw table each, and that table: incremental models that read no other.

    A raw table is none of theirs when another model reads it, too: it has to be there whole.
    """
    nodes = transformation.manifest["nodes"]
    found: dict[str, str] = {}
    others = set[str]()
    for node in built:
        relations = [transformation.relation(parent) for parent in parents[node]]
        tables = {found.get(relation, relation) for relation in relations}
        (table, *more) = tables
        if nodes[node]["config"]["materialized"] == "incremental" and not more and table.startswith("raw."):
            found[transformation.relation(node)] = table
        else:
            others.update(relations)
    return {relation: table for relation, table in found.items() if table not in others}


def _splits(
    con: "DuckDBPyConnection", computation: Computation, days: Sequence[RestatedDay]
) -> Iterator[Split]:
    """The splits of as many days as one run may compute, in the order given; days of one moment and the same tables at once."""
    groups: dict[tuple[frozenset[str], datetime, datetime], list[RestatedDay]] = {}
    for day in days:
        groups.setdefault((computation.raw(day.kr_id), day.known_at, day.happened_by), []).append(day)
    left = _RECORDS
    for (tables, _, _), group in islice(groups.items(), _GROUPS):
        records = sum(_records(con, table) for table in tables)
        if records > _RECORDS:
            reason = f"{records} records would have to be read again; a run reads at most {_RECORDS}."
            yield from (Split(day.kr_id, day.date, None, None, reason) for day in group)
        elif records <= left:
            left -= records
            yield from _splits_of_moment(con, computation, group)


def _splits_of_moment(
    con: "DuckDBPyConnection", computation: Computation, days: Sequence[RestatedDay]
) -> Iterator[Split]:
    """The splits of days that were told at one moment."""
    kr_ids, (known_at, happened_by) = {day.kr_id for day in days}, (days[0].known_at, days[0].happened_by)
    then = partial(raw_then, landed_by=known_at)
    with_late = partial(raw_with_late, landed_by=known_at, happened_by=happened_by)
    try:
        values_then, values_with_late = (
            {(kr_id, on): value for kr_id, on, value in con.execute(query).fetchall()}
            for query in (computation.values(kr_ids, known_at, raw) for raw in (then, with_late))
        )
    except duckdb.Error as error:
        if len(kr_ids) > 1:
            # One company's own SQL must not take the others with it.
            for kr_id in sorted(kr_ids):
                yield from _splits_of_moment(con, computation, [day for day in days if day.kr_id == kr_id])
            return
        log.warning("what past days of %s read differently could not be split: %s", days[0].kr_id, error)
        yield from (_unsplit(day, error) for day in days)
        return
    for day in days:
        key = (day.kr_id, day.date)
        yield _split(day, values_then.get(key), values_with_late.get(key))


def _split(day: RestatedDay, value_then: Decimal | None, value_with_late: Decimal | None) -> Split:
    reason = None
    if value_then is None or value_with_late is None:
        reason = "By today's definition the records known then give no value."
    elif day.same_definition and value_then != day.first_value:
        reason = f"The records known then give {value_then} today, and {day.first_value} was told."
    return Split(day.kr_id, day.date, value_then, value_with_late, reason)


def _unsplit(day: RestatedDay, error: Exception) -> Split:
    return Split(
        day.kr_id, day.date, None, None, f"It could not be computed: {' '.join(str(error).split())[:300]}"
    )


def _records(con: "DuckDBPyConnection", table: str) -> int:
    (count,) = con.execute(
        f"SELECT (SELECT count(*) FROM {table}) + (SELECT count(*) FROM {table}__superseded)"
    ).fetchone() or (0,)
    return int(count)


def _table(relation: str) -> str:
    return relation.removeprefix("raw.")
