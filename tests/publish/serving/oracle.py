"""What somebody may see of a run, worked out in plain Python from its published rows."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb

from publish import PUBLIC_TABLES, Published

Row = dict[str, Any]
_CONNECTION = duckdb.connect()
_HEADS = ("giving_head_name", "giving_head_email", "receiving_head_name", "receiving_head_email")


@cache
def rows_of(folder: Path, table: str) -> list[Row]:
    answer = _CONNECTION.execute(f"select * from '{folder}/tables/{table}.parquet'")
    columns = [column[0] for column in answer.description or []]
    return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]


def types_of(folder: Path, table: str) -> dict[str, str]:
    """The types of a table's columns."""
    described = _CONNECTION.execute(f"describe select * from '{folder}/tables/{table}.parquet'").fetchall()
    return {str(name): str(kind) for name, kind, *_ in described}


@dataclass(frozen=True)
class Oracle:
    """A run, the functions somebody may see (none: all), and whether figures of finance."""

    run: Path
    functions: frozenset[str] | None
    finance: bool

    @cached_property
    def tables(self) -> dict[str, list[Row]]:
        return {table.name: rows_of(self.run, table.name) for table in PUBLIC_TABLES}

    def is_theirs(self, function: str | None) -> bool:
        return self.functions is None or function in self.functions

    @cached_property
    def key_results(self) -> set[str]:
        """Those that are shown whole."""
        return {
            row["kr_id"]
            for row in self.tables["kr_current"]
            if self.is_theirs(row["function_id"]) and (self.finance or not self._is_of_money(row))
        }

    @cached_property
    def named_key_results(self) -> set[str]:
        """Those of others that an exception over a hand-off of theirs speaks of."""
        theirs = {
            row["handoff_id"]
            for row in self.tables["handoff_current"]
            if self.is_theirs(row["giver_function"]) or self.is_theirs(row["receiver_function"])
        }
        of_money = {row["kr_id"] for row in self.tables["kr_current"] if self._is_of_money(row)}
        found = {row["kr_id"] for row in self.tables["exceptions"] if row["handoff_id"] in theirs}
        return (found if self.finance else found - of_money) - self.key_results

    @cached_property
    def handoffs(self) -> set[str]:
        needed = {
            one
            for row in self.tables["kr_current"]
            if row["kr_id"] in self.key_results
            for one in (row["handoffs"] or "").split(",")
        }
        return {
            row["handoff_id"]
            for row in self.tables["handoff_current"]
            if self.is_theirs(row["giver_function"])
            or self.is_theirs(row["receiver_function"])
            or row["handoff_id"] in needed
        }

    @cached_property
    def objectives(self) -> set[str]:
        """Those of the key results shown, and what they lead up to."""
        rows = {row["objective_id"]: row for row in self.tables["objective_current"]}
        found = {row["objective_id"] for row in self.tables["kr_current"] if row["kr_id"] in self.key_results}
        while (
            above := {one for each in found for one in (rows[each]["supports"] or "").split(",") if one}
            - found
        ):
            found |= above
        return found | {
            row["objective_id"] for row in self.tables["kr_current"] if row["kr_id"] in self.named_key_results
        }

    def _is_of_money(self, kr: Row) -> bool:
        lineage = Published(self.run.parent, self.run.name).run["lineage"]
        reads = {source for source, _ in lineage.get(kr["kr_id"], ())}
        if kr["measure_text"].startswith("the metric") and reads != {"jira"}:
            return True
        return (
            "EUR" in kr["unit"]
            or "amount" in kr["measure_text"]
            or not reads
            or not reads <= {"jira", "hubspot"}
        )

    def hidden_words(self) -> set[str]:
        """Ids, names, people, records and their titles that stand in the run and in nothing that may be seen."""
        shown: set[str] = set()
        hidden: set[str] = set()
        for table, column, is_shown in self._words():
            for row in self.tables[table]:
                if row[column]:
                    (shown if is_shown(row) else hidden).add(str(row[column]))
        # A name that is a part of one that is shown says nothing.
        return {word for word in hidden - shown if len(word) > 3 and not any(word in one for one in shown)}

    def _words(self) -> Iterator[tuple[str, str, Any]]:
        def is_named(row: Row) -> bool:
            return row["kr_id"] in self.key_results | self.named_key_results

        def is_shown(row: Row) -> bool:
            is_of_theirs = row["kr_id"] is None and self.is_theirs(row["function_id"])
            is_posting = row["record"].startswith("finance/")
            return (row["kr_id"] in self.key_results or is_of_theirs) and (self.finance or not is_posting)

        for column in ("kr_id", "name", "owner_name", "owner_email"):
            yield "kr_current", column, is_named
        yield "kr_current", "measure_text", lambda row: row["kr_id"] in self.key_results
        yield "kr_current", "model", lambda row: row["kr_id"] in self.key_results
        for column in ("objective_id", "name"):
            yield "objective_current", column, lambda row: row["objective_id"] in self.objectives
        for column in ("handoff_id", "name", *_HEADS):
            yield "handoff_current", column, lambda row: row["handoff_id"] in self.handoffs
        for column in (*_HEADS, "sponsor_name", "sponsor_email"):
            yield "exceptions", column, is_named
        for column in ("head_name", "head_email"):
            yield "function_current", column, lambda row: self.is_theirs(row["function_id"])
        own = {row["objective_id"] for row in self.tables["kr_current"] if row["kr_id"] in self.key_results}
        yield (
            "objective_current",
            "sponsor_name",
            lambda row: row["objective_id"] in own or self.is_theirs(row["function_id"]),
        )
        for column in ("record", "name", "title"):
            yield "evidence", column, lambda row: row["kr_id"] in self.key_results
            yield "handoff_evidence", column, lambda row: row["handoff_id"] in self.handoffs
        for column in ("event_id", "record", "item"):
            yield "integrity_events", column, is_shown
        for column in ("hash", "previous"):
            yield "ledger", column, lambda _: False
        yield "leading_indicators", "name", lambda row: row["kr_id"] in self.key_results

    def amounts(self) -> set[str]:
        """Every amount of money in the run from a thousand up, in the ways it may be written."""
        found: set[Decimal] = set()
        of_money = {row["kr_id"]: row for row in self.tables["kr_current"] if self._is_of_money(row)}
        for table, rows in self.tables.items():
            for row in rows:
                for column, value in row.items():
                    is_money = column in {"amount", "amount_at_stake", "budget", "spent"}
                    if (
                        isinstance(value, Decimal)
                        and (is_money or row.get("kr_id") in of_money)
                        and abs(value) >= 1000
                    ):
                        found.add(abs(value))
                        assert is_money or table not in {"handoff_current", "handoff_evidence"}
        return {text for value in found for text in _written(value)}


