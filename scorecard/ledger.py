"""The ledger: what every run reported, chained so that nothing in it can be changed, taken out or put in unseen.

    .plumbline/ledger/
      000001.ndjson     one file per run, written at once and never changed afterwards
      000002.ndjson

The first line of a file names the run, its code and inputs, its strategy and what changed in that; each further line is one
key result on one day.
Lines are numbered through all files, name the hash of the line before, and end with their own: `hash` is the SHA-256 (hex)
of the line's bytes before `,"hash":`. So every byte of a file counts, and the last hash stands for everything before it.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date as Day  # noqa: N812 - a field of Answer is called date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

NO_LINE_BEFORE = "0" * 64
"""What the first line of all names as the hash of the line before."""

_FILE_NAME = re.compile(r"\d{6,}\.ndjson")
_UNFINISHED = ".part"
_HASH, _END = b',"hash":"', b'"}'
_SEAL_BYTES = len(_HASH) + 64 + len(_END)
_RESTORE = "Restore the file from a backup; until then no run adds to the ledger."


class LedgerError(Exception):
    """The ledger cannot be added to; nothing was written."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Landed(_Strict):
    """A landed file that went into a run, with its manifest: places relative to the landing folder, and SHA-256 (hex)."""

    file: str
    sha256: str
    manifest: str
    manifest_sha256: str


class RunReport(_Strict):
    """What a run is made of: hashes of the strategy's files and of Plumbline's SQL (`computation`), and the program's version."""

    run_id: str
    reported_at: AwareDatetime
    as_of: Day
    strategy: str
    computation: str
    version: str


class Answer(_Strict):
    """What a run says of one key result on one day, numbers in the key result's unit.

    `definition` changes with what the value is computed by, and with nothing else. The forecasts of `kr_current` are told for a
    run's last day.
    """

    kr_id: str
    date: Day
    value: Decimal | None
    value_strict: Decimal | None
    baseline: Decimal | None
    target: Decimal | None
    band_low: Decimal | None
    band_high: Decimal | None
    progress: Decimal | None
    status: str
    rule: str
    reason: str
    definition: str
    soon_on: Day | None = None
    soon_p10: Decimal | None = None
    soon_p90: Decimal | None = None
    soon_p_met: Decimal | None = None
    end_on: Day | None = None
    end_p10: Decimal | None = None
    end_p90: Decimal | None = None
    end_p_met: Decimal | None = None


class Declared(_Strict):
    """What the strategy that a run saw says otherwise than the versions before it, or for the first time.

    `facts` are kind, subject, field and value of each. `seen_at` is the start of that run, the cycle its first and last day.
    """

    run_id: str
    as_of: Day
    seen_at: AwareDatetime
    cycle_start: Day
    cycle_end: Day
    facts: tuple[tuple[str, str, str, str | None], ...]


class _Line(_Strict):
    number: int
    previous: str
    run: int


class RunLine(_Line):
    """The first line of a file. `answers`: how many lines follow.

    `inputs`: the landed files that the run before did not know; `given_up`: those it knew and this one was made without.
    `declared`: how the strategy differs from the last that was reported from, as this run and interrupted ones before it saw it.
    """

    report: RunReport
    inputs: tuple[Landed, ...]
    given_up: tuple[str, ...]
    declared: tuple[Declared, ...] = ()
    answers: int
    hash: str


class AnswerLine(_Line):
    """One key result on one day, as reported by the run of this number."""

    answer: Answer
    hash: str


