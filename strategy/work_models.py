"""The dbt models that say whose work an item is: which hand-off's, and which key result's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from strategy.jinja_text import literal
from strategy.model import Handoff
from strategy.strategy import KeyResult


def handoff_items_sql(handoffs: Sequence[Handoff]) -> str:
    """The items of every hand-off, by the condition that the strategy gives as its scope."""
    return _items_sql("handoff_id", ((one.id, one.scope) for one in handoffs))


def key_result_items_sql(key_results: Sequence[KeyResult]) -> str:
    """The items of every key result that people are meant for, by the condition that finds their work."""
    return _items_sql("kr_id", ((one.id, one.work) for one in key_results if one.work))


def handoff_items_yaml() -> str:
    """What dbt knows of the items of hand-offs."""
    return _items_yaml("handoff_items", "hand-off")


def key_result_items_yaml() -> str:
    """What dbt knows of the items of key results."""
    return _items_yaml("kr_work_items", "key result that people are meant for")


def _items_sql(column: str, scopes: Iterable[tuple[str, str]]) -> str:
    calls = [
        f"{{{{ plumbline.items_of({literal(column)}, {literal(owner)}, {literal(scope)}) }}}}\n"
        for owner, scope in scopes
    ]
    return "union all\n".join(calls) or f"{{{{ plumbline.items_of_none({literal(column)}) }}}}\n"


def _items_yaml(model: str, owner: str) -> str:
    return f"""version: 2

models:
  - name: {model}
    description: >
      The items of work of each {owner}. One row is one item of one of them; deleted items are left out.
"""
