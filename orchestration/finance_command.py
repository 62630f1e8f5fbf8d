"""`plumbline finance inspect`: what an export is, before anything is configured."""

from pathlib import Path
from typing import Any

from connectors.errors import InputError
from connectors.finance.inspect import Proposal, inspect, layout_yaml
from strategy import InputErrors, Problem

_SHOWN = ("date", "account", "cost_centre", "amount", "currency", "document", "counterparty")
_WIDEST = 24


def inspected(file: Path, sheet: str | None) -> Proposal:
    """The proposal for a file; raises InputErrors, with the line, when no profile can read it."""
    try:
        return inspect(file, sheet)
    except InputError as error:
        raise InputErrors(
            [Problem(file, error.line or 1, error.column_name or "", error.message, error.mend)]
        ) from None


def told(proposal: Proposal) -> str:
    """The proposal for people: how sure, the YAML to paste, and the first rows as they would be read."""
    account = proposal.account
    fields = [field for field in _SHOWN if field in proposal.fields]
    rows = [[record["posting"].get(field) or "" for field in fields] for record in proposal.records]
    widths = [min(_WIDEST, max(map(len, column))) for column in zip(fields, *rows, strict=True)]
    table = [
        "  ".join(text[:width].ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in [fields, *rows]
    ]
    kinds = ", ".join(f"{count} {kind}" for kind, count in account.no_data.items() if count)
    lines = [
        f"{proposal.layout.profile}: {proposal.certainty}",
        f"{account.rows} rows: {account.loaded} read, {len(account.quarantine)} unreadable, "
        f"{sum(account.no_data.values())} no data ({kinds})",
        *(f"  line {each['row']}: {each['reason']}" for each in account.quarantine[:3]),
        "",
        layout_yaml(proposal),
        *table,
    ]
    return "\n".join(lines)


def as_json(proposal: Proposal) -> dict[str, Any]:
    """The same for programs."""
    account = proposal.account
    return {
        "profile": proposal.layout.profile,
        "certainty": proposal.certainty,
        "rows": account.rows,
        "read": account.loaded,
        "unreadable": account.quarantine[:3],
        "no_data": account.no_data,
        "forms": account.forms,
        "postings": [record["posting"] for record in proposal.records],
        "layout": layout_yaml(proposal),
    }
