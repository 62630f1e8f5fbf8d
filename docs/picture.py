"""Draw docs/status.svg from what the demo published: `.venv/bin/python docs/picture.py` after `make run`."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from orchestration.workspace import Workspace, default_workspace
from publish import Published
from publish.terminal.status_page import status_page

if __name__ == "__main__":
    console = Console(
        record=True, width=175, markup=False, highlight=False, file=StringIO(), force_terminal=True
    )
    console.print(status_page(Published(Workspace(default_workspace()).published)))
    text = console.export_svg(title="plumbline status")
    Path(__file__).with_name("status.svg").write_text(text, encoding="utf-8")
