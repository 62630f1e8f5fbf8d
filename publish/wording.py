"""Numbers and texts as people read them, the same in the terminal, on a page and in a workbook."""

import unicodedata
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from publish.reading import Row

SIGNS = {"green": "●", "amber": "▲", "red": "■"}
"""A sign for each status, beside its word and its colour: a page must read the same to those who see no difference."""

# Not strftime: its names of months follow the locale of the machine.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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


def exact(value: object) -> str:
    """A number as it was computed, without the zeros at its end; a dash when there is none, other values as clean text."""
    if isinstance(value, Decimal):
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return "–" if value is None else clean(value)


def counted(count: int, one: str) -> str:
    """How many there are of what one of is called so: `1 week`, `2 weeks`."""
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def clean(text: object) -> str:
    """The text on one line without control, format or direction characters, which could rewrite a terminal."""
    folded = str("" if text is None else text)
    if folded.isprintable() and "  " not in folded:
        return folded.strip()
    folded = " ".join(folded.split())
    return "".join(letter for letter in folded if not unicodedata.category(letter).startswith("C"))


def day(value: date | str | None) -> str:
    """A day as people write it, `30 Oct 2026`; of a moment its day in the zone it is written in; a dash when there is none."""
    if value is None:
        return "–"
    written = date.fromisoformat(str(value)[:10])
    return f"{written.day} {_MONTHS[written.month - 1]} {written.year}"
