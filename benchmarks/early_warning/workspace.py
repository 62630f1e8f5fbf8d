"""The workspace that holds all companies: two functions, one hand-off and one key result of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from benchmarks.early_warning.companies import (
    CYCLE_END,
    CYCLE_START,
    HANDOFF_LABEL,
    HISTORY_DAYS,
    LAUNCH_LABEL,
    Company,
    company_id,
    moment,
)
from benchmarks.early_warning.landing import SOURCE

_SPONSOR = {"name": "Ada Brandt", "email": "ada.brandt@early.example"}


def handoff_id(company: str) -> str:
    """The hand-off of a company."""
    return f"{company}-needed"


def key_result_id(company: str) -> str:
    """The receiver's key result of a company."""
    return f"{company}-launch"


def write_workspace(folder: Path, companies: list[Company]) -> None:
    """Write `plumbline.yml` and the strategy; of a company only its number, its target and the day of need go into it."""
    jira = {
        "type": "jira_cloud",
        "base_url": "https://early-warning.atlassian.net",
        "email": "${EARLY_EMAIL}",
        "api_token": "${EARLY_TOKEN}",
    }
    _write(folder / "plumbline.yml", {"company": "Many companies", "sources": {SOURCE: jira}})
    strategy = folder / "strategy"
    cycle = {
        "id": "2026-Q4",
        "name": "Q4 2026",
        "start": CYCLE_START,
        "end": CYCLE_END,
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "history_start": moment(-HISTORY_DAYS).date(),
    }
    _write(strategy / "cycle.yml", {"cycle": cycle})
    functions = [function for company in companies for function in _functions(company.number)]
    _write(strategy / "functions.yml", {"functions": functions})
    _write(strategy / "handoffs.yml", {"handoffs": [_handoff(company) for company in companies]})
    aim = {
        "id": "all",
        "name": "All companies launch",
        "level": "company",
        "perspective": "customer",
        "sponsor": _SPONSOR,
    }
    _write(strategy / "objectives" / "all.yml", {"objective": aim})
    for company in companies:
        _write(strategy / "objectives" / f"{company.id}.yml", _objective(company))


def _functions(number: int) -> list[dict[str, Any]]:
    company = company_id(number)
    return [
        {
            "id": f"{company}-{name}",
            "name": f"{company} {name}",
            "head": _head(company, name),
            "projects": [f"{company.upper()}{side}"],
        }
        for name, side in (("giver", "E"), ("receiver", "P"))
    ]


def _head(company: str, name: str) -> dict[str, str]:
    return {"name": f"{name.capitalize()} Head {company.upper()}", "email": f"{name}@{company}.example"}


def _handoff(company: Company) -> dict[str, Any]:
    return {
        "id": handoff_id(company.id),
        "name": f"What {company.id} needs",
        "from": f"{company.id}-giver",
        "to": f"{company.id}-receiver",
        "needed_by": company.needed_by,
        "scope": f"project_key = '{company.id.upper()}E' and labels like '%|{HANDOFF_LABEL}|%'",
    }


def _objective(company: Company) -> dict[str, Any]:
    receiver = f"{company.id}-receiver"
    objective = {
        "id": company.id,
        "name": f"{company.id} launches",
        "level": "function",
        "function": receiver,
        "perspective": "customer",
        "supports": ["all"],
        "sponsor": _SPONSOR,
    }
    measure = {
        "table": "work_items",
        "aggregate": "count",
        "at": "done_at",
        "filter": f"project_key = '{company.id.upper()}P' and labels like '%|{LAUNCH_LABEL}|%'",
        "window": "cycle",
    }
    key_result = {
        "id": key_result_id(company.id),
        "name": "All launch items are done",
        "owner": _head(company.id, "receiver"),
        "kind": "accumulate",
        "baseline": 0,
        "target": len(company.launch),
        "unit": "count",
        "measure": measure,
        "handoffs": [handoff_id(company.id)],
    }
    return {"objective": objective, "key_results": [key_result]}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
