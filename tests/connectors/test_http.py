"""What the HTTP client promises, over real connections to servers that misbehave."""

import gzip
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import http
from connectors.errors import InputError, PullFailed, SourceError
from connectors.http import HttpClient, Patience
from demo.servers.loopback import Answer, Fault, LoopbackServer, RateLimit, Request

QUICK = Patience(first_wait=0.001)
PASSWORD = "very-secret-token"


class Echo(LoopbackServer):
    """Answers with what it was asked; ``/big`` with a megabyte; ``/moved`` with a redirect to ``target``."""

    target = "/here"

    def answer(self, request: Request) -> Answer:
        if request.path == "/moved":
            return Answer({}, 302, {"Location": self.target})
        if request.path == "/big":
            zeros = gzip.compress(b'"' + b"0" * 2**20 + b'"')
            return Answer(zeros, headers={"Content-Encoding": "gzip"})
        return Answer(
            {
                "path": request.path,
                "query": dict(request.query),
                "body": request.body,
                "authorization": request.headers.get("Authorization"),
            }
        )


@pytest.fixture
def server() -> Iterator[Echo]:
    with Echo() as running:
        yield running


def client(server: Echo, patience: Patience = QUICK, **settings: object) -> HttpClient:
    return HttpClient("jira", server.url, auth=("ada@example.com", PASSWORD), patience=patience, **settings)  # type: ignore[arg-type]


def refusal(server: Echo, fault: Fault, path: str = "/x", patience: Patience = QUICK) -> SourceError:
    server.faults.append(fault)
    with pytest.raises(SourceError) as caught:
        client(server, patience).get(path)
    return caught.value


def test_a_request_arrives_with_its_credential_and_its_answer_comes_back(server: Echo) -> None:
    got = client(server).get("/a/b", {"x": "1 &2", "y": 2})
    assert (got["path"], got["query"]) == ("/a/b", {"x": "1 &2", "y": "2"})
    assert got["authorization"].startswith("Basic ")
    assert client(server).post("/a", {"ids": ["1"]})["body"] == {"ids": ["1"]}


TRANSIENT = {
    "408": Fault(answer=Answer({}, 408)),
    "429": Fault(answer=Answer({}, 429)),
    "500": Fault(answer=Answer(b"<html>oops</html>", 500)),
    "502": Fault(answer=Answer({}, 502)),
    "503": Fault(answer=Answer({}, 503, {"Retry-After": "0"})),
    "garbage Retry-After": Fault(answer=Answer({}, 503, {"Retry-After": "soon"})),
    "reset": Fault(reset=True),
    "truncated": Fault(half=True),
    "half JSON": Fault(cut=True),
    "empty": Fault(answer=Answer(b"")),
    "NaN": Fault(answer=Answer(b'{"x": NaN}')),
    "no gzip": Fault(answer=Answer(b"{}", headers={"Content-Encoding": "gzip"})),
}


@pytest.mark.parametrize("kind", TRANSIENT)
def test_what_a_retry_can_change_is_retried(server: Echo, kind: str) -> None:
    server.faults.append(Fault(**vars(TRANSIENT[kind])))
    assert client(server).get("/x")["path"] == "/x"
    assert len(server.log) == 2


def test_a_slow_answer_is_asked_for_again(server: Echo) -> None:
    server.faults.append(Fault(delay=1.0))
    assert client(server, Patience(first_wait=0.001, read=0.2)).get("/x")["path"] == "/x"
    assert len(server.log) == 2


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(sorted(TRANSIENT)), max_size=6))
def test_any_faults_fewer_than_the_tries_end_in_the_right_answer(server: Echo, kinds: list[str]) -> None:
    server.log.clear()
    server.faults[:] = [Fault(**vars(TRANSIENT[kind])) for kind in kinds]
    assert client(server).post("/x", {"n": 1})["body"] == {"n": 1}
    assert len(server.log) == len(kinds) + 1


def test_tries_are_bounded_and_the_last_fault_is_told(server: Echo) -> None:
    error = refusal(
        server, Fault(answer=Answer({}, 503), times=99), patience=Patience(attempts=3, first_wait=0.001)
    )
    assert isinstance(error, PullFailed)
    assert len(server.log) == 3
    assert f"GET {server.url}/x answered 503; given up after 3 tries" in error.message


