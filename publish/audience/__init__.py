"""Who may see what of a published run, and the copy of a run that holds no more than that."""

from publish.audience.access import Access, Grant
from publish.audience.narrowing import Audience, narrow, narrow_tables, tables_with_a_rule

__all__ = ["Access", "Audience", "Grant", "narrow", "narrow_tables", "tables_with_a_rule"]
