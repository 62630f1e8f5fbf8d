"""Names a version of the strategy, and of the computation of flow, by the content of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from strategy.strategy import Strategy


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


def computation_hash(package: Path) -> str:
    """SHA-256 (hex) over every model and macro of the dbt `package`: all SQL that is Plumbline's own."""
    rooms = (package / "models", package / "macros")
    return _digest(("package", package, path) for room in rooms for path in room.rglob("*") if path.is_file())


def code_hash(package: Path) -> str:
    """SHA-256 (hex) over every Python file of a package."""
    return _digest(("code", package, path) for path in package.rglob("*.py"))


def definition_hashes(strategy: Strategy, project: Path, package: Path) -> dict[str, str]:
    """For each KR's id a SHA-256 (hex) over what its values are computed by: its model, its metric's SQL, staging and flow.

    `project` is the compiled dbt project. A metric may read others, so all of them count for a KR that is one.
    """
    flow = flow_hash(project, package)
    models = project / "models"
    found = {}
    for key_result in strategy.key_results:
        files = [models / "key_results" / f"{key_result.model}.sql"]
        files += (models / "metrics").rglob("*.sql") if key_result.metric is not None else []
        own = _digest(("project", project, path) for path in files)
        found[key_result.id] = hashlib.sha256(f"{flow} {own}".encode()).hexdigest()
    return found


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
