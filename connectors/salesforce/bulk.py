"""Salesforce's Bulk API 2.0: a query runs as a job, and its result is fetched as pages of CSV."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Generator, Iterator
from typing import Literal

from pydantic import BaseModel, Field

from connectors.errors import PullFailed, SourceError
from connectors.http import Json, Patience, Reply
from connectors.resume import Page
from connectors.salesforce.api import FieldType, changed_service, parsed
from connectors.salesforce.records import Record, from_csv
from connectors.salesforce.session import SalesforceSession

log = logging.getLogger(__name__)

# The first version of the API that runs queries as jobs.
FIRST_VERSION = 47.0
# Records in a page, and values: several pages are in memory at once, and an answer stays well below the bound of its size.
_PAGE = 10_000
_VALUES = 200_000
# Salesforce itself gives a query ten minutes, and tries it again; a job may wait for others before.
_JOB_SECONDS = 3 * 3600.0


class _Job(BaseModel):
    id: str = Field(pattern=r"^[A-Za-z0-9]+$")
    state: Literal["UploadComplete", "InProgress", "Aborted", "JobComplete", "Failed"]
    processed: int | None = Field(None, alias="numberRecordsProcessed")
    said: str | None = Field(None, alias="errorMessage")


class InJob(BaseModel):
    """A place in the result of a job: the page to go on with, how many records come before it, and a hash of their fields."""

    job: str = Field(pattern=r"^[A-Za-z0-9]+$")
    locator: str | None = None
    rows: int = 0
    fields: str


class BulkQueries:
    """Queries of one org as jobs; raises SourceError. ``patience`` also says how often a job is asked for."""

    def __init__(self, source: str, session: SalesforceSession, version: str, patience: Patience) -> None:
        self._source = source
        self._session = session
        self._jobs = f"/services/data/v{version}/jobs/query"
        self._patience = patience

    def pages(self, query: str, fields: list[FieldType], place: InJob | None = None) -> Iterator[Page]:
        """The records of ``query``, deleted ones too, in pages and in no order; from ``place`` of an earlier page on.

        Salesforce keeps results for seven days. Where that of ``place`` is gone, cannot be read, lacks fields or does not
        come to its own count, the query runs anew.
        """
        # A field of another type would be read from the old result as what it is now.
        described = json.dumps([(field.name, field.type) for field in fields])
        named = hashlib.sha256(described.encode()).hexdigest()
        job = self._kept(place, fields, named) if place else None
        if job and place:
            wrong = yield from self._result(job, fields, place)
            if wrong is None:
                return
            log.warning("%s: the bulk job %s %s; the query runs anew", self._source, job.id, wrong)
        job = self._finished(self._made(query))
        wrong = yield from self._result(job, fields, InJob(job=job.id, fields=named))
        if wrong:
            raise changed_service(self._source, self._jobs, wrong)

    def _result(self, job: _Job, fields: list[FieldType], place: InJob) -> Generator[Page, None, str | None]:
        """The pages of a job's result from a place on; in the end, what was wrong with them."""
        used: set[str] = set()
        is_last = False
        while not is_last:
            page, after = _page(self._session, f"{self._jobs}/{job.id}/results", fields, place.locator)
            is_last = after is None
            place = place.model_copy(update={"locator": after, "rows": place.rows + len(page)})
            if after in used:
                return "led to the same page for the second time, which would never end"
            used |= {after} if after else set()
            if page:
                yield Page(page, None if is_last else place.model_dump_json())
        if job.processed is None:
            # An answer without content would pass for an empty result.
            return "does not say how many records it found"
        if place.rows != job.processed:
            return f"gave {place.rows} of {job.processed} records and called that all"
        return None

    def _made(self, query: str) -> _Job:
        asked = json.dumps({"operation": "queryAll", "query": query}).encode()
        made = self._session.exchange("POST", self._jobs, Reply.json, body=asked)
        return parsed(self._source, self._jobs, _Job, made)

    def _kept(self, place: InJob, fields: list[FieldType], named: str) -> _Job | None:
        """The job of a place, if its result is still there and has these fields."""
        if place.fields != named:
            return None
        try:
            job = self._state(place.job)
            # A job may outlive its result: only reading tells.
            _page(self._session, f"{self._jobs}/{job.id}/results", fields, place.locator)
        except SourceError as error:
            log.info(
                "%s: what the bulk job %s found cannot be read any more: %s", self._source, place.job, error
            )
            return None
        return job if job.state == "JobComplete" else None

    def _state(self, job_id: str) -> _Job:
        answer: Json = self._session.exchange("GET", f"{self._jobs}/{job_id}", Reply.json)
        return parsed(self._source, self._jobs, _Job, answer)

    def _finished(self, job: _Job) -> _Job:
        started, wait = time.monotonic(), self._patience.first_wait
        while job.state in {"UploadComplete", "InProgress"}:
            if time.monotonic() - started > _JOB_SECONDS:
                raise PullFailed(
                    f"{self._source}: the bulk job {job.id} has not ended in {_JOB_SECONDS / 3600:.0f} hours",
                    "Look at Bulk Data Load Jobs in the org's setup for what holds it up; the next run makes a new one.",
                )
            self._session.pause(wait)
            wait = min(2 * wait, self._patience.longest_wait)
            job = self._state(job.id)
        if job.state != "JobComplete":
            said = f' ("{job.said[:300]}")' if job.said else ""
            raise PullFailed(
                f"{self._source}: the bulk job {job.id} ended as {job.state}{said}",
                "Run again later, or set bulk_above to null, so that everything comes by the REST API.",
                field="bulk_above",
            )
        return job


def _page(
    session: SalesforceSession, path: str, fields: list[FieldType], locator: str | None
) -> tuple[list[Record], str | None]:
    """A page of a job's result and the locator of the next one, None after the last."""

    def read(reply: Reply) -> tuple[list[Record], str | None]:
        records = from_csv(fields, reply.body)
        told = reply.headers.get("Sforce-NumberOfRecords")
        if told is not None and int(told) != len(records):
            raise ValueError(f"{len(records)} records where {told} were told of")
        after = reply.headers.get("Sforce-Locator")
        return records, None if after in (None, "", "null") else after

    params: dict[str, str | int] = {"maxRecords": min(_PAGE, _VALUES // len(fields))}
    if locator is not None:
        params["locator"] = locator
    return session.exchange("GET", path, read, params=params, accepts="text/csv")
