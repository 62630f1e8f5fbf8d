"""What bad input gets: one clear error with file, line and field, exit code 2, and nothing changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.servers.jira import JiraServer, JiraSite
from tests.command_line import Answer, plumbline

JIRA = """
  jira:
    type: jira_cloud
    base_url: {url}
    email: ${{JIRA_EMAIL}}
    api_token: ${{JIRA_API_TOKEN}}
"""
CREDENTIALS = {"JIRA_EMAIL": "someone@example.com", "JIRA_API_TOKEN": "a-token-nobody-may-see"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "acme corp"
    assert plumbline("init", folder).code == 0
    return folder


def append_source(workspace: Path, text: str) -> None:
    file = workspace / "plumbline.yml"
    file.write_text(
        file.read_text().replace("\n  # Jira Cloud:", f"{text}\n  # Jira Cloud:"), encoding="utf-8"
    )


def line_of(file: Path, text: str) -> int:
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)


def assert_refused(answer: Answer, workspace: Path, *words: str) -> None:
    assert answer.code == 2, answer.err
    assert "Traceback" not in answer.err + answer.out
    errors = [line for line in answer.err.splitlines() if not line.lstrip()[:1].isdigit()]
    for word in words:
        assert word in "\n".join(errors), (word, answer.err)
    assert not (workspace / ".plumbline" / "published").exists()
    assert not list((workspace / ".plumbline").rglob("*.ndjson.gz"))


def test_malformed_yaml(workspace: Path) -> None:
    file = workspace / "strategy" / "functions.yml"
    file.write_text(file.read_text() + "  - id: [unclosed\n", encoding="utf-8")
    assert_refused(plumbline("run", "-w", workspace), workspace, f"{file}:", "not well-formed YAML")


def test_malformed_configuration(workspace: Path) -> None:
    file = workspace / "plumbline.yml"
    file.write_text(file.read_text().replace("freshness_days: 100", "freshnes_days: 100"), encoding="utf-8")
    line = line_of(file, "freshnes_days")
    answer = plumbline("run", "-w", workspace)
    assert_refused(answer, workspace, f"{file}:{line}", "freshnes_days", "Did you mean `freshness_days`?")


def test_unknown_column_in_a_filter(workspace: Path) -> None:
    file = workspace / "strategy" / "objectives" / "healthy-growth.yml"
    file.write_text(
        file.read_text().replace(
            "filter: \"account_type = 'revenue'\"", "filter: \"acount_type = 'revenue'\""
        )
    )
    line = line_of(file, "acount_type")
    answer = plumbline("run", "-w", workspace)
    assert_refused(answer, workspace, f"{file}:{line}", "key_results[0].measure.filter", "account_type")


def test_missing_environment_variable(workspace: Path) -> None:
    append_source(workspace, JIRA.format(url="https://example.atlassian.net"))
    file = workspace / "plumbline.yml"
    answer = plumbline("run", "-w", workspace, env={"JIRA_EMAIL": "someone@example.com"})
    line = line_of(file, "api_token: ${JIRA_API_TOKEN}")
    assert_refused(answer, workspace, f"{file}:{line}", "sources.jira.api_token", "JIRA_API_TOKEN is not set")


def test_secret_written_into_the_file(workspace: Path) -> None:
    append_source(
        workspace, JIRA.format(url="https://example.atlassian.net").replace("${JIRA_API_TOKEN}", "s3cr3t")
    )
    answer = plumbline("run", "-w", workspace, env=CREDENTIALS)
    assert_refused(answer, workspace, "sources.jira.api_token", "${JIRA_API_TOKEN}")
    assert "s3cr3t" not in answer.err + answer.out


@pytest.fixture
def jira() -> Iterator[JiraServer]:
    with JiraServer(JiraSite([], {}, [], [], []), "someone@example.com", "the-right-token") as server:
        yield server


def test_wrong_token(workspace: Path, jira: JiraServer) -> None:
    append_source(workspace, JIRA.format(url=jira.url))
    file = workspace / "plumbline.yml"
    for command in ("check", "run"):
        answer = plumbline(command, "-w", workspace, env=CREDENTIALS)
        line = line_of(file, "api_token: ${JIRA_API_TOKEN}")
        assert_refused(answer, workspace, f"{file}:{line}", "sources.jira.api_token", "401")
        assert CREDENTIALS["JIRA_API_TOKEN"] not in answer.err + answer.out


def test_host_that_does_not_resolve(workspace: Path) -> None:
    append_source(workspace, JIRA.format(url="https://no-such-host.invalid"))
    file = workspace / "plumbline.yml"
    answer = plumbline("run", "-w", workspace, env=CREDENTIALS)
    line = line_of(file, "base_url: https://no-such-host.invalid")
    assert_refused(answer, workspace, f"{file}:{line}", "sources.jira.base_url", "no-such-host.invalid")


def test_finance_file_that_is_not_what_it_says(workspace: Path) -> None:
    file = workspace / "finance" / "gl_sample.csv"
    file.write_text(file.read_text().replace("Cost Centre", "Department", 1), encoding="utf-8")
    assert_refused(plumbline("run", "-w", workspace), workspace, "gl_sample.csv:1", "Cost Centre")


def test_unreadable_amounts_name_their_column(workspace: Path) -> None:
    file = workspace / "finance" / "gl_sample.csv"
    header, *lines = file.read_text().splitlines()
    broken = [line.rpartition(",")[0] + ",twelve" for line in lines]
    file.write_text("\n".join([header, *broken, ""]), encoding="utf-8")
    assert_refused(plumbline("run", "-w", workspace), workspace, "gl_sample.csv:2", "Amount")


def test_all_problems_at_once(workspace: Path) -> None:
    functions = workspace / "strategy" / "functions.yml"
    functions.write_text(
        functions.read_text().replace("alex@example.com", "team@example.com"), encoding="utf-8"
    )
    objective = workspace / "strategy" / "objectives" / "healthy-growth.yml"
    objective.write_text(objective.read_text().replace("target: 900000", "target: 0"), encoding="utf-8")
    assert_refused(
        plumbline("check", "-w", workspace), workspace, "functions.yml:", "healthy-growth.yml:", "target"
    )


def test_no_workspace_there(tmp_path: Path) -> None:
    answer = plumbline("run", "-w", tmp_path / "nothing")
    assert answer.code == 2
    assert "plumbline init" in answer.err


def test_init_writes_over_nothing(workspace: Path) -> None:
    before = {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
    answer = plumbline("init", workspace)
    assert answer.code == 2
    assert {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()} == before


def test_status_before_the_first_run_says_what_to_do(workspace: Path) -> None:
    answer = plumbline("status", "-w", workspace)
    assert answer.code == 2
    assert "plumbline run" in answer.err
