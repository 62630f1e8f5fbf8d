"""What a file said before and says no more: found in what was landed of it, and marked as gone.

A file speaks of the days from its first posting to its last. Whether one that it leaves out is gone, or of a period that it
does not speak of any more, is judged by how its days have changed.
"""

from __future__ import annotations

import gzip
import itertools
import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.errors import InputError
from connectors.finance.postings import Record
from connectors.finance.states import State, states
from connectors.landing import Landing

# So many postings outside the days of a file are no correction, and such a share of what it said is another period.
_MANY = 10
_SHARE = 0.5
_AT_ONCE = 10_000

Ints = NDArray[np.int64]
# The ordinals of a first and a last day.
Days = tuple[int, int]


@dataclass(frozen=True)
class Rows:
    """Rows of an export in a landed file: their 0-based lines there, the hashes of their keys, the ordinals of their days."""

    landed: Path
    lines: Ints
    hashes: Ints
    days: Ints

    def where(self, these: NDArray[np.bool_]) -> Rows:
        """Those for which ``these`` holds."""
        return Rows(self.landed, self.lines[these], self.hashes[these], self.days[these])


@dataclass(frozen=True)
class Resend:
    """An export that comes again: what was read of it ``before``, what ``now``, and the hashes of the keys that it has now.

    It ``is_keyed`` where its layout has a key.
    """

    name: str
    before: State
    now: State
    hashes: array[int]
    is_keyed: bool


@dataclass(frozen=True)
class Replaced:
    """What a file that came again leaves of what it had said.

    ``state`` is what to remember of it. ``gone`` are the rows it says no more, None when that cannot be told, as they are in
    landing no more. ``kept`` counts the rows of the version before that are of other days and go on standing.
    """

    state: State
    gone: Sequence[Rows] | None
    kept: int


def replaced(landing: Landing, stream: tuple[str, str], export: Resend) -> Replaced:
    """What becomes of the rows that an export of a (source, stream) had.

    Other content whose first and last day are both later than before, or both earlier, or that leaves half of what it said
    (and ten rows) outside its days, is of another period: rows of other days stay. Else they are gone like any other row.
    Raises InputError where ten such rows could not stay: without a key rows are known by their place in the file, and
    the new ones come in theirs. Fewer are taken for corrected ones.
    """
    before, now = export.before, export.now
    was, days = _days_of(before), _days_of(now)
    # In their own place: millions of them are not copied.
    said = np.asarray(export.hashes)
    said.sort()
    steps = list(_steps(landing, stream, export.name, before.version))
    known = _Known.read(steps[0], export.name, said, days) if steps else None
    many = known.outside if known else 0
    is_other = before.content != now.content and (
        _is_moved(was, days) or (known is not None and many >= max(_MANY, _SHARE * known.count))
    )
    # What cannot be counted is not few.
    is_lost = known is None or many + before.let_go >= _MANY
    if was and (
        (days is None and is_lost)
        or (not export.is_keyed and (before.beside is not None or (is_other and is_lost)))
    ):
        raise _refusal(export.name, was, days)
    is_kept = is_other and export.is_keyed
    state = replace(
        now,
        beside=before.version if is_kept else before.beside,
        let_go=before.let_go + many * (is_other and not is_kept),
    )
    if known is None:
        return Replaced(state, None, 0)
    kept = ~_within(known.missing.days, days) & is_kept
    older = _older(steps[1:], export.name, [days, was], [said, known.missing.hashes])
    return Replaced(state, [known.missing.where(~kept), *older], int(kept.sum()))


def gone_records(gone: Iterable[Rows], others: Iterable[Record]) -> Iterator[Record]:
    """The records of rows that are gone, each marked ``gone``; where one of the ``others`` has its key, that comes instead."""
    rows = [each for each in gone if len(each.lines)]
    if not rows:
        return
    hashes = np.sort(np.concatenate([each.hashes for each in rows]))
    still = array("q")
    for record in others:
        if _among(np.array([hash(record["key"])]), hashes)[0]:
            still.append(hash(record["key"]))
            yield record
    for each in rows:
        lines = each.lines[~_among(each.hashes, np.sort(np.asarray(still)))]
        for record in _records(each.landed, lines):
            yield record | {"gone": True}


def _steps(
    landing: Landing, stream: tuple[str, str], name: str, version: str
) -> Iterator[tuple[State, Path]]:
    """The versions of an export of which something may stand, newest first, and the landed file that brought each.

    It ends at a version that is in landing no more.
    """
    wanted: str | None = version
    for manifest in reversed(landing.manifests()):
        if wanted is None:
            return
        if (manifest.source, manifest.stream) != stream:
            continue
        # The cursor knew of a version only after the pull that brought it.
        before, after = states(manifest.cursor_from).get(name), states(manifest.cursor_to).get(name)
        if after is not None and after.version == wanted and (before is None or before.version != wanted):
            yield after, landing.root / manifest.file
            wanted = after.beside


