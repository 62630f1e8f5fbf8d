"""The README, and the commands that it shows."""

import re
import shlex

from tests.command_line import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    shlex.split(line, comments=True) for block in _BLOCKS for line in block.splitlines() if line.strip()
]
