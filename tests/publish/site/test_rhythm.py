"""Check-ins and reviews say what plain Python finds in the published rows, to whom it concerns, and their pages say the same."""

import json
import re
import shutil
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from publish.reading import Published
from publish.site import build_site
from publish.site.rhythm import CheckIn, Said, check_ins, reviews
from publish.wording import clean, counted, day, percent, quantity
from tests.browser import Window
from tests.publish.site.reading_pages import read_page

Row = dict[str, Any]


def published(run: Path) -> Published:
    return Published(run.parent, run.name)


def table(run: Path, name: str) -> list[Row]:
    answer = duckdb.execute("select * from read_parquet(?)", [str(run / f"tables/{name}.parquet")])
    columns = [column[0] for column in answer.description or []]
    return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]


def last_day(run: Path) -> date:
    days: set[date] = {row["as_of"] for row in table(run, "kr_current")}
    (only,) = days
    return only


def said(one: CheckIn, section: str) -> tuple[Said, ...]:
    return next((each.said for each in one.sections if each.key == section), ())


def by_owner(run: Path) -> dict[str, CheckIn]:
    return {one.subject: one for one in check_ins(published(run)) if one.kind == "person"}


def changed(run: Path, name: str, query: str) -> None:
    """Replace a table of the run by a query over it, where it is called `old`."""
    parquet = run / f"tables/{name}.parquet"
    with duckdb.connect() as con:
        con.execute(f"create view old as select * from read_parquet('{parquet}')")
        con.execute(f"create table changed as {query}")
        con.execute(f"copy changed to '{parquet}' (format parquet)")
        con.execute(f"copy changed to '{run}/json/{name}.json' (format json, array true)")


