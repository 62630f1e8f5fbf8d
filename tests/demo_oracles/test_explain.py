"""`plumbline explain` leads from the sentence of a key result, a hand-off or an exception to the records."""

import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from publish import Published
from publish.chain import UnknownSubjectError, chain_of
from publish.terminal.chain_page import chain_page
from tests.command_line import Answer, plumbline
from tests.demo_oracles.evenings import RUNS, WEEK_3, WEEK_4, WEEK_11
from tests.demo_runs import DemoRuns

FAILING = "fleetlink-apis"

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def workspace(demo_run: DemoRuns) -> Path:
    return demo_run(*RUNS[WEEK_4])


@pytest.fixture(scope="module")
def published(workspace: Path) -> Published:
    return Published(workspace / ".plumbline" / "published")


def explain(workspace: Path, *arguments: str) -> Answer:
    return plumbline("explain", *arguments, "-w", workspace)


def shown(chain: dict[str, Any], *, clickable: bool = False, width: int = 180) -> str:
    out = Console(
        file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False,
        force_terminal=clickable, color_system="standard" if clickable else None,
    )  # fmt: skip
    out.print(chain_page(chain, clickable=clickable))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_a_key_result_is_led_back_over_its_rule_and_hand_off_to_the_records(
    workspace: Path, published: Published
) -> None:
    chain = json.loads(explain(workspace, "fleetlink-revenue", "--json").out)
    (kr,) = [row for row in published.table("kr_current") if row["kr_id"] == "fleetlink-revenue"]
    assert chain["key_result"]["reason"] == kr["reason"]
    assert chain["numbers"]["handoff_id"] == chain["handoff"]["id"] == FAILING
    assert len(chain["handoff"]["items"]) == chain["numbers"]["items"]
    assert (
        sum(item["state"] == "waiting" for item in chain["handoff"]["items"]) == chain["numbers"]["waiting"]
    )
    assert len(chain["records"]) == kr["records"]
    assert sum(row["contribution"] for row in chain["records"]) == kr["value"]
    assert sum(file["records"] for file in chain["landed_files"]) == kr["records"]
    assert all(
        (workspace / ".plumbline" / "landing" / file["landed_file"]).exists()
        for file in chain["landed_files"]
    )


def test_the_page_holds_every_link_of_the_chain_in_one_piece(workspace: Path, published: Published) -> None:
    answer = explain(workspace, "fleetlink-revenue")
    assert (answer.code, answer.err) == (0, "")
    chain = chain_of(published, "fleetlink-revenue")
    text = " ".join(answer.out.split())
    assert " ".join(chain["key_result"]["reason"].split()) in text
    for name in chain["numbers"]:
        assert re.search(rf"^{name.replace('_', ' ')} +\S", answer.out, flags=re.MULTILINE), name
    for record in [*chain["records"], *chain["handoff"]["deals"], *chain["handoff"]["items"][:20]]:
        assert re.search(rf"{re.escape(record['url'])}\s", answer.out), record["url"]
    for file in chain["landed_files"]:
        assert file["landed_file"] in answer.out


def test_an_exception_names_the_people_what_happened_and_what_is_at_stake(
    workspace: Path, published: Published
) -> None:
    (exception,) = [row for row in published.table("exceptions") if row["kr_id"] == "fleetlink-revenue"]
    chain = json.loads(explain(workspace, exception["exception_id"], "--json").out)
    assert [event["on"] for event in chain["history"]] == sorted(
        exception[column]
        for column in ("opened_on", "review_due_on", "escalated_on", "last_unhealthy_on")
        if exception[column]
    )
    assert (
        sum(deal["amount"] for deal in chain["handoff"]["deals"]) == float(exception["amount_at_stake"]) > 0
    )
    page = explain(workspace, exception["exception_id"]).out
    for person in ("giving_head", "receiving_head", "sponsor"):
        assert f"{exception[person + '_name']} <{exception[person + '_email']}>" in page
    assert all(deal["url"] in page for deal in chain["handoff"]["deals"])


def test_every_key_result_hand_off_and_exception_can_be_explained(demo_run: DemoRuns) -> None:
    for day in (WEEK_4, WEEK_11):
        published = Published(demo_run(*RUNS[day]) / ".plumbline" / "published")
        for name, column in (
            ("kr_current", "kr_id"),
            ("handoff_current", "handoff_id"),
            ("exceptions", "exception_id"),
        ):
            for row in published.table(name):
                chain = chain_of(published, row[column])
                assert chain["id"] == row[column]
                assert row["sentence" if name == "handoff_current" else "reason"].split()[0] in shown(chain)


