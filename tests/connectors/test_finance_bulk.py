"""Plain rows that are read many at once land as the very records that reading row by row gives, and count as the same."""

from __future__ import annotations

import gzip
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import InputError
from connectors.finance import bulk
from connectors.finance.bulk import Plain
from connectors.finance.copies import Copy
from connectors.finance.layouts import Layout
from connectors.finance.postings import Reading
from connectors.landing import line_of
from tests.real_records.ledgers import flat_journal, layout

FIELDS = {
    "date": "Date",
    "account": "Account",
    "description": "Text",
    "document": ["Document"],
    "posted_at": "Entered",
}
NET = {
    "columns": FIELDS | {"amount": "Amount"},
    "constants": {"currency": 'E"U\\R'},
    "optional": ["posted_at"],
}
SIDES = {"columns": FIELDS | {"debit": "Amount", "credit": "Credit"}, "constants": {"currency": "EUR"}}
PLAN = {
    "into": "budget",
    "columns": {"month": "Date", "account": "Account", "amount": "Amount", "cost_centre": "Text"},
    "constants": {"currency": "EUR"},
}
RATES = {"into": "rates", "columns": {"date": "Date", "currency": "Account", "rate": "Amount"}}
# Then nothing is looked at before the rows are read.
DECLARED = {"decimal_mark": ".", "date_format": "%d/%m/%Y"}
LAYOUTS: list[dict[str, Any]] = [
    NET,
    NET | {"key": ["document", "amount", "line"], "constants": {"currency": "EUR", "line": ""}},
    NET | {"decimal_mark": ",", "date_format": "%d/%m/%Y"},
    NET | {"headings": "account"},
    SIDES,
    SIDES | {"key": ["document", "posted_at"]},
    PLAN,
    PLAN | {"key": ["account", "month", "cost_centre"]},
    RATES,
    RATES | {"key": ["currency", "date"]},
]

DATES = st.sampled_from(
    ["31/10/2026", "31/10/2026", "01/11/2026", "10/31/2026", "31/10/2026 08:00", " 31/10/2026", "x", ""]
)
AMOUNTS = st.sampled_from(
    ["12.50", "0", "0.00", "-3.2", "-0.00", "1,234.50", "1.234,50", "-0,5", "-1.234.567", "(7.25)", "8.5-", "$3", "+4",
     "0.0000000001", "1.123456789", "12345678901234567", "007", " 5 ", "five", "", " "]
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(["4000", "A b", 'a "b" c', "\\", "a,b", "é\u00a0", "\u2003x", "x\u2028", "Total", "a\nb", "a\r\nb"]),
    st.sampled_from(['"', '5" pipe', "\t", "\x0b", "\ufeff", "\x7f"]),
    st.text(max_size=4),
)  # fmt: skip
ROW = st.tuples(DATES, st.sampled_from(["4000", "4000", "é", ""]), TEXTS, TEXTS, AMOUNTS, AMOUNTS, DATES)
PLAIN = st.tuples(st.just("31/10/2026"), st.just("4000"), st.sampled_from(["rent", 'a "b"', "\\é\u00a0"]),
                  st.integers(0, 10**6).map(str), st.sampled_from(["1.50", "1,000.25", "-2", "0"]), st.just(""),
                  st.just("01/11/2026"))  # fmt: skip
RAW = st.sampled_from(
    [
        "",
        ",,,,,,",
        "Printed by somebody",
        'x,"y" z,,,,,',
        'a,b"c,,,,,',
        "--------,,,,,,",
        "Total,,,,1.50,,",
        '"',
        " , ,,,,,",
    ]
)


def written(row: tuple[str, ...] | str, quoting: bool, delimiter: str) -> str:
    if isinstance(row, str):
        return row.replace(",", delimiter)
    special = {delimiter, '"', "\n", "\r"}
    return delimiter.join(
        '"' + cell.replace('"', '""') + '"' if quoting or set(cell) & special else cell for cell in row
    )


def both_ways(content: bytes, said: dict[str, Any]) -> tuple[Any, Any]:
    """What a file says row by row and many rows at once: its lines and its account, or the error."""
    found: list[Any] = []
    for is_bulk in (False, True):
        reading = Reading(
            "gl \"'.csv",
            Layout.model_validate({"match": "*"} | said),
            Copy("gl.csv", io.BytesIO(content), ""),
        )
        try:
            if is_bulk:
                lines = b"".join(gzip.decompress(packed) for packed, _ in reading.packed())
            else:
                lines = b"".join(map(line_of, reading.records()))
        except InputError as error:
            # That a key comes twice is asked where records land.
            is_twice = "both rows have the key" in str(error)
            found.append(found[0] if is_bulk and is_twice else (str(error), error.line))
            continue
        found.append((lines, asdict(reading.account)))
    return found[0], found[1]


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.one_of(PLAIN, PLAIN, PLAIN, ROW, RAW), min_size=1, max_size=25),
    said=st.sampled_from(LAYOUTS),
    block=st.integers(40, 900),
    form=st.tuples(
        st.sampled_from(["\n", "\n", "\r\n", "\r"]),
        st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
        st.booleans(),
        st.booleans(),
        st.sampled_from([",", ",", "\t"]),
    ),
)
def test_many_rows_at_once_are_the_records_of_each_row(
    monkeypatch: pytest.MonkeyPatch,
    rows: list[tuple[str, ...] | str],
    said: dict[str, Any],
    block: int,
    form: tuple[str, str, bool, bool, str],
) -> None:
    ending, encoding, quoting, is_ended, delimiter = form
    monkeypatch.setattr(bulk, "_BLOCK_BYTES", block)
    monkeypatch.setattr(bulk, "_LEAST_BYTES", 0)
    lines = [
        "Title",
        "Date,Account,Text,Document,Amount,Credit,Entered".replace(",", delimiter),
        *(written(row, quoting, delimiter) for row in rows),
    ]
    content = (ending.join(lines) + ending * is_ended).encode(encoding, "ignore")
    one_by_one, at_once = both_ways(content, said)
    assert at_once == one_by_one