@pytest.fixture(scope="module")
def ended(week_11: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of week 11 as if the cycle ended with it: conversations that were closed, and a target that was lowered."""
    run = tmp_path_factory.mktemp("ended") / "run"
    shutil.copytree(week_11, run, ignore=shutil.ignore_patterns("site"))
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps({**about, "cycle_end": about["as_of"]}), encoding="utf-8")
    for name, query in {
        # Three more of each, which were closed 2, 4 and 9 days after they had been opened.
        "exceptions": "select * from old union all by name select * replace (exception_id || days as exception_id, "
        "'closed' as state, false as is_open, cast(opened_on + days as date) as closed_on) "
        "from old, (values (2), (4), (9)) as made (days)",
        "grades": "select * replace (if(subject = 'won-amount', 0.42, original_grade) as original_grade) from old",
        "strategy_changes": "select * from old union all by name select 'key_result' as kind, 'won-amount' as subject, "
        "'won-amount' as kr_id, 'target' as field, '10862500' as old_value, '4000000' as new_value, "
        "date '2026-11-20' as changed_on, timestamptz '2026-11-20 06:00Z' as seen_at, 'r' as run_id",
        "kr_current": "select * replace (if(kr_id = 'won-amount', 10862500, original_target) as original_target, "
        "if(kr_id = 'won-amount', 'red', original_status) as original_status) from old",
    }.items():
        changed(run, name, query)
    build_site(published(run), run / "site")
    return run


def test_owners_of_one_name_in_any_script_have_a_page_each(week_4: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(week_4, run, ignore=shutil.ignore_patterns("site"))
    changed(
        run,
        "kr_current",
        "select * replace (case when kr_id < 'd' then '李雷' when kr_id < 'h' then '../Zoë O’Neil\u202e<b>' else owner_name end "
        "as owner_name) from old",
    )
    pages = [one.page for one in by_owner(run).values()]
    assert len(set(pages)) == len(pages) == len({row["owner_email"] for row in table(week_4, "kr_current")})
    assert all(re.fullmatch(r"week/people/[a-z0-9-]+\.html", page) for page in pages)
    assert sum("zoe-oneil" in page for page in pages) > 1
    # Whoever has no namesake has a page that keeps its name.
    assert "week/people/ines-cavalcanti.html" not in pages
    assert "week/people/noor-rahimi.html" in pages


@pytest.mark.parametrize("when", ["week_4", "week_11"])
def test_each_owner_sees_the_own_key_results_with_their_change_since_a_week_ago(
    when: str, request: pytest.FixtureRequest
) -> None:
    run: Path = request.getfixturevalue(when)
    before = last_day(run) - timedelta(days=7)
    then = {row["kr_id"]: row for row in table(run, "kr_daily") if row["date"] == before}
    chance = {
        row["kr_id"]: row["p_met"]
        for row in table(run, "forecasts")
        if row["date"] == before and row["horizon"] == "end"
    }
    owned = defaultdict(list)
    for kr in table(run, "kr_current"):
        owned[kr["owner_email"]].append(kr)
    people = by_owner(run)
    assert people.keys() == owned.keys()
    moved = 0
    for email, key_results in owned.items():
        shown = {one.title: one for one in said(people[email], "standing")}
        assert shown.keys() == {kr["name"] for kr in key_results}
        assert people[email].email == email
        for kr in key_results:
            facts, old = dict(shown[kr["name"]].facts), then[kr["kr_id"]]
            assert facts["Value"] == quantity(kr["value"], kr["unit"])
            difference = kr["value"] - old["value"]
            moved += difference != 0
            unit = "points" if kr["unit"] == "%" else kr["unit"]
            assert facts["In the week"] == (
                f"{'+' if difference > 0 else '−'}{quantity(abs(difference), unit)}, from {quantity(old['value'], '')}"
                if difference
                else "unchanged"
            )
            assert facts["Chance"].startswith(percent(kr["end_p_met"]))
            if percent(chance.get(kr["kr_id"])) not in (percent(kr["end_p_met"]), "–"):
                assert facts["Chance"].endswith(f"from {percent(chance[kr['kr_id']])}")
            assert (kr["reason"] in shown[kr["name"]].sentences) == (kr["status"] != "green")
            assert ("a week ago" in shown[kr["name"]].since) == (old["status"] != kr["status"])
    assert moved > 10


@pytest.mark.parametrize("when", ["week_4", "week_11"])
def test_what_moved_a_key_result_are_the_heaviest_of_its_records_of_the_last_seven_days(
    when: str, request: pytest.FixtureRequest
) -> None:
    run: Path = request.getfixturevalue(when)
    zone, first = ZoneInfo(published(run).run["timezone"]), last_day(run) - timedelta(days=6)
    weights: dict[str, dict[tuple[bool, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    names: dict[str, str] = {}
    for row in table(run, "evidence"):
        at = row["at"]
        on = date.fromisoformat(at) if len(at) == 10 else datetime.fromisoformat(at).astimezone(zone).date()
        if on >= first:
            weights[row["kr_id"]][row["part"] == "denominator", row["record"]] += row["contribution"]
            names[row["record"]] = row["name"]
    key_results = {row["name"]: row for row in table(run, "kr_current")}
    shown = {one.title: one for person in by_owner(run).values() for one in said(person, "standing")}
    told = 0
    for name, kr in key_results.items():
        came = weights[kr["kr_id"]]
        heaviest = sorted(came, key=lambda key: (key[0], -abs(came[key]), key[1]))[:8]
        assert [record.name for record in shown[name].records] == [names[record] for _, record in heaviest]
        sentence = f"{counted(len(came), 'record')} came in this week; the value counts {kr['records']:,}."
        assert (sentence in shown[name].sentences) == bool(came)
        told += len(heaviest)
    assert told > 40


def test_what_went_amber_or_red_in_the_week_and_what_is_over(week_4: Path) -> None:
    last = last_day(week_4)
    week = {last - timedelta(days=back) for back in range(7)}
    names = {row["kr_id"]: row["name"] for row in table(week_4, "kr_current")}
    of_work = [row for row in table(week_4, "flags") if row["subject"] in names]
    opened = [row for row in of_work if row["opened_on"] in week]
    closed = [row for row in of_work if row["closed_on"] in week and row not in opened]
    assert opened and closed
    company = check_ins(published(week_4))[0]
    assert {(names[row["subject"]], row["sentence"]) for row in opened} == {
        (one.title, sentence) for one in said(company, "opened") for sentence in one.sentences
    }
    assert sorted((names[row["subject"]], day(row["closed_on"])) for row in closed) == sorted(
        (one.title, dict(one.facts)["Over"]) for one in said(company, "closed")
    )
    still = {row["subject"] for row in opened if row["is_open"]}
    assert {one.title for one in said(company, "opened") if one.status} == {names[one] for one in still}


def test_heads_and_owners_are_told_of_the_hand_offs_that_they_give_and_await(week_4: Path) -> None:
    handoffs = table(week_4, "handoff_current")
    key_results = table(week_4, "kr_current")
    heads = {row["function_id"]: row for row in table(week_4, "function_current")}
    told = [one for one in check_ins(published(week_4)) if one.kind == "function"]
    assert [(one.subject, one.email) for one in told] == [
        (function, row["head_email"]) for function, row in heads.items()
    ]
    for one in told:
        for section, side in (("given", "giver_function"), ("awaited", "receiver_function")):
            assert {each.title for each in said(one, section)} == {
                row["name"] for row in handoffs if row[side] == one.subject
            }
    for email, one in by_owner(week_4).items():
        mine = [row for row in key_results if row["owner_email"] == email]
        functions = {row["function_id"] for row in mine}
        needed = {needs for row in mine for needs in (row["handoffs"] or "").split(",")}
        assert {each.title for each in said(one, "given")} == {
            row["name"] for row in handoffs if row["giver_function"] in functions
        }
        assert {each.title for each in said(one, "awaited")} == {
            row["name"]
            for row in handoffs
            if row["handoff_id"] in needed and row["giver_function"] not in functions
        }
    assert any(said(one, "awaited") for one in by_owner(week_4).values())


def test_a_page_says_all_that_a_message_can_say(week_4: Path, ended: Path) -> None:
    for run in (week_4, ended):
        told = [*check_ins(published(run)), *reviews(published(run))]
        assert len({one.page for one in told}) == len(told) > 20
        for one in told:
            text = " ".join(read_page(run / "site" / one.page).text.split())
            assert clean(one.title) in text
            for section in one.sections:
                assert section.heading in text
                assert len({tuple(label for label, _ in each.facts) for each in section.said}) <= 1
                for each in section.said:
                    for words in (each.title, *each.sentences, *(fact for _, fact in each.facts)):
                        assert clean(words) in text, (one.page, words)
                    assert all(clean(record.name) in text for record in each.records)


def test_the_middle_of_the_cycle_and_its_end_bring_their_reviews(
    week_4: Path, week_11: Path, ended: Path
) -> None:
    assert [one.kind for one in reviews(published(week_4))] == []
    assert [one.kind for one in reviews(published(week_11))] == ["mid-cycle"]
    assert [one.kind for one in reviews(published(ended))] == ["mid-cycle", "retrospective"]
    for run, there in (
        (week_4, set()),
        (week_11, {"mid-cycle.html"}),
        (ended, {"mid-cycle.html", "retrospective.html"}),
    ):
        both = {"mid-cycle.html", "retrospective.html"}
        assert {path for path in both if (run / "site" / path).exists()} == there
        assert both & set(read_page(run / "site/index.html").links) == there


def test_the_review_in_the_middle_names_what_will_be_missed_and_what_was_moved(ended: Path) -> None:
    review = reviews(published(ended))[0]
    missed = [
        row
        for row in table(ended, "kr_current")
        if row["end_p_met"] is not None and row["end_p_met"] < Decimal("0.5")
    ]
    assert [one.title for one in said(review, "missed")] == [
        row["name"] for row in sorted(missed, key=lambda row: row["end_p_met"])
    ]
    for row, one in zip(
        sorted(missed, key=lambda row: row["end_p_met"]), said(review, "missed"), strict=True
    ):
        assert dict(one.facts)["Short by"] == quantity(abs(row["target"] - row["end_p50"]), row["unit"])
    resources = table(ended, "resource_alignment")
    assert len(said(review, "resources")) == len(resources) > 0
    assert dict(said(review, "resources")[0].facts)["At this rate"] == "missed"
    (moved,) = said(review, "moved")
    assert dict(moved.facts) == {"What": "target", "From": "10862500", "To": "4000000", "On": "20 Nov 2026"}
    assert moved.sentences == ("By its first aim it would be red.",)


def test_grades_are_the_share_of_the_way_and_their_average(week_11: Path) -> None:
    graded = {(row["kind"], row["subject"]): row for row in table(week_11, "grades")}
    members = defaultdict(list)
    for kr in table(week_11, "kr_current"):
        grade = min(max(kr["progress"], Decimal(0)), Decimal(1))
        members[kr["objective_id"]].append(grade)
        assert graded["key_result", kr["kr_id"]]["grade"] == grade
        way = kr["target"] is not None
        assert (graded["key_result", kr["kr_id"]]["original_grade"] is not None) == way
    for objective, grades in members.items():
        assert abs(graded["objective", objective]["grade"] - sum(grades) / len(grades)) < Decimal("0.000001")
        assert graded["objective", objective]["key_results"] == len(grades)
    assert {row["is_final"] for row in graded.values()} == {False}
    assert any(grade == 1 for grades in members.values() for grade in grades)


def test_a_forecast_is_scored_as_it_was_first_told_in_this_cycle(week_11: Path) -> None:
    came = {(row["kr_id"], row["date"]): row["value"] for row in table(week_11, "kr_daily")}
    kinds = {row["kr_id"]: row for row in table(week_11, "kr_current")}
    scores: dict[tuple[str, str], list[tuple[bool, Decimal, bool]]] = defaultdict(list)
    told = set()
    for row in sorted(table(week_11, "ledger"), key=lambda row: row["number"]):
        if (row["kr_id"], row["date"]) in told:
            continue
        told.add((row["kr_id"], row["date"]))
        for horizon in ("soon", "end"):
            value = came.get((row["kr_id"], row[f"{horizon}_on"]))
            if value is None or row[f"{horizon}_on"] <= row["date"]:
                continue
            if kinds[row["kr_id"]]["kind"] == "maintain":
                low, high = row["band_low"], row["band_high"]
                met = (low is None or value >= low) and (high is None or value <= high)
            else:
                met = value >= row["target"] if row["target"] > row["baseline"] else value <= row["target"]
            in_band = row[f"{horizon}_p10"] <= value <= row[f"{horizon}_p90"]
            scores[row["kr_id"], horizon].append((in_band, row[f"{horizon}_p_met"], met))
    found = {(row["kr_id"], row["horizon"]): row for row in table(week_11, "kr_forecast_scores")}
    assert found.keys() == scores.keys()
    assert len(scores) > 10
    for key, each in scores.items():
        row = found[key]
        assert (row["forecasts"], row["in_band"]) == (len(each), sum(in_band for in_band, _, _ in each))
        brier = sum((chance - met) ** 2 for _, chance, met in each) / len(each)
        assert abs(row["brier"] - brier) < Decimal("0.000001")


def test_the_retrospective_grades_and_tells_how_long_conversations_took(ended: Path) -> None:
    review = reviews(published(ended))[-1]
    grades = {row["subject"]: row["grade"] for row in table(ended, "grades") if row["kind"] == "key_result"}
    shown = {one.title: dict(one.facts) for one in said(review, "standing")}
    for kr in table(ended, "kr_current"):
        tenths = int(grades[kr["kr_id"]] * 10 + Decimal("0.5"))
        assert shown[kr["name"]]["Grade"] == ("1.0" if grades[kr["kr_id"]] == 1 else f"0.{min(tenths, 9)}"), (
            kr["kr_id"]
        )
    assert shown["New business of EUR 4 M won"]["By its first aim"] == "0.4"
    functions = {row["function_id"]: row["name"] for row in table(ended, "function_current")}
    owners = {row["kr_id"]: functions[row["function_id"]] for row in table(ended, "kr_current")}
    pairs = {
        row["handoff_id"]: f"{functions[row['giver_function']]} → {functions[row['receiver_function']]}"
        for row in table(ended, "handoff_current")
    }
    lengths: dict[str, list[int]] = defaultdict(list)
    for one in table(ended, "exceptions"):
        pair = pairs.get(one["handoff_id"], f"{owners[one['kr_id']]}, without a hand-off")
        lengths[pair] += [(one["closed_on"] - one["opened_on"]).days] if one["closed_on"] else []
    told = {one.title: dict(one.facts) for one in said(review, "conversations")}
    assert told.keys() == lengths.keys()
    for pair, days in lengths.items():
        assert told[pair]["Closed"] == str(len(days))
        assert Decimal(told[pair]["Days to close, median"]) == Decimal(str(median(days)))
        assert told[pair]["Longest"] == counted(max(days), "day")


def test_what_was_restated_is_told_for_each_key_result(ended: Path) -> None:
    names = {row["kr_id"]: row["name"] for row in table(ended, "kr_current")}
    days: dict[str, list[Row]] = defaultdict(list)
    for row in table(ended, "restatements"):
        days[names[row["kr_id"]]].append(row)
    told = {one.title: dict(one.facts) for one in said(reviews(published(ended))[-1], "restated")}
    assert told.keys() == days.keys()
    for name, rows in days.items():
        assert told[name]["Days"] == str(len(rows))
        most = max(abs(row["difference"]) for row in rows)
        assert told[name]["On"] in {day(row["date"]) for row in rows if abs(row["difference"]) == most}


def test_the_pages_fit_to_print_and_the_retrospective_can_be_read_by_everybody(
    browser: Browser, week_4: Path, ended: Path
) -> None:
    longest = [
        max((week_4 / "site/week" / folder).glob("*.html"), key=lambda file: file.stat().st_size)
        for folder in ("functions", "people")
    ]
    window = Window(browser)
    for file in (week_4 / "site/week/index.html", *longest, ended / "site/mid-cycle.html"):
        window.page.goto(file.as_uri())
        printed = window.page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, file
    window.page.goto((ended / "site/retrospective.html").as_uri())
    assert window.noise == []
    assert Axe().run(window.page, options={"resultTypes": ["violations"]}).response["violations"] == []
    window.close()
