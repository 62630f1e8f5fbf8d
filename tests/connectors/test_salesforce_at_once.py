"""Salesforce's objects beside each other: requests overlap, one session serves all threads, one failure ends them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from connectors.errors import InputError
from connectors.http import Patience
from connectors.landing import Landing
from connectors.salesforce.connector import Salesforce
from demo.servers.loopback import Answer, Fault, Request
from demo.servers.salesforce import SalesforceServer
from tests.connectors.salesforce_org import APP, STREAMS, by_id, company, crm, held, landed, moment, pull


class _Slow(SalesforceServer):
    """Takes its time, counts the requests that are under way, and ends the session once there are ``expires_at`` of them."""

    under_way = most_under_way = 0
    expires_at = 0

    def _respond(self, request: Request) -> tuple[Answer, Fault | None]:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        if self.under_way == self.expires_at:
            self.expire()
            self.expires_at = 0
        time.sleep(0.03)
        self.under_way -= 1
        return super()._respond(request)


def _threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("salesforce")]


@pytest.mark.parametrize("bulk_above", [None, 0])
def test_objects_and_censuses_are_pulled_beside_each_other(tmp_path: Path, bulk_above: int | None) -> None:
    content = company()
    with _Slow(content, APP) as server:
        before = dict.fromkeys(("opportunities", "accounts"), moment(0))
        found = crm(server, bulk_above=bulk_above).pull(before, Landing(tmp_path), lambda *_: None)
        assert server.most_under_way == 4
    assert [one.cursor for one in found] == [
        *(stream.name for stream in Salesforce.streams),
        "accounts.census",
        "opportunities.census",
    ]
    for manifest in found[:6]:
        assert by_id(landed(tmp_path, manifest)) == held(content.records[STREAMS[manifest.stream]])
    assert _threads() == []


def test_a_session_that_expires_is_renewed_once_for_all_threads(tmp_path: Path) -> None:
    content = company()
    with _Slow(content, APP, batch=7) as server:
        server.expires_at = 4
        found = pull(crm(server), tmp_path)
        assert [line.status for line in server.log].count(401) == 4
        assert server.sign_ins == 2
    assert by_id(landed(tmp_path, found["opportunities"])) == held(content.records["Opportunity"])


def test_a_failure_ends_what_is_under_way_and_what_was_finished_counts(tmp_path: Path) -> None:
    refused = Answer([{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}], 403)
    faults = [Fault("/OpportunityHistory/describe", refused, delay=0.3)]
    # The job of opportunities never ends, and is asked for every half a minute.
    with SalesforceServer(company(), APP, faults, polls=99) as server:
        began = time.monotonic()
        with pytest.raises(InputError, match=r"OpportunityHistory/describe answered 403"):
            pull(crm(server, patience=Patience(first_wait=30), bulk_above=30), tmp_path)
        assert time.monotonic() - began < 5
        assert [line.path.split("/")[-1] for line in server.log].count("query") == 1
    assert {one.stream for one in Landing(tmp_path).manifests()} >= {"stages", "users", "accounts"}
    assert "opportunities" not in {one.stream for one in Landing(tmp_path).manifests()}
    assert _threads() == []


def test_of_several_failures_that_of_the_first_object_is_told(tmp_path: Path) -> None:
    refused = Answer([{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}], 403)
    broken = [Fault("/queryAll", Answer({}, 503), times=-1)]
    slow = [Fault("/User/", refused, delay=0.4), Fault("/Account/", refused, delay=0.2)]
    with (
        SalesforceServer(company(), APP, [*slow, *broken]) as server,
        pytest.raises(InputError, match=r"User/describe answered 403"),
    ):
        pull(crm(server, patience=Patience(first_wait=30)), tmp_path)
    assert Landing(tmp_path).manifests() == []
