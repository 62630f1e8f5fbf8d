"""How a Jira site is configured in ``plumbline.yml``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from connectors.address import ServiceAddress

FieldId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
ProjectName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class JiraFields(BaseModel):
    """The ids of the fields that differ from site to site; None where a site has no such field.

    ``epic`` is the epic link, which names an epic by its key; where it is None, an item's parent is its epic.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    estimate: FieldId | None = None
    sprints: FieldId | None = None
    epic: FieldId | None = None


class JiraCloudFields(JiraFields):
    """The ids that a site of Jira Cloud has unless somebody added fields of their own."""

    estimate: FieldId | None = "customfield_10016"
    sprints: FieldId | None = "customfield_10020"


class JiraConfig(BaseModel):
    """One Jira site and what to pull from it.

    ``projects`` are keys, ids or names; without them every project the account can see is pulled. ``start`` leaves
    out issues not updated since that day (UTC). Each pull goes back ``look_back_minutes`` before the last one's
    cursor, for changes that Jira's search shows late. Every ``census_days`` the issues are counted, to find those that
    were deleted; 0 counts them with each pull. ``worklogs``: also who booked how much time on an issue.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: ServiceAddress
    projects: Annotated[list[ProjectName], Field(min_length=1)] | None = None
    look_back_minutes: Annotated[int, Field(ge=0)] = 60
    start: date | None = None
    census_days: Annotated[int, Field(ge=0)] = 1
    worklogs: bool = True
    fields: JiraFields = JiraFields()


class JiraCloudConfig(JiraConfig):
    """A site of Jira Cloud."""

    type: Literal["jira_cloud"]
    email: SecretStr
    api_token: SecretStr
    fields: JiraCloudFields = JiraCloudFields()


class JiraDataCenterConfig(JiraConfig):
    """A site of Jira Data Center or Server, by a personal access token or by user and password."""

    type: Literal["jira_data_center"]
    personal_access_token: SecretStr | None = None
    user: SecretStr | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        by_password = (self.user is not None, self.password is not None)
        if by_password != (self.personal_access_token is None,) * 2:
            raise ValueError("it needs either personal_access_token or both user and password")
        return self
