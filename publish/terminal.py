"""The KR table, who has to talk and the open flags, for a terminal or a pipe.

Names and sentences may hold text from the source systems; control characters are taken out before they reach a terminal, and
nothing is read as markup.
"""

import os
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from publish.reading import Published, Row

# A sign and a word as well as a colour: the table must read the same in a pipe and to those who see no difference.
_SIGNS = {"green": ("●", "green"), "amber": ("▲", "yellow"), "red": ("■", "bold red")}
_PIPE_WIDTH = 180


def console() -> Console:
    """Standard output: coloured on a terminal, plain and wide in a pipe."""
    out = Console(highlight=False, markup=False, emoji=False)
    if not out.is_terminal:
        out.width = _PIPE_WIDTH
    return out


def status_page(published: Published) -> RenderableType:
    """The KR table by objective, who has to talk about what, the open flags, and where the files are."""
    current, objectives = published.table("kr_current"), published.table("objective_current")
    flags = [flag for flag in published.table("flags") if flag["is_open"]]
    exceptions = [one for one in published.table("exceptions") if one["is_open"]]
    run = published.run
    title = Text(f"{clean(run['company'])}: key results at the end of {run['as_of']}", style="bold")
    counts = Text("  ").join(
        Text(f"{sign} {sum(kr['status'] == status for kr in current)} {status}", style=style)
        for status, (sign, style) in _SIGNS.items()
    )
    return Group(
        title,
        counts,
        _key_results(current, objectives),
        _conversations(exceptions, published.table("handoff_current"), str(run["currency"])),
        _flags(flags),
        *_restated(published.table("restatements")),
        Text(f"\nPublished: {_from_here(published.current)}", style="dim"),
        Text("The proof of a key result, a hand-off or an exception: plumbline explain ID", style="dim"),
    )


def quantity(value: Decimal | int | None, unit: str) -> str:
    """A value with its unit: whole numbers from 1,000 up, at most two decimals below."""
    if value is None:
        return "no value"
    amount = Decimal(value)
    digits = Decimal(1) if abs(amount) >= 1000 else Decimal("0.01")
    number = f"{amount.quantize(digits, ROUND_HALF_UP):,}"
    number = number.rstrip("0").rstrip(".") if "." in number else number
    if unit == "%":
        return f"{number}%"
    return number if unit in {"", "count"} else f"{number} {clean(unit)}"


def aim(kr: Row) -> str:
    """The target of a KR, or the band it must stay in."""
    low, high, unit = kr["band_low"], kr["band_high"], kr["unit"]
    if low is not None and high is not None:
        return f"{quantity(low, '')}–{quantity(high, unit)}"
    if low is not None or high is not None:
        return f"≥ {quantity(low, unit)}" if low is not None else f"≤ {quantity(high, unit)}"
    return quantity(kr["target"], unit)


def percent(share: Decimal | int | None) -> str:
    """A share as whole percent; a dash when there is none."""
    if share is None:
        return "–"
    # Half up, as the sentences of the scorecard round.
    return f"{(Decimal(share) * 100).quantize(Decimal(1), ROUND_HALF_UP)}%"


def clean(text: object) -> str:
    """The text on one line without control, format or direction characters, which could rewrite a terminal."""
    folded = " ".join(str("" if text is None else text).split())
    return "".join(letter for letter in folded if not unicodedata.category(letter).startswith("C"))


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


def _conversations(exceptions: list[Row], handoffs: list[Row], currency: str) -> RenderableType:
    """One line for each pair of people and hand-off, with the key results that they have to talk about."""
    if not exceptions:
        return Text("Nobody has to talk: no exception is open.\n")
    names = {handoff["handoff_id"]: handoff["name"] for handoff in handoffs}
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, title="Who has to talk", title_justify="left", title_style="bold"
    )
    for header in ("Status", "Two people", "About", "At stake", "Open since", "State"):
        table.add_column(header)
    topics: dict[tuple[str, ...], list[Row]] = {}
    for one in exceptions:
        people = (one["giving_head_name"], one["receiving_head_name"])
        topics.setdefault((*people, one["handoff_id"] or one["kr_id"]), []).append(one)
    for (giver, receiver, topic), open_ones in sorted(topics.items(), key=lambda each: _weight(each[1])):
        worst = max(open_ones, key=lambda one: one["status"] == "red")
        about = ", ".join(one["kr_id"] for one in open_ones)
        stake = max(one["amount_at_stake"] for one in open_ones)
        table.add_row(
            status_sign(worst["status"]),
            Text(f"{clean(giver)} and {clean(receiver)}"),
            Text(clean(f"{names[topic]}: {about}" if topic in names else about)),
            Text(quantity(stake, currency) if stake else "–"),
            Text(clean(min(one["opened_on"] for one in open_ones))),
            Text(clean(worst["state"].replace("_", " "))),
        )
    return table


def _weight(exceptions: list[Row]) -> tuple[Decimal, bool]:
    """What is most at stake comes first, then what is red."""
    stake = max(Decimal(one["amount_at_stake"]) for one in exceptions)
    return -stake, all(one["status"] != "red" for one in exceptions)


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


def status_sign(status: str) -> Text:
    """The status as a sign and a word."""
    sign, style = _SIGNS[status]
    return Text(f"{sign} {status}", style=style)


def _from_here(path: Path) -> str:
    """The path as one would type it here, where that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)
