"""Charts as SVG, drawn from Vega-Lite specifications when the pages are built.

Colours are names of the stylesheet's variables, so that one drawing serves light, dark and print. Each chart is drawn wide and
narrow; the stylesheet shows the one that fits the screen, for letters that shrink with a drawing cannot be read on a phone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import Any, TypeVar

import vl_convert
from markupsafe import Markup

from publish.reading import Row
from publish.site.facts import Facts
from publish.wording import clean

_SIZES = {"wide": (700, 260), "narrow": (290, 210)}
_SPARKS = 60
_SHAPES = {"green": "circle", "amber": "triangle-up", "red": "square"}

Spec = Mapping[str, Any]
_Point = TypeVar("_Point")


def key_result_chart(facts: Facts, kr: Row, days: Sequence[Row]) -> Markup:
    """The series of a key result, its expected path, target or band, forecast fan, and a sign where its status changed."""
    layers = [
        *_bounds(kr),
        _line(_points(_thinned(days), "expected_value"), "--chart-expected", dash=[2, 3]),
        *_fan(facts, kr),
        _line(_points(_thinned(days), "value"), "--chart-value", width=2),
        *_first_told(facts.restatements[kr["kr_id"]]),
        *_changes(days),
        *_strict(facts, kr),
    ]
    return _drawn(layers, kr["unit"], (facts.cycle_start, facts.cycle_end))


def handoff_chart(facts: Facts, handoff: Row) -> Markup:
    """Items of a hand-off, and how many of them are done, day by day, with the day it is needed and the days it is expected."""
    days = facts.handoff_days[handoff["handoff_id"]]
    marks = [
        (handoff["needed_by"], "--chart-target", "needed"),
        (handoff["p50_on"], "--chart-forecast", "50 %"),
        (handoff["p85_on"], "--chart-forecast", "85 %"),
    ]
    # What lies far behind the cycle would press the rest of the drawing together; the page tells its day in words.
    end = facts.cycle_end + timedelta(days=28)
    known = [
        (date.fromisoformat(day), colour, label)
        for day, colour, label in marks
        if day and day <= end.isoformat()
    ]
    layers = [
        _line(_points(_thinned(days), "items"), "--chart-expected"),
        _line(_points(_thinned(days), "done"), "--chart-value", width=2),
        *(_upright(day, colour, label) for day, colour, label in known),
    ]
    return _drawn(layers, "items", (facts.cycle_start, end))


def share_chart(rows: Sequence[tuple[str, Decimal | None, Decimal | None]], what: tuple[str, str]) -> Markup:
    """For each row two bars of shares, one under the other, named by `what`; 1 is the whole."""
    colours = {"domain": list(what), "range": ["var(--chart-expected)", "var(--chart-value)"]}
    # Width of the bars, and how many letters of a name stand beside them.
    sizes = {"wide": (420, 56), "narrow": (150, 20)}
    drawings = []
    for size, (width, letters) in sizes.items():
        values = [
            {"row": _label(row, letters), "what": name, "share": float(share)}
            for row, *shares in rows
            for name, share in zip(what, shares, strict=True)
            if share is not None
        ]
        bars = {
            "data": {"values": values},
            "mark": {"type": "bar"},
            "encoding": {
                "x": {"field": "share", "type": "quantitative", "title": None, "axis": {"format": ".0%"}},
                "y": {"field": "row", "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 0}},
                "yOffset": {"field": "what", "type": "nominal", "sort": list(what)},
                "color": {
                    "field": "what", "type": "nominal", "scale": colours, "legend": {"title": None, "orient": "top"},
                },
            },
        }  # fmt: skip
        drawings.append(_svg({"width": width, "height": {"step": 14}, "layer": [bars]}, size))
    return Markup("").join(drawings)


def _label(text: object, most: int) -> str:
    """A text that can be drawn. The program that draws ends on control characters, and on signs that it cuts in half itself."""
    shown = clean(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _drawn(layers: Sequence[Spec], unit: str, days: tuple[date, date]) -> Markup:
    drawings = []
    for size, (width, height) in _SIZES.items():
        ticks = 7 if size == "wide" else 4
        time = {
            "type": "temporal", "title": None, "scale": {"type": "utc", "domain": [_moment(day) for day in days]},
            "axis": {"format": "%-d %b", "tickCount": ticks, "grid": False},
        }  # fmt: skip
        drawings.append(
            _svg(
                {
                    "width": width,
                    "height": height,
                    "encoding": {
                        "x": {"field": "date", **time},
                        "y": {
                            "type": "quantitative",
                            "title": _label(unit, 20) or None,
                            "scale": {"zero": False},
                        },
                    },
                    "layer": layers,
                },
                size,
            )
        )
    return Markup("").join(drawings)


def _svg(spec: Spec, size: str) -> Markup:
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": _CONFIG,
        "background": None,
        **spec,
    }
    drawn = vl_convert.vegalite_to_svg(whole)
    # Hidden from those who listen: the figure around it says in words what it shows. Texts in a drawing are escaped.
    hidden = f'<svg aria-hidden="true" focusable="false" data-size="{size}" '
    return Markup(drawn.replace("<svg ", hidden, 1))  # noqa: S704


_CONFIG = {
    "aria": False,
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)", "titleColor": "var(--muted)", "gridColor": "var(--line)", "domainColor": "var(--line)",
        "tickColor": "var(--line)", "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
    },
    "legend": {"labelColor": "var(--ink)", "labelFontSize": 12},
}  # fmt: skip


def _points(rows: Iterable[Row], column: str) -> list[dict[str, Any]]:
    """A day without a value stays in as a gap."""
    return [
        {"date": _moment(row["date"]), "value": None if row[column] is None else float(row[column])}
        for row in rows
    ]


def _moment(day: date | str) -> str:
    # With its zone: a bare day is read in the zone of the machine.
    return f"{str(day)[:10]}T00:00:00Z"


def _line(
    points: list[dict[str, Any]], colour: str, width: float = 1.2, dash: list[int] | None = None
) -> Spec:
    mark = {
        "type": "line",
        "color": f"var({colour})",
        "strokeWidth": width,
        "invalid": "break-paths-show-domains",
    }
    return _layer(points, {**mark, **({"strokeDash": dash} if dash else {})})


def _layer(points: list[dict[str, Any]], mark: Spec) -> Spec:
    return {"data": {"values": points}, "mark": mark, "encoding": {"y": {"field": "value"}}}


def _bounds(kr: Row) -> list[Spec]:
    """Lines at the target and the baseline, or at the ends of the band."""
    lines = [
        ("target", "--chart-target", "target"), ("baseline", "--line", "baseline"),
        ("band_low", "--chart-target", "from"), ("band_high", "--chart-target", "to"),
    ]  # fmt: skip
    return [
        _level(float(kr[column]), colour, label) for column, colour, label in lines if kr[column] is not None
    ]


def _fan(facts: Facts, kr: Row) -> list[Spec]:
    """From today's value to where 8 in 10 draws lie some weeks on and at the end."""
    if kr["value"] is None or kr["end_on"] is None:
        return []
    stops: list[dict[str, Any]] = [
        {"date": _moment(facts.as_of), **dict.fromkeys(("p10", "p50", "p90"), float(kr["value"]))}
    ]
    for when in ("soon", "end"):
        if kr[f"{when}_on"] and _moment(kr[f"{when}_on"]) > stops[-1]["date"]:
            quantiles = {place: float(kr[f"{when}_{place}"]) for place in ("p10", "p50", "p90")}
            stops.append({"date": _moment(kr[f"{when}_on"]), **quantiles})
    return [
        {
            "data": {"values": stops},
            "layer": [
                {
                    "mark": {"type": "area", "color": "var(--chart-fan)"},
                    "encoding": {"y": {"field": "p10"}, "y2": {"field": "p90"}},
                },
                {
                    "mark": {
                        "type": "line",
                        "color": "var(--chart-forecast)",
                        "strokeDash": [4, 3],
                        "strokeWidth": 1.4,
                    },
                    "encoding": {"y": {"field": "p50"}},
                },
            ],
        }
    ]