def test_the_total_time_is_bounded(server: Echo) -> None:
    started = time.monotonic()
    patience = Patience(attempts=1000, first_wait=0.05, longest_wait=0.1, total=0.5)
    assert isinstance(refusal(server, Fault(answer=Answer({}, 500), times=-1), patience=patience), PullFailed)
    assert time.monotonic() - started < 2
    assert len(server.log) > 3


def test_a_server_that_drips_does_not_hold_a_pull_up() -> None:
    with dripping() as url:
        started = time.monotonic()
        patience = Patience(first_wait=0.001, total=0.5, read=5)
        with pytest.raises(PullFailed, match="still sending"):
            HttpClient("jira", url, patience=patience).get("/x")
        assert time.monotonic() - started < 3


@contextmanager
def dripping() -> Iterator[str]:
    """A server that sends one space every 20 ms and never ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not done.wait(0.02):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        listener.close()
        thread.join()


def seconds() -> str:
    return "1"


def http_date() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)


@pytest.mark.parametrize("header", [seconds, http_date])
def test_retry_after_is_a_minimum(server: Echo, header: object) -> None:
    assert callable(header)
    server.faults.append(Fault(answer=Answer({}, 429, {"Retry-After": header()})))
    started = time.monotonic()
    client(server).get("/x")
    assert 0.95 <= time.monotonic() - started < 5


def test_a_retry_after_of_the_past_does_not_stop_the_backoff(server: Echo) -> None:
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    server.faults.append(Fault(answer=Answer({}, 429, {"Retry-After": past})))
    started = time.monotonic()
    client(server, Patience(first_wait=0.4)).get("/x")
    assert 0.2 <= time.monotonic() - started < 2


def test_a_retry_after_beyond_the_total_time_fails_at_once(server: Echo) -> None:
    started = time.monotonic()
    error = refusal(server, Fault(answer=Answer({}, 429, {"Retry-After": "86400"})))
    assert isinstance(error, PullFailed)
    assert "asked to wait 86400 s" in error.message
    assert time.monotonic() - started < 1


def test_a_rate_limit_is_waited_out(server: Echo) -> None:
    server.limits.append(RateLimit("/x", requests=2))
    calls = client(server)
    assert [calls.get("/x")["path"] for _ in range(4)] == ["/x"] * 4
    assert [line.status for line in server.log].count(429) >= 1


@pytest.mark.parametrize(
    ("status", "field"), [(400, None), (401, "api_token"), (403, "api_token"), (404, "base_url"), (410, None)]
)
def test_what_no_retry_changes_fails_at_once_and_says_what_to_mend(
    server: Echo, status: int, field: str | None
) -> None:
    error = refusal(
        server, Fault(answer=Answer({"errorMessages": ["The value 'X' does not exist."]}, status))
    )
    assert isinstance(error, InputError)
    assert error.field == field
    assert error.message == (
        f"jira: GET {server.url}/x answered {status} (\"The value 'X' does not exist.\")"
    )
    assert str(error) == f"{error.message}. {error.mend}"
    assert len(server.log) == 1


def test_the_credential_in_question_is_named_as_it_is_configured(server: Echo) -> None:
    server.faults.append(Fault(answer=Answer({}, 401)))
    with pytest.raises(InputError) as caught:
        client(server, credential_field="access_token").get("/x")
    assert caught.value.field == "access_token"
    assert "access_token" in caught.value.mend


def test_a_web_page_is_no_answer_of_an_api(server: Echo) -> None:
    error = refusal(
        server, Fault(answer=Answer(b"<!doctype html><p>Sign in", headers={"Content-Type": "text/html"}))
    )
    assert (isinstance(error, InputError), error.field) == (True, "base_url")


def test_redirects_within_the_host_are_followed(server: Echo) -> None:
    got = client(server).get("/moved", {"a": "1"})
    assert got["path"] == "/here"
    assert got["authorization"].startswith("Basic ")


def test_redirects_to_another_host_are_refused_and_get_no_credential(server: Echo) -> None:
    with Echo() as other:
        server.target = f"{other.url}/here"
        with pytest.raises(InputError, match="redirects to") as caught:
            client(server).get("/moved")
        assert caught.value.field == "base_url"
        assert other.log == []


def test_redirects_in_a_circle_end(server: Echo) -> None:
    server.target = "/moved"
    with pytest.raises(InputError, match="redirected more than"):
        client(server).get("/moved")
    assert len(server.log) < 10


def test_the_size_of_an_answer_is_bounded_after_decompression(
    server: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(client(server).get("/big")) == 2**20
    monkeypatch.setattr(http, "MAX_BODY_BYTES", 2**19)
    with pytest.raises(PullFailed, match="in one answer"):
        client(server).get("/big")


def test_a_host_that_does_not_resolve_is_the_users_to_mend() -> None:
    with pytest.raises(InputError, match="does not resolve") as caught:
        HttpClient("jira", "https://no-such-host.invalid", patience=QUICK).get("/x")
    assert caught.value.field == "base_url"


def test_a_refused_connection_is_retried_briefly(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(PullFailed, match="given up after 3 tries") as caught,
    ):
        HttpClient("jira", f"http://127.0.0.1:{port}", patience=QUICK).get("/x")
    assert caught.value.field == "base_url"
    assert len(caplog.records) == 2


def test_a_server_that_speaks_no_tls_is_not_trusted(server: Echo) -> None:
    with pytest.raises(InputError, match="TLS") as caught:
        HttpClient("jira", server.url.replace("http:", "https:"), patience=QUICK).get("/x")
    assert caught.value.field == "base_url"


@pytest.mark.parametrize("base_url", ["no address", "http://[::1", "ftp://example.com"])
def test_an_address_that_is_none_is_the_users_to_mend(base_url: str) -> None:
    with pytest.raises(InputError) as caught:
        HttpClient("jira", base_url, patience=QUICK).get("/x")
    assert caught.value.field == "base_url"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_secrets_are_in_no_message_and_in_no_log(
    server: Echo, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    said = f"token {PASSWORD} of ada@example.com is bad"
    server.faults.append(Fault(answer=Answer({"errorMessages": [said], "message": said}, status), times=-1))
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceError) as caught:
        client(server).get("/x", {"token": "query-secret"})
    shown = f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    for secret in (PASSWORD, "ada@example.com", "Basic ", "YWRhQ"):
        assert secret not in shown
    ours = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("connectors"))
    assert "query-secret" not in f"{caught.value!s} {ours}"


def test_a_bearer_token_is_redacted_too(server: Echo) -> None:
    server.faults.append(Fault(answer=Answer({"message": f"token {PASSWORD} expired"}, 401)))
    calls = HttpClient("crm", server.url, headers={"Authorization": f"Bearer {PASSWORD}"}, patience=QUICK)
    with pytest.raises(InputError) as caught:
        calls.get("/x")
    assert "token *** expired" in str(caught.value)


def test_a_netrc_does_not_overrule_the_credential(
    server: Echo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    # Written this way the address does not look like this machine's, where no .netrc is read at all.
    url = server.url.replace("127.0.0.1", "127.1")
    calls = HttpClient("crm", url, headers={"Authorization": f"Bearer {PASSWORD}"}, patience=QUICK)
    assert calls.get("/x")["authorization"] == f"Bearer {PASSWORD}"


def test_this_machine_is_reached_without_a_proxy(server: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert client(server).get("/x")["path"] == "/x"


def test_requests_are_spaced_out_over_all_threads(server: Echo) -> None:
    calls = client(server, requests_per_second=20)
    threads = [threading.Thread(target=calls.get, args=("/x",)) for _ in range(7)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 6 / 20
    assert len(server.log) == 7


def test_closing_ends_the_wait_for_another_try(server: Echo) -> None:
    server.faults.append(Fault(answer=Answer({}, 503), times=-1))
    calls = client(server, Patience(first_wait=60))
    failed = threading.Event()

    def ask() -> None:
        with pytest.raises(PullFailed):
            calls.get("/x")
        failed.set()

    thread = threading.Thread(target=ask)
    thread.start()
    while not server.log:
        time.sleep(0.01)
    calls.close()
    thread.join(timeout=5)
    assert failed.is_set()
    with pytest.raises(PullFailed, match="the pull had ended"):
        calls.get("/x")
    assert len(server.log) == 1
