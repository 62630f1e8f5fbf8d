"""Write the tables of docs/published.md from the contracts of the published tables: `.venv/bin/python docs/published.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from publish import PUBLIC_TABLES, PublicTable
from strategy.key_result_models import evidence_yaml

PAGE = Path(__file__).with_suffix(".md")
MODELS = PAGE.parent.parent / "dbt_project" / "models" / "scorecard"

# dbt has several names for these.
SAME = {"string": "text", "timestamptz": "timestamp with time zone"}

TABLES = "## Tables\n"


def contract(page: str) -> str:
    """The page with its tables made anew; what stands before them is written by hand."""
    described = _described()
    contents = " · ".join(f"[{table.name}](#{table.name})" for table in PUBLIC_TABLES)
    tables = [_table(table, described[table.name]) for table in PUBLIC_TABLES]
    return "\n".join([page.partition(TABLES)[0] + TABLES + contents, "", *tables])


def _described() -> dict[str, Any]:
    """What dbt knows of each model, by name."""
    texts = [path.read_text(encoding="utf-8") for path in MODELS.rglob("*.yml")]
    files = [yaml.safe_load(text) for text in [*texts, evidence_yaml()]]
    return {model["name"]: model for file in files for model in file.get("models", [])}


def _table(table: PublicTable, model: Any) -> str:
    return "\n".join(
        [
            f"### {table.name}",
            _on_one_line(model["description"]),
            "",
            f"Key: {', '.join(f'`{column}`' for column in table.grain)}. "
            + ("Parquet and JSON." if table.as_json else "Parquet only."),
            "",
            "| column | type | what it holds |",
            "|---|---|---|",
            *_columns(model),
            "",
        ]
    )


def _columns(model: Any) -> Iterator[str]:
    for column in model["columns"]:
        kind = SAME.get(column["data_type"], column["data_type"])
        yield f"| {column['name']} | {kind} | {_on_one_line(column['description'])} |"


def _on_one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(contract(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
