"""The browser of the worker, and the scorecard opened in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import Window, browser

__all__ = ["browser"]


@pytest.fixture
def page(browser: Browser, week_4: Path) -> Iterator[Page]:
    """The scorecard of week 4 on a wide screen, in light; what a test does on it must stay without noise."""
    window = Window(browser)
    window.page.goto((week_4 / "site/index.html").as_uri())
    yield window.page
    window.close()
    assert window.noise == []
