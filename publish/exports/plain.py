"""The key results with all columns of their table, as CSV and as JSON."""

import csv
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from publish.reading import Published, Row
from publish.wording import clean

# What a spreadsheet takes for the beginning of a formula, also in full width. A tab or line break cannot begin a text here.
_BEGINS_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_ABOUT = ("company", "as_of", "cycle", "cycle_name", "cycle_start", "cycle_end", "timezone", "currency")


def write_csv(rows: Sequence[Row], file: Path) -> None:
    """One line per row, numbers as computed, days as ISO text, nothing where there is no value (RFC 4180).

    Excel takes a file without a byte order mark for the machine's old code page; other readers skip the mark.
    """
    with file.open("w", encoding="utf-8-sig", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(rows[0] if rows else [])
        writer.writerows([_field(value) for value in row.values()] for row in rows)


def write_json(published: Published, file: Path) -> None:
    """What run this is, and the rows of `kr_current` number for number as they were published."""
    about = {name: published.run[name] for name in _ABOUT}
    rows = (published.folder / "json" / "kr_current.json").read_text(encoding="utf-8")
    # The rows stay text: read and written again, their decimal numbers would become binary ones.
    text = json.dumps({**about, "key_results": []}, ensure_ascii=False, indent=2)
    file.write_text(f"{text.removesuffix(_NO_ROWS)}{rows.strip()}\n}}\n", encoding="utf-8")


_NO_ROWS = "[]\n}"


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = clean(value)
    is_formula = isinstance(value, str) and text.startswith(_BEGINS_FORMULA)
    return f"'{text}" if is_formula else text
