"""Amounts and dates of finance exports: every way of writing one is read as what it says, and nothing else is read."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.finance.values import (
    CellError,
    amount_reader,
    cell_text,
    day_reader,
    moment_reader,
    month_reader,
)

AMOUNTS = st.decimals(
    min_value=Decimal("-9999999999999999.99"),
    max_value=Decimal("9999999999999999.99"),
    places=2,
    allow_nan=False,
)
SIGNS = ["-{}", "\u2212{}", "- {}", "{}-", "{} -", "({})"]


def written(amount: Decimal, decimal_mark: str, thousands_mark: str, sign: str) -> str:
    """An amount as an export might write it."""
    text = f"{abs(amount):,f}".replace(",", "T").replace(".", decimal_mark).replace("T", thousands_mark)
    return sign.format(text) if amount < 0 else text


@given(AMOUNTS, st.sampled_from(["", ",", " ", "\u00a0", "\u202f", "'", "\u2019"]), st.sampled_from(SIGNS))
def test_an_amount_with_a_decimal_point_comes_back_whatever_its_marks_and_sign(
    amount: Decimal, thousands_mark: str, sign: str
) -> None:
    assert Decimal(amount_reader(".")(written(amount, ".", thousands_mark, sign))) == amount


@given(AMOUNTS, st.sampled_from(["", ".", " ", "\u00a0", "\u202f", "'", "\u2019"]), st.sampled_from(SIGNS))
def test_an_amount_with_a_decimal_comma_comes_back_whatever_its_marks_and_sign(
    amount: Decimal, thousands_mark: str, sign: str
) -> None:
    assert Decimal(amount_reader(",")(written(amount, ",", thousands_mark, sign))) == amount


@given(st.text(alphabet="0123456789.,-+() '\u2212e%", max_size=12), st.sampled_from([".", ","]))
def test_what_is_read_as_an_amount_has_the_digits_of_its_text(text: str, decimal_mark: str) -> None:
    try:
        amount = amount_reader(decimal_mark)(text)  # type: ignore[arg-type]
    except CellError:
        return
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", amount)
    digits = [re.sub("[^0-9]", "", part).strip() for part in text.partition(decimal_mark)[::2]]
    assert Decimal(amount).copy_abs() == Decimal(f"{digits[0] or 0}.{digits[1] or 0}")


@pytest.mark.parametrize(
    "text",
    ["", "-", "1.2.3", "12,34", "1,2345", "1,234 567", "1e5", "(5", "5)", "-5-", "-(5)", "12a", "00:00:00", "NaN", "٣",
     "12345678901234567"],
)  # fmt: skip
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(CellError, match="an amount such as"):
        amount_reader(".")(text)


def test_a_wrong_decimal_mark_is_refused_where_it_can_be_told() -> None:
    with pytest.raises(CellError):
        amount_reader(".")("1.234,56")
    with pytest.raises(CellError):
        amount_reader(",")("1,234.56")


@given(st.integers(min_value=-(10**13), max_value=10**13))
def test_a_workbook_number_in_cents_keeps_its_cents(cents: int) -> None:
    assert Decimal(amount_reader(",")(cents / 100)) == Decimal(cents) / 100


@given(
    st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d %b %Y"]),
)
def test_a_day_comes_back_in_every_format(day: date, date_format: str) -> None:
    assert day_reader(date_format)(f" {day.strftime(date_format)} ") == day.isoformat()


@pytest.mark.parametrize("text", ["00:00:00", "31/02/2026", "2026-10-05", "05/10/26", "05/10/2026 noon", ""])
def test_what_is_no_day_of_the_format_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CellError, match="a date such as 31/10/2026"):
        day_reader("%d/%m/%Y")(text)


def test_a_workbook_day_needs_no_format() -> None:
    read = day_reader("%d/%m/%Y")
    assert read(datetime.combine(date(2026, 10, 5), time())) == "2026-10-05"
    assert read(date(2026, 10, 5)) == "2026-10-05"
    assert read(46300) == (date(1899, 12, 30).fromordinal(date(1899, 12, 30).toordinal() + 46300)).isoformat()
    with pytest.raises(CellError):
        read(1500)
    with pytest.raises(CellError):
        read(True)


def test_a_month_is_its_first_day() -> None:
    read = month_reader("%d.%m.%Y")
    assert [read("2026-10"), read("31.10.2026"), read(datetime.combine(date(2026, 10, 5), time()))] == [
        "2026-10-01"
    ] * 3
    with pytest.raises(CellError):
        read("2026-13")


def test_a_posting_time_may_be_a_day_or_an_iso_time() -> None:
    read = moment_reader("%d/%m/%Y")
    assert read("05/10/2026") == "2026-10-05"
    assert read("2020-02-10 18:42:07.587 UTC") == "2020-02-10T18:42:07.587000+00:00"
    assert read("2026-10-05T08:00:00+02:00") == "2026-10-05T06:00:00+00:00"
    assert read("2026-10-05T08:00:00") == "2026-10-05T08:00:00"
    with pytest.raises(CellError):
        read("yesterday")


def test_workbook_cells_become_texts_without_a_floats_tail() -> None:
    cells = [
        4100.0,
        0.1,
        1e-7,
        1e15,
        True,
        None,
        datetime.combine(date(2026, 10, 5), time()),
        datetime.combine(date(2026, 10, 5), time(8)),
        " x ",
    ]
    assert [cell_text(cell) for cell in cells] == [
        "4100", "0.1", "0.0000001", "1000000000000000", "TRUE", "", "2026-10-05", "2026-10-05T08:00:00", " x ",
    ]  # fmt: skip
