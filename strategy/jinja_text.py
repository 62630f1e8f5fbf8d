"""Text for files that dbt renders by Jinja: whatever people wrote must come out as they wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

Value = str | int | bool | Decimal | None | Mapping[str, "Value"]

_SPECIAL = re.compile(r"[{}\\\"\x00-\x1f\x7f]")
_MARKUP = re.compile(r"\{[{%#]|[}%#]\}")


def literal(value: Value) -> str:
    """The value as a Jinja expression. Braces are escaped as well, as dbt searches files for them before Jinja does."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, int | Decimal):
        return str(value)
    return f'"{_SPECIAL.sub(_escape, value)}"'


def _escape(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"


def verbatim(text: str) -> str:
    """Text for a field that dbt renders, such that it is rendered to itself."""
    return "{{ " + literal(text) + " }}" if _MARKUP.search(text) else text
