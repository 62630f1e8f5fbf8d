"""What raw held at an earlier moment, and what it would have held then had all late data been there, as queries of raw's shape.

Each query gives only records that raw holds otherwise now: what did not change since, everything computed holds already.
"""

# ruff: noqa: S608 - the names are our own

from __future__ import annotations

from datetime import datetime

# Streams of what happened to the records of another: the first part of an event's key is the key of its record.
_EVENTS_OF = {"jira_changelogs": "jira_issues"}


def changed_since(table: str, landed_by: datetime) -> str:
    """The query for `_source`, `_stream` and `_key` of the records of raw.<table> that have another version since `landed_by`."""
    return f"SELECT _source, _stream, _key FROM raw.{table} WHERE _landed_at > {_moment(landed_by)}"


def raw_then(table: str, landed_by: datetime, *, whole: bool = False) -> str:
    """The query for the changed records of raw.<table> in the version that was current at `landed_by`.

    `whole`: for all records that were there.
    """
    moment = _moment(landed_by)
    changed = f"""
        SELECT * EXCLUDE (_superseded_at) FROM raw.{table}__superseded
        WHERE _landed_at <= {moment} AND _superseded_at > {moment}
    """
    return f"{changed} UNION ALL {_unchanged(table, landed_by)}" if whole else changed


def raw_with_late(table: str, landed_by: datetime, happened_by: datetime, *, whole: bool = False) -> str:
    """The same with what came late since `landed_by`, and without what was edited.

    Late is a record that was not there at all, and a version that landed afterwards and says what already held at
    `happened_by`, by its time of update. That a record is missing since is an edit, as nothing says when it went; so is what
    happened afterwards to a record that was there, also where it comes as a record of its own.
    """
    item = _EVENTS_OF.get(table)
    late_record = (
        f"_updated_at <= {_moment(happened_by)} OR (_source, split_part(_key, '/', 1)) NOT IN"
        f" (SELECT (_source, _key) FROM ({raw_then(item, landed_by, whole=True)}))"
        if item
        else "true"
    )
    changed = f"""
        SELECT * FROM (
            WITH known AS ({raw_then(table, landed_by)}),
            afterwards AS (
                SELECT * FROM raw.{table}__superseded WHERE _landed_at > {_moment(landed_by)}
                UNION ALL BY NAME
                SELECT *, NULL AS _superseded_at FROM raw.{table} WHERE _landed_at > {_moment(landed_by)}
            ),
            late_versions AS (
                SELECT * EXCLUDE (_superseded_at) FROM afterwards
                WHERE _updated_at <= {_moment(happened_by)} AND NOT _deleted
                    AND (_source, _key) IN (SELECT (_source, _key) FROM known)
            ),
            late_records AS (
                SELECT * EXCLUDE (_superseded_at) FROM afterwards
                WHERE _superseded_at IS NULL
                    AND (_source, _key) NOT IN (SELECT (_source, _key) FROM known)
                    AND ({late_record})
            )
            SELECT * FROM (FROM known UNION ALL FROM late_versions)
            QUALIFY row_number() OVER (
                PARTITION BY _source, _key ORDER BY _updated_at DESC, _landed_at DESC, record DESC
            ) = 1
            UNION ALL
            FROM late_records
        )
    """
    return f"{changed} UNION ALL {_unchanged(table, landed_by)}" if whole else changed


def _unchanged(table: str, landed_by: datetime) -> str:
    return f"SELECT * FROM raw.{table} WHERE _landed_at <= {_moment(landed_by)}"


def _moment(moment: datetime) -> str:
    return f"TIMESTAMPTZ '{moment.isoformat()}'"