Line = TypeVar("Line", RunLine, AnswerLine)


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was left: file, line (1-based; None: the file as a whole), what it is, and how to mend it."""

    file: str
    line: int | None
    what: str
    mend: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.what}. {self.mend}"


@dataclass(frozen=True)
class Head:
    """A line by its number and hash; that of the newest line stands for the whole ledger."""

    number: int
    hash: str


@dataclass
class Chain:
    """The ledger as read: its lines, in order, and what is wrong with it."""

    runs: list[RunLine] = field(default_factory=list)
    answers: list[AnswerLine] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    head: Head = Head(0, NO_LINE_BEFORE)

    @cached_property
    def named(self) -> dict[str, Landed]:
        """Every landed file that any run was made of, by its place."""
        return {landed.file: landed for run in self.runs for landed in run.inputs}

    @cached_property
    def inputs(self) -> dict[str, Landed]:
        """The landed files that the newest run is made of, by their place."""
        used: dict[str, Landed] = {}
        for run in self.runs:
            used |= {landed.file: landed for landed in run.inputs}
            for file in run.given_up:
                used.pop(file, None)
        return used

    @cached_property
    def hashes(self) -> dict[int, str]:
        """The hash of every line by its number."""
        lines: list[RunLine | AnswerLine] = [*self.runs, *self.answers]
        return {line.number: line.hash for line in lines}

    def lacks(self, head: Head) -> bool:
        """Whether the ledger, as it is, cannot have had this line."""
        return head.number > 0 and self.hashes.get(head.number) != head.hash


class Ledger:
    """The ledger's folder. Only the process that holds the writer's lock may append."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> Chain:
        """Every line, checked: hashes, links, numbers, and that no file is missing or strange."""
        chain = Chain()
        for number, path in enumerate(self._files(chain), start=1):
            if path.is_file():
                _read_file(path, number, chain)
            else:
                chain.findings.append(Finding(_place(path), None, "the file is missing", _RESTORE))
        return chain

    def append(
        self,
        chain: Chain,
        report: RunReport,
        inputs: Iterable[Landed],
        declared: Iterable[Declared],
        answers: Sequence[Answer],
    ) -> tuple[RunLine, list[AnswerLine]]:
        """Add a run to the ledger, which reads as `chain` and has no findings. A process that dies here leaves it as it was.

        `inputs` are all landed files that the run is made of. Raises LedgerError when one of them is not the one that an
        earlier run named.
        """
        before, now = chain.inputs, {landed.file: landed for landed in inputs}
        changed = sorted(file for file in chain.named.keys() & now.keys() if chain.named[file] != now[file])
        if changed:
            raise LedgerError(
                f"The landed file {changed[0]} is not the one that an earlier run reported from: restore it and its manifest."
            )
        run = len(chain.runs) + 1
        head, content = _sealed(
            RunLine(
                number=chain.head.number + 1,
                previous=chain.head.hash,
                run=run,
                report=report,
                inputs=tuple(now[file] for file in sorted(now.keys() - before.keys())),
                given_up=tuple(sorted(before.keys() - now.keys())),
                declared=tuple(declared),
                answers=len(answers),
                hash="",
            )
        )
        lines: list[AnswerLine] = []
        text, previous = [content], head.hash
        for number, answer in enumerate(answers, start=head.number + 1):
            line, content = _sealed(
                AnswerLine(number=number, previous=previous, run=run, answer=answer, hash="")
            )
            lines.append(line)
            text.append(content)
            previous = line.hash
        self._write(f"{run:06}.ndjson", b"".join(text))
        return head, lines

    def _files(self, chain: Chain) -> list[Path]:
        """The files that must be there, in order; what else lies in the folder is a finding."""
        last = 0
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            if _FILE_NAME.fullmatch(path.name):
                last = max(last, int(path.stem))
            elif not path.name.endswith(_UNFINISHED):
                # What an interrupted run left unfinished was never reported; the next run writes over it.
                what = "the file does not belong to the ledger"
                chain.findings.append(Finding(_place(path), None, what, "Take it out of the folder."))
        return [self.folder / f"{number:06}.ndjson" for number in range(1, last + 1)]

    def _write(self, name: str, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / (name + _UNFINISHED)
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.folder / name)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sealed(line: Line) -> tuple[Line, bytes]:
    """The line with its hash, and its bytes."""
    body = line.model_dump_json(exclude={"hash"}).encode().removesuffix(b"}")
    digest = hashlib.sha256(body).hexdigest()
    return line.model_copy(update={"hash": digest}), body + _seal(digest) + b"\n"


def _seal(digest: str) -> bytes:
    return _HASH + digest.encode() + _END


def _read_file(path: Path, run: int, chain: Chain) -> None:
    """Take the lines of the file of a run into the chain, with what is wrong with them."""

    def found(line: int | None, what: str) -> None:
        chain.findings.append(Finding(_place(path), line, what, _RESTORE))

    lines = path.read_bytes().split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    else:
        found(len(lines), "the line does not end")
    for at, content in enumerate(lines, start=1):
        body, seal = content[:-_SEAL_BYTES], content[-_SEAL_BYTES:]
        line = _parsed(content, RunLine if at == 1 else AnswerLine)
        if seal != _seal(hashlib.sha256(body).hexdigest()):
            found(at, "the line was changed after it was written")
            number = chain.head.number + 1
        elif line is None:
            found(at, "the line is no line of a ledger")
            number = chain.head.number + 1
        else:
            for what in _breaks(line, run, chain.head):
                found(at, what)
            number = line.number
        chain.head = Head(number, seal.removeprefix(_HASH).removesuffix(_END).decode(errors="replace"))
        if isinstance(line, RunLine):
            chain.runs.append(line)
            if line.answers != len(lines) - 1:
                found(at, f"{line.answers} answers were reported, {len(lines) - 1} are there")
        elif line is not None:
            chain.answers.append(line)
    if not lines:
        found(None, "the file is empty")


def _breaks(line: RunLine | AnswerLine, run: int, before: Head) -> Iterator[str]:
    """What does not fit between a line and the one before."""
    if line.run != run:
        yield f"the line belongs to run {line.run}, the file to run {run}"
    if line.number != before.number + 1:
        yield f"line number {line.number} follows number {before.number}"
    if line.previous != before.hash:
        yield "the line does not follow the one that stands before it"


def _parsed(content: bytes, kind: type[RunLine] | type[AnswerLine]) -> RunLine | AnswerLine | None:
    try:
        return kind.model_validate_json(content)
    except ValidationError:
        return None


def _place(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
