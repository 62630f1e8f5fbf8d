"""Nothing is shown to others before plumbline.yml says who may see what, and what it says wrongly is told with its line."""

import asyncio
import json
import re
import socket
import time
from pathlib import Path

import httpx2
import pytest
from starlette.types import ASGIApp, Message

from orchestration import serving
from orchestration.workspace import Workspace
from strategy import InputErrors
from tests.command_line import Command, copy_of_demo, plumbline

SERVE = """
serve:
  address: https://scorecard.example.com
  sign_in:
    oidc:
      issuer: https://login.example.com/
      client_id: plumbline
      client_secret: ${PLUMBLINE_CLIENT_SECRET}
  access:
    - {who: [ceo@example.com], finance: true}
    - {who: ["*@example.com"], functions: [engineering], finance: false}
"""
OIDC = SERVE[SERVE.index("    oidc:") : SERVE.index("  access:")]
PROXY = "    trusted_proxy: {header: X-Forwarded-Email, from: [10.0.0.0/8, fd00::/8]}\n"
SECRET = {"PLUMBLINE_CLIENT_SECRET": "secret"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return copy_of_demo(tmp_path / "meridian")


def write(workspace: Path, text: str) -> None:
    with (workspace / "plumbline.yml").open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("text", [SERVE, SERVE.replace(OIDC, PROXY)], ids=["oidc", "trusted_proxy"])
def test_what_is_written_well_is_served_to_others_who_sign_in(workspace: Path, text: str) -> None:
    write(workspace, text)
    with serving.ready(Workspace(workspace), "0.0.0.0", SECRET) as served:
        assert status_of(served, b"elsewhere.example.com") == 400
        if text != SERVE:  # else a stranger is sent to the provider, which is not there
            assert status_of(served, b"scorecard.example.com") == 403


def status_of(served: ASGIApp, host: bytes) -> int:
    """What a stranger is answered who asks this host for the scorecard."""
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    path = "/site/index.html"
    scope = {
        "type": "http", "method": "GET", "scheme": "https", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "headers": [(b"host", host)], "client": ("203.0.113.7", 1), "server": ("0.0.0.0", 443),
    }  # fmt: skip

    async def ask() -> None:
        await served(scope, receive, send)

    asyncio.run(ask())
    return int(said[0]["status"])


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.1.2.3", "scorecard.example.com", "localhost.example.com", ""]
)
def test_others_are_not_served_before_it_is_said_who_may_see_what(workspace: Path, host: str) -> None:
    with (
        pytest.raises(InputErrors, match="who may see what") as refused,
        serving.ready(Workspace(workspace), host, {}),
    ):
        pass
    assert "access:" in str(refused.value)
    assert "trusted_proxy" in str(refused.value)


WRONG = {
    "no sign-in": (OIDC, "    {}\n", "sign_in", "exactly one"),
    "two sign-ins": (OIDC, OIDC + PROXY, "sign_in", "exactly one"),
    "nobody": (re.search(r"  access:.*", SERVE, re.DOTALL)[0], "  access: []\n", "access", ""),  # type: ignore[index]
    "no list": (re.search(r"  access:.*", SERVE, re.DOTALL)[0], "", "access", "missing"),  # type: ignore[index]
    "finance unsaid": ("[ceo@example.com], finance: true", "[ceo@example.com]", "access", "`finance` is missing"),
    "no function of theirs": ("[engineering]", "[enginering]", "functions", "there is no function `enginering`"),
    "no address": ("ceo@example.com", "ceo", "who", "neither an e-mail address nor"),
    "everybody": ("ceo@example.com", "'*'", "who", "neither an e-mail address nor"),
    "in the open": ("https://scorecard", "http://scorecard", "address", "https://"),
    "an issuer in the open": ("https://login", "http://login", "issuer", "https://"),
    "a path": ("https://scorecard.example.com", "https://scorecard.example.com/pages", "address", "it has a path"),
    "a written secret": ("${PLUMBLINE_CLIENT_SECRET}", "hunter2hunter2", "client_secret", "a secret is written into the file"),
    "everywhere": (OIDC, PROXY.replace("10.0.0.0/8", "everywhere"), "from", ""),
    "a slip": ("  access:", "  acces:", "acces", "not a field here"),
}  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "field", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_line_and_field(
    workspace: Path, right: str, wrong: str, field: str, words: str
) -> None:
    assert right in SERVE
    write(workspace, SERVE.replace(right, wrong))
    with pytest.raises(InputErrors) as refused, serving.ready(Workspace(workspace), "0.0.0.0", SECRET):
        pass
    said = str(refused.value)
    assert re.search(rf"plumbline\.yml:\d+: serve\.[^ ]*{field}", said) or f"serve.{field}" in said, said
    assert words in said
    assert "hunter2" not in said


def test_a_secret_that_is_not_set_is_asked_for_by_the_server_and_not_by_a_run(workspace: Path) -> None:
    write(workspace, SERVE)
    opened = Workspace(workspace)
    with (
        pytest.raises(InputErrors, match="PLUMBLINE_CLIENT_SECRET is not set") as refused,
        serving.ready(opened, "127.0.0.1", {}),
    ):
        pass
    assert "JIRA" not in str(refused.value)
    of_sources = dict.fromkeys(
        re.findall(r"\$\{(PLUMBLINE_DEMO\w+)\}", opened.file.read_text()), "https://x.example"
    )
    assert opened.resolved(of_sources).company == "Meridian Logistics"


def test_the_command_refuses_in_words_and_shows_on_its_own_machine(
    published_demo: Path, tmp_path: Path
) -> None:
    workspace = published_demo.parent.parent
    answer = plumbline("serve", "-w", workspace, "--host", "0.0.0.0")
    assert answer.code == 2
    assert "nothing says who may see what" in answer.err
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = Command("serve", "-w", copy_with(published_demo, tmp_path), "--port", str(port))
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                page = httpx2.get(f"http://127.0.0.1:{port}/", follow_redirects=True, trust_env=False)
                break
            except httpx2.ConnectError:
                assert time.monotonic() < deadline, command.err
                time.sleep(0.05)
        assert "All key results" in page.text
        about = httpx2.get(f"http://127.0.0.1:{port}/run.json", trust_env=False).json()
        assert about == json.loads((published_demo / "current" / "run.json").read_text(encoding="utf-8"))
    finally:
        command.kill()


def copy_with(published: Path, folder: Path) -> Path:
    """A workspace of its own over the published runs, so that its server shares no folder with another test."""
    workspace = copy_of_demo(folder / "meridian")
    (workspace / ".plumbline").mkdir()
    (workspace / ".plumbline" / "published").symlink_to(published, target_is_directory=True)
    return workspace