def test_what_closed_says_when_it_was_healthy(demo_run: DemoRuns) -> None:
    published = Published(demo_run(*RUNS[WEEK_11]) / ".plumbline" / "published")
    for exception in published.table("exceptions"):
        chain = chain_of(published, exception["exception_id"])
        whats = [event["what"] for event in chain["history"]]
        assert any("opened" in what for what in whats)
        assert any("closed" in what for what in whats) == (exception["closed_on"] is not None)


@pytest.mark.parametrize(
    "subject", ["fleetlnk-apis", "", "won-amount/2020-01-01", "../../etc/passwd", "\x1b[31m"]
)
def test_an_unknown_id_is_said_to_be_none_of_them(workspace: Path, subject: str) -> None:
    answer = explain(workspace, subject)
    assert (answer.code, answer.out) == (2, "")
    assert "neither a key result nor a hand-off nor an exception" in answer.err
    assert "\x1b" not in answer.err
    for known in ("won-amount", FAILING, "undeclared/people/operations", f"fleetlink-revenue/{WEEK_3}"):
        assert known in answer.err
    if subject == "fleetlnk-apis":
        assert f"Did you mean {FAILING}" in answer.err


def test_a_hand_off_is_found_beside_a_key_result_of_the_same_id(
    published: Published,
) -> None:
    assert chain_of(published, f"handoff/{FAILING}") == chain_of(published, FAILING)
    with pytest.raises(UnknownSubjectError):
        chain_of(published, "handoff/won-amount")


def test_a_long_list_is_cut_and_says_how_to_see_all(published: Published) -> None:
    chain = chain_of(published, "operating-revenue")
    count = len(chain["records"])
    assert count > 20
    page = shown(chain)
    assert f"20 of {count}; all of them: plumbline explain operating-revenue --json" in page
    weights = [abs(row["contribution"]) for row in chain["records"]]
    assert weights == sorted(weights, reverse=True)
    names = [row["name"] for row in chain["records"]]
    assert all(name in page for name in names[:20])
    assert not any(f" {name} " in page for name in set(names[20:]) - set(names[:20]))


def test_the_page_says_whether_an_indicator_enters_the_forecast(published: Published) -> None:
    chain = chain_of(published, "points-delivered")
    (one,) = chain["leading_indicators"]
    for found, says in (
        ({"verdict": "no evidence", "lead_weeks": None}, "None enters the forecast, for none leads."),
        ({"verdict": "leads", "lead_weeks": 1}, "None enters the forecast: earlier cycles do not show that"),
        (
            {"verdict": "leads", "lead_weeks": 1, "weight": Decimal("0.625")},
            "enters the forecast with a weight of 63%",
        ),
    ):
        page = shown(chain | {"leading_indicators": [one | {"weight": Decimal(0)} | found]})
        assert says in page
        assert ("leads by 1 week " in page) == (found["verdict"] == "leads")


def test_on_a_terminal_the_names_are_the_links(published: Published) -> None:
    chain = chain_of(published, FAILING)
    page = shown(chain, clickable=True, width=90)
    for item in chain["items"][:20]:
        assert re.search(rf"\x1b\]8;id=\d+;{re.escape(item['url'])}\x1b\\.*?{item['name']}", page)


def test_hostile_text_reaches_no_terminal_and_no_link(published: Published) -> None:
    chain = chain_of(published, FAILING)
    evil = "\x1b]8;;https://evil.example\x1b\\click\x07[link=https://evil.example]me[/link]\u202e"
    for item, url in zip(
        chain["items"], ("javascript:alert(1)", "file:///etc/passwd", "\x1b]0;x\x07"), strict=False
    ):
        item.update(name=evil, title=evil, url=url, state=evil)
    page = shown(chain, clickable=True, width=300)
    assert not re.search(r"\x1b\]8;[^;]*;(?!https://(jira|app\.hubspot)\.example/|\x1b)", page)
    assert not set("\x07\u202e") & set(page)
    assert "javascript:" not in page
    assert "[link=https://evil.example]me[/link]" in page
