"""The landed files beside the ledger: which go into a run, and whether those that went into one are still what they were."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ValidationError

from scorecard.ledger import Chain, Finding, Landed, LedgerError

_DATA, _MANIFEST = ".ndjson.gz", ".manifest.json"
_RESTORE = "Restore it from a backup: what was reported from it cannot be proved without it."


class _Manifest(BaseModel):
    """What is read of a manifest here; it says more."""

    file: str
    sha256: str
    finished_at: AwareDatetime


@dataclass
class LandingReport:
    """What was found in the landing folder. `waiting`: files landed after the newest run reported; the next run takes them in."""

    findings: list[Finding] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def landed_files(landing: Path, loaded: dict[str, str], chain: Chain) -> Iterator[Landed]:
    """The landed files of a run with the hashes of their manifests; `loaded` maps the place of each to its SHA-256.

    What an earlier run named is taken from the ledger, and only new files are looked at. Raises LedgerError where one of
    those is gone or does not agree with its manifest.
    """
    for file, sha256 in loaded.items():
        if file in chain.named:
            yield chain.named[file].model_copy(update={"sha256": sha256})
            continue
        place = file.removesuffix(_DATA) + _MANIFEST
        manifest = _manifest(landing / place)
        if manifest is None or (manifest.file, manifest.sha256) != (file, sha256):
            raise LedgerError(
                f"The landed file {file} was loaded, and its manifest is gone or says something else: restore {place}."
            )
        yield Landed(file=file, sha256=sha256, manifest=place, manifest_sha256=_digest(landing / place))


def check_landing(landing: Path, chain: Chain) -> LandingReport:
    """Compare the landing folder with the files that the ledger names, byte for byte."""
    report = LandingReport()
    expected = {
        place: digest
        for landed in chain.inputs.values()
        for place, digest in ((landed.file, landed.sha256), (landed.manifest, landed.manifest_sha256))
    }
    for place, digest in sorted(expected.items()):
        if not (landing / place).is_file():
            report.findings.append(_finding(landing, place, "the landed file is gone", _RESTORE))
        elif _digest(landing / place) != digest:
            report.findings.append(_finding(landing, place, "the file is not what was landed", _RESTORE))
    # A data file without a manifest is what an interrupted pull left: it counts for nothing, and the next pull removes it.
    for path in sorted(landing.rglob(f"*{_MANIFEST}")):
        place = path.relative_to(landing).as_posix()
        if place not in expected:
            _check_unreported(landing, place, chain, report)
    return report


def _check_unreported(landing: Path, place: str, chain: Chain, report: LandingReport) -> None:
    manifest = _manifest(landing / place)
    if manifest is None:
        report.findings.append(_finding(landing, place, "the file is no manifest", "Remove it."))
    elif chain.runs and manifest.finished_at <= chain.runs[-1].report.reported_at:
        report.findings.append(
            _finding(
                landing,
                place,
                "it says it landed before the newest run, and no run knows of it",
                f"Remove it with {manifest.file}, or find out who put it there.",
            )
        )
    elif not (landing / manifest.file).is_file() or _digest(landing / manifest.file) != manifest.sha256:
        report.findings.append(
            _finding(
                landing,
                manifest.file,
                "the file is not what its manifest says",
                f"Remove it with {place}, so that it is pulled again.",
            )
        )
    else:
        report.waiting.append(manifest.file)


def _manifest(path: Path) -> _Manifest | None:
    try:
        return _Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finding(landing: Path, place: str, what: str, mend: str) -> Finding:
    return Finding(f"{landing.name}/{place}", None, what, mend)
