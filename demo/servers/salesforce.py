"""A loopback server that speaks the wire shapes of Salesforce's login, REST API and Bulk API 2.0 for queries."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from demo.servers.loopback import Answer, Fault, LoopbackServer, Request
from demo.servers.soql import Query, SoqlError, comparable, parse

Record = dict[str, Any]

# Salesforce's own bound of records in an answer.
PAGE = 2_000


@dataclass
class SalesforceOrg:
    """What one org holds: `records` by object, each with every field of the object; `types` the fields' types by object.

    Times are ISO texts with milliseconds and "+0000". Deleted records stay, with IsDeleted. `clock` is the org's time, None that
    of this machine. The server reads all anew for each request, so a test may edit it between two, or while one is answered.
    """

    types: Mapping[str, Mapping[str, str]]
    records: dict[str, list[Record]] = field(default_factory=dict)
    clock: datetime | None = None


@dataclass(frozen=True)
class ConnectedApp:
    """Who may sign in: by client secret, or as `username` by assertions that the public key in PEM bears out."""

    client_id: str
    client_secret: str
    username: str = ""
    public_key: str = ""
    audience: str = "https://login.salesforce.com"


@dataclass
class _Job:
    """A query that runs: its records are those of the moment at which it is done."""

    query: Query
    asked: int = 0
    rows: list[Record] | None = None


class SalesforceServer(LoopbackServer):
    """Serves ``org`` to whoever signs in as ``app``; a context manager, its address is ``url``.

    ``batch`` is the number of records in an answer, ``bulk_page`` that in a page of a job's result; a job is done when
    it has been asked for ``polls`` times. ``used`` counts requests towards the ``limit`` of 24 hours.
    """

    def __init__(  # noqa: PLR0913 - all but the first two are by keyword
        self,
        org: SalesforceOrg,
        app: ConnectedApp,
        faults: Iterable[Fault] | None = None,
        *,
        batch: int = PAGE,
        bulk_page: int = PAGE,
        polls: int = 1,
        limit: int = 100_000,
    ) -> None:
        super().__init__(faults)
        self.org = org
        self.batch = batch
        self.bulk_page = bulk_page
        self.used = 0
        self.limit = limit
        self.sign_ins = 0
        self.instance_url: str | None = None
        self._app = app
        self._polls = polls
        self._token = ""
        self._jobs: dict[str, _Job] = {}

    def expire(self) -> None:
        """Let the token be valid no longer."""
        self._token = ""

    def forget_jobs(self) -> None:
        """Let no job be known any longer, as after a week."""
        self._jobs.clear()

    def answer(self, request: Request) -> Answer:
        """The answer of the org's present content."""
        answer = self._login(request) if request.path == "/services/oauth2/token" else self._api(request)
        now = self.org.clock or datetime.now(UTC)
        headers = {"Date": format_datetime(now, usegmt=True), **answer.headers}
        if request.path.startswith("/services/data/"):
            headers["Sforce-Limit-Info"] = f"api-usage={self.used}/{self.limit}"
        return Answer(answer.body, answer.status, headers)

    def _login(self, request: Request) -> Answer:
        form = {name: values[-1] for name, values in parse_qs(str(request.body)).items()}
        app = self._app
        if form.get("grant_type") == "client_credentials":
            if (form.get("client_id"), form.get("client_secret")) != (app.client_id, app.client_secret):
                return _told_by_login("invalid_client", "invalid client credentials")
        elif form.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            if not self._is_borne_out(form.get("assertion", "")):
                return _told_by_login("invalid_grant", "invalid assertion")
        else:
            return _told_by_login("unsupported_grant_type", "grant type not supported")
        self.sign_ins += 1
        self._token = f"00Dnot!a-real-token-{self.sign_ins}"
        about = {"instance_url": self.instance_url or self.url, "token_type": "Bearer", "scope": "api"}
        return Answer({"access_token": self._token, **about})

    def _is_borne_out(self, assertion: str) -> bool:
        app = self._app
        try:
            claims = jwt.decode(assertion, RSAKey.import_key(app.public_key), algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return False
        seconds = int(claims.get("exp", 0)) - datetime.now(UTC).timestamp()
        said = {"iss": app.client_id, "sub": app.username, "aud": app.audience}
        return 0 < seconds <= 300 and all(claims.get(name) == value for name, value in said.items())

    def _api(self, request: Request) -> Answer:
        self.used += 1
        if not self._token or request.headers.get("Authorization") != f"Bearer {self._token}":
            return _refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if self.used > self.limit:
            return _refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        parts = request.path.removeprefix("/services/data/v").split("/")[1:]
        routes: dict[tuple[str, str, int], Callable[[], Answer]] = {
            ("GET", "sobjects", 3): lambda: self._describe(parts[1]),
            ("GET", "queryAll", 1): lambda: self._query(request),
            ("POST", "jobs", 2): lambda: self._make_job(request),
            ("GET", "jobs", 3): lambda: self._job(parts[2]),
            ("GET", "jobs", 4): lambda: self._result(parts[2], request),
        }
        route = routes.get((request.method, parts[0] if parts else "", len(parts)))
        if route is None or (len(parts) > 2 and parts[0] == "jobs" and parts[2] not in self._jobs):
            return _refused(404, "NOT_FOUND", "The requested resource does not exist")
        try:
            return route()
        except SoqlError as error:
            return _refused(400, error.code, str(error))

    def _describe(self, name: str) -> Answer:
        if name not in self.org.types:
            return _refused(404, "NOT_FOUND", "The requested resource does not exist")
        fields = [
            {
                "name": each,
                "label": each,
                "type": kind.partition("(")[0],
                "length": int(kind.partition("(")[2].rstrip(")") or 0),
                "custom": each.endswith("__c"),
            }
            for each, kind in self.org.types[name].items()
        ]
        return Answer({"name": name, "fields": fields})

    def _query(self, request: Request) -> Answer:
        query = parse(request.query["q"], self.org.types)
        found = self._found(query)
        if not query.fields:
            return Answer({"totalSize": len(found), "done": True, "records": []})
        limited = found[: query.limit]
        page = limited[: self.batch]
        version = request.path.split("/")[3]
        body: Record = {"totalSize": len(limited), "done": len(page) == len(limited)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"/services/data/{version}/query/01gnot-{len(page)}"
        body["records"] = [
            {
                "attributes": {
                    "type": query.name,
                    "url": f"/services/data/{version}/sobjects/{query.name}/{record['Id']}",
                }
            }
            | {each: record[each] for each in query.fields}
            for record in page
        ]
        return Answer(body)

    def _found(self, query: Query) -> list[Record]:
        types = self.org.types[query.name]
        found = [record for record in self.org.records.get(query.name, []) if query.test(record)]
        return sorted(
            found, key=lambda record: [comparable(record[each], types[each]) for each in query.order]
        )

    def _make_job(self, request: Request) -> Answer:
        if request.body.get("operation") != "queryAll":
            return _refused(400, "INVALIDJOB", "only queryAll is understood here")
        job_id = f"750{len(self._jobs):012d}AAA"
        self._jobs[job_id] = _Job(parse(request.body["query"], self.org.types))
        return Answer({"id": job_id, "operation": "queryAll", "state": "UploadComplete"})

    def _job(self, job_id: str) -> Answer:
        job = self._jobs[job_id]
        job.asked += 1
        if job.asked < self._polls:
            return Answer({"id": job_id, "state": "InProgress"})
        if job.rows is None:
            job.rows = json.loads(json.dumps(self._found(job.query)))
        return Answer({"id": job_id, "state": "JobComplete", "numberRecordsProcessed": len(job.rows)})

    def _result(self, job_id: str, request: Request) -> Answer:
        if request.headers.get("Accept") != "text/csv":
            return _refused(406, "NOT_ACCEPTABLE", "results are CSV")
        job = self._jobs[job_id]
        rows, first = job.rows or [], int(request.query.get("locator") or 0)
        page = rows[first : first + min(self.bulk_page, int(request.query.get("maxRecords") or PAGE))]
        end = first + len(page)
        headers = {
            "Content-Type": "text/csv",
            "Sforce-NumberOfRecords": str(len(page)),
            "Sforce-Locator": str(end) if end < len(rows) else "null",
        }
        return Answer(csv_page(job.query.fields, self.org.types[job.query.name], page), headers=headers)


def csv_page(fields: Iterable[str], types: Mapping[str, str], rows: Iterable[Record]) -> bytes:
    """A page of a bulk result as Salesforce writes it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    names = list(fields)
    writer.writerow(names)
    writer.writerows([_csv_text(types[name], row[name]) for name in names] for row in rows)
    return text.getvalue().encode()


def _csv_text(kind: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("+0000", "Z") if kind == "datetime" else str(value)


def _refused(status: int, code: str, message: str) -> Answer:
    return Answer([{"message": message, "errorCode": code}], status)


def _told_by_login(error: str, description: str) -> Answer:
    return Answer({"error": error, "error_description": description}, 400)