def _changes(days: Sequence[Row]) -> list[Spec]:
    """A sign where the status became another one; its shape says which."""
    changed = [
        day
        for before, day in zip((None, *days), days, strict=False)
        if day["value"] is not None and (before is None or before["status"] != day["status"])
    ]
    return [
        _layer(
            _points([day for day in changed if day["status"] == status], "value"),
            {
                "type": "point", "shape": shape, "filled": True, "size": 90, "opacity": 1,
                "color": f"var(--{status})", "stroke": "var(--paper)",
            },
        )
        for status, shape in _SHAPES.items()
        if any(day["status"] == status for day in changed)
    ]  # fmt: skip


def _first_told(restatements: Sequence[Row]) -> list[Spec]:
    """Hollow points where a day was first told otherwise."""
    if not restatements:
        return []
    mark = {"type": "point", "color": "var(--chart-value)", "size": 30, "strokeWidth": 1}
    return [_layer(_points(restatements, "reported_value"), mark)]


def _strict(facts: Facts, kr: Row) -> list[Spec]:
    """A diamond at the value without suspect records, where that is another one."""
    if kr["value_strict"] is None or kr["value_strict"] == kr["value"]:
        return []
    points = _points([{"date": facts.as_of, "value": kr["value_strict"]}], "value")
    mark = {"type": "point", "shape": "diamond", "color": "var(--chart-target)", "size": 70}
    return [_layer(points, mark)]


def _level(value: float, colour: str, label: str) -> Spec:
    return {
        "data": {"values": [{"value": value, "label": label}]},
        "encoding": {"x": None, "y": {"field": "value"}},
        "layer": [
            {"mark": {"type": "rule", "color": f"var({colour})", "strokeDash": [6, 3]}},
            {
                "mark": {"type": "text", "align": "left", "x": 3, "dy": -5, "fill": "var(--muted)"},
                "encoding": {"text": {"field": "label"}},
            },
        ],
    }


def _upright(day: date, colour: str, label: str) -> Spec:
    return {
        "data": {"values": [{"date": _moment(day), "label": label}]},
        "encoding": {"y": None},
        "layer": [
            {"mark": {"type": "rule", "color": f"var({colour})", "strokeDash": [6, 3]}},
            {
                "mark": {"type": "text", "align": "right", "y": 6, "dx": -3, "fill": "var(--muted)"},
                "encoding": {"text": {"field": "label"}},
            },
        ],
    }


def _thinned(points: Sequence[_Point], most: int = 250) -> Sequence[_Point]:
    """No more than so many of the points, evenly, with the last one: more cannot be seen, and two years of days weigh."""
    return points[:: -ceil(len(points) / most)][::-1] if points else points


def sparkline(days: Sequence[Row]) -> list[tuple[float, float]]:
    """The values of the reported days as points of a line in a box of 120 by 28; empty without two values."""
    known: Sequence[tuple[int, float]] = [
        (number, float(row["value"])) for number, row in enumerate(days) if row["value"] is not None
    ]
    if len(known) < 2:
        return []
    known = _thinned(known, _SPARKS)
    low, high = min(value for _, value in known), max(value for _, value in known)
    across, up = 112 / max(len(days) - 1, 1), 22 / ((high - low) or 1)
    return [(round(4 + number * across, 1), round(25 - (value - low) * up, 1)) for number, value in known]
