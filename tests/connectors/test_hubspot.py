"""HubSpot over loopback HTTP: every deal arrives whole, whatever its number, the paging and the moment of its edits."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import InputError, PullFailed
from connectors.http import Patience
from connectors.hubspot import api, connector
from connectors.hubspot.connector import HubSpot, HubSpotConfig
from connectors.landing import Landing, Manifest
from demo.servers.hubspot import CrmAccount, HubSpotServer
from demo.servers.loopback import Answer, Fault, RateLimit, Request
from tests.real_records import salesforce
from warehouse.control import create_control_tables
from warehouse.raw import create_raw_tables, cursors, load, pending
from warehouse.vanished import Counted, counted

TOKEN = "pat-eu1-not-a-real-token"
# Ahead of this machine's clock, so that the server's clock is that of its last change.
BASE = datetime(2100, 1, 1, tzinfo=UTC)
IMPATIENT = Patience(attempts=3, first_wait=0.01, longest_wait=0.05)


def moment(tick: int) -> str:
    return (BASE + timedelta(seconds=tick)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def deal(number: int, tick: int = 0, **properties: str | None) -> dict[str, Any]:
    at = moment(tick)
    held = {"dealname": f"Deal {number}", "dealstage": "new", "amount": "100.50"} | properties
    return {
        "id": str(number),
        "properties": held | {"hs_object_id": str(number), "createdate": at, "hs_lastmodifieddate": at},
        "propertiesWithHistory": {
            name: [{"value": held[name], "timestamp": at, "sourceType": "CRM_UI", "updatedByUserId": 7}]
            for name in ("dealstage", "amount")
        },
        "createdAt": at,
        "updatedAt": at,
        "archived": False,
    }


def edit(account: CrmAccount, number: int, tick: int, stage: str) -> None:
    """Move a deal to a stage, or create it."""
    found = next((one for one in account.deals if one["id"] == str(number)), None)
    if found is None:
        account.deals.append(deal(number, tick, dealstage=stage))
        return
    found["updatedAt"] = found["properties"]["hs_lastmodifieddate"] = moment(tick)
    found["properties"]["dealstage"] = stage
    entry = {"value": stage, "timestamp": moment(tick), "sourceType": "CRM_UI", "updatedByUserId": 7}
    found["propertiesWithHistory"]["dealstage"].insert(0, entry)


def account(*deals: dict[str, Any]) -> CrmAccount:
    stages = [
        {
            "id": "new",
            "label": "New",
            "displayOrder": 0,
            "metadata": {"isClosed": "false", "probability": "0.1"},
        },
        {
            "id": "won",
            "label": "Won",
            "displayOrder": 1,
            "metadata": {"isClosed": "true", "probability": "1.0"},
        },
    ]
    pipeline = {"id": "default", "label": "Sales", "displayOrder": 0, "archived": False, "stages": stages}
    owners = [{"id": str(n), "email": f"o{n}@example.com", "archived": False} for n in range(3)]
    return CrmAccount(list(deals), [pipeline], owners)


def crm(server: HubSpotServer, token: str = TOKEN, **config: Any) -> HubSpot:
    described = {"type": "hubspot", "base_url": server.url, "access_token": token} | config
    return HubSpot("crm", HubSpotConfig.model_validate(described), IMPATIENT)


def pull(source: HubSpot, folder: Path, cursors: dict[str, str] | None = None) -> dict[str, Manifest]:
    manifests = source.pull(cursors or {}, Landing(folder), lambda *_: None)
    return {manifest.cursor: manifest for manifest in manifests}


def landed(folder: Path, manifest: Manifest) -> list[dict[str, Any]]:
    with gzip.open(folder / manifest.file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def held(record: dict[str, Any]) -> dict[str, Any]:
    """A deal without the properties that it has not; HubSpot answers those with null."""
    return record | {"properties": {name: v for name, v in record["properties"].items() if v is not None}}


def by_id(records: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record["id"]: held(record) for record in records}


def test_the_first_pull_lands_everything_whole(tmp_path: Path) -> None:
    content = account(*(deal(number, tick=number % 7) for number in range(1, 124)))
    told: list[tuple[str, str, int]] = []
    with HubSpotServer(content, TOKEN) as server:
        manifests = crm(server).pull({}, Landing(tmp_path), lambda *args: told.append(args))
    found = {manifest.cursor: landed(tmp_path, manifest) for manifest in manifests}
    assert by_id(found["deals"]) == by_id(content.deals)
    assert found["pipelines"] == content.pipelines
    assert found["owners"] == content.owners
    assert [m.mode for m in manifests] == ["snapshot", "snapshot", "incremental", "census"]
    assert [rows for _, stream, rows in told if stream == "deals"] == [100, 123]


def test_a_later_pull_lands_what_changed_since_the_cursor_less_the_look_back(tmp_path: Path) -> None:
    content = account(*(deal(number, tick=number * 60) for number in range(1, 101)))
    with HubSpotServer(content, TOKEN) as server:
        source = crm(server, look_back_minutes=10)
        first = pull(source, tmp_path)["deals"]
        assert first.cursor_to == "2100-01-01T01:40:00.000+00:00"
        edit(content, 3, 9_000, "won")
        second = pull(source, tmp_path, {"deals": str(first.cursor_to)})["deals"]
    expected = {str(number) for number in range(90, 101)} | {"3"}
    assert by_id(landed(tmp_path, second)) == {d["id"]: held(d) for d in content.deals if d["id"] in expected}
    assert second.cursor_to == "2100-01-01T02:30:00.000+00:00"


def test_a_start_leaves_out_what_was_not_modified_since(tmp_path: Path) -> None:
    content = account(deal(1, -86_400), deal(2, 0), deal(3, 86_400))
    with HubSpotServer(content, TOKEN) as server:
        found = landed(tmp_path, pull(crm(server, start=date(2100, 1, 1)), tmp_path)["deals"])
    assert sorted(by_id(found)) == ["2", "3"]


def test_more_deals_than_one_search_may_give_all_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_SEARCHES_PER_SECOND", None)
    # All modified in the same instant, as after a bulk edit: only their ids tell them apart.
    content = account(*(deal(number, tick=5) for number in range(95, 1_300)))
    with HubSpotServer(content, TOKEN, search_cap=400, limits=()) as server:
        found = landed(tmp_path, pull(crm(server), tmp_path, {"deals": moment(0)})["deals"])
        searches = [line for line in server.log if line.path.endswith("/search")]
    assert by_id(found) == by_id(content.deals)
    assert len(found) == len(content.deals)
    assert len(searches) == 7
    assert {line.status for line in searches} == {200}


def test_searches_keep_to_five_a_second(tmp_path: Path) -> None:
    content = account(*(deal(number) for number in range(1, 1_500)))
    with HubSpotServer(content, TOKEN) as server:
        assert pull(crm(server), tmp_path, {"deals": moment(0)})["deals"].rows == 1_499
        assert [line.status for line in server.log if line.path.endswith("/search")] == [200] * 8


def test_a_rate_limit_is_waited_for(tmp_path: Path) -> None:
    content = account(*(deal(number) for number in range(1, 201)))
    with HubSpotServer(content, TOKEN, limits=[RateLimit("/objects/deals", 3, 1.0)]) as server:
        assert pull(crm(server), tmp_path)["deals"].rows == 200
        assert 429 in {line.status for line in server.log}


class _Telling(HubSpotServer):
    """Says how many requests it allows, and counts those that come while others are under way."""

    def __init__(self, content: CrmAccount, allowed: str) -> None:
        super().__init__(content, TOKEN)
        self.allowed = allowed
        self.under_way = self.most_under_way = 0

    def _respond(self, request: Request) -> tuple[Answer, Fault | None]:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        time.sleep(0.02)
        self.under_way -= 1
        return super()._respond(request)

    def answer(self, request: Request) -> Answer:
        told = {"X-HubSpot-RateLimit-Max": self.allowed, "X-HubSpot-RateLimit-Interval-Milliseconds": "1000"}
        return replace(super().answer(request), headers=told)


def test_requests_overlap_and_keep_to_what_the_account_may_ask(tmp_path: Path) -> None:
    content = account(*(deal(number) for number in range(1, 401)))
    with _Telling(content, "0") as server:
        pull(crm(server), tmp_path / "unbound")
        assert server.most_under_way >= 3
    with _Telling(content, "50") as server:
        began = time.monotonic()
        pull(crm(server), tmp_path / "bound")
        assert time.monotonic() - began >= (len(server.log) - 1) / 50


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/objects/deals", reset=True),
        Fault("/objects/deals", cut=True),
        Fault("/objects/deals", half=True),
        Fault("/objects/deals", answer=Answer({"message": "internal error"}, 502), times=2),
    ],
)
def test_passing_faults_in_the_middle_of_a_pull_change_nothing(tmp_path: Path, fault: Fault) -> None:
    content = account(*(deal(number) for number in range(1, 201)))
    with HubSpotServer(content, TOKEN, faults=[replace(fault, after=3)]) as server:
        found = landed(tmp_path, pull(crm(server), tmp_path)["deals"])
    assert by_id(found) == by_id(content.deals)
    assert len(found) == 200


def test_a_wrong_token_is_refused_without_being_told(tmp_path: Path) -> None:
    with HubSpotServer(account(deal(1)), TOKEN) as server:
        for attempt in (crm(server, "wrong-token").check, lambda: pull(crm(server, "wrong-token"), tmp_path)):
            with pytest.raises(InputError) as caught:
                attempt()
            assert caught.value.field == "access_token"
            assert "401" in str(caught.value)
            assert "wrong-token" not in str(caught.value)
    assert Landing(tmp_path).manifests() == []


def test_check_says_what_is_there_and_finds_a_custom_property_that_is_not(tmp_path: Path) -> None:
    with HubSpotServer(account(deal(1, product_line="Rail")), TOKEN) as server:
        assert "1 pipeline and 3 owners" in crm(server, properties={"product": "product_line"}).check()
        wrong = crm(server, properties={"product": "product_line", "waits_for": "blocked_by"})
        for attempt in (wrong.check, lambda: pull(wrong, tmp_path)):
            with pytest.raises(InputError, match="no property 'blocked_by'") as caught:
                attempt()
            assert caught.value.field == "properties.waits_for"


def test_custom_properties_arrive_with_their_history(tmp_path: Path) -> None:
    content = account(deal(1, waits_for_issue="PLAT-7"))
    history = [{"value": "PLAT-7", "timestamp": moment(0), "sourceType": "CRM_UI"}]
    content.deals[0]["propertiesWithHistory"]["waits_for_issue"] = history
    with HubSpotServer(content, TOKEN) as server:
        source = crm(server, properties={"waits_for": "waits_for_issue"})
        assert by_id(landed(tmp_path, pull(source, tmp_path)["deals"])) == by_id(content.deals)


class _Deleting(HubSpotServer):
    """Deletes deal 2 once it has been found by a search."""

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        if request.path.endswith("/search"):
            self.account.deals = [one for one in self.account.deals if one["id"] != "2"]
        return answer


def test_a_deal_deleted_between_search_and_read_is_said_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with _Deleting(account(deal(1), deal(2), deal(3)), TOKEN) as server:
        found = landed(tmp_path, pull(crm(server), tmp_path, {"deals": moment(0)})["deals"])
    assert sorted(by_id(found)) == ["1", "3"]
    assert "crm: deleted while deals were pulled: 2" in caplog.text


class _Bending(HubSpotServer):
    """Answers as HubSpot would, but for what ``bend`` makes of the results of the paths that end in ``path``."""

    path = ""

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        asked = "properties" in request.query or "propertiesWithHistory" in (request.body or {})
        if request.path.endswith(self.path) and (asked or self.path == "/search"):
            return replace(answer, body=self.bend(dict(answer.body)))
        return answer

    def bend(self, body: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


class _Losing(_Bending):
    path = "/batch/read"

    def bend(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"results": body["results"][:-1]}


class _Circling(_Bending):
    path = "/deals"

    def bend(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"paging": {"next": {"after": "1"}}}


class _Disordered(_Bending):
    path = "/search"

    def bend(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"results": body["results"][::-1]}


class _Empty(_Bending):
    path = "/deals"

    def bend(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"message": "fine"}


@pytest.mark.parametrize(
    ("server_class", "cursor", "said"),
    [
        (_Losing, {"deals": moment(0)}, "left out 1 of 2 deals without a word"),
        (_Circling, {}, "the same page for the second time"),
        (_Disordered, {"deals": moment(0)}, "in the order of their ids"),
        (_Empty, {}, "results: Field required"),
    ],
)
def test_answers_that_would_lose_deals_fail_loudly(
    tmp_path: Path, server_class: type[HubSpotServer], cursor: dict[str, str], said: str
) -> None:
    with server_class(account(deal(1), deal(2)), TOKEN) as server, pytest.raises(PullFailed, match=said):
        pull(crm(server), tmp_path, cursor)
    assert [manifest.stream for manifest in Landing(tmp_path).manifests()] == ["pipelines", "owners"]


@pytest.mark.parametrize(
    "config",
    [
        {"base_url": "http://example.com"},
        {"look_back_minutes": -1},
        {"properties": {"colour": "x"}},
        {"tokens": "x"},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        HubSpotConfig.model_validate({"type": "hubspot", "access_token": TOKEN} | config)
    assert TOKEN not in str(caught.value)


class _Busy(HubSpotServer):
    """An account that is edited while it is pulled, whose pages are as short as it likes, and which falls silent on order."""

    def __init__(self, content: CrmAccount, page: int) -> None:
        super().__init__(content, TOKEN, limits=())
        self.page = page
        self.tick = 0
        self.answers = 0
        self.silent_after: int | None = None
        self.edits: list[tuple[int, int, str, bool]] = []

    def answer(self, request: Request) -> Answer:
        query, body = request.query, request.body
        if "limit" in query:
            query = {**query, "limit": str(min(self.page, int(query["limit"])))}
        if isinstance(body, dict) and "limit" in body:
            body = body | {"limit": min(self.page, body["limit"])}
        answer = super().answer(replace(request, query=query, body=body))
        answer = replace(answer, body=json.loads(json.dumps(answer.body)))
        if "propertiesWithHistory" in query or request.method == "POST":
            self.answers += 1
            self.make_edits(self.answers)
            if self.silent_after is not None and self.answers > self.silent_after:
                return Answer({"message": "gone"}, 503)
        return answer

    def make_edits(self, answers: int) -> None:
        while self.edits and self.edits[0][0] <= answers:
            _, number, what, same_instant = self.edits.pop(0)
            self.tick += not same_instant
            if what in {"new", "won", "lost"}:
                edit(self.account, number, self.tick, what)
            else:
                self.tick += what == "merged"
                remove(self.account, number, what, self.tick)


def remove(account: CrmAccount, number: int, how: str, tick: int) -> None:
    """Delete a deal for good, archive it, or merge it into the one of the next number; only that one's time changes."""
    found = next((one for one in account.deals if one["id"] == str(number)), None)
    other = next((one for one in account.deals if one["id"] == str(number + 1)), None)
    if found is None or found["archived"] or (how == "merged" and (other is None or other["archived"])):
        return
    if how == "archived":
        found["archived"] = True
        return
    account.deals.remove(found)
    if how == "merged" and other is not None:
        other["properties"]["hs_merged_object_ids"] = str(number)
        other["updatedAt"] = other["properties"]["hs_lastmodifieddate"] = moment(tick)