def _older(
    steps: Sequence[tuple[State, Path]], name: str, days: Sequence[Days | None], hashes: Sequence[Ints]
) -> Iterator[Rows]:
    """The rows that are gone of versions before the last one: the file speaks of their days again, and not of them.

    ``days`` are those of the file and those of the last version, ``hashes`` of the keys in either.
    """
    now, *newer = days
    spoken = [_days_of(state) for state, _ in steps]
    reached = [n for n, each in enumerate(spoken) if _is_reached(each, now, [*newer, *spoken[:n]])]
    # Those between are read as well: a key that comes in them stands as they have it.
    for step, each in zip(steps[: max(reached, default=-1) + 1], spoken, strict=False):
        rows = _Known.read(step, name, np.sort(np.concatenate(hashes)), now).missing
        stands = _within(rows.days, now)
        for later in newer:
            stands &= ~_within(rows.days, later)
        yield rows.where(stands)
        hashes = [*hashes, rows.hashes]
        newer.append(each)


def _is_reached(spoken: Days | None, now: Days | None, newer: Sequence[Days | None]) -> bool:
    """Whether the file speaks ``now`` of a day that a version had ``spoken`` of and none of the ``newer`` ones has."""
    if spoken is None or now is None:
        return False
    first, last = max(spoken[0], now[0]), min(spoken[1], now[1])
    covered = [each for each in newer if each]
    return any(
        first <= day <= last and not any(begin <= day <= end for begin, end in covered)
        for day in (first, *(end + 1 for _, end in covered))
    )


def _is_moved(was: Days | None, days: Days | None) -> bool:
    if was is None or days is None:
        return False
    return (was[0] < days[0] and was[1] < days[1]) or (was[0] > days[0] and was[1] > days[1])


def _days_of(state: State) -> Days | None:
    if state.first is None or state.last is None:
        return None
    return date.fromisoformat(state.first).toordinal(), date.fromisoformat(state.last).toordinal()


def _within(days: Ints, these: Days | None) -> NDArray[np.bool_]:
    first, last = these or (1, 0)
    return (first <= days) & (days <= last)


def _refusal(name: str, was: Days, days: Days | None) -> InputError:
    had = "{} to {}".format(*map(date.fromordinal, was))
    if days is None:
        return InputError(
            f"{name}, line 1: it has no posting any more, and had some of {had}",
            "Export it anew. What it said before stands until then, also when you take it away.",
            file=name,
            line=1,
        )
    return InputError(
        f"{name}, line 1: its postings are of {'{} to {}'.format(*map(date.fromordinal, days))}, and were of {had}: "
        "rows known by their place in the file would take the place of postings of other days",
        "Give each period a file name of its own, or set key in the layout to the fields by which a posting is known.",
        field="layouts",
        file=name,
        line=1,
    )


def _among(hashes: Ints, ordered: Ints) -> NDArray[np.bool_]:
    """Which of the hashes are among others, which are in their order."""
    if not len(ordered):
        return np.zeros(len(hashes), np.bool_)
    found: NDArray[np.bool_] = (
        ordered[np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)] == hashes
    )
    return found


@dataclass(frozen=True)
class _Known:
    """What a version of an export said: ``count`` rows, so many of them ``outside`` some days, and those that are ``missing``."""

    count: int
    outside: int
    missing: Rows

    @classmethod
    def read(cls, step: tuple[State, Path], name: str, said: Ints, days: Days | None) -> _Known:
        """From its landed file; missing are rows of which the hash is not in ``said``, which is in order.

        Rows are judged some at a time, so that those that are still said need no room.
        """
        state, landed = step
        # A copy brought no rows of its own.
        rows = iter(()) if state.same_as else _rows(landed, name)
        count = outside = 0
        missing = [np.empty((0, 3), np.int64)]
        while some := list(itertools.islice(rows, _AT_ONCE)):
            lines = np.array(some, np.int64)
            count += len(lines)
            outside += int((~_within(lines[:, 2], days)).sum())
            missing.append(lines[~_among(lines[:, 1], said)])
        return cls(count, outside, Rows(landed, *np.concatenate(missing).T))


def _rows(landed: Path, name: str) -> Iterator[tuple[int, int, int]]:
    """The rows of an export in a landed file, each as in :class:`Rows`; one without a day has none that is within any."""
    written = f'"file":{json.dumps(name, ensure_ascii=False)},'.encode()
    with gzip.open(landed) as content:
        for number, line in enumerate(content):
            # Most lines of a large pull are of other files.
            if written not in line:
                continue
            record = json.loads(line)
            if record["file"] == name and not record.get("gone"):
                day = record["posting"].get("month") or record["posting"].get("date")
                yield number, hash(record["key"]), date.fromisoformat(day).toordinal() if day else 0


def _records(landed: Path, lines: Ints) -> Iterator[Record]:
    wanted = map(int, lines)
    following = next(wanted, None)
    with gzip.open(landed) as content:
        for number, line in enumerate(content):
            if following is None:
                return
            if number == following:
                yield json.loads(line)
                following = next(wanted, None)
