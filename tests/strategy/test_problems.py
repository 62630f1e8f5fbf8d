"""Every error and warning of a strategy names its file, line and field, and one load finds them all.

The folders `broken*` hold the faults, each marked in a comment on the line where it must be found:
`#! field = how the sentence begins` for an error, `#?` for a warning.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

import strategy
from strategy import InputErrors, Person, Problem
from strategy.yaml_source import read

HERE = Path(__file__).parent
_MARK = re.compile(r"#([!?]) (.*?) ?= (.*?)(?=\s+#[!?] |$)")


def _marks(folder: Path) -> list[tuple[str, int, str, str, str]]:
    """File, line, field, severity and beginning of the sentence of every marked fault."""
    return [
        (path.name, number, mark[2].strip(), "error" if mark[1] == "!" else "warning", mark[3])
        for path in sorted(folder.rglob("*.y*ml"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for mark in _MARK.finditer(line)
    ]


def _problems(folder: Path) -> list[Problem]:
    with pytest.raises(InputErrors) as caught:
        strategy.load(folder)
    return list(caught.value.problems)


@pytest.mark.parametrize("folder", ["broken", "broken_cycle"])
def test_each_fault_is_found_where_it_is_and_nothing_else(folder: str) -> None:
    expected = _marks(HERE / folder / "strategy")
    found = [
        problem
        for problem in _problems(HERE / folder / "strategy")
        if problem.file.suffix in (".yml", ".yaml")
    ]
    found = [problem for problem in found if problem.what != "the file is missing"]
    assert sorted((p.file.name, p.line, p.field, p.severity) for p in found) == sorted(
        mark[:4] for mark in expected
    )
    for problem in found:
        [begin] = [
            mark[4] for mark in expected if mark[:3] == (problem.file.name, problem.line, problem.field)
        ]
        assert problem.what.startswith(begin)
        assert problem.mend.endswith((".", "?", '"'))


def test_errors_come_before_warnings_and_in_the_order_of_the_files() -> None:
    problems = _problems(HERE / "broken" / "strategy")
    severities = [problem.severity for problem in problems]
    assert severities == sorted(severities)
    errors = [(str(problem.file), problem.line) for problem in problems if problem.severity == "error"]
    assert errors == sorted(errors)


def test_a_problem_reads_as_one_line_with_file_line_and_field() -> None:
    [problem] = [
        p for p in _problems(HERE / "broken" / "strategy") if p.field == "key_results[1].measure.filter"
    ]
    assert str(problem) == (
        f"{HERE}/broken/strategy/objectives/measures.yml:35: key_results[1].measure.filter: "
        "work_items has no column `typ`. Did you mean `type`?"
    )


def test_metrics_with_the_name_of_a_table_are_rejected() -> None:
    metrics = {
        p.file.name: p.what for p in _problems(HERE / "broken" / "strategy") if p.file.suffix == ".sql"
    }
    assert metrics == {
        "On-Time.sql": "`On-Time` cannot name a metric",
        "work_items.sql": "`work_items` is the name of one of Plumbline's tables",
    }


@pytest.mark.parametrize("missing", ["cycle.yml", "functions.yml"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    shutil.copytree(HERE / "example", tmp_path, dirs_exist_ok=True)
    (tmp_path / "strategy" / missing).unlink()
    assert (tmp_path / "strategy" / missing, "the file is missing") in [
        (p.file, p.what) for p in _problems(tmp_path / "strategy")
    ]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    [problem] = _problems(tmp_path / "strategy")
    assert problem.file == tmp_path / "strategy"


def test_a_strategy_without_key_results_is_no_strategy(tmp_path: Path) -> None:
    shutil.copytree(HERE / "example", tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "strategy" / "objectives")
    [problem] = _problems(tmp_path / "strategy")
    assert problem.what == "the strategy has no key result"


def test_too_many_key_results_are_a_warning_at_the_first_that_is_too_many(tmp_path: Path) -> None:
    shutil.copytree(HERE / "example", tmp_path, dirs_exist_ok=True)
    objectives = tmp_path / "strategy" / "objectives"
    text = (objectives / "speed.yml").read_text(encoding="utf-8")
    ids = ("speed", "fast-fixes", "spend-on-plan", "sprint-delivery")
    for number in range(1, 7):
        again = re.sub(rf"id: ({'|'.join(ids)})\n", rf"id: \1-{number}\n", text)
        (objectives / f"speed-{number}.yml").write_text(again, encoding="utf-8")
    [warning] = strategy.load(tmp_path / "strategy").warnings
    # 2 + 3 + 5 * 3 come before; ids sort as text.
    assert (warning.file.name, warning.field, warning.line) == ("speed-6.yml", "key_results[0]", 11)
    assert warning.what == "23 key results are too many to focus on"


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"", 1, "the file is empty"),
        (b"# only a comment\n", 1, "the file is empty"),
        (b"a: 1\nb: \xff\n", 2, "not UTF-8 text"),
        (b"a: 1\nb: \x01\n", 2, "a character that YAML does not allow"),
        (b"a: 1\nb: 'x\n", 3, "not well-formed YAML"),
        (b"a: 1\n\tb: 2\n", 2, "not well-formed YAML"),
        (b"a: 1\n---\nb: 2\n", 2, "not well-formed YAML"),
        (b"a: *nothing\n", 1, "not well-formed YAML"),
        (b"a: 1\nb: 2\na: 3\n", 3, "`a` is given twice, first on line 1"),
        (b"a: 1\nb: &b [*b]\n", 2, "an alias that contains itself"),
        (b"a: 1\n? [x, y]\n: 2\n", 2, "a key that is not plain text"),
        (b"a: 2026-02-30\n", 1, "`2026-02-30` is not a valid date"),
        (b"a: !!python/object/apply:os.system [ls]\n", 1, "the tag `tag:yaml.org,2002:python"),
    ],
)
def test_yaml_that_cannot_be_read_is_a_problem_of_its_line(
    tmp_path: Path, content: bytes, line: int, what: str
) -> None:
    (tmp_path / "a.yml").write_bytes(content)
    with pytest.raises(InputErrors) as caught:
        read(tmp_path / "a.yml")
    [problem] = caught.value.problems
    assert (problem.line, problem.what[: len(what)]) == (line, what)


def test_aliases_of_aliases_cost_no_more_than_their_text(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    (tmp_path / "a.yml").write_text("\n".join(lines), encoding="utf-8")
    assert len(read(tmp_path / "a.yml").data["a39"]) == 9


class _Access(BaseModel):
    token: SecretStr
    retries: int


def test_a_secret_is_shown_by_no_problem(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("token: 123456789\nretries: many\n", encoding="utf-8")
    value, problems = read(tmp_path / "a.yml").validate(_Access)
    assert value is None
    assert [(problem.line, problem.field, problem.what) for problem in problems] == [
        (1, "token", "`token` is not text"),
        (2, "retries", "`many` is not a whole number"),
    ]


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("José Ortega y Gasset", "jose@example.com"),
        ("Anna-Lena O'Neil, PhD", "anna.o'neil+work@mail.example.technology"),
        ("Friedrich List", "friedrich.list@example.com"),
        ("Allan Hall", "allan.hall@example.com"),
        ("目標 太郎", "taro@example.jp"),
    ],
)
def test_people_with_uncommon_names_are_people(name: str, email: str) -> None:
    assert Person(name=name, email=email).name == name
