"""The shared run of the starter."""

from tests.starter_run import starter_run

__all__ = ["starter_run"]
