"""HubSpot: deals with the history of their properties, pipelines with stages, and owners over CRM API v3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta

from pydantic import AwareDatetime, BaseModel

from connectors.census import census_of, is_due
from connectors.errors import InputError
from connectors.http import Patience
from connectors.hubspot_api import HubSpotApi, JsonObject
from connectors.hubspot_config import DealProperties, HubSpotConfig
from connectors.landing import Landing, LandingWriter, Manifest
from connectors.source import Progress
from connectors.stream import Stream

__all__ = ["DealProperties", "HubSpot", "HubSpotConfig"]

DEALS = Stream("deals", key=(("id",),), updated_at=("updatedAt",))
# Renaming a stage does not touch its pipeline's own time, so the newest listing counts.
PIPELINES = Stream("pipelines", key=(("id",),), updated_at=None, mode="snapshot")
OWNERS = Stream("owners", key=(("id",),), updated_at=None, mode="snapshot")
_CENSUS = census_of(DEALS, scope=None)

API_VERSION = "hubspot-crm-v3"

# Deals per file, about: a pull that dies goes on from the last whole one.
_A_FILE = 2_000

# Named one by one: HubSpot's default leaves most of them out.
_HISTORIES = ("dealstage", "pipeline", "amount", "closedate", "hubspot_owner_id")
_PROPERTIES = (
    "dealname", "dealtype", "deal_currency_code", "amount_in_home_currency", "hs_is_closed", "hs_is_closed_won",
    "createdate", "hs_lastmodifieddate", "hs_object_id",
    "hs_merged_object_ids",
)  # fmt: skip


class HubSpot:
    """A HubSpot account as a source.

    The first pull lists all deals; later ones search for those modified since the cursor, which is the newest change
    seen, but never past the start of the pull by HubSpot's own clock. What was changed while the pull ran is thus
    pulled again. A pull that dies goes on from the last file that it finished. Every few days the deals are counted, and
    archived ones pulled. ``patience`` bounds retries.
    """

    system = "hubspot"
    streams = (DEALS, PIPELINES, OWNERS)

    def __init__(self, name: str, config: HubSpotConfig, patience: Patience | None = None) -> None:
        self.name = name
        self._config = config
        self._patience = patience

    def check(self) -> str:
        """What the account shows; raises SourceError, also for custom properties it lacks."""
        with self._api() as api:
            self._require_properties(api)
            api.service_time()
            pipelines = api.pipelines()
            owners = sum(map(len, api.owners()))
        return (
            f"{self.name}: {self._config.base_url} shows deals in {len(pipelines)} "
            f"pipeline{'s'[: len(pipelines) != 1]} and {owners} owner{'s'[: owners != 1]}"
        )

    def addresses(self) -> Mapping[str, str]:
        """Deals open by their id; HubSpot's type of object for deals is 0-3."""
        with self._api() as api:
            account = api.account()
        return {DEALS.name: f"https://{account.ui_domain}/contacts/{account.portal_id}/record/0-3/"}

    def pull(self, cursors: Mapping[str, str], landing: Landing, progress: Progress) -> list[Manifest]:
        """Land the deals modified since the cursor less the look-back, and the snapshots."""
        with self._api() as api:
            self._require_properties(api)
            return [
                self._land_snapshot(PIPELINES, [api.pipelines()], landing, progress),
                self._land_snapshot(OWNERS, api.owners(), landing, progress),
                *self._land_deals(api, cursors, landing, progress),
            ]

    @contextmanager
    def _api(self) -> Iterator[HubSpotApi]:
        custom = [name for _, name in self._custom_properties()]
        api = HubSpotApi(
            self.name,
            self._config.base_url,
            self._config.access_token.get_secret_value(),
            properties=[*_PROPERTIES, *_HISTORIES, *custom],
            histories=[*_HISTORIES, *custom],
            patience=self._patience,
        )
        try:
            yield api
        finally:
            api.close()

    def _land_snapshot(
        self, stream: Stream, pages: Iterable[list[JsonObject]], landing: Landing, progress: Progress
    ) -> Manifest:
        with landing.open(self.name, self.system, stream, None, API_VERSION) as writer:
            for page in pages:
                writer.write(page)
        progress(self.name, stream.name, writer.rows)
        return writer.manifest

    def _land_deals(
        self, api: HubSpotApi, cursors: Mapping[str, str], landing: Landing, progress: Progress
    ) -> list[Manifest]:
        cursor = cursors.get(DEALS.name)
        count = is_due(cursors, DEALS, self._config.census_days)
        pull = _Pull.unfinished(cursor) or _Pull(
            began=api.service_time(), since=self._since(cursor), before=cursor
        )
        newest: datetime | None = None
        cut_at = 0
        with landing.open(self.name, self.system, DEALS, cursor, API_VERSION) as writer:
            pages = (
                api.deals(pull.after) if pull.since is None else api.deals_modified(pull.since, pull.after)
            )
            for deals, go_on in pages:
                updates = [api.deal(deal).updated_at for deal in deals]
                newest = max([newest, *updates] if newest else updates, default=None)
                self._write(writer, deals, progress)
                if go_on and writer.rows - cut_at >= _A_FILE:
                    cut_at = writer.rows
                    writer.cut(pull.model_copy(update={"after": go_on}).model_dump_json())
            for deals, _ in api.deals(archived=True) if count else ():
                self._write(writer, deals, progress)
            writer.cursor_to = _cursor(pull.before, min(newest or pull.began, pull.began))
        return [*writer.manifests, *([self._count(api, landing)] if count else [])]

    def _write(self, writer: LandingWriter, deals: list[JsonObject], progress: Progress) -> None:
        writer.write(deals)
        if deals:
            progress(self.name, DEALS.name, writer.rows)

    def _count(self, api: HubSpotApi, landing: Landing) -> Manifest:
        """The census: the ids of all deals, also of archived ones, whose records say so themselves."""
        with landing.open(self.name, self.system, _CENSUS, None, API_VERSION) as writer:
            writer.cursor_to = datetime.now(UTC).isoformat()
            writer.write([{"id": None, "scope": None}])
            for archived in (False, True):
                for ids in api.deal_ids(archived=archived):
                    writer.write({"id": one, "scope": None} for one in ids)
        return writer.manifest

    def _since(self, cursor: str | None) -> datetime | None:
        start = datetime.combine(self._config.start, time.min, UTC) if self._config.start else None
        if cursor is None:
            return start
        since = datetime.fromisoformat(cursor) - timedelta(minutes=self._config.look_back_minutes)
        return max(since, start) if start else since

    def _custom_properties(self) -> list[tuple[str, str]]:
        """The configuration's field and the internal name of each custom property."""
        return [(field, name) for field, name in self._config.properties if name]

    def _require_properties(self, api: HubSpotApi) -> None:
        """HubSpot answers an unknown property with nothing at all, which would look like deals without a value."""
        known = api.property_names() if self._custom_properties() else set()
        for field, name in self._custom_properties():
            if name not in known:
                raise InputError(
                    f"{self.name}: deals have no property {name!r}",
                    f"Set properties.{field} to the internal name of a deal property, or leave it out.",
                    field=f"properties.{field}",
                )


class _Pull(BaseModel):
    """A pull of deals; as JSON it is the cursor of one that is not finished.

    ``began`` by HubSpot's clock, ``since`` which change (None: a list of all), ``before`` the cursor it started from, ``after``
    where it goes on.
    """

    began: AwareDatetime
    since: AwareDatetime | None
    before: str | None
    after: str | None = None

    @classmethod
    def unfinished(cls, cursor: str | None) -> _Pull | None:
        """The pull that a cursor tells of; None when the last one was finished."""
        return cls.model_validate_json(cursor) if cursor and cursor.startswith("{") else None


def _cursor(before: str | None, bookmark: datetime) -> str:
    """The bookmark as a cursor; it never goes back, as it would once the newest deal is deleted."""
    if before is not None:
        bookmark = max(bookmark, datetime.fromisoformat(before))
    return bookmark.astimezone(UTC).isoformat(timespec="milliseconds")
