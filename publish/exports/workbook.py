"""The workbook: a sheet per table, its cells typed, coloured and ready to be printed."""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from publish.exports.sheets import Kind, Sheet, sheets
from publish.reading import Published
from publish.wording import SIGNS, clean

_WIDTHS: dict[Kind, int] = {
    "status": 11, "name": 38, "text": 22, "word": 9, "sentence": 60, "id": 26, "quantity": 13, "share": 10, "count": 9,
    "money": 15, "day": 13,
}  # fmt: skip
_NUMBER_FORMATS = {"share": "0%", "count": "#,##0", "money": "#,##0.00", "day": "d mmm yyyy"}
# Ink and wash of a status, those of the pages.
_COLOURS = {"green": ("#176C33", "#EEF7F0"), "amber": ("#8A5200", "#FDF4E3"), "red": ("#B3131D", "#FDEEEE")}
_LINE = "#D5D9DE"
# A cell takes 32,767 units of UTF-16, of which a character has up to two.
_LONGEST = 16_383
_A4 = 9


def write_workbook(published: Published, file: Path) -> None:
    """Write the sheets of `publish.exports.sheets`; every text stays text, whatever it begins with."""
    company = clean(published.run["company"])
    as_of = date.fromisoformat(published.run["as_of"])
    # In memory the files within bear a fixed time.
    with Workbook(file, {"in_memory": True}) as workbook:
        workbook.set_properties(
            {"title": f"{company}: key results", "created": datetime.combine(as_of, time())}
        )
        styles = _Styles(workbook)
        for sheet in sheets(published):
            worksheet = workbook.add_worksheet(sheet.name)
            _fill(worksheet, sheet, styles)
            _set_up(worksheet, sheet, f"{company[:80]}: {sheet.name.lower()}", as_of)


def _fill(worksheet: Worksheet, sheet: Sheet, styles: "_Styles") -> None:
    for place, column in enumerate(sheet.columns):
        worksheet.set_column(place, place, _WIDTHS[column.kind])
        worksheet.write_string(0, place, column.heading, styles.header)
        for line, row in enumerate(sheet.rows, start=1):
            _write(worksheet, (line, place), row[column.name], column.kind, styles)


def _write(worksheet: Worksheet, cell: tuple[int, int], value: object, kind: Kind, styles: "_Styles") -> None:
    line, place = cell
    if value is None:
        worksheet.write_blank(line, place, None, styles.of(kind))
    elif kind == "status":
        worksheet.write_string(line, place, f"{SIGNS[str(value)]} {value}", styles.of(kind, str(value)))
    elif kind == "day":
        worksheet.write_datetime(line, place, date.fromisoformat(str(value)), styles.of(kind))
    elif isinstance(value, Decimal | int) and not isinstance(value, bool):
        number = Decimal(value)
        worksheet.write_number(line, place, float(number), styles.of(kind, _number_format(number, kind)))
    else:
        worksheet.write_string(line, place, clean(value)[:_LONGEST], styles.of(kind))


def _number_format(value: Decimal, kind: Kind) -> str:
    """Quantities have as many decimals as in `publish.wording.quantity`; a cell's value is never rounded."""
    whole = abs(value) >= 1000 or value == int(value)
    return _NUMBER_FORMATS.get(kind) or ("#,##0" if whole else "#,##0.00")


def _set_up(worksheet: Worksheet, sheet: Sheet, title: str, as_of: date) -> None:
    """The header stays in sight and is printed on every page; a page is as wide as the columns that people read."""
    last_line, last_place = max(len(sheet.rows), 1), len(sheet.columns) - 1
    worksheet.freeze_panes(1, sheet.frozen)
    worksheet.autofilter(0, 0, last_line, last_place)
    worksheet.set_landscape()
    worksheet.set_paper(_A4)
    worksheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
    worksheet.fit_to_pages(1, 0)
    worksheet.repeat_rows(0)
    worksheet.print_area(0, 0, last_line, sheet.printed - 1)
    worksheet.set_header(f"&L{title.replace('&', '&&')}&R{as_of.isoformat()}")
    worksheet.set_footer("&RPage &P of &N")


class _Styles:
    """The formats of the workbook, each made once."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple[str, str], Format] = {}
        self.header = workbook.add_format(
            {"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#F6F7F8", "bottom": 1}
        )

    def of(self, kind: Kind, variant: str = "") -> Format:
        """`variant` is the status of a status, the number format of a number."""
        if (kind, variant) not in self._made:
            self._made[kind, variant] = self._workbook.add_format(dict(_properties(kind, variant)))
        return self._made[kind, variant]


def _properties(kind: Kind, variant: str) -> Iterable[tuple[str, object]]:
    yield from (("valign", "top"), ("bottom", 1), ("bottom_color", _LINE))
    if kind == "status" and variant:
        ink, wash = _COLOURS[variant]
        yield from (("bold", True), ("font_color", ink), ("bg_color", wash))
    elif kind in ("name", "text", "sentence"):
        yield ("text_wrap", True)
    elif kind == "day":
        yield from (("num_format", _NUMBER_FORMATS[kind]), ("align", "left"))
    elif variant:
        yield ("num_format", variant)