# After how many answers with deals, which deal, what becomes of it, and whether in the same instant as the edit before.
EDITS = st.lists(
    st.tuples(
        st.integers(0, 25),
        st.integers(1, 8),
        st.sampled_from(["new", "won", "lost", "deleted", "archived", "merged"]),
        st.booleans(),
    ),
    min_size=2,
    max_size=15,
)


@settings(max_examples=12)
@given(
    page=st.integers(1, 5),
    first=st.integers(0, 8),
    edits=EDITS,
    silences=st.lists(st.none() | st.integers(0, 6), min_size=1, max_size=3),
)
# Both deals change once the first has been read: the second's time must not become the cursor.
@example(page=1, first=2, edits=[(2, 1, "won", False), (2, 2, "lost", False)], silences=[None])
# A deal changes in the very instant at which the cursor will stand.
@example(page=5, first=2, edits=[(2, 1, "won", True), (99, 2, "won", True)], silences=[None])
# The first pull breaks off, and what it has not reached changes meanwhile.
@example(page=1, first=6, edits=[(3, 6, "won", False), (3, 1, "lost", False)], silences=[4])
def test_whatever_the_paging_the_edits_and_the_crashes_raw_ends_as_the_account(
    page: int, first: int, edits: list[tuple[int, int, str, bool]], silences: list[int | None]
) -> None:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder, duckdb.connect() as con:
        patch.setattr(api, "_SEARCHES_PER_SECOND", None)
        patch.setattr(connector, "_A_FILE", 2)
        create_control_tables(con)
        create_raw_tables(con)
        landing = Landing(Path(folder))
        content = account(*(deal(number) for number in range(1, first + 1)))
        with _Busy(content, page) as server:
            server.edits = sorted(edits)
            described = {"type": "hubspot", "base_url": server.url, "access_token": TOKEN, "census_days": 0}
            config = HubSpotConfig.model_validate(described | {"look_back_minutes": 0})
            source = HubSpot("crm", config, Patience(attempts=1))
            for silence in [*silences, None]:
                server.silent_after = None if silence is None else server.answers + silence
                last = silence is None and not server.edits
                with contextlib.suppress(PullFailed):
                    source.pull(cursors(con, "crm"), landing, lambda *_: None)
                    assert not last or server.silent_after is None
                _load(con, landing)
            server.make_edits(10**9)
            source.pull(cursors(con, "crm"), landing, lambda *_: None)
            _load(con, landing)
        rows = con.execute("select _key, record, _deleted from raw.hubspot_deals").fetchall()
        kept = {key: held(json.loads(record)) for key, record, deleted in rows if not deleted}
        assert kept == by_id(content.deals)
        assert lost_deals(con) == []


