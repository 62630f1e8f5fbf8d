"""Who may see what of a published run, and the copy of a run that holds no more than that."""

from publish.audience.narrowing import Audience, narrow, tables_with_a_rule

__all__ = ["Audience", "narrow", "tables_with_a_rule"]
