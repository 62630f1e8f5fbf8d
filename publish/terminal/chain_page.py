"""A chain from sentence to record, for a terminal or a pipe.

On a terminal the name of a record is its link; in a pipe the address stands in a column of its own, always whole.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.style import Style
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from publish.reading import Row
from publish.wording import aim, clean, counted, exact, percent, quantity

_SHOWN = 20


def chain_page(chain: Row, *, clickable: bool) -> RenderableType:
    """The page of a chain as `chain_of` gives it. `clickable`: whether links can hide behind names."""
    return Group(*_Page(str(chain["id"]), clickable).of(chain))


class _Page:
    """Lays out the chain of `subject`, whose id leads to all of a list that is cut."""

    def __init__(self, subject: str, clickable: bool) -> None:
        self._subject = subject
        self._clickable = clickable

    def of(self, chain: Row) -> list[RenderableType]:
        match chain["kind"]:
            case "key_result":
                return self._key_result(chain)
            case "handoff":
                return self._handoff(chain)
            case _:
                return self._exception(chain)

    def _key_result(self, chain: Row) -> list[RenderableType]:
        kr = chain["key_result"]
        unit = kr["unit"]
        suspects, records = chain["suspects"], chain["records"]
        return [
            _facts(
                ("Key result", kr["name"]),
                ("Objective", kr["objective_name"]),
                ("Owner", _person(kr["owner_name"], kr["owner_email"])),
                ("Status", f"{kr['status']} since {kr['since']} by rule `{kr['rule']}`"),
                ("Because", kr["reason"]),
                *(("Exception", _in_short(one)) for one in chain["exceptions"] if one["is_open"]),
            ),
            _heading(f"The numbers of rule `{kr['rule']}`"),
            _numbers(chain["numbers"]),
            *([_heading("The hand-off"), *self._handoff(chain["handoff"])] if chain["handoff"] else ()),
            *((_heading("Suspect records"), self._suspects(suspects, unit)) if suspects else ()),
            _heading("The value"),
            _facts(
                ("Value", f"{quantity(kr['value'], unit)} from {kr['records']} records"),
                ("Data through", kr["data_through"]),
                ("Aim", _whole_aim(kr)),
                ("Progress", f"{percent(kr['progress'])}, expected {percent(kr['expected_progress'])}"),
                *(("Forecast", _foreseen(kr, when)) for when in ("soon", "end") if kr[f"{when}_on"]),
                ("Formula", kr["measure_text"]),
            ),
            *_leading(chain["leading_indicators"]),
            *self._restated(chain["restatements"], unit),
            _heading("Records behind the value, those that weigh most first"),
            self._evidence(records, unit),
            _heading("Landed files that they came in"),
            self._landed_files(chain["landed_files"]),
            _heading("Sources"),
            _sources(chain["sources"]),
            _heading("SQL"),
            Syntax(
                chain["sql"] or "-- not compiled in this run", "sql", background_color="default", word_wrap=True
            ),
        ]  # fmt: skip

    def _handoff(self, chain: Row) -> list[RenderableType]:
        handoff = chain["handoff"]
        giver, receiver = _two_heads(handoff)
        return [
            _facts(
                ("Hand-off", f"{handoff['name']} ({handoff['handoff_id']})"),
                ("Gives", f"{handoff['giver_function']}: {giver}"),
                ("Needs it", f"{handoff['receiver_function']}: {receiver}"),
                ("State", f"{handoff['state'].replace('_', ' ')} since {handoff['since']}"),
                ("Because", handoff["sentence"]),
                ("Items", _counted(handoff)),
                ("Needed by", handoff["needed_by"] or "–"),
                ("At stake", _stake(handoff, chain["currency"])),
                *(
                    ("Exception", _in_short(one))
                    for one in chain["exceptions"]
                    if one["is_open"] and self._subject == chain["id"]
                ),
            ),
            _heading("Its items"),
            self._items(chain),
            *((_heading("Deals that wait for it"), self._deals(chain)) if chain["deals"] else ()),
        ]  # fmt: skip

    def _exception(self, chain: Row) -> list[RenderableType]:
        exception, kr = chain["exception"], chain["key_result"]
        giver, receiver = _two_heads(exception)
        history = _table("Day", "What")
        for event in chain["history"]:
            history.add_row(Text(clean(event["on"])), Text(clean(event["what"])))
        return [
            _facts(
                ("Exception", exception["exception_id"]),
                ("Key result", f"{kr['name']} ({kr['kr_id']})"),
                ("State", exception["state"].replace("_", " ")),
                ("Because", exception["reason"]),
                ("Have to talk", f"{giver} and {receiver}"),
                ("Sponsor", _person(exception["sponsor_name"], exception["sponsor_email"])),
                ("At stake", _stake(exception, chain["currency"])),
                *(("Before", _in_short(one)) for one in chain["earlier"]),
            ),
            _heading("What happened"),
            history,
            *self._behind(chain),
        ]

    def _behind(self, chain: Row) -> list[RenderableType]:
        handoff = chain["handoff"]
        if not handoff:
            kr_id = chain["key_result"]["kr_id"]
            return [Text(f"\nNo hand-off stands behind it. The records: plumbline explain {clean(kr_id)}")]
        return [
            _heading(f"The hand-off behind it, at the end of {handoff['as_of']}"),
            *self._handoff(handoff),
        ]

    def _items(self, chain: Row) -> RenderableType:
        return self._records(
            ("Item", "What", "State", "Since", "Returned"),
            chain["items"],
            lambda item: (
                item["title"],
                item["state"].replace("_", " "),
                item["since"],
                item["returned"] or "",
            ),
        )

    def _deals(self, chain: Row) -> RenderableType:
        deals = chain["deals"]
        total = sum((deal["amount"] or Decimal(0) for deal in deals), Decimal(0))
        table = self._records(
            ("Deal", "Stage", "Since", "To close on", "Amount"),
            deals,
            lambda deal: (deal["state"], deal["since"], deal["closes_on"], quantity(deal["amount"], "")),
        )
        return Group(table, Text(f"Together {quantity(total, chain['currency'])} in {len(deals)} deals."))

    def _suspects(self, suspects: list[Row], unit: str) -> RenderableType:
        def weight(row: Row) -> str:
            return "–" if row["effect"] is None else quantity(row["effect"], unit)

        return self._records(
            ("Name", "Rule", "What was found", "Weighs"),
            [row | {"name": row["item"]} for row in suspects],
            lambda row: (row["rule"], row["sentence"], weight(row)),
        )

    def _restated(self, days: list[Row], unit: str) -> list[RenderableType]:
        if not days:
            return []
        table = _table(
            "Day",
            "First told",
            "Now",
            "Late data",
            "Edited records",
            "Definition",
            "Progress",
            "From target",
            "Status",
        )
        for day in sorted(days, key=lambda row: str(row["date"]), reverse=True)[:_SHOWN]:
            parts = [quantity(day[part], "") for part in ("from_late", "from_edited", "from_definition")]
            cells = (
                day["date"],
                quantity(day["reported_value"], unit),
                quantity(day["value"], unit),
                *(parts if day["is_split"] else (day["unsplit_reason"], "", "")),
                f"{percent(day['reported_progress'])}, now {percent(day['progress'])}",
                percent(day["progress_from_target"]),
                f"{day['reported_status']}, now {day['status']}",
            )
            table.add_row(*(Text(clean(cell)) for cell in cells))
        return [_heading("Days that read otherwise than they were first told"), table, *self._rest(len(days))]

    def _evidence(self, records: list[Row], unit: str) -> RenderableType:
        if not records:
            return Text("The measure is a SQL model of its own or its window is empty: no list of records.")

        def weight(row: Row) -> str:
            # The parts of a ratio are counts or amounts, whatever their share is measured in.
            return quantity(row["contribution"], unit if row["part"] == "value" else "")

        return self._records(
            ("Name", "What", "When", "Part", "Counts for"),
            records,
            lambda row: (row["title"], row["at"], row["part"], weight(row)),
        )

    def _records(
        self, headers: Sequence[str], records: Sequence[Row], about: Callable[[Row], Sequence[object]]
    ) -> RenderableType:
        """A table of records: the name of each, what `about` says of it, and where it is opened or found."""
        table = _table(*headers)
        if not self._clickable:
            table.add_column("Record", overflow="fold")
        shown = records[:_SHOWN]
        if any(self._place(record) for record in shown):
            # An address that is folded can neither be clicked nor copied.
            table.add_column("Where", no_wrap=True, overflow="ignore")
        for record in shown:
            cells = [*about(record), *(() if self._clickable else (record["record"],)), self._place(record)]
            table.add_row(self._name(record), *(Text(clean(cell)) for cell in cells))
        return Group(table, *self._rest(len(records)))

    def _name(self, record: Row) -> Text:
        link = _link(record) if self._clickable else None
        return Text(clean(record["name"] or record["record"]), style=Style(link=link, underline=bool(link)))

    def _place(self, record: Row) -> str:
        """What stands in the column of places: nothing where the name is the link."""
        link = _link(record)
        if link:
            return "" if self._clickable else link
        return clean(record["found_in"])

    def _landed_files(self, files: list[Row]) -> RenderableType:
        table = _table("File in landing", "Records")
        for file in files[:_SHOWN]:
            table.add_row(
                Text(clean(file["landed_file"] or "none: not there any more")), Text(clean(file["records"]))
            )
        note = Text("`plumbline verify` proves that they are what they were.", style="dim")
        return Group(table, *self._rest(len(files)), note)

    def _rest(self, count: int) -> Iterable[Text]:
        if count > _SHOWN:
            yield Text(
                f"{_SHOWN} of {count}; all of them: plumbline explain {clean(self._subject)} --json",
                style="dim",
            )


def _leading(indicators: list[Row]) -> list[RenderableType]:
    if not indicators:
        return []
    table = _table("Indicator", "Measured as", "Verdict")
    for one in indicators:
        verdict = (
            f"leads by {counted(one['lead_weeks'], 'week')}" if one["verdict"] == "leads" else one["verdict"]
        )
        table.add_row(*(Text(clean(cell)) for cell in (one["name"], one["measure_text"], verdict)))
    return [_heading("Leading indicators, and whether they lead"), table, Text(clean(_heard(indicators)))]


def _heard(indicators: list[Row]) -> str:
    """Which indicator enters the forecast, or why none does."""
    for one in indicators:
        if one["weight"]:
            weight = percent(one["weight"])
            return f"{one['name']} enters the forecast with a weight of {weight}: with it, earlier cycles were foretold better."
    if any(one["verdict"] == "leads" for one in indicators):
        return "None enters the forecast: earlier cycles do not show that one would make it better."
    return "None enters the forecast, for none leads."


def _facts(*facts: tuple[str, object]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in facts:
        table.add_row(Text(label, style="bold"), Text(clean(value)))
    return table


def _numbers(numbers: Row) -> RenderableType:
    """One line for each number, however many there are."""
    if not numbers:
        return Text("It needs none.")
    table = Table.grid(padding=(0, 2))
    for name, value in numbers.items():
        table.add_row(Text(clean(name.replace("_", " "))), Text(exact(value)))
    return table


def _sources(lineage: Iterable[Row]) -> Table:
    table = _table("Source", "Stream", "Newest record", "Rows", "Fresh")
    for row in lineage:
        fresh = Text("stale", style="yellow") if row["stale"] else Text("yes")
        cells = (row["source"], row["stream"], row["newest_record_on"] or "–", row["rows"])
        table.add_row(*(Text(clean(cell)) for cell in cells), fresh)
    return table


def _counted(handoff: Row) -> str:
    counts = [
        f"{handoff['items']} in all", f"{handoff['done']} done", f"{handoff['open']} open", f"{handoff['waiting']} waiting",
    ]  # fmt: skip
    if handoff["returned"]:
        counts.append(f"{handoff['returned']} times one came back")
    return ", ".join(counts)


def _stake(row: Row, currency: str) -> str:
    return quantity(row["amount_at_stake"], currency) if row["amount_at_stake"] else "–"


def _in_short(exception: Row) -> str:
    closed = f", closed {exception['closed_on']}" if exception["closed_on"] else ""
    people = f"{exception['giving_head_name']} and {exception['receiving_head_name']}"
    return f"{exception['exception_id']}: {people}, opened {exception['opened_on']}{closed}"


def _whole_aim(kr: Row) -> str:
    start = "" if kr["baseline"] is None else f" from {quantity(kr['baseline'], kr['unit'])}"
    return f"{kr['kind']} {aim(kr)}{start}"


def _two_heads(row: Row) -> tuple[str, str]:
    """Who gives and who receives."""
    return (
        _person(row["giving_head_name"], row["giving_head_email"]),
        _person(row["receiving_head_name"], row["receiving_head_email"]),
    )


def _foreseen(kr: Row, when: str) -> str:
    """What is expected on the day that the columns `soon_…` or `end_…` are about, with the band of 80 %."""
    low, middle, high = (quantity(kr[f"{when}_{place}"], kr["unit"]) for place in ("p10", "p50", "p90"))
    chance = percent(kr[f"{when}_p_met"])
    return (
        f"{middle} on {kr[f'{when}_on']}, with 80 % between {low} and {high}; chance of the target {chance}"
    )


def _person(name: str, email: str) -> str:
    return f"{name} <{email}>"


def _link(record: Row) -> str | None:
    """The address of a record if it is one that may be followed."""
    url = clean(record["url"])
    return url if url.startswith(("https://", "http://")) else None


def _table(*headers: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _heading(text: str) -> Text:
    return Text(f"\n{clean(text)}", style="bold")
