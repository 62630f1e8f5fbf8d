"""From `plumbline.yml` to sources that can be pulled."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from connectors.errors import SourceError
from connectors.finance.connector import FinanceFiles
from connectors.finance.layouts import FinanceFilesConfig
from connectors.hubspot.config import HubSpotConfig
from connectors.hubspot.connector import HubSpot
from connectors.jira.config import JiraCloudConfig, JiraDataCenterConfig
from connectors.jira.connector import JiraCloud, JiraDataCenter
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.connector import Salesforce
from connectors.source import Source
from orchestration.workspace import Workspace, WorkspaceConfig
from strategy import InputErrors, Problem


@contextmanager
def connected(workspace: Workspace, as_of: date) -> Iterator[list[Source]]:
    """The workspace's sources, ready to be pulled; in the demo, with its servers running for as long as they are needed.

    Raises InputErrors when an environment variable is missing or a filled-in value is not valid.
    """
    simulation = workspace.config.simulation
    if simulation is None:
        yield _sources(workspace, workspace.resolved(os.environ))
        return
    import demo  # the simulation is no part of anybody's real run

    folder = workspace.state / "simulation"
    with demo.serve(as_of, folder, seed=simulation.seed, talked_on=simulation.talked_on) as environment:
        yield _sources(workspace, workspace.resolved({**os.environ, **environment}))


def check_all(workspace: Workspace, sources: list[Source]) -> dict[str, str]:
    """Try every connection, all at once. Gives one line per source; raises InputErrors with every one that cannot be pulled."""

    def check(source: Source) -> str | Problem:
        try:
            return source.check()
        except SourceError as error:
            return problem_of(workspace, source.name, error)

    with ThreadPoolExecutor(max_workers=len(sources)) as pool:
        answers = dict(zip((source.name for source in sources), pool.map(check, sources), strict=True))
    problems = [answer for answer in answers.values() if isinstance(answer, Problem)]
    if problems:
        raise InputErrors(problems)
    return {name: str(answer) for name, answer in answers.items()}


def problem_of(workspace: Workspace, source: str, error: SourceError) -> Problem:
    """The place in `plumbline.yml`, or in the file that was read, that a source's error speaks of."""
    file = getattr(error, "file", None)
    if file:
        line, column = getattr(error, "line", None) or 1, getattr(error, "column_name", None) or ""
        # The message is whole in itself and begins with the place, which the problem names already.
        what = error.message.partition(": ")[2] if error.message.startswith(file) else error.message
        return Problem(Path(file), line, column, what, error.mend)
    where = ("sources", source, error.field) if error.field else ("sources", source)
    return workspace.problem(where, error.message, error.mend)


def _sources(workspace: Workspace, config: WorkspaceConfig) -> list[Source]:
    made: list[Source] = []
    for name, entry in config.sources.items():
        match entry:
            case JiraCloudConfig():
                made.append(JiraCloud(name, entry))
            case JiraDataCenterConfig():
                made.append(JiraDataCenter(name, entry))
            case HubSpotConfig():
                made.append(HubSpot(name, entry))
            case SalesforceConfig():
                made.append(Salesforce(name, entry))
            case FinanceFilesConfig():
                made.append(FinanceFiles(name, entry, workspace.root))
    return made


def listed(workspace: Workspace) -> Mapping[str, Source]:
    """The sources by name, for what can be known without secrets: their systems and streams. They cannot be pulled."""
    config = workspace.config
    entries = {
        # A folder that is still to be filled in cannot be opened, and the streams do not depend on it.
        name: entry.model_copy(update={"folder": "."}) if isinstance(entry, FinanceFilesConfig) else entry
        for name, entry in config.sources.items()
    }
    listing = config.model_copy(update={"sources": entries})
    return {source.name: source for source in _sources(workspace, listing)}
