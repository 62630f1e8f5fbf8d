"""A narrowed copy of a run holds all that somebody may see, and nothing else: by an oracle, over every byte and every row."""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from publish import PUBLIC_TABLES, Published
from publish.audience import Audience, narrow, narrow_tables, narrowing, tables_with_a_rule
from publish.site.rhythm import check_ins
from tests.publish.serving.oracle import Oracle, Row, numbers_in, rows_of, standing_in, texts_of, types_of
from tests.publish.serving.planted_run import AMOUNTS_IN_WORDS, BUDGET, CHECK_FOUND, NO_AMOUNTS, planted

AUDIENCES = {
    "engineering": Audience(frozenset({"engineering"})),
    "four functions without finance": Audience(
        frozenset({"finance", "operations", "product", "sales"}), finance=False
    ),
}


@pytest.fixture(scope="module")
def run(published_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = planted((published_demo / "current").resolve(), tmp_path_factory.mktemp("planted"))
    return (root / "current").resolve()


@pytest.fixture(scope="module", params=AUDIENCES.values(), ids=list(AUDIENCES))
def narrowed(
    request: pytest.FixtureRequest, run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Oracle]]:
    audience: Audience = request.param
    folder = tmp_path_factory.mktemp("narrowed") / "copy"
    narrow(Published(run.parent, run.name), audience, folder)
    yield folder, Oracle(run, audience.functions, audience.finance)


def of(rows: list[Row], kr_ids: set[str], *without: str) -> set[tuple[str, ...]]:
    return {
        tuple(f"{name}={value}" for name, value in row.items() if name not in without)
        for row in rows
        if row["kr_id"] in kr_ids
    }


def test_nothing_that_is_hidden_stands_in_any_file(narrowed: tuple[Path, Oracle]) -> None:
    folder, oracle = narrowed
    words = oracle.hidden_words() | {"HIDDEN-ROW-OF-ANOTHER"}
    assert len(words) > 300
    texts = texts_of(folder)
    assert len(texts) > 70
    assert standing_in(words, texts.values()) == set()
    paths = "\n".join(str(file.relative_to(folder)) for file in folder.rglob("*"))
    assert standing_in(words, [paths.replace("/", " ").replace(".html", " ").replace(".sql", " ")]) == set()


def test_no_amount_stands_in_any_file_of_who_may_not_see_finance(narrowed: tuple[Path, Oracle]) -> None:
    folder, oracle = narrowed
    amounts = oracle.amounts() | {BUDGET}
    assert len(amounts) > 1000
    found = amounts & numbers_in(texts_of(folder).values())
    if oracle.finance:
        assert found
    else:
        assert found == set()
        resources = rows_of(folder, "resource_alignment")
        assert resources
        assert {row["spent_share"] or row["spent_ahead"] for row in resources} == {None}
        assert not any(
            # The company's currency is no amount.
            "EUR" in re.sub(r'"currency": ?"EUR"', "", text) or "€" in text
            for name, text in texts_of(folder).items()
            if not name.endswith("run.json")
        )


def test_all_that_may_be_seen_is_there_as_it_was_published(narrowed: tuple[Path, Oracle]) -> None:
    folder, oracle = narrowed
    # What is said of amounts and checks is replaced in texts, so these are compared by the tests below.
    texts = (
        "reason",
        "inputs",
        "sentence",
        "measure_text",
        "handoffs",
        "amount_at_stake",
        "amount",
        "hash",
        "previous",
        "model",
    )
    for table in (
        "kr_current",
        "kr_daily",
        "forecasts",
        "kr_forecast_scores",
        "leading_indicators",
        "evidence",
        "restatements",
        "ledger",
        "strategy_changes",
    ):
        assert of(rows_of(folder, table), oracle.key_results, *texts) == of(
            oracle.tables[table], oracle.key_results, *texts
        ), table
    for table in ("handoff_current", "handoff_daily", "handoff_evidence"):
        kept = {tuple(str(v) for k, v in row.items() if k not in texts) for row in rows_of(folder, table)}
        published = [row for row in oracle.tables[table] if row["handoff_id"] in oracle.handoffs]
        assert kept == {tuple(str(v) for k, v in row.items() if k not in texts) for row in published}, table
    assert {
        row["kr_id"] for row in rows_of(folder, "kr_current")
    } == oracle.key_results | oracle.named_key_results
    assert {row["objective_id"] for row in rows_of(folder, "objective_current")} == oracle.objectives
    assert {path.stem for path in (folder / "sql").iterdir()} == oracle.key_results
    assert rows_of(folder, "source_freshness") == oracle.tables["source_freshness"]
    exceptions = {
        row["exception_id"]
        for row in oracle.tables["exceptions"]
        if row["kr_id"] in oracle.key_results | oracle.named_key_results
    }
    assert {row["exception_id"] for row in rows_of(folder, "exceptions")} == exceptions


