"""`plumbline run --known-at`: the key results again, from the records that had landed by then and from no others.

Everything is computed from the landed files in a state folder of its own, by the strategy and the code of today. Nothing is
pulled, nothing is reported in the ledger, and what is published stays.
"""

import shutil
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.landing import Landing
from orchestration import refresh
from orchestration.ledger import ledger_rows, version_rows
from orchestration.project import prepare
from orchestration.workspace import Workspace
from scorecard.ledger import Ledger
from strategy import InputErrors
from warehouse.connection import connect
from warehouse.ledger_mirror import mirror
from warehouse.strategy_versions import restore_versions


def recompute(workspace: Workspace, moment: datetime, as_of: date | None) -> Path:
    """Compute with what had landed by `moment`; gives the folder it is published in, as `Workspace.published` is one.

    A `moment` without a time zone is one where the cycle is.
    `as_of`: the day to stand on; none: that of the newest run reported by then, else the day of `moment` where the cycle is.
    Raises InputErrors when nothing had landed by then, and RuntimeError when the result fails the checks on what is published.
    """
    here = ZoneInfo(workspace.strategy.cycle.timezone)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=here)
    landed = [one for one in Landing(workspace.landing).manifests() if one.finished_at <= moment]
    if not landed:
        raise InputErrors(
            [
                workspace.problem(
                    ("sources",),
                    f"nothing had landed by {moment.isoformat()}",
                    "Ask for a later moment; the names of the files under .plumbline/landing begin with theirs.",
                )
            ]
        )
    then = workspace.beside(workspace.state / "known_at")
    try:
        # Only one at a time may use that folder.
        refresh.hold_writer(workspace)
        shutil.rmtree(then.state, ignore_errors=True)
        for file in (place for one in landed for place in (one.file, one.place)):
            (then.landing / file).parent.mkdir(parents=True, exist_ok=True)
            (then.landing / file).symlink_to(workspace.landing / file)
        chain = Ledger(workspace.ledger).read()
        reported = [run for run in chain.runs if run.report.reported_at <= moment]
        day = reported[-1].report.as_of if reported else moment.astimezone(here).date()
        refresh.begin(then, "known-at", as_of or day)
        with connect(then.warehouse) as con:
            mirror(con, ledger_rows(reported, chain.answers))
            restore_versions(con, version_rows(reported))
        refresh.load_landed(then)
        transformation = prepare(then)
        refresh.transform(then, transformation)
        failed = [gate for gate in refresh.check_published(then) if not gate.passed]
        if failed:
            raise RuntimeError(f"{failed[0].subject}: {failed[0].message}")
        refresh.publish_run(then, transformation)
    finally:
        refresh.let_go()
    return then.published
