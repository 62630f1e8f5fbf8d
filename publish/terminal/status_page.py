"""The KR table, who has to talk and the open flags, for a terminal or a pipe.

Names and sentences may hold text from the source systems; control characters are taken out before they reach a terminal, and
nothing is read as markup.
"""

import os
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from publish.conversations import conversations
from publish.reading import Published, Row
from publish.terminal.console import STYLES, status_sign
from publish.wording import SIGNS, aim, clean, percent, quantity


def status_page(published: Published) -> RenderableType:
    """The KR table by objective, who has to talk about what, the open flags, and where the files are."""
    current, objectives = published.table("kr_current"), published.table("objective_current")
    flags = [flag for flag in published.table("flags") if flag["is_open"]]
    run = published.run
    title = Text(f"{clean(run['company'])}: key results at the end of {run['as_of']}", style="bold")
    counts = Text("  ").join(
        Text(f"{sign} {sum(kr['status'] == status for kr in current)} {status}", style=STYLES[status])
        for status, sign in SIGNS.items()
    )
    return Group(
        title,
        counts,
        _key_results(current, objectives),
        _conversations(published),
        _flags(flags),
        *_restated(published.table("restatements")),
        Text(f"\nPublished: {_from_here(published.current)}", style="dim"),
        Text("The proof of a key result, a hand-off or an exception: plumbline explain ID", style="dim"),
    )


def _key_results(current: list[Row], objectives: list[Row]) -> Table:
    """One line per KR. Why one is amber or red stands with its flag below: what is on its way needs no sentence."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for header, justify in (
        ("Status", "left"), ("Key result", "left"), ("Value", "right"), ("Target", "right"),
        ("Progress", "right"), ("Expected", "right"), ("Chance", "right"), ("Owner", "left"), ("KR", "left"),
    ):  # fmt: skip
        table.add_column(header, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for objective in objectives:
        members = [kr for kr in current if kr["objective_id"] == objective["objective_id"]]
        if not members:
            continue
        table.add_row(status_sign(objective["status"]), Text(clean(objective["name"]), style="bold"))
        for kr in members:
            table.add_row(
                status_sign(kr["status"]),
                Text(f"  {clean(kr['name'])}"),
                Text(quantity(kr["value"], kr["unit"])),
                Text(aim(kr)),
                Text(percent(kr["progress"])),
                Text(percent(kr["expected_progress"])),
                Text(percent(kr["end_p_met"])),
                Text(clean(kr["owner_name"])),
                Text(clean(kr["kr_id"]), style="dim"),
            )
    return table


def _conversations(published: Published) -> RenderableType:
    """One line for each pair of people and hand-off, with the key results that they have to talk about."""
    open_ones = conversations(published)
    if not open_ones:
        return Text("Nobody has to talk: no exception is open.\n")
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, title="Who has to talk", title_justify="left", title_style="bold"
    )
    for header in ("Status", "Two people", "About", "At stake", "Open since", "State"):
        table.add_column(header)
    for one in open_ones:
        about = ", ".join(one.kr_ids)
        stake = quantity(one.amount_at_stake, str(published.run["currency"]))
        table.add_row(
            status_sign(one.status),
            Text(f"{clean(one.giving_head)} and {clean(one.receiving_head)}"),
            Text(clean(f"{one.handoff['name']}: {about}" if one.handoff else about)),
            Text(stake if one.amount_at_stake else "–"),
            Text(clean(one.opened_on)),
            Text(clean(one.state.replace("_", " "))),
        )
    return table


def _flags(flags: list[Row]) -> RenderableType:
    if not flags:
        return Text("No flag is open.")
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, title="Open flags", title_justify="left", title_style="bold"
    )
    for header in ("Flag", "On", "Rule", "Since", "What"):
        table.add_column(header)
    for flag in flags:
        table.add_row(
            status_sign(flag["severity"]),
            *(Text(clean(flag[column])) for column in ("subject", "rule", "opened_on", "sentence")),
        )
    return table


def _restated(days: list[Row]) -> list[RenderableType]:
    return (
        [
            Text(
                f"\n{len(days)} past days read otherwise than they were first told; the table restatements says why."
            )
        ]
        if days
        else []
    )


def _from_here(path: Path) -> str:
    """The path as one would type it here, where that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)