def test_of_a_key_result_of_others_nothing_is_told_that_was_measured(narrowed: tuple[Path, Oracle]) -> None:
    folder, oracle = narrowed
    told = {
        "kr_id",
        "name",
        "objective_id",
        "objective_name",
        "function_id",
        "owner_name",
        "owner_email",
        "perspective",
        "kind",
        "unit",
    }
    told |= {"as_of", "status", "rule", "since", "handoffs", "reason"}
    named = [row for row in rows_of(folder, "kr_current") if row["kr_id"] in oracle.named_key_results]
    for row in named:
        assert not any(value for name, value in row.items() if name not in told)
        assert not any(letter.isdigit() for letter in row["reason"])
    for table in PUBLIC_TABLES:
        rows = rows_of(folder, table.name)
        if rows and "kr_id" in rows[0] and table.name not in {"kr_current", "exceptions"}:
            assert {row["kr_id"] for row in rows} <= oracle.key_results | {None}, table.name
    assert not any(
        "%" in row["reason"]
        for row in rows_of(folder, "exceptions")
        if row["kr_id"] in oracle.named_key_results
    )


def test_an_aggregate_speaks_of_what_is_shown(narrowed: tuple[Path, Oracle]) -> None:
    folder, oracle = narrowed
    shown = {row["kr_id"]: row for row in rows_of(folder, "kr_current")}
    worst = ("green", "amber", "red")
    for row in rows_of(folder, "function_current"):
        own = [
            kr
            for kr in shown.values()
            if kr["kr_id"] in oracle.key_results and kr["function_id"] == row["function_id"]
        ]
        if not oracle.is_theirs(row["function_id"]):
            assert not any(value for name, value in row.items() if name not in {"function_id", "name"})
            continue
        assert row["key_results"] == len(own)
        assert row["status"] == max((kr["status"] for kr in own), key=worst.index, default=None)
        assert row["red"] == sum(kr["status"] == "red" for kr in own)
    published = {row["objective_id"]: row for row in oracle.tables["objective_current"]}
    for row in rows_of(folder, "objective_current"):
        of_it = [kr for kr in shown.values() if kr["objective_id"] == row["objective_id"]]
        assert row["key_results"] == len(of_it)
        assert row["weakest_kr_id"] in {*shown, None}
        if of_it:
            assert row["status"] == max((kr["status"] for kr in of_it), key=worst.index)
        if (
            oracle.is_theirs(row["function_id"])
            and row["key_results"] == published[row["objective_id"]]["key_results"]
        ):
            same = ("status", "progress", "green", "amber", "red", "weakest_kr_id", "sponsor_name")
            assert [row[name] for name in same] == [published[row["objective_id"]][name] for name in same]
        for name in ("supports", "drives"):
            assert set((row[name] or "").split(",")) - {""} <= oracle.objectives
    if oracle.functions is not None:
        assert rows_of(folder, "forecast_scores") == []
        for row in rows_of(folder, "starvation"):
            assert oracle.is_theirs(row["giver_function"]) or oracle.is_theirs(row["receiver_function"])
            assert oracle.is_theirs(row["giver_function"]) or row["own_average_days_waited"] is None


@pytest.mark.parametrize("audience", [*AUDIENCES.values(), Audience(frozenset({"people", "product"}))])
def test_grades_speak_of_what_is_shown(run: Path, audience: Audience, tmp_path: Path) -> None:
    folder, oracle = tmp_path / "copy", Oracle(run, audience.functions, audience.finance)
    narrow_tables(Published(run.parent, run.name), audience, folder)
    grades = {(row["kind"], row["subject"]): row for row in rows_of(folder, "grades")}
    published = {(row["kind"], row["subject"]): row for row in oracle.tables["grades"]}
    assert {subject for kind, subject in grades if kind == "key_result"} == oracle.key_results
    above = {row["objective_id"]: row["supports"] or "" for row in oracle.tables["objective_current"]}

    def leads_to(objective: str) -> set[str]:
        return {objective}.union(*(leads_to(one) for one in above[objective].split(",") if one))

    own, of_tree = defaultdict(list), defaultdict(list)
    for kr in oracle.tables["kr_current"]:
        if kr["kr_id"] in oracle.key_results:
            grade = published["key_result", kr["kr_id"]]["grade"]
            assert grades["key_result", kr["kr_id"]] == published["key_result", kr["kr_id"]]
            own[kr["objective_id"]].append(grade)
            for objective in leads_to(kr["objective_id"]):
                of_tree[objective].append(grade)
    assert {subject for kind, subject in grades if kind == "objective"} == set(of_tree)
    for objective, of_it in of_tree.items():
        counted = own[objective] or of_it
        row = grades["objective", objective]
        assert row["key_results"] == len(counted)
        assert abs(row["grade"] - sum(counted) / len(counted)) < Decimal("0.000001")


