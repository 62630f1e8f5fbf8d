"""How a HubSpot account is configured in ``plumbline.yml``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from connectors.address import ServiceAddress

PropertyName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class DealProperties(BaseModel):
    """Internal names of custom deal properties: the product sold, and the work item that a deal waits for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: PropertyName | None = None
    waits_for: PropertyName | None = None


class HubSpotConfig(BaseModel):
    """One HubSpot account and what to pull from it.

    ``start`` leaves out deals not modified since that day (UTC). Each pull goes back ``look_back_minutes`` before the
    last one's cursor, for changes that HubSpot's search shows late. Every ``census_days`` the deals are counted, to find
    those that were deleted; 0 counts them with each pull. ``companies`` pulls companies too, and which deal is with which.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["hubspot"]
    base_url: ServiceAddress = "https://api.hubapi.com"
    access_token: SecretStr
    look_back_minutes: Annotated[int, Field(ge=0)] = 60
    census_days: Annotated[int, Field(ge=0)] = 1
    start: date | None = None
    companies: bool = False
    properties: DealProperties = DealProperties()