def _load(con: duckdb.DuckDBPyConnection, landing: Landing) -> None:
    for manifest in pending(con, landing):
        if manifest.stream == "deals":
            load(con, landing.root, manifest)


def lost_deals(con: duckdb.DuckDBPyConnection) -> list[Counted]:
    return [one for one in counted(con) if one.stream == "deals" and one.state != "seen"]


def test_a_pull_that_dies_goes_on_from_its_last_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "_A_FILE", 100)
    content = account(*(deal(number) for number in range(1, 1_001)))
    with HubSpotServer(content, TOKEN, [Fault("/batch/read", reset=True, after=18, times=99)]) as server:
        with pytest.raises(PullFailed):
            pull(crm(server), tmp_path)
        finished = [one for one in Landing(tmp_path).manifests() if one.stream == "deals"]
        whole = sum(one.rows for one in finished)
        # Of two pages that are read at a time the second may be the quicker one.
        assert whole in {700, 800}
        server.faults.clear()
        again = crm(server).pull({"deals": str(finished[-1].cursor_to)}, Landing(tmp_path), lambda *_: None)
    parts = [one for one in again if one.cursor == "deals"]
    assert sum(one.rows for one in parts) == 1_000 - whole
    assert by_id(record for one in finished + parts for record in landed(tmp_path, one)) == by_id(
        content.deals
    )
    assert str(parts[-1].cursor_to) == "2100-01-01T00:00:00.000+00:00"