def test_the_week_is_told_of_own_functions_to_their_heads_and_owners(narrowed: tuple[Path, Oracle]) -> None:
    folder, oracle = narrowed
    told = check_ins(Published(folder.parent, folder.name))
    assert {one.subject for one in told if one.kind == "function"} == set(oracle.functions or ())
    owners = {row["owner_email"] for row in oracle.tables["kr_current"] if row["kr_id"] in oracle.key_results}
    assert {one.subject for one in told if one.kind == "person"} == owners
    written = {str(file.relative_to(folder / "site")) for file in (folder / "site/week").rglob("*.html")}
    assert written == {one.page for one in told}


def test_what_a_check_found_is_told_to_nobody_who_does_not_see_everything(
    narrowed: tuple[Path, Oracle],
) -> None:
    folder, oracle = narrowed
    flags = {(row["kind"], row["subject"]): row["sentence"] for row in rows_of(folder, "flags")}
    assert ("gate", "staging.stg_hubspot__deals") in flags
    assert flags["freshness", "jira.issues"] == "The newest record of jira.issues is 5 days old."
    assert (("model", "key_results.kr_win_rate") in flags) == ("win-rate" in oracle.key_results)
    reasons = {row["kr_id"]: row["reason"] for row in rows_of(folder, "kr_current")}
    if "sprint-delivery" in oracle.key_results:
        assert reasons["sprint-delivery"] == "Not to be trusted. A check of its data fails."
    assert not any(CHECK_FOUND in text for text in texts_of(folder).values())


def test_a_text_that_states_an_amount_is_not_shown_without_finance_and_others_are(
    narrowed: tuple[Path, Oracle],
) -> None:
    folder, oracle = narrowed
    said = {row["sentence"] for row in rows_of(folder, "flags")}
    assert set(NO_AMOUNTS) <= said
    assert said & set(AMOUNTS_IN_WORDS) == (set(AMOUNTS_IN_WORDS) if oracle.finance else set())


def test_pages_lead_to_nothing_that_is_not_there(narrowed: tuple[Path, Oracle]) -> None:
    folder, _ = narrowed

    class Links(HTMLParser):
        found: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [value for name, value in attrs if name in {"href", "src"} and value]

    for page in (folder / "site").rglob("*.html"):
        links = Links()
        links.found = []
        links.feed(page.read_text(encoding="utf-8"))
        for link in links.found:
            if not link.startswith(("#", "http")):
                assert (page.parent / link.split("#")[0]).exists(), (page, link)


def test_every_public_table_has_a_rule_and_one_without_is_empty(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tables_with_a_rule() == {table.name for table in PUBLIC_TABLES}
    shutil.copytree(narrowing._RULES, tmp_path / "rules")
    (tmp_path / "rules" / "source_freshness.sql").unlink()
    monkeypatch.setattr(narrowing, "_RULES", tmp_path / "rules")
    narrow_tables(Published(run.parent, run.name), Audience(frozenset({"people"})), tmp_path / "copy")
    assert rows_of(tmp_path / "copy", "source_freshness") == []
    assert rows_of(tmp_path / "copy", "kr_current") != []


def test_money_bears_the_type_by_which_it_is_left_out(run: Path) -> None:
    """DECIMAL(28,2) is money, and what is called like money is of that type or taken care of by name."""
    by_name = {
        ("resource_alignment", "spent_share"),
        ("resource_alignment", "spent_ahead"),
        ("handoff_current", "deals_at_stake"),
    }
    by_name |= {("handoff_daily", "deals_at_stake")}
    for table in PUBLIC_TABLES:
        for name, kind in types_of(run, table.name).items():
            is_called_money = any(
                word in name for word in ("amount", "budget", "spent", "stake", "cost", "revenue")
            )
            is_as_called = is_called_money == (kind == "DECIMAL(28,2)")
            assert is_as_called or (table.name, name) in by_name, (table.name, name, kind)


def test_who_sees_nobodys_functions_sees_the_company_and_the_sources(run: Path, tmp_path: Path) -> None:
    narrow_tables(Published(run.parent, run.name), Audience(frozenset({"no-such-one"})), tmp_path / "copy")
    empty = {table.name for table in PUBLIC_TABLES if not rows_of(tmp_path / "copy", table.name)}
    assert {table.name for table in PUBLIC_TABLES} - empty == {
        "source_freshness",
        "flags",
        "checks",
        "strategy_changes",
    }
    assert Decimal(Published(tmp_path, "copy").run["ledger"]["number"]) > 0
    assert "hash" not in Published(tmp_path, "copy").run["ledger"]
    assert Published(tmp_path, "copy").run["shown_to"] == {"functions": ["no-such-one"], "finance": True}
