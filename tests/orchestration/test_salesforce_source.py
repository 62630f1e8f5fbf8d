"""A Salesforce org in `plumbline.yml`: checked over HTTP, its faults told by line, its fields known to the dbt project."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from demo.servers.salesforce import SalesforceServer
from orchestration.project import prepare
from orchestration.sources import check_all, connected, listed
from orchestration.starter import write_starter
from orchestration.workspace import Workspace
from strategy import InputErrors
from tests.connectors.salesforce_org import APP, opportunity, org

SOURCE = """
  salesforce:
    type: salesforce
    base_url: {url}
    client_id: ${{SALESFORCE_CLIENT_ID}}
    client_secret: ${{SALESFORCE_CLIENT_SECRET}}
    api_version: 59.0
    fields: {{waits_for: Waits_for__c}}
"""


def test_a_source_in_the_file_is_checked_and_its_faults_have_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(write_starter(tmp_path))
    file = tmp_path / "plumbline.yml"
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", APP.client_id)
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", APP.client_secret)
    with SalesforceServer(org(opportunity(1)), APP) as server:
        text = file.read_text().replace(
            "\n  # Jira Cloud:", f"{SOURCE.format(url=server.url)}\n  # Jira Cloud:"
        )
        file.write_text(text)
        workspace = Workspace(tmp_path)
        with connected(workspace, date(2026, 10, 30)) as sources:
            assert "1 opportunity in 3 stages" in check_all(workspace, sources)["salesforce"]
        monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "wrong")
        with connected(workspace, date(2026, 10, 30)) as sources, pytest.raises(InputErrors) as caught:
            check_all(workspace, sources)
    line = 1 + text.splitlines().index("    client_secret: ${SALESFORCE_CLIENT_SECRET}")
    assert f"{file}:{line}" in str(caught.value) and "invalid_client" in str(caught.value)
    assert len(listed(workspace)["salesforce"].streams) == 6
    prepare(workspace)
    variables = yaml.safe_load((workspace.dbt / "dbt_project.yml").read_text())["vars"]
    assert variables["salesforce_waits_for_field"] == "Waits_for__c"