def test_companies_arrive_and_each_deal_with_those_it_is_with(tmp_path: Path) -> None:
    content = account(deal(1), deal(2))
    content.companies = [{**deal(number), "propertiesWithHistory": {}} for number in range(10, 14)]
    content.companies_of = {"1": ["10", "11", "12"]}
    with HubSpotServer(content, TOKEN, limits=()) as server, duckdb.connect() as con:
        create_control_tables(con)
        create_raw_tables(con)
        landing, source = Landing(tmp_path), crm(server, companies=True)

        def companies_of(deal_id: str) -> list[int]:
            source.pull(cursors(con, "crm"), landing, lambda *_: None)
            for manifest in pending(con, landing):
                load(con, landing.root, manifest)
            (record,) = (
                con.execute(
                    "select record from raw.hubspot_deal_companies where _key = ?", [deal_id]
                ).fetchone()
                or ()
            )
            return [one["toObjectId"] for one in json.loads(record)["companies"]]

        assert companies_of("1") == [10, 11, 12]
        assert con.execute("select count(*) from raw.hubspot_companies").fetchone() == (4,)
        content.companies_of = {"1": ["12"], "2": ["13"]}
        edit(content, 1, 60, "won")
        edit(content, 2, 60, "won")
        assert (companies_of("1"), companies_of("2")) == ([12], [13])


