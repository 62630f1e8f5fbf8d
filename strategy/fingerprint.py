"""Names a version of the strategy by the content of its files."""

from __future__ import annotations

import hashlib
from pathlib import Path


def strategy_hash(folder: Path, metrics: Path | None = None) -> str:
    """SHA-256 (hex) over the names and bytes of the strategy's YAML files and of the SQL models in `metrics`."""
    digest = hashlib.sha256()
    places = [("strategy", folder, "*.yml")] + (
        [("metrics", metrics, "*.sql")] if metrics is not None else []
    )
    for kind, root, pattern in places:
        for name, path in sorted((path.relative_to(root).as_posix(), path) for path in root.rglob(pattern)):
            content = path.read_bytes()
            # Lengths keep the end of one file apart from the start of the next.
            digest.update(f"{kind}/{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()
