"""Salesforce over loopback HTTP: every record arrives whole, deleted ones too, whatever the paging and the edits meanwhile."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import InputError, PullFailed, SourceError
from connectors.landing import Landing
from connectors.salesforce import connector
from connectors.salesforce.api import FieldType
from connectors.salesforce.connector import Salesforce, SalesforceConfig
from connectors.salesforce.records import from_csv, from_json
from connectors.salesforce.session import SalesforceSession
from demo.servers.loopback import Answer, Fault, Request
from demo.servers.salesforce import SalesforceServer, csv_page
from tests.connectors.salesforce_org import (
    APP,
    BASE,
    STREAMS,
    TYPES,
    by_id,
    company,
    crm,
    held,
    landed,
    moment,
    opportunity,
    org,
    pull,
    record,
)
from tests.warehouse.warehouse_parts import rows
from warehouse.control import create_control_tables
from warehouse.raw import cursors as committed_cursors
from warehouse.raw import load
from warehouse.vanished import counted


@pytest.mark.parametrize("way", [{"bulk_above": None}, {"bulk_above": 0}])
def test_both_ways_land_every_record_whole(tmp_path: Path, way: dict[str, Any]) -> None:
    content = company()
    told: list[tuple[str, str, int]] = []
    with SalesforceServer(content, APP, batch=7, bulk_page=11, polls=2) as server:
        manifests = crm(server, **way).pull({}, Landing(tmp_path), lambda *said: told.append(said))
        jobs = {line.path for line in server.log if line.path.endswith("/results")}
    for manifest in manifests:
        found = landed(tmp_path, manifest)
        expected = held(content.records[STREAMS[manifest.stream]])
        assert by_id(found) == expected
        assert len(found) == len(expected)
        assert {name: type(value) for name, value in found[0].items()} == {
            name: type(value) for name, value in expected[found[0]["Id"]].items()
        }
    assert {manifest.stream for manifest in manifests if manifest.mode == "snapshot"} == {"stages"}
    assert len(jobs) == (6 if way["bulk_above"] == 0 else 0)
    assert [rows for _, stream, rows in told if stream == "opportunities"][-1] == 41


def test_a_later_pull_brings_what_changed_since_the_cursor_less_the_look_back(tmp_path: Path) -> None:
    content = org(*(opportunity(number, tick=number * 60) for number in range(100)))
    content.clock = BASE + timedelta(hours=9)
    with SalesforceServer(content, APP) as server:
        source = crm(server, look_back_minutes=10)
        first = pull(source, tmp_path)["opportunities"]
        assert first.cursor_to == "2026-10-01T01:39:00.000+00:00"
        content.records["Opportunity"][3] |= {"IsDeleted": True, "SystemModstamp": moment(9_000)}
        second = pull(source, tmp_path, {"opportunities": str(first.cursor_to)})["opportunities"]
        none = pull(crm(server, look_back_minutes=0), tmp_path, {"opportunities": str(second.cursor_to)})
    numbers = {*range(89, 100), 3}
    assert by_id(landed(tmp_path, second)) == held([content.records["Opportunity"][n] for n in numbers])
    assert second.cursor_to == none["opportunities"].cursor_to == "2026-10-01T02:30:00.000+00:00"


def test_the_cursor_never_passes_the_clock_of_the_org(tmp_path: Path) -> None:
    content = org(opportunity(1, 0), opportunity(2, 500))
    content.clock = BASE + timedelta(seconds=100)
    with SalesforceServer(content, APP) as server:
        assert pull(crm(server), tmp_path)["opportunities"].cursor_to == "2026-10-01T00:01:40.000+00:00"


def test_a_start_leaves_out_what_was_not_modified_since(tmp_path: Path) -> None:
    content = org(opportunity(1, -86_400), opportunity(2, 0), opportunity(3, 86_400))
    with SalesforceServer(content, APP) as server:
        found = pull(crm(server, start=date(2026, 10, 1)), tmp_path)
        assert sorted(by_id(landed(tmp_path, found["opportunities"]))) == [
            one["Id"] for one in content.records["Opportunity"][1:]
        ]
        assert found["stages"].rows == 3


def test_fields_that_the_user_cannot_read_are_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = company()
    hidden = {"Amount", "NextStep"}
    visible = {name: kind for name, kind in TYPES["Opportunity"].items() if name not in hidden}
    content.types = {name: kinds for name, kinds in TYPES.items() if name != "OpportunityFieldHistory"} | {
        "Opportunity": visible
    }
    with SalesforceServer(content, APP) as server, caplog.at_level(logging.WARNING):
        found = pull(crm(server), tmp_path)
    assert found["field_history"].rows == 0 and found["field_history"].cursor_to is None
    assert set(landed(tmp_path, found["opportunities"])[0]) == set(visible) - {
        "Description",
        "Notes__c",
        "Secret__c",
    }
    assert "left out of Opportunity, where there is nothing to read: Amount, NextStep" in caplog.text
    assert "sees no OpportunityFieldHistory" in caplog.text


def test_check_says_what_is_there_and_what_a_pull_could_not_do_without() -> None:
    content = company()
    with SalesforceServer(content, APP) as server:
        said = crm(server, fields={"product": "Product__c", "waits_for": "Waits_for__c"}).check()
        assert "41 opportunities in 3 stages" in said and "API requests of 24 hours" in said
        with pytest.raises(InputError, match="no field 'Colour__c'") as caught:
            crm(server, fields={"waits_for": "Colour__c"}).check()
        assert caught.value.field == "fields.waits_for"
        content.types = {**TYPES, "Opportunity": {"Id": "id", "SystemModstamp": "datetime"}}
        with pytest.raises(InputError, match="Opportunity shows no IsDeleted, StageName"):
            crm(server).check()


def test_a_user_who_sees_no_stage_makes_none_look_deleted(tmp_path: Path) -> None:
    with SalesforceServer(org(opportunity(1), OpportunityStage=[]), APP) as server:
        source = crm(server)
        for attempt in (source.check, lambda: pull(source, tmp_path)):
            with pytest.raises(InputError, match="shows no stage"):
                attempt()
    assert "stages" not in {manifest.stream for manifest in Landing(tmp_path).manifests()}


def test_many_custom_fields_fit_into_no_address_and_come_in_bulk(tmp_path: Path) -> None:
    many: dict[str, Any] = {f"A_custom_field_with_quite_a_long_name_{n}__c": "string" for n in range(400)}
    content = org(opportunity(1, 0, **many))
    content.types = {**TYPES, "Opportunity": {**TYPES["Opportunity"], **many}}
    with SalesforceServer(content, APP) as server:
        found = landed(tmp_path, pull(crm(server, bulk_above=10_000), tmp_path)["opportunities"])
        asked = [int(line.query["maxRecords"]) for line in server.log if line.path.endswith("/results")]
    assert by_id(found) == held(content.records["Opportunity"])
    # Wide records come in small pages, since several are in memory at once.
    assert len(asked) == 1 and 400 <= asked[0] * len(found[0]) <= 200_000


def test_opportunities_open_at_the_address_that_the_login_told() -> None:
    with SalesforceServer(org(), APP) as server:
        assert crm(server).addresses() == {"opportunities": f"{server.url}/"}


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1),
    "currency": st.floats(allow_nan=False, allow_infinity=False),
    "percent": st.integers(0, 100).map(float),
    "int": st.integers(),
    "boolean": st.booleans(),
    "datetime": st.integers(0, 10**6).map(moment),
    "date": st.dates().map(str),
}


@settings(max_examples=60)
@given(
    st.lists(st.fixed_dictionaries({kind: st.none() | values for kind, values in VALUES.items()}), max_size=4)
)
def test_a_page_of_csv_reads_as_the_same_records_in_json(records: list[dict[str, Any]]) -> None:
    fields = [FieldType(name=kind, type=kind) for kind in VALUES]
    page = csv_page(VALUES, {kind: kind for kind in VALUES}, records)
    answered = json.loads(json.dumps([{"attributes": {"type": "X"}} | each for each in records]))
    assert from_csv(fields, page) == [from_json(fields, each) for each in answered] == records


# The session.


def test_an_expired_token_is_renewed_once_and_is_never_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = company()
    with SalesforceServer(content, APP, batch=5) as server, caplog.at_level(logging.DEBUG):
        refused = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
        server.faults = [Fault("/queryAll", Answer(refused, 401), after=9)]
        assert len(landed(tmp_path, pull(crm(server), tmp_path)["opportunities"])) == 41
        assert server.sign_ins == 2
        server.faults = [Fault("/queryAll", Answer(refused, 401), times=99)]
        with pytest.raises(InputError, match="INVALID_SESSION_ID") as caught:
            crm(server).check()
        assert server.sign_ins == 4
        assert caught.value.field == "client_secret"
    assert "not-a-real" not in caplog.text + str(caught.value)
    assert not [path for path in tmp_path.rglob("*.json") if "not-a-real" in path.read_text()]


def test_a_signed_assertion_signs_in_and_a_wrong_one_does_not() -> None:
    keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
    private = [
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        for key in keys
    ]
    public = (
        keys[0]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    app = replace(APP, username="robot@example.com", public_key=public.decode())
    with SalesforceServer(org(), app) as server:

        def signed_in(key: str, **config: Any) -> str:
            flow = {"client_secret": None, "username": "robot@example.com", "private_key": key}
            return crm(server, **flow | config).check()

        assert "opportunities" in signed_in(private[0])
        assert "opportunities" in signed_in(private[0].replace("\n", "\\n"))
        wrong: list[dict[str, Any]] = [
            {"key": private[1]},
            {"key": private[0], "audience": "https://test.salesforce.com"},
        ]
        for one in wrong:
            with pytest.raises(InputError, match="invalid_grant") as caught:
                signed_in(**one)
            assert "BEGIN" not in str(caught.value) and "eyJ" not in str(caught.value)
        with pytest.raises(InputError, match="private_key is no RSA key"):
            signed_in("no key")


@pytest.mark.parametrize(
    ("base", "told", "fine"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com", True),
        ("https://login.salesforce.com", "https://acme.my.salesforce.com", True),
        ("https://acme.my.salesforce.com", "http://acme.my.salesforce.com", False),
        ("https://acme.my.salesforce.com", "https://evil.example", False),
        ("https://acme.my.salesforce.com", "https://evilsalesforce.com", False),
        ("https://acme.my.salesforce.com", "https://salesforce.com@evil.example", False),
        ("https://acme.my.salesforce.com", "http://127.0.0.1:1", False),
        ("https://crm.acme.example", "https://acme.my.salesforce.com", False),
    ],
)
def test_the_token_goes_to_no_host_outside_the_domain_of_the_org(base: str, told: str, fine: bool) -> None:
    given_ = {"type": "salesforce", "base_url": base, "client_id": "a", "client_secret": "b"}
    session = SalesforceSession("crm", SalesforceConfig.model_validate(given_))
    if fine:
        assert session._allowed(told) == told
    else:
        with pytest.raises(InputError, match="not sent anywhere else"):
            session._allowed(told)


def test_nothing_is_pulled_on_the_last_requests_of_the_day(tmp_path: Path) -> None:
    with SalesforceServer(company(), APP, limit=1_000, batch=1) as server:
        server.used = 947
        with pytest.raises(PullFailed, match=r"95\d of the 1,000 API requests .* in 24 hours") as caught:
            pull(crm(server), tmp_path)
        assert "24 hours after it was made" in caught.value.mend
        assert 951 <= server.used < 960


@pytest.mark.parametrize(
    ("path", "status", "code", "kind", "mend", "field"),
    [
        ("/queryAll", 403, "REQUEST_LIMIT_EXCEEDED", PullFailed, "24 hours", None),
        ("/queryAll", 403, "API_DISABLED_FOR_ORG", InputError, "edition has no API", None),
        ("/queryAll", 400, "INVALID_FIELD", InputError, "Read on its fields", None),
        ("/queryAll", 400, "QUERY_TIMEOUT", InputError, "Bulk API", "bulk_above"),
        ("/queryAll", 400, "SOMETHING_NEW", InputError, "source's settings", None),
        ("/describe", 403, "INSUFFICIENT_ACCESS", InputError, "View All", None),
        ("/describe", 404, "NOT_FOUND", InputError, "api_version", "api_version"),
        ("/token", 400, "invalid_client", InputError, "client_secret", "client_secret"),
        ("/token", 400, "invalid_grant", InputError, "connected app allow this flow", "client_id"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_mend(  # noqa: PLR0917 - a row of the table above
    path: str, status: int, code: str, kind: type[SourceError], mend: str, field: str | None
) -> None:
    said = {"error": code, "error_description": f"no, {APP.client_secret}"}
    body = said if path == "/token" else [{"errorCode": code, "message": "no"}]
    with SalesforceServer(org(), APP, [Fault(path, Answer(body, status), times=99)]) as server:
        with pytest.raises(kind, match=code) as caught:
            crm(server).check()
        assert len([line for line in server.log if path in line.path]) == 1
    assert mend in caught.value.mend
    assert caught.value.field == field
    assert APP.client_secret not in str(caught.value)


# What misbehaves.


_TOO_MANY = {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests (…) Limit exceeded."}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(half=True),
        Fault(cut=True),
        Fault(reset=True),
        Fault(answer=Answer({}, 503), times=2),
        Fault(answer=Answer([_TOO_MANY], 403), times=2),
    ],
)
@pytest.mark.parametrize("way", [{"bulk_above": None}, {"bulk_above": 0}])
def test_passing_faults_in_the_middle_of_a_pull_change_nothing(
    tmp_path: Path, fault: Fault, way: dict[str, Any]
) -> None:
    content = company()
    path = "/queryAll" if way["bulk_above"] is None else "/results"
    with SalesforceServer(content, APP, [replace(fault, path=path, after=3)], batch=9, bulk_page=9) as server:
        found = pull(crm(server, **way), tmp_path)
    assert {stream: by_id(landed(tmp_path, manifest)) for stream, manifest in found.items()} == {
        stream: held(content.records[name]) for stream, name in STREAMS.items()
    }


def _losing(body: Any) -> Any:
    return body | {"records": body["records"][:-1]}


def _disordered(body: Any) -> Any:
    return body | {"records": body["records"][::-1]}


def _empty_but_not_done(body: Any) -> Any:
    return body | {"records": [], "done": False}


def _repeating(body: Any) -> Any:
    return body | {"records": [body["records"][0], *body["records"]], "totalSize": body["totalSize"] + 1}


def _fieldless(body: Any) -> Any:
    return body | {"records": [{"Id": one["Id"]} for one in body["records"]]}


def _fine(body: Any) -> Any:
    return {"message": "fine"}


class _Bending(SalesforceServer):
    """Answers as Salesforce would, but for what ``bend`` makes of a page of opportunities."""

    bend: Callable[[Any], Any]
    header: tuple[str, str] | None = None

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        if "Probability" in request.query.get("q", "") and "FROM Opportunity " in request.query["q"]:
            return replace(answer, body=type(self).bend(answer.body))
        if self.header and request.path.endswith("/results"):
            return replace(answer, headers={**answer.headers, self.header[0]: self.header[1]})
        if self.header and request.path.split("/")[-2:-1] == ["query"]:
            return replace(answer, body=answer.body | {"numberRecordsProcessed": 4})
        return answer


@pytest.mark.parametrize(
    ("bend", "said"),
    [
        (_losing, "gave 2 of 3 records and called that all"),
        (_disordered, "in another order"),
        (_repeating, "in another order"),
        (_empty_but_not_done, "an empty page that was not the last"),
        (_fieldless, "a record without SystemModstamp"),
        (_fine, "totalSize: Field required"),
    ],
)
def test_answers_that_would_lose_records_fail_loudly(
    tmp_path: Path, bend: Callable[[Any], Any], said: str
) -> None:
    class Bent(_Bending):
        pass

    Bent.bend = staticmethod(bend)
    content = org(*(opportunity(number, number) for number in range(3)))
    with Bent(content, APP) as server, pytest.raises(PullFailed, match=said):
        pull(crm(server), tmp_path)
    assert "opportunities" not in {manifest.stream for manifest in Landing(tmp_path).manifests()}


class _Passing(SalesforceServer):
    """Passes over a record in the list of all ids, and does not count it there."""

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        if request.query.get("q", "").startswith("SELECT Id FROM Opportunity "):
            rest = answer.body["records"][1:]
            return replace(answer, body=answer.body | {"records": rest, "totalSize": len(rest)})
        return answer


def test_a_census_that_leaves_out_records_fails_loudly(tmp_path: Path) -> None:
    content = org(*(opportunity(number) for number in range(3)))
    before = {"opportunities": moment(0)}
    with (
        _Passing(content, APP) as server,
        pytest.raises(PullFailed, match="gave 2 ids of 3 records and called that all"),
    ):
        crm(server).pull(before, Landing(tmp_path), lambda *_: None)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (("Sforce-Locator", "2"), "the same page for the second time"),
        (("Sforce-Locator", "null"), "gave 3 of 4 records"),
        (("Sforce-NumberOfRecords", "4"), "no whole answer; given up"),
    ],
)
def test_bulk_results_that_would_lose_records_fail_loudly(
    tmp_path: Path, header: tuple[str, str], said: str
) -> None:
    with _Bending(org(*(opportunity(number) for number in range(3))), APP) as server:
        server.header = header
        with pytest.raises(PullFailed, match=said):
            pull(crm(server, bulk_above=2), tmp_path)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"state": "Failed", "errorMessage": "InternalServerError: no"}, "InternalServerError"),
        ({"state": "JobComplete"}, "does not say how many records it found"),
    ],
)
def test_a_bulk_job_that_failed_is_said(tmp_path: Path, answer: dict[str, str], said: str) -> None:
    faults = [
        Fault("/results", Answer(b"", 204), times=-1),
        Fault("/jobs/query", Answer({"id": "750A"} | answer), times=-1),
    ]
    with SalesforceServer(company(), APP, faults) as server, pytest.raises(PullFailed, match=said):
        pull(crm(server, bulk_above=0), tmp_path)


# What is counted, and what goes on.


@pytest.mark.parametrize("bulk_above", [None, 20])
def test_purged_records_are_deleted_unless_they_vanish_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bulk_above: int | None
) -> None:
    _pulls_only(monkeypatch, "opportunities")
    content = org(*(opportunity(number, IsDeleted=number >= 30) for number in range(62)))
    every = list(content.records["Opportunity"])
    # Who is there, deleted or not; what counts in raw after that; what is said to have vanished.
    looks: list[tuple[range, range, list[tuple[str, int, int]]]] = [
        (range(62), range(30), []),
        (range(2, 62), range(2, 30), []),
        # All of the recycle bin is emptied: nobody misses what was deleted before.
        (range(2, 30), range(2, 30), []),
        (range(20, 30), range(2, 30), [("unobserved", 18, 28)]),
        (range(1, 30), range(1, 30), []),
        (range(0), range(1, 30), [("unobserved", 29, 29)]),
    ]
    with duckdb.connect() as con, SalesforceServer(content, APP, batch=7, bulk_page=9) as server:
        create_control_tables(con)
        source = crm(server, bulk_above=bulk_above, census_days=0)
        for there, present, lost in looks:
            content.records["Opportunity"] = [every[number] for number in there]
            _pull_and_load(source, tmp_path, con)
            known = rows(con, "SELECT _key, record FROM raw.salesforce_opportunities WHERE NOT _deleted")
            at_hand = {key for key, text in known if not json.loads(text)["IsDeleted"]}
            assert at_hand == {every[number]["Id"] for number in present}
            assert lost or {key for key, _ in known} == {every[number]["Id"] for number in there}
            about = [one for one in counted(con) if one.state != "seen"]
            assert [(one.state, one.missing, one.known) for one in about] == lost


def test_records_are_counted_as_often_as_is_wanted(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with SalesforceServer(org(opportunity(1)), APP) as server:
        source = crm(server, census_days=2)

        def counted_now(pulled: Sequence[str], days_ago: float | None) -> list[str]:
            cursors = dict.fromkeys(pulled, moment(0))
            if days_ago is not None:
                last = (now - timedelta(days=days_ago)).isoformat()
                cursors |= {f"{stream}.census": last for stream in pulled}
            found = source.pull(cursors, Landing(tmp_path), lambda *_: None)
            return [one.stream for one in found if one.mode == "census"]

        both = ["accounts", "opportunities"]
        # Of what was never pulled nothing can have vanished.
        assert counted_now([], None) == []
        assert counted_now(both, None) == counted_now(both, 2.1) == both
        assert counted_now(both, 1.9) == []
        assert counted_now(both[1:], 2.1) == both[1:]


@pytest.mark.parametrize(
    ("bulk_above", "meanwhile", "then"),
    [
        (None, "", None),
        # The rest of what began by REST may come in bulk.
        (None, "", 10),
        (0, "", 0),
        (0, "the job was forgotten", 0),
        (0, "its result was deleted", 0),
        (0, "a field came", 0),
        (0, "a page cannot be read", 0),
        (0, "its count is wrong", 0),
        (0, "", None),
    ],
)
def test_a_pull_that_dies_goes_on_from_its_last_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bulk_above: int | None,
    meanwhile: str,
    then: int | None,
) -> None:
    _pulls_only(monkeypatch, "opportunities")
    monkeypatch.setattr(connector, "_A_FILE", 6)
    content = org(*(opportunity(number, tick=number // 4) for number in range(120)))
    content.clock = BASE + timedelta(minutes=1)
    with SalesforceServer(content, APP, batch=2, bulk_page=2) as server:
        path = "/queryAll" if bulk_above is None else "/results"
        server.faults = [Fault(path, reset=True, after=55, times=99)]
        with pytest.raises(PullFailed):
            pull(crm(server, bulk_above=bulk_above), tmp_path)
        server.faults = []
        first = Landing(tmp_path).manifests()
        if meanwhile == "the job was forgotten":
            server.forget_jobs()
        elif meanwhile == "its result was deleted":
            gone = Answer([{"errorCode": "INVALIDJOBSTATE", "message": "no results"}], 400)
            server.faults = [Fault("/results", gone)]
        elif meanwhile == "a page cannot be read":
            server.faults = [Fault("/results", Answer(b"Id\n"), times=3)]
        elif meanwhile == "its count is wrong":
            done = {"id": "750000000000000AAA", "state": "JobComplete", "numberRecordsProcessed": 121}
            server.faults = [Fault("/jobs/query/", Answer(done))]
        elif meanwhile == "a field came":
            content.types = {**TYPES, "Opportunity": {**TYPES["Opportunity"], "New__c": "string"}}
            for each in content.records["Opportunity"]:
                each["New__c"] = None
        cursors = {"opportunities": str(first[-1].cursor_to), "opportunities.census": str(datetime.now(UTC))}
        rest = crm(server, bulk_above=then).pull(cursors, Landing(tmp_path), lambda *_: None)
    parts = [{each["Id"] for one in some for each in landed(tmp_path, one)} for some in (first, rest)]
    assert len(parts[0]) == sum(one.rows for one in first) == 108
    goes_on = not meanwhile and (then is not None or bulk_above is None)
    # The count shows once the rest has been read.
    expected = 12 + 120 if meanwhile == "its count is wrong" else 12 if goes_on else 120
    assert sum(one.rows for one in rest) == expected
    assert parts[0] | parts[1] == {each["Id"] for each in content.records["Opportunity"]}
    assert rest[-1].cursor_to == "2026-10-01T00:00:29.000+00:00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://example.com"},
        {"client_secret": None},
        {"username": "robot@example.com"},
        {"username": "robot@example.com", "private_key": "x"},
        {"api_version": "28.0"},
        {"api_version": "66.0/../"},
        {"fields": {"product": "Id FROM User"}},
        {"bulk_above": -1},
        {"census_days": -1},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    fine = {"type": "salesforce", "base_url": "https://acme.my.salesforce.com", "client_id": "a"}
    with pytest.raises(ValidationError) as caught:
        SalesforceConfig.model_validate(fine | {"client_secret": APP.client_secret} | wrong)
    assert APP.client_secret not in str(caught.value)
    assert (
        SalesforceConfig.model_validate(fine | {"client_secret": "b", "api_version": 59.0}).api_version
        == "59.0"
    )


# Those that change in the law below.
CHANGING = {"opportunities": "Opportunity", "accounts": "Account"}

# The law: whatever happens to the org and on the way, raw is the org in the end.

# After how many answers with records; what; which record; whether in the same second as the change before.
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 25),
        st.sampled_from(["edit", "delete", "undelete", "merge", "purge"]),
        # Of ten that vanish at once nobody would know whether they were purged.
        st.integers(0, 8),
        st.booleans(),
    ),
    min_size=2,
    max_size=14,
)


class _Busy(SalesforceServer):
    """An org that is edited while it is pulled, and whose answers are as short as it likes."""

    changes: list[tuple[int, str, int, bool]]
    tick = 0
    answers = 0

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        if request.path.endswith(("/queryAll", "/jobs/query")) and "count()" not in str(request.query):
            answer = replace(answer, body=json.loads(json.dumps(answer.body)))
            self.answers += 1
            self.change_until(self.answers)
        return answer

    def change_until(self, answers: float) -> None:
        while self.changes and self.changes[0][0] <= answers:
            _, what, number, same_second = self.changes.pop(0)
            self.tick += not same_second
            self.org.clock = BASE + timedelta(seconds=self.tick)
            self.change(what, number)

    def change(self, what: str, number: int) -> None:
        for name, prefix in (("Opportunity", "006"), ("Account", "001")):
            records = self.org.records[name]
            found = next((one for one in records if one["Id"] == f"{prefix}{number:012d}AAA"), None)
            if what == "purge":
                records[:] = [one for one in records if one is not found]
                continue
            if found is None:
                found = record(name, f"{prefix}{number:012d}AAA", self.tick)
                if name == "Opportunity":
                    found |= {"StageName": "New", "CloseDate": "2026-12-31"}
                records.append(found)
            found["SystemModstamp"] = moment(self.tick)
            found["Name"] = f"{what} at {self.tick}, {len(self.changes)} left"
            found["IsDeleted"] = what in {"delete", "merge"}
            if name == "Account":
                found["MasterRecordId"] = "001000000000099AAA" if what == "merge" else None


@settings(max_examples=8)
@given(
    batch=st.integers(1, 4),
    bulk_above=st.sampled_from([None, 0, 3]),
    first=st.integers(0, 6),
    changes=CHANGES,
    at_once=st.sampled_from([1, 4]),
    pulls=st.lists(st.integers(0, 40), min_size=1, max_size=2),
)
# Both change once the first has been read: the second's time must not become the cursor.
@example(
    batch=1,
    bulk_above=None,
    first=2,
    changes=[(3, "edit", 0, False), (3, "delete", 1, False)],
    at_once=1,
    pulls=[40],
)
# One changes in the very second at which the cursor will stand.
@example(
    batch=4,
    bulk_above=0,
    first=2,
    changes=[(3, "edit", 0, True), (99, "merge", 1, True)],
    at_once=1,
    pulls=[40, 40],
)
# The pull dies in its middle, and goes on from there; in bulk what has changed meanwhile is not in the job's result.
@example(
    batch=1,
    bulk_above=None,
    first=4,
    changes=[(4, "edit", 3, False), (9, "edit", 0, False)],
    at_once=1,
    pulls=[5, 40],
)
@example(
    batch=1,
    bulk_above=0,
    first=6,
    changes=[(99, "edit", 0, False), (99, "purge", 1, False)],
    at_once=1,
    pulls=[5],
)
def test_whatever_happens_raw_is_the_org_in_the_end(  # noqa: PLR0917 - what may happen
    batch: int,
    bulk_above: int | None,
    first: int,
    changes: list[tuple[int, str, int, bool]],
    at_once: int,
    pulls: list[int],
) -> None:
    """`pulls` says after how many answers of queries or of jobs each pull dies; one that is whole comes last."""
    content = org(*(opportunity(number) for number in range(first)))
    content.clock = BASE
    with (
        TemporaryDirectory() as folder,
        duckdb.connect() as con,
        pytest.MonkeyPatch.context() as patch,
        _Busy(content, APP, batch=batch, bulk_page=batch) as server,
    ):
        patch.setattr(connector, "_A_FILE", 2)
        patch.setattr(connector, "_AT_ONCE", at_once)
        _pulls_only(patch, *CHANGING)
        create_control_tables(con)
        server.changes = sorted(changes)
        source = crm(server, look_back_minutes=0, bulk_above=bulk_above, census_days=0)
        for dies_after in [*pulls, None]:
            if dies_after is None:
                server.change_until(float("inf"))
                server.faults = []
            else:
                broken = Answer([{"errorCode": "QUERY_TIMEOUT", "message": "dead"}], 400)
                server.faults = [
                    Fault(path, broken, after=dies_after, times=99) for path in ("/queryAll", "/results")
                ]
            _pull_and_load(source, Path(folder), con)
        for stream, name in CHANGING.items():
            found = rows(con, f"SELECT _key, record FROM raw.salesforce_{stream} WHERE NOT _deleted")
            assert {key: json.loads(text) for key, text in found} == held(content.records[name])


def _pulls_only(patch: pytest.MonkeyPatch, *streams: str) -> None:
    """Spare the requests for what is not looked at."""
    wanted = {stream: each for stream, each in connector._OBJECTS.items() if stream.name in streams}
    patch.setattr(connector, "_OBJECTS", wanted)


def _pull_and_load(source: Salesforce, folder: Path, con: duckdb.DuckDBPyConnection) -> None:
    landing = Landing(folder)
    before = {manifest.file for manifest in landing.manifests()}
    with suppress(InputError):  # what was landed before counts
        source.pull(committed_cursors(con, "crm"), landing, lambda *_: None)
    for manifest in landing.manifests():
        if manifest.file not in before:
            load(con, folder, manifest)
