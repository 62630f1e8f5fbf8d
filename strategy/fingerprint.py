"""Names a version of the strategy, and of the computation of flow, by the content of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def strategy_hash(folder: Path, metrics: Path | None = None) -> str:
    """SHA-256 (hex) over the names and bytes of the strategy's YAML files and of the SQL models in `metrics`."""
    files = [("strategy", folder, path) for path in folder.rglob("*.yml")]
    files += [("metrics", metrics, path) for path in metrics.rglob("*.sql")] if metrics is not None else []
    return _digest(files)


def flow_hash(project: Path, package: Path) -> str:
    """SHA-256 (hex) over what staging and flow are computed by: models, macros, and what the compiled `project` tells them."""
    rooms = (package / "models" / "staging", package / "models" / "flow", package / "macros")
    files = [("package", package, path) for room in rooms for path in room.rglob("*") if path.is_file()]
    told = (project / "dbt_project.yml", project / "seeds" / "strategy_function_members.csv")
    return _digest([*files, *(("project", project, path) for path in told)])


def _digest(files: Iterable[tuple[str, Path, Path]]) -> str:
    digest = hashlib.sha256()
    for kind, name, path in sorted(
        (kind, path.relative_to(root).as_posix(), path) for kind, root, path in files
    ):
        content = path.read_bytes()
        # Lengths keep the end of one file apart from the start of the next.
        digest.update(f"{kind}/{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
