"""Salesforce: opportunities with their histories and stages, accounts and users, over REST or the Bulk API 2.0."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pydantic import TypeAdapter

from connectors.bookmarks import changed_since
from connectors.census import census_of, is_due, write_census
from connectors.errors import Ended, InputError
from connectors.http import Patience
from connectors.landing import Landing, Manifest
from connectors.resume import Page, Pull
from connectors.salesforce.api import ID, Behind, FieldType, SalesforceApi, SObject, Start
from connectors.salesforce.bulk import FIRST_VERSION, BulkQueries, InJob
from connectors.salesforce.config import OpportunityFields, SalesforceConfig
from connectors.salesforce.records import instant
from connectors.salesforce.session import SalesforceSession
from connectors.source import Progress
from connectors.stream import Mode, Stream

__all__ = ["OpportunityFields", "Salesforce", "SalesforceConfig"]


def _stream(name: str, changed_at: str = "SystemModstamp", mode: Mode = "incremental") -> Stream:
    return Stream(name, key=(("Id",),), updated_at=(changed_at,), mode=mode)


OPPORTUNITIES = _stream("opportunities")
OPPORTUNITY_HISTORY = _stream("opportunity_history")
# The history of fields bears no time but that of its creation, and never changes.
FIELD_HISTORY = _stream("field_history", "CreatedDate")
STAGES = _stream("stages", mode="snapshot")
ACCOUNTS = _stream("accounts")
USERS = _stream("users")

# Named one by one: what an org adds to these comes with its custom fields.
_OBJECTS: Mapping[Stream, SObject] = {
    STAGES: SObject(
        "OpportunityStage",
        needed=("Id", "SystemModstamp", "MasterLabel", "ApiName", "IsClosed", "IsWon"),
        fields=("SortOrder", "DefaultProbability", "IsActive", "ForecastCategoryName"),
    ),
    USERS: SObject(
        "User",
        needed=("Id", "SystemModstamp", "Name"),
        fields=("FirstName", "LastName", "Email", "IsActive", "UserRoleId", "ManagerId", "CreatedDate"),
    ),
    ACCOUNTS: SObject(
        "Account",
        needed=("Id", "SystemModstamp", "IsDeleted", "MasterRecordId", "Name"),
        fields=("Type", "ParentId", "OwnerId", "Industry", "AnnualRevenue", "CreatedDate", "CurrencyIsoCode"),
        custom=True,
    ),
    OPPORTUNITIES: SObject(
        "Opportunity",
        needed=("Id", "SystemModstamp", "IsDeleted", "StageName", "CreatedDate", "CloseDate"),
        fields=(
            "Name", "AccountId", "OwnerId", "RecordTypeId", "Amount", "CurrencyIsoCode", "ExpectedRevenue", "Probability",
            "Type", "LeadSource", "NextStep", "ForecastCategoryName", "IsClosed", "IsWon", "CampaignId",
            "LastModifiedDate", "LastActivityDate", "LastStageChangeDate",
        ),
        custom=True,
    ),
    OPPORTUNITY_HISTORY: SObject(
        "OpportunityHistory",
        needed=("Id", "SystemModstamp", "IsDeleted", "OpportunityId", "CreatedDate", "StageName", "CloseDate"),
        fields=("CreatedById", "Amount", "CurrencyIsoCode", "ExpectedRevenue", "Probability", "ForecastCategory"),
    ),
    FIELD_HISTORY: SObject(
        "OpportunityFieldHistory",
        needed=("Id", "IsDeleted", "OpportunityId", "CreatedDate", "Field", "OldValue", "NewValue"),
        fields=("CreatedById", "DataType"),
        changed_at="CreatedDate",
        optional=True,
    ),
}  # fmt: skip
# Those that are purged from the recycle bin are in no query any more.
_COUNTED = {OPPORTUNITIES, ACCOUNTS}
# Objects and censuses that are pulled at the same time: an org lets five long requests run at once, or more.
_AT_ONCE = 4
# Records per file, about: a pull that dies goes on from the last whole one.
_A_FILE = 10_000
_PLACE: TypeAdapter[Behind | InJob] = TypeAdapter(Behind | InJob)


@dataclass(frozen=True)
class _Org:
    session: SalesforceSession
    api: SalesforceApi
    bulk: BulkQueries


class Salesforce:
    """A Salesforce org as a source.

    A pull asks for what changed since the cursor less the look-back, deleted records too. The cursor is the newest change
    seen, but never past the start of the pull by Salesforce's own clock. A pull that dies goes on from the last file that it
    finished. Objects are pulled beside each other, and opportunities and accounts counted beside them every few days.
    ``patience`` bounds retries.
    """

    system = "salesforce"
    streams = tuple(_OBJECTS)

    def __init__(self, name: str, config: SalesforceConfig, patience: Patience | None = None) -> None:
        self.name = name
        self._config = config
        self._patience = patience or Patience()
        self._api_version = f"salesforce-{config.api_version}"

    def check(self) -> str:
        """What the org shows, and how much of its daily limit is used; raises SourceError, also for fields it lacks."""
        with self._org() as org:
            for stream, wanted in _OBJECTS.items():
                self._require_custom(stream, org.api.fields(wanted))
            opportunities = org.api.count(_OBJECTS[OPPORTUNITIES], None)
            stages = org.api.count(_OBJECTS[STAGES], None)
            self._require_some(STAGES, stages)
            used = org.session.requests_used
        limit = f"; {used[0]:,} of {used[1]:,} API requests of 24 hours are used" if used else ""
        return (
            f"{self.name}: {self._config.base_url} shows {opportunities:,} opportunit"
            f"{'y' if opportunities == 1 else 'ies'} in {stages} stages, deleted ones counted{limit}"
        )

    def addresses(self) -> Mapping[str, str]:
        """Opportunities open by their id at the address of the org, in Lightning as in Classic."""
        with self._org() as org:
            return {OPPORTUNITIES.name: f"{org.session.instance_url}/"}

    def pull(self, cursors: Mapping[str, str], landing: Landing, progress: Progress) -> list[Manifest]:
        """Land what changed of every object since its cursor less the look-back."""
        with self._org() as org:
            objects = [
                partial(self._land, org, stream, cursors.get(stream.name), landing, progress)
                for stream in _OBJECTS
            ]
            censuses = [
                partial(self._count, org, stream, landing)
                for stream in _OBJECTS
                # Of what is pulled for the first time nothing can have vanished yet.
                if stream in _COUNTED
                and stream.name in cursors
                and is_due(cursors, stream, self._config.census_days)
            ]
            return _side_by_side(org.session, [*objects, *censuses])

    @contextmanager
    def _org(self) -> Iterator[_Org]:
        version = self._config.api_version
        session = SalesforceSession(self.name, self._config, self._patience)
        try:
            yield _Org(
                session,
                SalesforceApi(self.name, session, version),
                BulkQueries(self.name, session, version, self._patience),
            )
        finally:
            session.close()

    def _land(
        self, org: _Org, stream: Stream, cursor: str | None, landing: Landing, progress: Progress
    ) -> list[Manifest]:
        wanted = _OBJECTS[stream]
        fields = org.api.fields(wanted)
        self._require_custom(stream, fields)
        is_snapshot = stream.mode == "snapshot"
        pull = Pull.unfinished(cursor) or Pull(
            began=org.session.service_time,
            since=None
            if is_snapshot
            else changed_since(cursor, self._config.start, self._config.look_back_minutes),
            before=cursor,
        )
        newest: datetime | None = None
        cut_at = 0
        with landing.open(self.name, self.system, stream, cursor, self._api_version) as writer:
            for records, go_on in self._pages(org, wanted, fields, pull) if fields else ():
                writer.write(records)
                changes = [instant(record[wanted.changed_at]) for record in records]
                newest = max([newest, *changes] if newest else changes)
                progress(self.name, stream.name, writer.rows)
                if go_on and not is_snapshot and writer.rows - cut_at >= _A_FILE:
                    cut_at = writer.rows
                    writer.cut(pull.going_on(go_on))
            self._require_some(stream, writer.rows)
            if fields and not is_snapshot:
                writer.cursor_to = pull.finished(newest)
        return writer.manifests

    def _pages(self, org: _Org, wanted: SObject, fields: list[FieldType], pull: Pull) -> Iterator[Page]:
        place = _PLACE.validate_json(pull.after) if pull.after else None
        if isinstance(place, InJob) and self._config.bulk_above is not None:
            yield from org.bulk.pages(org.api.query(wanted, fields, pull.since), fields, place)
            # That was the org as it was when the job was made.
            yield from self._from(org, wanted, fields, pull.began)
        else:
            yield from self._from(org, wanted, fields, place if isinstance(place, Behind) else pull.since)

    def _from(self, org: _Org, wanted: SObject, fields: list[FieldType], start: Start) -> Iterator[Page]:
        if self._in_bulk(org, wanted, fields, start):
            return org.bulk.pages(org.api.query(wanted, fields, start), fields)
        return org.api.pages(wanted, fields, start)

    def _count(self, org: _Org, stream: Stream, landing: Landing) -> list[Manifest]:
        """The census: the ids of all records, also of those in the recycle bin, which say so themselves."""
        wanted, census = _OBJECTS[stream], census_of(stream, scope=None)
        with landing.open(self.name, self.system, census, None, self._api_version) as writer:
            write_census(writer, [(None, self._ids(org, wanted))])
        return writer.manifests

    def _ids(self, org: _Org, wanted: SObject) -> Iterator[list[str]]:
        if not self._in_bulk(org, wanted, [ID], None):
            return org.api.ids(wanted)
        pages = org.bulk.pages(org.api.query(wanted, [ID], None), [ID])
        return ([record["Id"] for record in page.records] for page in pages)

    def _in_bulk(self, org: _Org, wanted: SObject, fields: list[FieldType], start: Start) -> bool:
        most = self._config.bulk_above
        if most is None or float(self._config.api_version) < FIRST_VERSION:
            return False
        return org.api.is_too_long(wanted, fields) or org.api.count(wanted, start) > most

    def _require_custom(self, stream: Stream, fields: list[FieldType]) -> None:
        known = {field.name for field in fields}
        for field, name in self._config.fields:
            if stream == OPPORTUNITIES and name and name not in known:
                raise InputError(
                    f"{self.name}: opportunities have no field {name!r} that this user may read",
                    f"Set fields.{field} to the API name of a custom field that is no long text, or leave it out.",
                    field=f"fields.{field}",
                )

    def _require_some(self, stream: Stream, rows: int) -> None:
        """Every org has stages; a user who sees none would make all of them look deleted."""
        if stream == STAGES and rows == 0:
            raise InputError(
                f"{self.name}: {self._config.base_url} shows no stage of opportunities",
                "Give the user that the connected app runs as View Setup and Configuration.",
            )


def _side_by_side(
    session: SalesforceSession, parts: Sequence[Callable[[], list[Manifest]]]
) -> list[Manifest]:
    """What the parts of a pull landed, in their order; each is run in a thread, a few at a time.

    The first failure ends the others at their next request. What is raised, once all have ended, is the first part's that
    failed by itself.
    """
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="salesforce") as threads:
        under_way = [threads.submit(part) for part in parts]
        try:
            wait(under_way, return_when=FIRST_EXCEPTION)
        finally:
            session.close()
            threads.shutdown(cancel_futures=True)
    failed = [error for part in under_way if not part.cancelled() and (error := part.exception())]
    if failed:
        raise min(failed, key=lambda error: isinstance(error, Ended))
    return [manifest for part in under_way for manifest in part.result()]
