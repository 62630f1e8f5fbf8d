"""How a Salesforce org is configured in ``plumbline.yml``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from connectors.address import ServiceAddress

FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class OpportunityFields(BaseModel):
    """API names of custom fields of opportunities: the product sold, and the work item that a deal waits for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: FieldName | None = None
    waits_for: FieldName | None = None


class SalesforceConfig(BaseModel):
    """One Salesforce org and what to pull from it.

    ``base_url`` is its My Domain address. With ``client_secret`` the token comes by the client credentials flow, with
    ``username`` and ``private_key`` (PEM, RSA) by the JWT bearer flow, whose ``audience`` is the address of the login:
    https://test.salesforce.com for a sandbox. ``start`` leaves out records not modified since that day (UTC), rows of
    histories too. Each pull goes back ``look_back_minutes`` before the last one's cursor, for transactions that were
    committed late. Every ``census_days`` opportunities and accounts are counted, to find those that were purged from the
    recycle bin; 0 counts them with each pull. What is more than ``bulk_above`` records comes by the Bulk API 2.0; None: never.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["salesforce"]
    base_url: ServiceAddress
    client_id: SecretStr
    client_secret: SecretStr | None = None
    username: SecretStr | None = None
    private_key: SecretStr | None = None
    audience: ServiceAddress = "https://login.salesforce.com"
    # 29.0 is the first that shows deleted records. YAML reads 66.0 as a number.
    api_version: Annotated[
        str, Field(coerce_numbers_to_str=True, pattern=r"^(29|[3-9][0-9]|[1-9][0-9]{2})\.0$")
    ] = "66.0"
    look_back_minutes: Annotated[int, Field(ge=0)] = 60
    start: date | None = None
    census_days: Annotated[int, Field(ge=0)] = 1
    bulk_above: Annotated[int, Field(ge=0)] | None = 20_000
    fields: OpportunityFields = OpportunityFields()

    @model_validator(mode="after")
    def _one_flow(self) -> Self:
        by_jwt = self.username is not None and self.private_key is not None
        by_half = (self.username is None) != (self.private_key is None)
        if by_half or by_jwt == (self.client_secret is not None):
            raise ValueError("it needs either client_secret, or username and private_key")
        return self
