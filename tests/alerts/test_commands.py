"""`plumbline alerts` as somebody meets it who sets it up, and what a channel in trouble looks like from outside."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.last_run import LastRun, keep
from demo.servers.loopback import Answer, Fault
from orchestration import alerting
from orchestration.health import examine
from orchestration.workspace import Workspace
from tests.alerts.channels.conftest import SECRET
from tests.alerts.channels.hook_server import SignedServer
from tests.command_line import plumbline
from tests.starter_run import starter_run

__all__ = ["starter_run"]

ALERTS = """
alerts:
  channels:
    hook: {type: webhook, url: "${HOOK_URL}", secret: "${HOOK_SECRET}"}
  routes:
    everything: {to: hook}
"""


@pytest.fixture
def hook() -> Iterator[SignedServer]:
    with SignedServer(SECRET) as server:
        yield server


@pytest.fixture
def workspace(
    starter_run: Path, tmp_path: Path, hook: SignedServer, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A copy of the starter that ran, with a channel; its last refresh failed."""
    shutil.copytree(starter_run, tmp_path / "acme", symlinks=True)
    file = tmp_path / "acme" / "plumbline.yml"
    file.write_text(file.read_text() + ALERTS, encoding="utf-8")
    failed = LastRun(started_at=_now(), ended_at=_now(), succeeded=False, problem="The pull of jira failed.")
    keep(tmp_path / "acme" / ".plumbline", failed)
    monkeypatch.setenv("HOOK_URL", hook.url)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return Workspace(tmp_path / "acme")


def titles(hook: SignedServer) -> list[str]:
    return [body["data"]["title"] for body in hook.kept.values() if isinstance(body, dict)]


def test_preview_shows_what_would_be_sent_and_sends_nothing(workspace: Workspace, hook: SignedServer) -> None:
    before = plumbline("alerts", "preview", "-w", workspace.root)
    assert before.code == 0, before.err
    assert "over everything to hook: now" in before.out
    assert hook.arrived == []
    assert plumbline("alerts", "preview", "-w", workspace.root).out == before.out
    sent = plumbline("alerts", "send", "-w", workspace.root)
    assert sent.code == 0, sent.err
    assert titles(hook) and all(title in before.out for title in titles(hook))
    after = plumbline("alerts", "preview", "-w", workspace.root)
    assert "said before; nothing new to say" in after.out and "now" not in after.out.replace("known", "")


def test_what_no_route_takes_is_said(workspace: Workspace) -> None:
    text = workspace.file.read_text().replace(
        "everything: {to: hook}", "red: {to: hook, severity: red, kinds: [nothing]}"
    )
    workspace.file.write_text(text, encoding="utf-8")
    said = plumbline("alerts", "preview", "-w", workspace.root)
    assert "unheard" in said.out and "no route in plumbline.yml takes it" in said.out


def test_a_sample_goes_over_every_route_and_a_refusal_is_told(
    workspace: Workspace, hook: SignedServer
) -> None:
    answer = plumbline("alerts", "test", "-w", workspace.root)
    assert (answer.code, answer.out) == (0, "everything (hook): sent\n")
    assert titles(hook) == ["A sample from Plumbline over the route everything"]
    hook.orders.append(Fault(answer=Answer({}, 410)))
    refused = plumbline("alerts", "test", "-w", workspace.root)
    assert refused.code == 1 and refused.out.startswith("everything (hook): ") and "410" in refused.out


@pytest.mark.parametrize("command", [["send"], ["preview"], ["test"]])
def test_without_alerts_it_says_what_to_write(starter_run: Path, command: list[str]) -> None:
    answer = plumbline("alerts", *command, "-w", starter_run)
    assert answer.code == 2
    assert "plumbline.yml" in answer.err and "routes:" in answer.err


def test_a_variable_that_is_not_set_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    answer = plumbline("alerts", "send", "-w", workspace.root)
    assert answer.code == 2
    assert "HOOK_SECRET" in answer.err and "export HOOK_SECRET" in answer.err


def test_wrong_names_and_secrets_are_found_before_anything_is_sent(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = workspace.file.read_text()
    workspace.file.write_text(
        text.replace("{to: hook}", "{to: hook, functions: [finanze], sources: [leger]}"), encoding="utf-8"
    )
    monkeypatch.setenv("HOOK_SECRET", "whsec_no")
    found = [str(problem) for problem in alerting.wrong_settings(Workspace(workspace.root))]
    assert len(found) == 3
    assert "Did you mean `finance`?" in found[0]
    assert "whsec_no" not in " ".join(found)


def test_a_channel_in_trouble_is_seen_from_outside_and_becomes_a_check(
    workspace: Workspace, hook: SignedServer
) -> None:
    hook.faults.append(Fault(answer=Answer({}, 410), times=1000))
    assert plumbline("alerts", "send", "-w", workspace.root).code == 0
    (check,) = alerting.channel_checks(workspace)
    assert (check.kind, check.subject, check.passed) == ("delivery", "hook", False)
    assert "410" in check.message
    now = alerting.messages(workspace)
    assert now is not None and set(now.counts) == {("hook", "dead")}
    (look,) = [one for one in examine(workspace, _now()) if one.check == "messages"]
    assert look.state == "warning" and "hook" in look.sentence and SECRET not in look.sentence


def test_all_is_well_when_messages_get_through(workspace: Workspace) -> None:
    looks = {one.check: one for one in examine(workspace, _now())}
    assert looks["messages"].sentence == "Nothing has had to be said yet."
    assert plumbline("alerts", "send", "-w", workspace.root).code == 0
    assert [check.passed for check in alerting.channel_checks(workspace)] == [True]
    looks = {one.check: one for one in examine(workspace, _now())}
    assert looks["messages"].state == "ok" and "were sent" in looks["messages"].sentence


def _now() -> datetime:
    return datetime.now(UTC)