def test_deals_that_vanish_all_at_once_are_no_deletion(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        create_control_tables(con)
        create_raw_tables(con)
        landing = Landing(tmp_path)
        content = account(*(deal(number) for number in range(1, 41)))
        with HubSpotServer(content, TOKEN, limits=()) as server:
            source = crm(server, census_days=0)
            for there in (range(1, 41), range(1, 36), range(1, 18), range(1, 41)):
                content.deals = [deal(number) for number in there]
                source.pull(cursors(con, "crm"), landing, lambda *_: None)
                _load(con, landing)
                (present,) = (
                    con.execute("select count(*) from raw.hubspot_deals where not _deleted").fetchone() or ()
                )
                lost = [(one.state, one.missing, one.known) for one in lost_deals(con)]
                # Five are a deletion; 18 of 35 are not; in the end all are back, also those that were deleted.
                expected = {40: (40, []), 35: (35, []), 17: (35, [("unobserved", 18, 35)])}[len(there)]
                assert (present, lost) == expected
            content.deals = []
            source.pull(cursors(con, "crm"), landing, lambda *_: None)
            _load(con, landing)
            assert [(one.state, one.missing) for one in lost_deals(con)] == [("unobserved", 40)]


def test_real_opportunities_arrive_identical(real_records: Path, tmp_path: Path) -> None:
    opportunities = salesforce.rows(real_records, "Opportunity.csv")
    history = salesforce.rows(real_records, "OpportunityHistory.csv")
    content = account(*salesforce.as_deals(opportunities, history))
    with HubSpotServer(content, TOKEN) as server:
        found = landed(
            tmp_path, pull(crm(server, properties={"product": "salesforce_id"}), tmp_path)["deals"]
        )
    assert by_id(found) == by_id(content.deals)
    properties = [record["properties"] for record in found]
    assert {p["salesforce_id"]: p["dealstage"] for p in properties} == {
        row["Id"]: row["StageName"] for row in opportunities
    }
    assert sum(Decimal(p["amount"] or 0) for p in properties) == sum(
        Decimal(row["Amount"] or 0) for row in opportunities
    )
    assert sum(len(record["propertiesWithHistory"]["dealstage"]) for record in found) == len(history) == 48


def test_deals_open_in_the_accounts_own_region() -> None:
    told = Answer({"portalId": 12345678, "uiDomain": "app-eu1.hubspot.com", "accountType": "STANDARD"})
    with HubSpotServer(account(), TOKEN, [Fault("/account-info/", told)]) as server:
        assert crm(server).addresses() == {
            "deals": "https://app-eu1.hubspot.com/contacts/12345678/record/0-3/"
        }


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"portalId": 0, "uiDomain": "app.hubspot.com"},
        {"portalId": "1/../2", "uiDomain": "app.hubspot.com"},
        {"portalId": 1, "uiDomain": "evil.example/?"},
        {"portalId": 1, "uiDomain": "javascript:alert(1)//"},
    ],
)
def test_no_link_is_made_of_what_is_no_account(told: dict[str, Any]) -> None:
    fault = Fault("/account-info/", Answer(told))
    with HubSpotServer(account(), TOKEN, [fault]) as server, pytest.raises(PullFailed, match="account-info"):
        crm(server).addresses()