def _written(value: Decimal) -> Iterable[str]:
    # Smaller whole numbers also count records and stand in ids.
    whole = [value.quantize(Decimal(1))] if value >= 100_000 else []
    for number in (value, value.quantize(Decimal("0.01")), *whole):
        yield from (f"{number:f}", f"{number:,f}")


@cache
def texts_of(folder: Path) -> dict[str, str]:
    """Every file below a folder as text: of a table all values of all rows, of a workbook all parts, else every byte."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix == ".parquet":
            rows = rows_of(folder, file.stem)
            found[str(file)] = "\n".join(f" {value} " for row in rows for value in row.values())
        elif file.suffix == ".xlsx":
            with zipfile.ZipFile(file) as parts:
                found[str(file)] = "\n".join(
                    parts.read(name).decode() for name in parts.namelist() if "theme" not in name
                )
        elif file.is_file():
            found[str(file)] = file.read_bytes().decode("utf-8", "replace")
    return found


def standing_in(words: Iterable[str], texts: Iterable[str]) -> set[str]:
    """Which of the words stand in any of the texts, as words of their own."""
    lines = "\n".join({line for text in texts for line in text.splitlines()})
    parts = set(re.findall(r"\w+", lines))
    # Most have a part that stands nowhere, and need not be looked for.
    possible = (word for word in words if parts.issuperset(re.findall(r"\w+", word)))
    return {
        word
        for word in possible
        if word in lines and re.search(rf"(?<![\w.,-]){re.escape(word)}(?![\w-]|[.,]\d)", lines)
    }


def numbers_in(texts: Iterable[str]) -> set[str]:
    """Every number in any of the texts, as it is written."""
    return {number for text in texts for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}
