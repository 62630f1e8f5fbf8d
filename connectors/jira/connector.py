"""Jira Cloud and Jira Data Center as sources: one connector, two ways to ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar

from connectors.errors import InputError
from connectors.http import HttpClient, Patience
from connectors.jira import streams
from connectors.jira.api import JiraApi, JsonObject
from connectors.jira.cloud_api import JiraCloudApi
from connectors.jira.config import JiraCloudConfig, JiraConfig, JiraDataCenterConfig
from connectors.jira.data_center_api import JiraDataCenterApi
from connectors.jira.pull import JiraPull
from connectors.landing import Landing, Manifest
from connectors.source import Progress
from connectors.stream import Stream

# The kinds of field that Jira Software brings for a role.
_KINDS = {"estimate": ":jsw-story-points", "sprints": ":gh-sprint", "epic": ":gh-epic-link"}


class Jira(ABC):
    """A Jira site as a source; ``patience`` bounds retries."""

    system = "jira"
    api_version: ClassVar[str]

    def __init__(self, name: str, config: JiraConfig, patience: Patience | None = None) -> None:
        self.name = name
        self._config = config
        self._patience = patience

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What is pulled, in order; boards and worklogs only where the configuration wants them."""
        found = [streams.PROJECTS, streams.STATUSES, streams.FIELDS, streams.VERSIONS]
        found += [streams.ISSUES, streams.CHANGELOGS]
        found += [streams.BOARDS, streams.SPRINTS] if self._config.fields.sprints else []
        found += [streams.WORKLOGS, streams.WORKLOG_DELETIONS] if self._config.worklogs else []
        return tuple(found)

    def check(self) -> str:
        """Who the site takes us for and what it shows; raises SourceError, also for projects or fields it lacks."""
        with self._api() as api:
            account = api.account_name()
            projects = self._projects(api)
            fields = api.fields()
            self._require_fields(fields)
            boards = f" and {len(api.boards())} boards" if self._config.fields.sprints else ""
        unset = [
            f"; fields.{role} is not set and may be {_listed(likely)}"
            for role, field in self._config.fields
            if field is None and (likely := _of_kind(role, fields))
        ]
        seen = f"who sees {len(projects)} projects{boards}"
        return f"{self.name}: {self._config.base_url} answers {account}, {seen}{''.join(unset)}"

    def addresses(self) -> Mapping[str, str]:
        """Issues open by their key, also by one that they had before they were moved."""
        with self._api() as api:
            return {streams.ISSUES.name: f"{api.site_address()}/browse/"}

    def pull(self, cursors: Mapping[str, str], landing: Landing, progress: Progress) -> list[Manifest]:
        """Land the snapshots, and issues, changelogs and worklogs updated since the cursors less the look-back."""
        with self._api() as api:
            api.account_name()
            projects = self._projects(api)
            pull = JiraPull(self, self._config, api, cursors, landing, progress, api.server_time())
            return list(pull.land(projects))

    @abstractmethod
    def _client(self) -> HttpClient:
        """A client with the credential of the configuration."""

    @abstractmethod
    def _edition(self, client: HttpClient) -> JiraApi:
        """The site's API."""

    @contextmanager
    def _api(self) -> Iterator[JiraApi]:
        client = self._client()
        try:
            yield self._edition(client)
        finally:
            client.close()

    def _projects(self, api: JiraApi) -> list[JsonObject]:
        """The projects the account sees; raises InputError where one that is configured, or every one, is not among them."""
        visible = api.projects()
        known = {str(project.get(part)) for project in visible for part in ("id", "key", "name")}
        missing = sorted(set(self._config.projects or ()) - known)
        if missing or not visible:
            named = " or ".join(missing) or "at all"
            raise InputError(
                f"{self.name}: the account sees no project {named} at {self._config.base_url}",
                "Correct projects, or give the account the permission to browse them.",
                field="projects" if missing else None,
            )
        return visible

    def _require_fields(self, existing: Sequence[JsonObject]) -> None:
        known = {str(field["id"]) for field in existing}
        for role, field in self._config.fields:
            if field is not None and field not in known:
                likely = _of_kind(role, existing) or _of_name(role, existing)
                hint = f"It may be {_listed(likely)}." if likely else "Set it to null if the site has none."
                raise InputError(
                    f"{self.name}: the site has no field {field}",
                    f"Set fields.{role} to the id of the field that holds it. {hint}",
                    field=f"fields.{role}",
                )


class JiraCloud(Jira):
    """A site of Jira Cloud."""

    api_version = "jira-cloud-rest-3"

    def __init__(self, name: str, config: JiraCloudConfig, patience: Patience | None = None) -> None:
        super().__init__(name, config, patience)
        self._credential = (config.email, config.api_token)

    def _client(self) -> HttpClient:
        email, token = (secret.get_secret_value() for secret in self._credential)
        return HttpClient(self.name, self._config.base_url, auth=(email, token), patience=self._patience)

    def _edition(self, client: HttpClient) -> JiraApi:
        return JiraCloudApi(self.name, client)


class JiraDataCenter(Jira):
    """A site of Jira Data Center or Server."""

    api_version = "jira-data-center-rest-2"

    def __init__(self, name: str, config: JiraDataCenterConfig, patience: Patience | None = None) -> None:
        super().__init__(name, config, patience)
        self._credential = (config.personal_access_token, config.user, config.password)

    def _client(self) -> HttpClient:
        token, user, password = (secret and secret.get_secret_value() for secret in self._credential)
        return HttpClient(
            self.name,
            self._config.base_url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            auth=(user, password) if user and password else None,
            credential_field="personal_access_token" if token else "password",
            patience=self._patience,
        )

    def _edition(self, client: HttpClient) -> JiraApi:
        return JiraDataCenterApi(self.name, client)


def _of_kind(role: str, fields: Iterable[JsonObject]) -> list[JsonObject]:
    return [f for f in fields if str((f.get("schema") or {}).get("custom", "")).endswith(_KINDS[role])]


def _of_name(role: str, fields: Iterable[JsonObject]) -> list[JsonObject]:
    return [f for f in fields if role == "estimate" and "point" in str(f.get("name", "")).lower()]


def _listed(fields: Iterable[JsonObject]) -> str:
    return " or ".join(f"{field['id']} ({field.get('name')})" for field in fields)
