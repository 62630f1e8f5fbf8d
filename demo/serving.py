"""The demo company's systems, up and running: its Jira, its CRM and its finance exports as of one evening."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from pathlib import Path

from demo.company import DOMAIN
from demo.servers.hubspot import HubSpotServer
from demo.servers.jira import JiraServer
from demo.truth import write_ground_truth
from demo.world import DEFAULT_SEED, Snapshot, World, simulate


# A run asks twice, first to try the connections.
@lru_cache(maxsize=1)
def _company(day: date, seed: int, talked_on: date | None) -> tuple[World, Snapshot]:
    world = simulate(seed, talked_on)
    return world, world.as_of(day)


@contextmanager
def serve(
    day: date, folder: Path, *, seed: int = DEFAULT_SEED, talked_on: date | None = None
) -> Iterator[dict[str, str]]:
    """Serves the company as it stood at the end of `day` while the context is open.

    `folder` gets `finance/` with the exports, and `ground_truth.json` beside it. Yields the environment variables that
    the demo's `plumbline.yml` names: addresses on loopback, credentials made for this one time, the exports' folder.
    """
    world, snapshot = _company(day, seed, talked_on)
    exports = (folder / "finance").resolve()
    snapshot.write_finance(exports)
    write_ground_truth(world, folder / "ground_truth.json")
    email = f"plumbline@{DOMAIN}"
    jira_token, crm_token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    with JiraServer(snapshot.jira, email, jira_token) as jira, HubSpotServer(snapshot.crm, crm_token) as crm:
        yield {
            "PLUMBLINE_DEMO_JIRA_URL": jira.url,
            "PLUMBLINE_DEMO_JIRA_EMAIL": email,
            "PLUMBLINE_DEMO_JIRA_TOKEN": jira_token,
            "PLUMBLINE_DEMO_CRM_URL": crm.url,
            "PLUMBLINE_DEMO_CRM_TOKEN": crm_token,
            "PLUMBLINE_DEMO_FINANCE": str(exports),
        }
