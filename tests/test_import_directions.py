"""Data moves to the right only: nothing on the right is imported by anything on its left (docs/decisions.md)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "strategy": set(),
    "connectors": set(),
    "expectations": set(),
    "warehouse": {"connectors"},
    "scorecard": {"strategy"},
    "publish": {"strategy"},
    "alerts": {"strategy", "publish"},
    "demo": {"strategy"},
    "orchestration": {
        "strategy",
        "connectors",
        "warehouse",
        "expectations",
        "scorecard",
        "publish",
        "alerts",
        "demo",
    },
    "benchmarks": {
        "strategy",
        "connectors",
        "warehouse",
        "expectations",
        "scorecard",
        "publish",
        "alerts",
        "demo",
        "orchestration",
    },
}


def imports_of(package: str) -> set[tuple[str, str]]:
    """(file, room) for each of our rooms that a file of the package imports."""
    found = set()
    for path in (ROOT / package).rglob("*.py"):
        if ".plumbline" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative imports hide which room they come from"
                names = [node.module or ""]
            found |= {(str(path.relative_to(ROOT)), name.split(".")[0]) for name in names}
    return {(file, room) for file, room in found if room in MAY_IMPORT and room != package}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_rooms_import_only_what_stands_to_their_left(package: str) -> None:
    wrong = sorted((file, room) for file, room in imports_of(package) if room not in MAY_IMPORT[package])
    assert wrong == []


def test_every_room_is_under_this_rule() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert rooms - {"tests"} <= set(MAY_IMPORT)
    assert {room for room in MAY_IMPORT if room != "benchmarks"} <= rooms
