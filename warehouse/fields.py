"""Which fields the records of a stream have, and of what type: what changed between two pulls.

Only a sample of each landed file is looked at, so that it costs hundredths of a second however much was pulled. A missing or
retyped field that a key result needs is found in every record, by the gates; this tells of all others too, and earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from connectors.landing import Manifest
from warehouse.merge import no_pattern
from warehouse.rows import append_rows

_SAMPLE = 200
# What fewer records have, or have not, says nothing about the rest.
_ENOUGH = 20
_NAMED = 5

# Two levels, because the systems keep a record's own fields in `fields`, `properties` or `cells`. A null has no type.
_FIELDS = """
    WITH sample AS (
        SELECT row_number() OVER () AS n, json AS record
        FROM (FROM read_ndjson_objects($file, compression = 'gzip') LIMIT $sample)
    ),
    outermost AS (
        SELECT n, key AS field, type, value FROM sample, json_each(sample.record)
    ),
    fields AS (
        SELECT n, field, type FROM outermost
        UNION ALL
        SELECT n, field || '.' || inner_field.key, inner_field.type
        FROM (FROM outermost WHERE type = 'OBJECT') AS outermost, json_each(outermost.value) AS inner_field
    )
    SELECT
        field,
        count(DISTINCT n),
        coalesce(list_sort(list(DISTINCT CASE type
            WHEN 'VARCHAR' THEN 'text' WHEN 'BOOLEAN' THEN 'true or false' WHEN 'ARRAY' THEN 'list' WHEN 'OBJECT' THEN 'object'
            ELSE 'number'
        END) FILTER (type <> 'NULL')), []),
        (SELECT count(*) FROM sample)
    FROM fields GROUP BY field ORDER BY field
"""


@dataclass(frozen=True)
class Field:
    """A field by its id: of so many sampled `records`, `present` have it, with values of these `types`."""

    types: frozenset[str]
    records: int
    present: int

    @property
    def is_in_all(self) -> bool:
        return self.present == self.records >= _ENOUGH


def note_fields(con: duckdb.DuckDBPyConnection, landing_root: Path, manifest: Manifest) -> str | None:
    """Take in the fields of a landed file; gives what changed against the files before, in a sentence, None when nothing did.

    A change is told once: afterwards it is what is known. Needs the tables of ``create_control_tables``.
    """
    found = _sampled(con, landing_root / manifest.file)
    if not found:
        return None
    known = _known(con, manifest)
    changes = list(_changes(known, found)) if known else []
    sampled = next(iter(found.values())).records
    together = {name: _joined(known.get(name), found.get(name), sampled) for name in sorted({*known, *found})}
    _keep(con, manifest, together)
    return (
        None
        if not changes
        else f"The records of {manifest.source}.{manifest.stream} have changed: {'; '.join(changes)}."
    )


def _changes(known: dict[str, Field], found: dict[str, Field]) -> Iterator[str]:
    retyped = [
        f"{name} is {_types(new - known[name].types)} and was {_types(known[name].types)}"
        for name, field in found.items()
        if name in known and known[name].types and (new := field.types) - known[name].types
    ]
    sampled = next(iter(found.values())).records
    gone = [
        name for name, field in known.items() if field.is_in_all and name not in found and sampled >= _ENOUGH
    ]
    added = [
        name for name, field in found.items() if name not in known and field.present * 2 >= sampled >= _ENOUGH
    ]
    if retyped:
        yield listed(retyped)
    if gone:
        yield f"none has {listed(gone)} any more"
    if added:
        yield f"new is {listed(added)}"


def _joined(known: Field | None, found: Field | None, sampled: int) -> Field:
    before, now = known or Field(frozenset(), 0, 0), found or Field(frozenset(), sampled, 0)
    return Field(before.types | now.types, before.records + now.records, before.present + now.present)


def _sampled(con: duckdb.DuckDBPyConnection, file: Path) -> dict[str, Field]:
    rows = con.execute(_FIELDS, {"file": no_pattern(file), "sample": _SAMPLE}).fetchall()
    return {name: Field(frozenset(types), records, present) for name, present, types, records in rows}


def _known(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[str, Field]:
    rows = con.execute(
        "SELECT field, types, records, present FROM control.fields WHERE source = ? AND stream = ? ORDER BY field",
        [manifest.source, manifest.stream],
    ).fetchall()
    return {
        name: Field(frozenset(filter(None, types.split(", "))), records, present)
        for name, types, records, present in rows
    }


def _keep(con: duckdb.DuckDBPyConnection, manifest: Manifest, fields: dict[str, Field]) -> None:
    stream = (manifest.source, manifest.stream)
    con.begin()
    try:
        con.execute("DELETE FROM control.fields WHERE source = ? AND stream = ?", [*stream])
        append_rows(
            con,
            "control.fields",
            [
                (*stream, name, _types(field.types), field.records, field.present)
                for name, field in fields.items()
            ],
        )
    except BaseException:
        con.rollback()
        raise
    con.commit()


def _types(types: frozenset[str]) -> str:
    return ", ".join(sorted(types))


def listed(names: list[str]) -> str:
    """The first of many names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
