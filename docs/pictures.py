"""Draw the pictures of the docs from what the demo published: `.venv/bin/python docs/pictures.py` after `make run`."""

import shutil
from io import StringIO
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console

from orchestration.workspace import Workspace, default_workspace
from publish import Published
from publish.terminal.status_page import status_page

HERE = Path(__file__).parent
# File, page of the site, width and height in pixels, colours.
_PAGES = (
    ("scorecard.png", "index.html", 1280, 1000, "light"),
    ("phone.png", "index.html", 360, 740, "light"),
    ("week.png", "week/functions/product.html", 1280, 1000, "light"),
    ("key-result.png", "key-results/operating-revenue.html", 1280, 900, "light"),
    ("hand-offs.png", "hand-offs.html", 1280, 900, "light"),
    ("strategy.png", "strategy.html", 1280, 900, "dark"),
)


def main() -> None:
    """The table on a terminal, and the pages in a browser."""
    published = Published(Workspace(default_workspace()).published)
    console = Console(
        record=True, width=175, markup=False, highlight=False, file=StringIO(), force_terminal=True
    )
    console.print(status_page(published))
    (HERE / "status.svg").write_text(console.export_svg(title="plumbline status"), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for file, page, width, height, scheme in _PAGES:
            window = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            window.goto((published.folder / "site" / page).as_uri())
            window.screenshot(path=HERE / file)
        browser.close()


if __name__ == "__main__":
    main()
