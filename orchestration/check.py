"""`plumbline check`: everything that can be known to be wrong before a run."""

from typing import Any

from orchestration import alerting, refresh
from orchestration.project import prepare
from orchestration.serving import unknown_functions
from orchestration.sources import check_all, connected
from orchestration.workspace import Workspace
from strategy import InputErrors


def check_workspace(workspace: Workspace) -> dict[str, Any]:
    """Validate the strategy, let dbt parse it, and try every connection.

    Raises InputErrors with every problem of a kind at once: first the files, then the connections.
    """
    strategy = workspace.strategy
    problems = [*unknown_functions(workspace, workspace.config.serve), *alerting.wrong_settings(workspace)]
    if problems:
        raise InputErrors(problems)
    prepare(workspace).parse()
    with connected(workspace, refresh.as_of_day(workspace, None)) as sources:
        answers = check_all(workspace, sources)
    return {
        "workspace": str(workspace.root),
        "sources": answers,
        "objectives": len(strategy.objectives),
        "key_results": len(strategy.key_results),
        "warnings": [str(warning) for warning in strategy.warnings],
    }
