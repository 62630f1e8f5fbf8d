"""The browser of the worker."""

from tests.browser import browser

__all__ = ["browser"]
