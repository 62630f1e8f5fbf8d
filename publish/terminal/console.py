"""Where the terminal pages are printed, and how a status looks there."""

from rich.console import Console
from rich.text import Text

from publish.wording import SIGNS

STYLES = {"green": "green", "amber": "yellow", "red": "bold red"}
_PIPE_WIDTH = 180


def console() -> Console:
    """Standard output: coloured on a terminal, plain and wide in a pipe."""
    out = Console(highlight=False, markup=False, emoji=False)
    if not out.is_terminal:
        out.width = _PIPE_WIDTH
    return out


def status_sign(status: str) -> Text:
    """The status as a sign and a word."""
    return Text(f"{SIGNS[status]} {status}", style=STYLES[status])
