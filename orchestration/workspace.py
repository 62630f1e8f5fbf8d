"""A company's workspace folder: `plumbline.yml`, typed, and the places under `.plumbline/`.

The file is checked in two steps. Its shape is checked with a stand-in for every `${NAME}`, so that Dagster can list the
assets on a machine that has no secrets; the names are filled in from the environment only when a run or `plumbline check`
talks to the systems.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretStr

from alerts.config import AlertsConfig
from connectors.finance.layouts import FinanceFilesConfig
from connectors.hubspot.config import HubSpotConfig
from connectors.jira.config import JiraCloudConfig, JiraDataCenterConfig
from connectors.salesforce.config import SalesforceConfig
from orchestration.serving_config import ServeConfig
from strategy import InputErrors, Problem, Strategy
from strategy import load as load_strategy
from strategy.field_types import Part
from strategy.yaml_source import Document, Location, read

FILE_NAME = "plumbline.yml"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# Valid wherever a reference may stand: as an address, a folder and a secret.
_STAND_IN = "https://not-set.invalid"


class SourceEntry(Part):
    """What every source has beside its connector's own settings.

    `freshness_days`: the newest business date may lie this many days before the as-of day; none: not judged.
    `owner`: the e-mail address of whoever is asked when the source is late.
    """

    freshness_days: int | None = Field(default=None, ge=0)
    owner: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")


class JiraCloudEntry(SourceEntry, JiraCloudConfig):
    pass


class JiraDataCenterEntry(SourceEntry, JiraDataCenterConfig):
    pass


class HubSpotEntry(SourceEntry, HubSpotConfig):
    pass


class SalesforceEntry(SourceEntry, SalesforceConfig):
    pass


class FinanceFilesEntry(SourceEntry, FinanceFilesConfig):
    pass


AnySource = Annotated[
    JiraCloudEntry | JiraDataCenterEntry | HubSpotEntry | SalesforceEntry | FinanceFilesEntry,
    Field(discriminator="type"),
]
SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Simulation(Part):
    """Only the demo has this: the sources are simulated, and `as_of` is the day a run stands on unless told otherwise.

    `talked_on`: the day on which the two heads of the failing hand-off talk; without it they never do.
    """

    seed: int
    as_of: date
    talked_on: date | None = None


class Schedule(Part):
    """When `plumbline dev` refreshes by itself: a cron expression in the time zone of the cycle.

    `late_after_hours`: flag it when no refresh has succeeded for this long; the default lets a weekend pass.
    """

    cron: str = "0 6 * * 1-5"
    late_after_hours: int = Field(default=74, ge=1)


class WorkspaceConfig(Part):
    """`plumbline.yml`."""

    company: str = Field(min_length=1)
    sources: dict[SourceName, AnySource] = Field(min_length=1)
    simulation: Simulation | None = None
    schedule: Schedule = Schedule()
    threads: int = Field(default=2, ge=1, le=64)
    serve: ServeConfig | None = None
    alerts: AlertsConfig | None = None


class Workspace:
    """A workspace folder. Opening it checks the shape of `plumbline.yml`; raises InputErrors with every problem found."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        # Everything the program makes. A run makes it again when it is deleted; only the ledger is gone then.
        self.state = self.root / ".plumbline"
        self.file = self.root / FILE_NAME
        if not self.file.exists():
            raise InputErrors(
                [
                    Problem(
                        self.file,
                        1,
                        "",
                        "there is no such file",
                        f"Run `plumbline init {root}` to make a workspace there.",
                    )
                ]
            )
        self._document = read(self.file)
        self.config = _validated(self._document, self._filled(lambda name, where: _STAND_IN))
        problems = list(self._literal_secrets())
        if problems:
            raise InputErrors(problems)

    def beside(self, state: Path) -> "Workspace":
        """The same workspace with another state folder."""
        other = copy(self)
        other.state = state
        return other

    @property
    def landing(self) -> Path:
        return self.state / "landing"

    @property
    def warehouse(self) -> Path:
        return self.state / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.state / "published"

    @property
    def ledger(self) -> Path:
        return self.state / "ledger"

    @property
    def dbt(self) -> Path:
        return self.state / "dbt"

    @property
    def metrics(self) -> Path | None:
        folder = self.root / "metrics"
        return folder if folder.is_dir() else None

    @cached_property
    def strategy(self) -> Strategy:
        """The strategy as code. Raises InputErrors with every problem in every file."""
        return load_strategy(self.root / "strategy")

    def resolved(self, environment: Mapping[str, str]) -> WorkspaceConfig:
        """The configuration with every `${NAME}` filled in but those of `serve` and `alerts`, which the numbers do not need.

        Raises InputErrors naming each variable that is not set.
        """
        return self._resolved(environment, lambda where: where[0] not in {"serve", "alerts"})

    def resolved_serving(self, environment: Mapping[str, str]) -> ServeConfig | None:
        """The section `serve` with every `${NAME}` of it filled in, and none that only a run needs. Raises as `resolved`."""
        return self._resolved(environment, lambda where: where[0] == "serve").serve

    def resolved_alerts(self, environment: Mapping[str, str]) -> AlertsConfig | None:
        """The section `alerts` with every `${NAME}` of it filled in. Raises as `resolved`."""
        return self._resolved(environment, lambda where: where[0] == "alerts").alerts

    def _resolved(
        self, environment: Mapping[str, str], is_wanted: Callable[[Location], bool]
    ) -> WorkspaceConfig:
        problems: list[Problem] = []

        def value_of(name: str, where: Location) -> str:
            if not is_wanted(where):
                return _STAND_IN
            if not environment.get(name):
                what = f"environment variable {name} is not set"
                problems.append(self.problem(where, what, f"Set it before running: export {name}=…"))
            return environment.get(name, "")

        data = self._filled(value_of)
        if problems:
            raise InputErrors(problems)
        return _validated(self._document, data)

    def problem(self, where: Location, what: str, mend: str) -> Problem:
        """A problem at a place of `plumbline.yml`, for instance `("sources", "jira", "base_url")`."""
        return self._document.problem(where, what, mend)

    def _filled(self, value_of: Callable[[str, Location], str]) -> Any:
        """The file's data with every `${NAME}` replaced; `value_of` is given the name and its place."""

        def fill(value: Any, where: Location) -> Any:
            if isinstance(value, Mapping):
                return {key: fill(inner, (*where, key)) for key, inner in value.items()}
            if isinstance(value, list):
                return [fill(inner, (*where, index)) for index, inner in enumerate(value)]
            if isinstance(value, str):
                return _REFERENCE.sub(lambda found: value_of(found[1], where), value)
            return value

        return fill(self._document.data, ())

    def _literal_secrets(self) -> Iterator[Problem]:
        for where in _secrets(self.config, ()):
            written = self._document.at(where)
            if written is not None and not _REFERENCE.fullmatch(str(written)):
                variable = "_".join(map(str, where[-2:])).upper()
                yield self.problem(
                    where,
                    "a secret is written into the file",
                    f"Put it into an environment variable and write ${{{variable}}} here.",
                )


def _secrets(value: Any, where: Location) -> Iterator[Location]:
    """The places of all secrets below a part of the configuration."""
    if isinstance(value, SecretStr):
        yield where
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _secrets(getattr(value, name), (*where, field.alias or name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secrets(inner, (*where, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secrets(inner, (*where, index))


def _validated(document: Document, data: Any) -> WorkspaceConfig:
    config, problems = replace(document, data=data).validate(WorkspaceConfig)
    if config is None:
        raise InputErrors(problems)
    return config


def default_workspace() -> Path:
    """The folder named by PLUMBLINE_WORKSPACE, else the demo company's."""
    named = os.environ.get("PLUMBLINE_WORKSPACE")
    return Path(named) if named else Path(__file__).parent.parent / "demo" / "workspace"
