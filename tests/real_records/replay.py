"""One refresh of a workspace over real records, by the installed command."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from demo.servers.jira import JiraServer, JiraSite
from demo.servers.salesforce import ConnectedApp, SalesforceOrg, SalesforceServer
from tests.command_line import Answer, plumbline
from tests.real_records.ledgers import WORKSPACES

Row = dict[str, Any]
EMAIL, JIRA_TOKEN = "ada@example.com", "not-a-real-jira-token"
APP = ConnectedApp("not-a-real-client", "not-a-real-crm-secret")
# Below the time limit of a test, so that it is the command that is said to be slow.
_RUN_SECONDS = 220


@dataclass(frozen=True)
class Refreshed:
    """A workspace after a run; ``environment`` is what its plumbline.yml asks for while the servers stand."""

    root: Path
    environment: dict[str, str]
    answer: Answer

    def command(self, *arguments: str) -> Answer:
        """Another command on the same workspace."""
        return plumbline(*arguments, "-w", self.root, env=self.environment, timeout=_RUN_SECONDS)

    @property
    def published(self) -> Path:
        """The folder of what was published last."""
        return (self.root / ".plumbline" / "published" / "current").resolve(strict=True)

    def table(self, name: str) -> list[Row]:
        """A published table; numbers are exact."""
        return _rows(self.published / "json" / f"{name}.json")

    def evidence(self, kr_id: str) -> list[tuple[str, str, Decimal]]:
        """Record, part and contribution of everything behind a value."""
        path = self.published / "tables" / "evidence.parquet"
        found = duckdb.execute(
            "select record, part, contribution from read_parquet(?) where kr_id = ?", [str(path), kr_id]
        )
        return found.fetchall()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with duckdb.connect(str(self.root / ".plumbline" / "warehouse.duckdb"), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(sql).fetchall()


@cache
def _rows(path: Path) -> list[Row]:
    rows: list[Row] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return rows


@contextmanager
def refreshed(
    workspace: str,
    folder: Path,
    as_of: str,
    *,
    site: JiraSite,
    finance: Path,
    crm: SalesforceOrg | None = None,
) -> Iterator[Refreshed]:
    """Copy a workspace of this folder, serve it a Jira site and a Salesforce org, and run it once."""
    root = folder / workspace
    shutil.copytree(WORKSPACES / workspace, root)
    with ExitStack() as serving:
        jira = serving.enter_context(JiraServer(site, EMAIL, JIRA_TOKEN))
        environment = {
            "REAL_JIRA_URL": jira.url,
            "REAL_JIRA_EMAIL": EMAIL,
            "REAL_JIRA_TOKEN": JIRA_TOKEN,
            "REAL_FINANCE": str(finance),
        }
        if crm is not None:
            salesforce = serving.enter_context(SalesforceServer(crm, APP))
            environment |= {
                "REAL_CRM_URL": salesforce.url,
                "REAL_CRM_CLIENT": APP.client_id,
                "REAL_CRM_SECRET": APP.client_secret,
            }
        answer = plumbline("run", "-w", root, "--as-of", as_of, env=environment, timeout=_RUN_SECONDS)
        yield Refreshed(root, environment, answer)
