"""A file of which nothing is known: the proposed profile is the one it was made by, and reads it."""

from pathlib import Path

import pytest
import yaml

from connectors.errors import InputError
from connectors.finance.inspect import inspect, layout_yaml
from tests.connectors.finance_folder import Folder
from tests.connectors.test_finance_profiles import CASES, batch


@pytest.mark.parametrize("profile", [name for name in CASES if name != "generic"])
def test_the_system_that_a_file_comes_from_is_found(tmp_path: Path, profile: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(CASES[profile][0])
    proposal = inspect(path)
    assert (proposal.layout.profile, proposal.certainty) == (profile, "sure")
    assert [record["posting"]["amount"] for record in proposal.records]
    (layout,) = yaml.safe_load(layout_yaml(proposal))
    folder = Folder(tmp_path, **layout, columns={}, constants={})
    assert len(folder.read("export.csv", CASES[profile][0])) == 3


def test_a_datev_batch_is_known_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "EXTF.csv"
    path.write_bytes(batch("20180101", '1,00;"S";"";;1200;8400;2102'))
    assert inspect(path).layout.profile == "datev"


def test_real_exports_are_read_by_what_is_proposed_for_them(real_records: Path) -> None:
    oxford = inspect(real_records / "finance_oxford" / "expenditure-over-500-oct-dec-2016.csv")
    assert (oxford.layout.profile, oxford.share_read) == ("generic", 1)
    assert inspect(real_records / "finance_datev" / "EXTF_Buchungsstapel.csv").layout.profile == "datev"


def test_rows_that_it_cannot_read_make_a_proposal_less_sure(tmp_path: Path) -> None:
    path = tmp_path / "gl.csv"
    sound = "31/10/2026,4000,1.00,D\n"
    path.write_text("Date,Account,Amount,Document\n" + sound * 20 + "x,4000,1.00,D\n")
    assert inspect(path).certainty == "likely"
    path.write_text("Date,Account,Amount,Document\n" + sound * 2 + "x,4000,1.00,D\n")
    assert inspect(path).certainty == "a guess"


def test_what_no_profile_reads_is_said_with_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Name,City\nAnn,Oxford\n")
    with pytest.raises(InputError, match=r"no column .* for date"):
        inspect(path)
