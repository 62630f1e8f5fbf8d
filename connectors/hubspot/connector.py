"""HubSpot: deals with the history of their properties, pipelines with stages, owners, and companies over its CRM API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import chain

from connectors.bookmarks import changed_since
from connectors.census import census_of, is_due, write_census
from connectors.errors import InputError
from connectors.http import Patience
from connectors.hubspot.api import HubSpotApi, JsonObject, Objects
from connectors.hubspot.config import DealProperties, HubSpotConfig
from connectors.landing import Landing, LandingWriter, Manifest
from connectors.resume import Pull
from connectors.source import Progress
from connectors.stream import Stream

__all__ = ["DealProperties", "HubSpot", "HubSpotConfig"]

DEALS = Stream("deals", key=(("id",),), updated_at=("updatedAt",))
# Renaming a stage does not touch its pipeline's own time, so the newest listing counts.
PIPELINES = Stream("pipelines", key=(("id",),), updated_at=None, mode="snapshot")
OWNERS = Stream("owners", key=(("id",),), updated_at=None, mode="snapshot")
COMPANIES = Stream("companies", key=(("id",),), updated_at=("updatedAt",))
# Which companies a deal is with: asked for with each version of a deal, and of no time of its own.
DEAL_COMPANIES = Stream("deal_companies", key=(("id",),), updated_at=None)

API_VERSION = "hubspot-crm-v3"

# Records per file, about: a pull that dies goes on from the last whole one.
_A_FILE = 2_000

# Named one by one: HubSpot's default leaves most of them out.
_HISTORIES = ("dealstage", "pipeline", "amount", "closedate", "hubspot_owner_id")
_PROPERTIES = (
    "dealname", "dealtype", "deal_currency_code", "amount_in_home_currency", "hs_is_closed", "hs_is_closed_won",
    "createdate", "hs_lastmodifieddate", "hs_object_id",
    "hs_merged_object_ids",
)  # fmt: skip
_COMPANIES = Objects(
    "companies",
    ("name", "domain", "createdate", "hs_lastmodifieddate", "hs_object_id", "hs_merged_object_ids"),
)


class HubSpot:
    """A HubSpot account as a source.

    The first pull lists all deals; later ones search for those modified since the cursor, which is the newest change
    seen, but never past the start of the pull by HubSpot's own clock. What was changed while the pull ran is thus
    pulled again. A pull that dies goes on from the last file that it finished. Every few days the deals are counted beside
    the pull, and archived ones pulled. Companies, and which deal is with which, are pulled where the configuration says so.
    ``patience`` bounds retries.
    """

    system = "hubspot"

    def __init__(self, name: str, config: HubSpotConfig, patience: Patience | None = None) -> None:
        self.name = name
        self._config = config
        self._patience = patience

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that are pulled."""
        with_companies = (COMPANIES, DEAL_COMPANIES) if self._config.companies else ()
        return (DEALS, PIPELINES, OWNERS, *with_companies)

    def check(self) -> str:
        """What the account shows; raises SourceError, also for custom properties it lacks."""
        with self._api() as api:
            self._require_properties(api)
            api.service_time()
            pipelines = api.pipelines()
            owners = sum(map(len, api.owners()))
            if self._config.companies:
                next(api.ids(_COMPANIES))
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
                *(
                    self._land(api, COMPANIES, _COMPANIES, cursors, landing, progress)
                    if self._config.companies
                    else []
                ),
                *self._land(api, DEALS, self._deals, cursors, landing, progress),
            ]

    @contextmanager
    def _api(self) -> Iterator[HubSpotApi]:
        token = self._config.access_token.get_secret_value()
        api = HubSpotApi(self.name, self._config.base_url, token, self._patience)
        try:
            yield api
        finally:
            api.close()

    @property
    def _deals(self) -> Objects:
        histories = [*_HISTORIES, *(name for _, name in self._custom_properties())]
        return Objects("deals", [*_PROPERTIES, *histories], histories)

    def _land_snapshot(
        self, stream: Stream, pages: Iterable[list[JsonObject]], landing: Landing, progress: Progress
    ) -> Manifest:
        with landing.open(self.name, self.system, stream, None, API_VERSION) as writer:
            for page in pages:
                writer.write(page)
        progress(self.name, stream.name, writer.rows)
        return writer.manifest

    def _land(  # noqa: PLR0913, PLR0917 - what to pull, from where on, to where
        self,
        api: HubSpotApi,
        stream: Stream,
        of: Objects,
        cursors: Mapping[str, str],
        landing: Landing,
        progress: Progress,
    ) -> list[Manifest]:
        writers = [stream, *([DEAL_COMPANIES] if stream is DEALS and self._config.companies else [])]
        # Where one of them was never pulled, both begin anew.
        cursor = cursors.get(stream.name) if all(one.name in cursors for one in writers) else None
        count = is_due(cursors, stream, self._config.census_days)
        pull = Pull.unfinished(cursor) or Pull(
            began=api.service_time(),
            since=changed_since(cursor, self._config.start, self._config.look_back_minutes),
            before=cursor,
        )
        newest: datetime | None = None
        cut_at = 0
        with ExitStack() as stack:
            census = [stack.enter_context(self._counting(api, stream, of, landing))] if count else []
            writer, *beside = [
                stack.enter_context(landing.open(self.name, self.system, one, cursor, API_VERSION))
                for one in writers
            ]
            pages = (
                api.listed(of, pull.after) if pull.since is None else api.modified(of, pull.since, pull.after)
            )
            for records, go_on in pages:
                found = [api.found(record) for record in records]
                newest = max(
                    [*([newest] if newest else []), *(one.updated_at for one in found)], default=None
                )
                for one in beside:
                    one.write(api.companies_of([each.id for each in found]) if found else [])
                self._write(writer, stream, records, progress)
                if go_on and writer.rows - cut_at >= _A_FILE:
                    cut_at = writer.rows
                    going_on = pull.going_on(go_on)
                    for one in (*beside, writer):
                        one.cut(going_on)
            for records, _ in api.listed(of, archived=True) if count else ():
                self._write(writer, stream, records, progress)
            for one in (*beside, writer):
                one.cursor_to = pull.finished(newest)
        return [manifest for one in (*beside, writer, *census) for manifest in one.manifests]

    def _write(
        self, writer: LandingWriter, stream: Stream, records: list[JsonObject], progress: Progress
    ) -> None:
        writer.write(records)
        if records:
            progress(self.name, stream.name, writer.rows)

    @contextmanager
    def _counting(
        self, api: HubSpotApi, stream: Stream, of: Objects, landing: Landing
    ) -> Iterator[LandingWriter]:
        """Write the census in a thread: the ids of all records, also of archived ones, which say so themselves.

        It lands when what is done meanwhile goes well, too.
        """
        census = census_of(stream, scope=None)
        with (
            landing.open(self.name, self.system, census, None, API_VERSION) as writer,
            ThreadPoolExecutor(1, thread_name_prefix="hubspot-census") as thread,
        ):
            pages = (api.ids(of, archived=archived) for archived in (False, True))
            counted = thread.submit(write_census, writer, [(None, chain.from_iterable(pages))])
            try:
                yield writer
            except BaseException:
                # The thread is waited for, and need not go on to its end.
                api.close()
                raise
            counted.result()

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
