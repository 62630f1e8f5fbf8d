"""A real headless Chromium for all tests of a worker; what pip cannot bring may be missing, and such tests skip."""

import shutil
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# Chromium must not speak to anybody by itself, and has no sandbox where it is run by root.
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or Chrome."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=list(_QUIET)) as running,
    ):
        yield running


class Window:
    """A page of its own that keeps what should not happen: console messages, errors, dialogs, requests to other places."""

    def __init__(
        self,
        browser: Browser,
        width: int = 1440,
        scheme: Literal["light", "dark"] = "light",
        home: str = "file://",
    ) -> None:
        self.page: Page = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        ).new_page()
        self.noise: list[str] = []
        self.page.on("console", lambda message: self.noise.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.noise.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.noise.append(f"dialog: {dialog.message}"))
        # A page that is left while its icon is on the way is no failure.
        self.page.on(
            "requestfailed",
            lambda request: (
                None if request.failure == "net::ERR_ABORTED" else self.noise.append(f"failed: {request.url}")
            ),
        )
        self.page.on(
            "request",
            lambda request: (
                None if request.url.startswith(home) else self.noise.append(f"elsewhere: {request.url}")
            ),
        )

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        answer = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return int(answer)

    def close(self) -> None:
        self.page.context.close()