ODD = [
    "31/10/2026,4000,rent,D,1.50,,,x",
    "31/10/2026,4000,rent,D,1.50",
    '31/10/2026,4000, "b",D,1.50,,',
    '31/10/2026,4000,"" "",D,1.50,,',
    '31/10/2026,4000,"a" "",D,1.50,,',
    '\n31/10/2026,4000,      "b",D,1.50,,',
    '31/10/2026,4000,a "b" c,D,1.50,,',
    '31/10/2026,4000,"a\nb",D,1.50,,',
    "31/10/2026,4000,a\tb,D,1.50,,",
    "31/10/2026,4000,a\x0bb,D,1.50,,",
    "31/10/2026,4000,a\u2028,\u00a0D,1.50,,",
    "31/10/2026,4000,a\\,D,1.50,,",
    "31/10/2026,4000,,,1.50,,",
    "",
    "x,4000,rent,D,5.00,,",
    "31/10/2026,4000,rent,D,1.50,,x",
    "31/10/2026,4000,rent,D,0.0000000001,,\nTotal,,,,15.0000000001,,",
    "31/10/2026,4000,rent,D,12345678901234567,,",
    "31/10/2026,4000,rent,D,-5.00,,",
    "31/10/2026,4000,rent,D,,-3.2,",
    "31/10/2026,4000,rent,D,,0.00,",
    "31/10/2026,4000,rent,D,0.0,3.20,",
    "31/10/2026,4000,rent,D,3.2,0.00,",
    "31/10/2026,4000,rent,D,3.20,1.1,",
    "31/10/2026,4000,rent,D,(3.20),$1.1,",
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "odd", "delimiter"),
    [
        (NET | DECLARED, ODD, ","),
        (SIDES, ODD, ","),
        (
            NET | {"key": ["document"]},
            ["31/10/2026,4000,rent,,1.50,,", "31/10/2026,4000,rent,D\\,1.50,,"],
            ",",
        ),
        (NET, ['31/10/2026,4000,"re\tnt",D,1.50,,'], "\t"),
        (PLAN, [*ODD, "01/11/2026,,rent,D,1.50,,", "10/2026,4000,rent,D,1.50,,"], ","),
        (RATES, [*ODD, "01/11/2026,CHF,,,1.0641,,", "01/11/2026,,,,1.0641,,", "01/11/2026,CHF,,,,,"], ","),
    ],
    ids=["net", "sides", "keyed", "tabs", "budgets", "rates"],
)
def test_a_row_among_plain_ones_is_what_it_is_by_itself(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], odd: list[str], delimiter: str
) -> None:
    monkeypatch.setattr(bulk, "_LEAST_BYTES", 0)
    plain = [f"31/10/2026,4000,rent,{n},1.50,,01/11/2026" for n in range(20)]
    header = "Date,Account,Text,Document,Amount,Credit,Entered"
    files = [[header, *plain[:10], row, *plain[10:], "Total,,,,30.00,,"] for row in odd]
    files.append([f"{line}," for line in [header, *plain]] + ["31/10/2026,4000,rent,D,1.50,,,x"])
    for lines in files:
        one_by_one, at_once = both_ways("\n".join([*lines, ""]).replace(",", delimiter).encode(), said)
        assert at_once == one_by_one, lines[11]


@pytest.mark.parametrize("said", [NET, PLAN, RATES], ids=["ledger", "budget", "rates"])
def test_plain_rows_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]) -> None:
    monkeypatch.setattr(bulk, "_LEAST_BYTES", 0)
    seen: list[int] = []
    parts = bulk._Bulk.parts

    def watched(table: bulk._Bulk, begin: int) -> Any:
        for part in parts(table, begin):
            seen.append(part.rows if isinstance(part, Plain) else 0)
            yield part

    monkeypatch.setattr(bulk._Bulk, "parts", watched)
    rows = '31/10/2026,4000,"rent, ""cold""",D,"1,234.50",,01/11/2026\n' * 30
    text = f'Date,Account,Text,Document,Amount,Credit,Entered\n{rows}Total,,,,"37,035.00",,\n{rows}'
    one_by_one, at_once = both_ways(text.encode(), said)
    assert at_once == one_by_one
    assert at_once[1]["no_data"]["total"] == 1
    assert seen == [30, 0, 30]


def test_ledgers_nobody_here_wrote_are_the_same_both_ways(
    real_records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_LEAST_BYTES", 0)
    flat_journal(real_records, tmp_path)
    journal = {"profile": "xero", "key": ["document", "line"]}
    quarters = sorted((real_records / "finance_oxford").glob("*.csv"), key=lambda path: path.stat().st_size)
    for path, said in [
        (tmp_path / "journal.csv", journal),
        *((path, layout("quarter", "oxford")) for path in quarters[::3]),
    ]:
        one_by_one, at_once = both_ways(path.read_bytes(), said)
        assert at_once == one_by_one, path.name
