"""Fields that a system lists by themselves, as Jira does: what was renamed, retyped, added or removed since the last list.

A field is known by its id. Of the records of such a stream :mod:`warehouse.fields` sees only that they are alike.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from connectors.landing import Manifest
from warehouse.fields import listed

# System and stream of each list. Only fields that people make are told of: a site shows the others in the account's language.
_LISTS = {("jira", "fields")}
_CHANGES = """
    WITH versions AS (
        SELECT *, json_extract_string(record, ['$.name', '$.schema.type', '$.schema.items']) AS texts
        FROM (
            SELECT _key, _deleted, record, NULL AS _superseded_at FROM raw.jira_fields
            WHERE _source = $source AND _landed_file = $file
            UNION ALL
            SELECT _key, _deleted, record, _superseded_at FROM raw.jira_fields__superseded WHERE _source = $source
        )
        WHERE starts_with(_key, 'customfield_')
        QUALIFY _superseded_at IS NULL OR row_number() OVER (PARTITION BY _key ORDER BY _superseded_at DESC NULLS LAST) = 1
    ),
    fields AS (
        SELECT _key, _deleted, _superseded_at, coalesce(texts[1], '') AS name, concat_ws(' of ', texts[2], texts[3]) AS type
        FROM versions
    )
    SELECT
        now._key, now.name, now.type, now._deleted,
        coalesce(before.name, ''), coalesce(before.type, ''), coalesce(before._deleted, true)
    FROM fields AS now
    LEFT JOIN fields AS before ON before._key = now._key AND before._superseded_at IS NOT NULL
    WHERE now._superseded_at IS NULL
    ORDER BY now._key
"""


def note_listed_fields(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> str | None:
    """What changed with a list of fields that was just loaded, in a sentence; None when nothing did, or it is the first list."""
    if (manifest.system, manifest.stream) not in _LISTS:
        return None
    before = con.execute(
        "SELECT 1 FROM control.loads WHERE source = ? AND stream = ? AND file <> ? LIMIT 1",
        [manifest.source, manifest.stream, manifest.file],
    )
    if before.fetchone() is None:
        return None
    rows = con.execute(_CHANGES, {"source": manifest.source, "file": manifest.file}).fetchall()
    changes = list(_changes(rows))
    return f"The custom fields of {manifest.source} have changed: {'; '.join(changes)}." if changes else None


def _changes(rows: list[tuple[str, str, str, bool, str, str, bool]]) -> Iterator[str]:
    renamed, retyped, gone, added = [], [], [], []
    for id_, name, type_, is_gone, old_name, old_type, was_gone in rows:
        if is_gone:
            gone += [f"{id_} ({name})"]
        elif was_gone:
            added += [f"{id_} ({name})"]
        else:
            renamed += [f"{id_} is called {name} and was {old_name}"] if name != old_name else []
            retyped += [f"{id_} ({name}) is {type_} and was {old_type}"] if type_ != old_type else []
    if renamed:
        yield listed(renamed)
    if retyped:
        yield listed(retyped)
    if gone:
        yield f"gone is {listed(gone)}"
    if added:
        yield f"new is {listed(added)}"
