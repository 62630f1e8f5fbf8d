"""Salesforce's Bulk API 2.0: a query runs as a job, and its result is fetched as pages of CSV."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field

from connectors.errors import PullFailed
from connectors.http import Json, Patience, Reply
from connectors.salesforce_api import FieldType, changed_service, parsed
from connectors.salesforce_records import Record, from_csv
from connectors.salesforce_session import SalesforceSession

# The first version of the API that runs queries as jobs.
FIRST_VERSION = 47.0
# Some twenty megabytes of wide records: memory stays flat and an answer well below the bound of its size.
_PAGE = 10_000
# Salesforce itself gives a query ten minutes, and tries it again; a job may wait for others before.
_JOB_SECONDS = 3 * 3600.0


class _Job(BaseModel):
    id: str = Field(pattern=r"^[A-Za-z0-9]+$")
    state: Literal["UploadComplete", "InProgress", "Aborted", "JobComplete", "Failed"]
    processed: int | None = Field(None, alias="numberRecordsProcessed")
    said: str | None = Field(None, alias="errorMessage")


class BulkQueries:
    """Queries of one org as jobs; raises SourceError. ``patience`` also says how often a job is asked for."""

    def __init__(self, source: str, session: SalesforceSession, version: str, patience: Patience) -> None:
        self._source = source
        self._session = session
        self._jobs = f"/services/data/v{version}/jobs/query"
        self._patience = patience

    def pages(self, query: str, fields: list[FieldType]) -> Iterator[list[Record]]:
        """The records of ``query``, deleted ones too, in pages and in no order."""
        asked = json.dumps({"operation": "queryAll", "query": query}).encode()
        made = self._session.exchange("POST", self._jobs, Reply.json, body=asked)
        job = self._finished(parsed(self._source, self._jobs, _Job, made))
        locator: str | None = None
        used: set[str] = set()
        rows = 0
        while True:
            page, locator = _page(self._session, f"{self._jobs}/{job.id}/results", fields, locator)
            rows += len(page)
            if page:
                yield page
            if locator is None:
                break
            if locator in used:
                raise self._failed("led to the same page for the second time, which would never end")
            used.add(locator)
        if job.processed is not None and rows != job.processed:
            raise self._failed(f"gave {rows} of {job.processed} records and called that all")

    def _finished(self, job: _Job) -> _Job:
        started, wait = time.monotonic(), self._patience.first_wait
        while job.state in {"UploadComplete", "InProgress"}:
            if time.monotonic() - started > _JOB_SECONDS:
                raise PullFailed(
                    f"{self._source}: the bulk job {job.id} has not ended in {_JOB_SECONDS / 3600:.0f} hours",
                    "Look at Bulk Data Load Jobs in the org's setup for what holds it up; the next run makes a new one.",
                )
            time.sleep(wait)
            wait = min(2 * wait, self._patience.longest_wait)
            answer: Json = self._session.exchange("GET", f"{self._jobs}/{job.id}", Reply.json)
            job = parsed(self._source, self._jobs, _Job, answer)
        if job.state != "JobComplete":
            said = f' ("{job.said[:300]}")' if job.said else ""
            raise PullFailed(
                f"{self._source}: the bulk job {job.id} ended as {job.state}{said}",
                "Run again later, or set bulk_above to null, so that everything comes by the REST API.",
                field="bulk_above",
            )
        return job

    def _failed(self, what: str) -> PullFailed:
        return changed_service(self._source, self._jobs, what)


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

    params: dict[str, str | int] = {"maxRecords": _PAGE}
    if locator is not None:
        params["locator"] = locator
    return session.exchange("GET", path, read, params=params, accepts="text/csv")
