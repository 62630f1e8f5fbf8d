"""Write every export of a run into one folder."""

from pathlib import Path

from publish.exports.feed import write_feed
from publish.exports.plain import write_csv, write_json
from publish.exports.workbook import write_workbook
from publish.reading import Published


def write_exports(published: Published, into: Path) -> None:
    """Write `key-results.xlsx`, `.csv` and `.json` and `exceptions.atom` into the folder `into`, which must not exist yet.

    The same rows give the same bytes. Raises OSError when they cannot be written.
    """
    into.mkdir()
    write_workbook(published, into / "key-results.xlsx")
    write_csv(published.table("kr_current"), into / "key-results.csv")
    write_json(published, into / "key-results.json")
    write_feed(published, into / "exceptions.atom")
