"""The objectives: by perspective with what drives what, and from the company's down to those of the functions."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from publish.reading import Row
from publish.site.facts import Facts, ids
from publish.site.page import Page

PERSPECTIVES = {
    "financial": "Financial",
    "customer": "Customer",
    "internal_process": "Internal process",
    "learning_growth": "Learning and growth",
}
_WIDTH, _BOX, _HEIGHT, _GAP = 1080, 210, 96, 84


def pages(facts: Facts) -> Iterator[Page]:
    """The map and the alignment."""
    rows = list(facts.objectives.values())
    bands = {one: [row for row in rows if row["perspective"] == one] for one in PERSPECTIVES}
    boxes = {box["id"]: box for box in _boxes(bands)}
    arrows = [
        _arrow(boxes[row["objective_id"]], boxes[driven])
        for row in rows
        for driven in ids(row["drives"])
        if driven in boxes
    ]
    about = {
        "perspectives": PERSPECTIVES,
        "bands": bands,
        "boxes": list(boxes.values()),
        "arrows": arrows,
        "size": (_WIDTH, len(bands) * (_HEIGHT + _GAP)),
        "band_height": _HEIGHT + _GAP,
        "drives": {row["objective_id"]: [facts.objectives[one] for one in ids(row["drives"])] for row in rows},
        "roots": [row for row in rows if not ids(row["supports"])],
        "below": {
            row["objective_id"]: [one for one in rows if row["objective_id"] in ids(one["supports"])] for row in rows
        },
    }  # fmt: skip
    yield Page("strategy.html", "strategy_map.html", "Strategy", about)


def _boxes(bands: dict[str, list[Row]]) -> Iterator[dict[str, Any]]:
    """A box for each objective, those of a perspective side by side."""
    for number, rows in enumerate(bands.values()):
        step = (_WIDTH - 150) / max(len(rows), 1)
        for place, row in enumerate(rows):
            lines = wrap(str(row["name"]), 26)
            yield {
                "id": row["objective_id"],
                "row": row,
                "x": round(150 + step * (place + 0.5) - _BOX / 2),
                "y": number * (_HEIGHT + _GAP) + _GAP // 2,
                "width": _BOX,
                "height": _HEIGHT,
                "lines": lines if len(lines) < 4 else [*lines[:2], f"{lines[2]} …"],
            }


def _arrow(driver: dict[str, Any], driven: dict[str, Any]) -> str:
    """The path of an arrow from the upper edge of one box to the lower edge of another, or around the side of a neighbour."""
    start = (driver["x"] + _BOX // 2, driver["y"])
    end = (driven["x"] + _BOX // 2, driven["y"] + _HEIGHT)
    if driver["y"] <= driven["y"]:
        start, end = (
            (driver["x"] + _BOX // 2, driver["y"] + _HEIGHT),
            (driven["x"] + _BOX // 2, driven["y"] + _HEIGHT),
        )
        dip = start[1] + 34
        return f"M{start[0]} {start[1]} C{start[0]} {dip} {end[0]} {dip} {end[0]} {end[1]}"
    middle = (start[1] + end[1]) // 2
    return f"M{start[0]} {start[1]} C{start[0]} {middle} {end[0]} {middle} {end[0]} {end[1]}"
