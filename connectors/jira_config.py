"""How a Jira Cloud site is configured in ``plumbline.yml``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from connectors.address import ServiceAddress

FieldId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
ProjectName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class JiraFields(BaseModel):
    """The ids of the fields that differ from site to site; None where a site has no such field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    estimate: FieldId | None = "customfield_10016"
    sprints: FieldId | None = "customfield_10020"


class JiraCloudConfig(BaseModel):
    """One Jira Cloud site and what to pull from it.

    ``projects`` are keys, ids or names; without them every project the account can see is pulled. ``start`` leaves
    out issues not updated since that day (UTC). Each pull goes back ``look_back_minutes`` before the last one's
    cursor, for changes that Jira's search shows late.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["jira_cloud"]
    base_url: ServiceAddress
    email: SecretStr
    api_token: SecretStr
    projects: Annotated[list[ProjectName], Field(min_length=1)] | None = None
    look_back_minutes: Annotated[int, Field(ge=0)] = 60
    start: date | None = None
    fields: JiraFields = JiraFields()
