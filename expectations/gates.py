"""Runs the suites inside the warehouse and says what does not hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.findings import Finding, finding, reason
from expectations.suites import Check, Severity, Suite

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
    from great_expectations.expectations.expectation import Expectation

# Called with the subject just finished, how many are done and how many there are.
GateProgress = Callable[[str, int, int], None]

TABLE_THERE = "table_there"
_EXAMPLES = 3


@dataclass(frozen=True)
class GateResult:
    """Whether one check of one table holds. ``failing_rows`` is None where the check is not about single rows."""

    subject: str
    check: str
    passed: bool
    severity: Severity
    message: str
    failing_rows: int | None = None


def run_gates(warehouse: Path, suites: Sequence[Suite], progress: GateProgress) -> list[GateResult]:
    """Run the suites against the warehouse, as queries in it; no rows are fetched but a few that fail.

    A table that is missing and a check that cannot be computed are failed gates with a reason; nothing is raised for
    them. Other connections of this process to the warehouse stay open and usable. Importing Great Expectations takes
    seconds and happens here.
    """
    from expectations.duckdb_gx import Connections, silent_datasource

    results: list[GateResult] = []
    with Connections(warehouse) as connections:
        datasource = silent_datasource(connections)
        tables = connections.tables()
        for done, suite in enumerate(suites, start=1):
            results += _gates(datasource, suite) if suite.subject in tables else [_missing(suite)]
            progress(suite.subject, done, len(suites))
        datasource.get_execution_engine().engine.dispose()
    return results


def _missing(suite: Suite) -> GateResult:
    message = f"The table {suite.subject} is not there: the model that makes it was not built or failed."
    return GateResult(suite.subject, TABLE_THERE, False, "error", message)


def _gates(datasource: SQLDatasource, suite: Suite) -> list[GateResult]:
    there = GateResult(suite.subject, TABLE_THERE, True, "error", "Holds.")
    query = f"SELECT * FROM {suite.schema}.{suite.table} WHERE {suite.where}"  # noqa: S608 - names of our own
    try:
        asset = datasource.add_query_asset(name=suite.subject, query=query)
        batch = asset.add_batch_definition("all rows").get_batch()
        verdicts = _verdicts(batch, suite)
    except Exception as error:
        failure = Finding(f"Could not be checked: {reason(error)}.")
        return [there, *(_result(suite, check, failure) for check in suite.checks)]
    return [there, *(_judge(batch, suite, check, verdicts[check.name]) for check in suite.checks)]


def _verdicts(batch: Batch, suite: Suite) -> dict[str, bool]:
    """Whether each check holds, all computed together: the counts of a table come from few queries."""
    from great_expectations.core import ExpectationSuite

    checks = ExpectationSuite(
        name=suite.subject, expectations=[_expectation(check) for check in suite.checks]
    )
    validated = batch.validate(checks, result_format="BOOLEAN_ONLY")
    return {
        each.expectation_config.meta["check"]: bool(each.success)
        for each in validated.results
        if each.expectation_config is not None
    }


def _judge(batch: Batch, suite: Suite, check: Check, passed: bool) -> GateResult:
    """Only what failed is asked again, for counts and examples."""
    if passed:
        return GateResult(suite.subject, check.name, True, check.severity, "Holds.")
    try:
        validated = batch.validate(_expectation(check), result_format=_result_format(suite, check))
        found = finding(check, suite.key, validated.to_raw_dict())
    except Exception as error:
        found = Finding(f"Could not be checked: {reason(error)}.")
    return _result(suite, check, found)


def _result(suite: Suite, check: Check, found: Finding) -> GateResult:
    return GateResult(suite.subject, check.name, False, check.severity, found.sentence, found.failing_rows)


def _expectation(check: Check) -> Expectation:
    import great_expectations.expectations as gxe

    made: Expectation = getattr(gxe, check.expectation)(**check.arguments, meta={"check": check.name})
    return made


def _result_format(suite: Suite, check: Check) -> dict[str, Any]:
    if check.expectation == "UnexpectedRowsExpectation":
        # Gives rows only when asked for all, of which it fetches 200 at most.
        return {"result_format": "COMPLETE"}
    return {
        "result_format": "SUMMARY",
        "partial_unexpected_count": _EXAMPLES,
        "unexpected_index_column_names": list(suite.key),
    }
