"""Everybody's week goes to them alone, says what the page says, and no more than they may see."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.check_ins import of_the_cycle, week_of, weekly
from alerts.incidents import Incident, open_incidents
from alerts.message import Reader
from alerts.sight import Sight, discreet
from publish import Published
from publish.audience import Access, Audience, Grant
from tests.alerts.incidents import AMARA, KATHARINA, TOMASZ
from tests.publish.conftest import demo_run, week_4, week_11

__all__ = ["demo_run", "week_4", "week_11"]

HEADS = [TOMASZ, AMARA]
PAGES = "https://scorecard.example"


@pytest.fixture
def published(week_4: Path) -> Published:
    return Published(week_4.parent, week_4.name)


def limited(published: Published, folder: Path, *grants: tuple[str, Audience]) -> Sight:
    return Sight(published, Access([Grant((who,), audience) for who, audience in grants]), folder)


def words(notices: list[Incident]) -> str:
    return " ".join(
        text for one in notices for text in (one.title, *one.sentences, *(fact.text for fact in one.facts))
    )


def test_each_owner_and_head_gets_one_and_the_heads_the_company_s(
    published: Published, tmp_path: Path
) -> None:
    notices = list(weekly(Sight(published, None, tmp_path), HEADS, PAGES))
    owners = {row["owner_email"] for row in published.table("kr_current")}
    functions = {row["function_id"] for row in published.table("function_current")}
    expected = {f"check_in/2026-W44/person/{email}" for email in owners}
    expected |= {f"check_in/2026-W44/function/{function}" for function in functions} | {"week/2026-W44"}
    assert {one.key for one in notices} == expected and len(notices) == len(expected)
    for one in notices:
        assert one.page and (published.folder / "site" / one.page.removeprefix(f"{PAGES}/site/")).exists()
        if one.kind == "check_in" and "/person/" in one.key:
            assert [reader.email for reader in one.readers] == [one.key.rpartition("/")[2]]
    assert [one.readers for one in notices if one.kind == "week"] == [tuple(HEADS)]
    assert week_of(published) == "week/2026-W44"


def test_an_owner_reads_value_change_and_forecast_of_the_own_key_results(
    published: Published, tmp_path: Path
) -> None:
    notices = {one.key: one for one in weekly(Sight(published, None, tmp_path), HEADS, PAGES)}
    for row in published.table("kr_current"):
        facts = notices[f"check_in/2026-W44/person/{row['owner_email']}"].facts
        (own,) = [fact for fact in facts if "what moved" in fact.label and row["name"] in fact.label]
        assert "value" in own.text and ("in the week" in own.text)
        assert row["status"] == "green" or row["reason"] in own.text


def test_nobody_is_told_what_they_may_not_see(published: Published, tmp_path: Path) -> None:
    everything = words(list(weekly(Sight(published, None, tmp_path / "all"), HEADS, PAGES)))
    assert "1,892,500 EUR" in everything
    engineer, others = Audience(frozenset({"engineering"}), finance=False), Audience(finance=False)
    sight = limited(published, tmp_path, (TOMASZ.email, engineer), ("*@meridian-logistics.example", others))
    notices = list(weekly(sight, HEADS, PAGES))
    assert {one.kind for one in notices} == {"check_in"}, "no head may see all of the company's week"
    assert notices and "EUR" not in words(notices)
    only_amara = limited(published, tmp_path / "none", (AMARA.email, Audience()))
    assert [one.readers for one in weekly(only_amara, HEADS, PAGES)] == [(AMARA,)] * 3, (
        "the company's, her function's, her own"
    )


def test_what_both_must_know_is_told_without_the_amounts_that_one_may_not_see(
    published: Published, tmp_path: Path
) -> None:
    def read(run: Published) -> list[Incident]:
        return open_incidents(run, {}, PAGES)

    found = read(published)
    talk = next(one for one in found if one.key == "review/fleetlink-apis")
    assert "1,892,500 EUR" in words([talk])
    open_to_all = [(one.email, Audience()) for one in (AMARA, KATHARINA)]
    sight = limited(published, tmp_path, (TOMASZ.email, Audience(finance=False)), *open_to_all)
    told = {one.key: one for one in discreet(found, sight, read)}
    assert set(told) == {one.key for one in found}
    assert "EUR" not in words([told["review/fleetlink-apis"]])
    assert "0 of 21 items are done" in words([told["review/fleetlink-apis"]])
    assert told["review/fleetlink-apis"].readers == talk.readers


def test_the_mid_cycle_review_is_told_from_the_middle_week_on(
    week_4: Path, week_11: Path, tmp_path: Path
) -> None:
    def keys(run: Path) -> Iterator[str]:
        sight = Sight(Published(run.parent, run.name), None, tmp_path)
        return (one.key for one in of_the_cycle(sight, [Reader("A", "a@example.com")], PAGES))

    assert list(keys(week_4)) == []
    assert list(keys(week_11)) == ["mid_cycle/2026-Q4"]
