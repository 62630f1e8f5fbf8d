"""Each gate of Salesforce names the one record that is wrong in its way, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from expectations.arriving import arriving_suites
from expectations.gates import GateResult, run_gates

_SOUND = """
CREATE SCHEMA staging;
CREATE TABLE staging.stg_salesforce__stages AS
SELECT
    'opportunities' AS pipeline_id, 'Opportunities' AS pipeline, id AS stage_id, upper(id) AS stage, 1 AS stage_no,
    0.5::DECIMAL(9, 4) AS probability, id = 'won' AS is_closed, id = 'won' AS is_won, 'crm' AS _source,
    'crm/stages/' || id AS _record, false AS _deleted
FROM (VALUES ('open'), ('won')) AS made (id);
CREATE TABLE staging.stg_salesforce__opportunities AS
SELECT
    '1' AS deal_id, 'A deal' AS name, 'opportunities' AS pipeline_id, stage AS stage_id, amount::DECIMAL(18, 2) AS amount,
    NULL::DECIMAL(18, 2) AS amount_company, 'EUR' AS currency, TIMESTAMPTZ '2026-10-01 08:00:00Z' AS created_at,
    TIMESTAMPTZ '2026-10-01 08:00:00Z' AS updated_at, TIMESTAMPTZ '2027-03-01 00:00:00Z' AS close_at,
    'o1' AS owner_id, NULL::VARCHAR AS product, NULL::VARCHAR AS waits_for, NULL::VARCHAR AS unreadable,
    'crm' AS _source, 'crm/opportunities/' || stage AS _record, '' AS _landed_file, false AS _deleted
FROM (VALUES ('open', NULL), ('won', 100)) AS made (stage, amount);
"""
# By gate: how a sound record is made wrong; that of the unique ones is put in twice. What was deleted is nobody's fault.
_OPPORTUNITIES: Mapping[str, str] = {
    "deal_id_present": "NULL AS deal_id",
    "_record_unique": "'1' AS deal_id",
    "pipeline_id_present": "NULL AS pipeline_id",
    "stage_id_present": "NULL AS stage_id",
    "created_at_present": "NULL AS created_at",
    "unreadable_absent": "'Amount' AS unreadable",
    "created_at_plausible": "TIMESTAMPTZ '2026-10-31 00:00:00Z' AS created_at",
    "close_at_plausible": "TIMESTAMPTZ '2206-01-01 00:00:00Z' AS close_at",
    "currency_code": "'Euro' AS currency",
    "stage_listed": "'gone' AS stage_id",
    "won_amount_present": "'won' AS stage_id",
    "": "NULL AS deal_id, true AS _deleted",
}
_STAGES: Mapping[str, str] = {
    "pipeline_id_present": "NULL AS pipeline_id",
    "stage_id_present": "NULL AS stage_id",
    "stage_unique": "'again' AS stage_id",
    "stage_present": "NULL AS stage, 'nameless' AS stage_id",
    "won_is_closed": "true AS is_won, 'half won' AS stage_id",
    "": "NULL AS stage, true AS _deleted",
}
_TABLES = {
    "staging.stg_salesforce__opportunities": _OPPORTUNITIES,
    "staging.stg_salesforce__stages": _STAGES,
}


def _failed(warehouse: Path, *sources: str) -> list[GateResult]:
    configured = [
        (source, "salesforce", stream) for source in sources for stream in ("opportunities", "stages")
    ]
    suites = arriving_suites(configured, datetime(2026, 10, 30, tzinfo=UTC))
    assert {suite.subject: {check.name for check in suite.checks} for suite in suites} == {
        table: {"_source_complete", *wrong} - {""} for table, wrong in _TABLES.items()
    }
    return [result for result in run_gates(warehouse, suites, lambda *_: None) if not result.passed]


def _times(gate: str) -> int:
    return 2 if gate.endswith("_unique") else 1


def test_each_gate_names_the_one_record_that_is_wrong_in_its_way(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute(_SOUND)
        assert _failed(file, "crm") == []
        for table, wrong in _TABLES.items():
            for gate, change in wrong.items():
                record = f"SELECT * REPLACE ({change}, 'wrong {gate}' AS _record) FROM {table} WHERE ends_with(_record, '/open')"
                for _ in range(_times(gate)):
                    con.execute(f"INSERT INTO {table} {record}")
        failed = {(each.subject, each.check): each for each in _failed(file, "crm", "elsewhere")}
    assert set(failed) == {
        (table, gate) for table, wrong in _TABLES.items() for gate in ("_source_complete", *wrong) if gate
    }
    for (_, gate), result in failed.items():
        if gate == "_source_complete":
            assert result.failing_rows is None and result.message.endswith("elsewhere.")
        else:
            assert result.failing_rows == _times(gate)
            # Of several columns together the values are named.
            assert ("again" if gate == "stage_unique" else f"wrong {gate}") in result.message
