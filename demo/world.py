"""The simulated company: 15 months of work, sales and books, and what its systems show on the evening of any day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from demo import crm as crm_wire
from demo import jira_wire
from demo.clock import end_of
from demo.crm import Crm
from demo.departments import run_departments
from demo.engineering import found_teams, run_teams
from demo.finance import Books, BudgetLine, Posting, keep_books, posted_until
from demo.finance_files import write_finance_files
from demo.handoffs import run_handoffs
from demo.launch import Launch, run_launch
from demo.projects import PROD
from demo.sales import run_sales
from demo.servers.hubspot import CrmAccount
from demo.servers.jira import JiraSite
from demo.tracker import Tracker

DEFAULT_SEED = 20261005


@dataclass(frozen=True)
class Snapshot:
    """What the company's systems show at the end of `day` in Berlin: records in the shapes of the real APIs."""

    day: date
    jira: JiraSite
    crm: CrmAccount
    postings: list[Posting]
    budget: list[BudgetLine]

    def write_finance(self, folder: Path) -> None:
        """Writes the finance system's exports as they lie in its folder that evening."""
        write_finance_files(folder, self.postings, self.budget, self.day)


@dataclass(frozen=True)
class World:
    """A company's whole history under one seed; `as_of` cuts it at a day."""

    seed: int
    tracker: Tracker
    crm: Crm
    books: Books
    launch: Launch

    def as_of(self, day: date) -> Snapshot:
        """The snapshot at the end of `day`: nothing that happened later shows in it."""
        now = end_of(day)
        return Snapshot(
            day=day,
            jira=_site(self.tracker, now),
            crm=CrmAccount(
                deals=[crm_wire.deal_record(deal, now) for deal in self.crm.deals if deal.created < now],
                pipelines=crm_wire.pipeline_records(),
                owners=crm_wire.owner_records(),
            ),
            postings=posted_until(self.books.postings, day),
            budget=list(self.books.budget),
        )


def _site(tracker: Tracker, now: datetime) -> JiraSite:
    seen = {issue: issue.state_before(now) for issue in tracker.issues if issue.created < now}
    states = {issue: state for issue, (state, _) in seen.items()}
    issues, changelogs = [], {}
    for issue, (_, count) in seen.items():
        changes = issue.changes[:count]
        updated = changes[-1].at if changes else issue.created
        issues.append(jira_wire.issue_record(issue, states, updated, now))
        changelogs[issue.id] = [jira_wire.history_record(change) for change in changes]
    return JiraSite(
        issues=issues,
        changelogs=changelogs,
        statuses=jira_wire.status_records(),
        fields=jira_wire.field_records(),
        projects=jira_wire.project_records(),
        versions={PROD.id: jira_wire.version_records(tracker.versions, now)},
        boards=jira_wire.board_records(tracker.sprints),
        sprints=jira_wire.sprint_records(tracker.sprints, now),
    )


@cache
def simulate(seed: int = DEFAULT_SEED, talked_on: date | None = None) -> World:
    """Plays the company from 2025-10-06 to 2027-01-03; the same seed gives the same world, which is played once.

    `talked_on`: the day on which the heads of engineering and product talk about the hand-off that fails; None: never.
    """
    tracker, crm = Tracker(), Crm()
    teams = found_teams(tracker)
    run_teams(seed, tracker, teams)
    run_departments(seed, tracker)
    run_handoffs(seed, tracker, teams)
    run_sales(seed, crm)
    launch = run_launch(seed, tracker, teams, crm, talked_on)
    tracker.close()
    crm.close()
    return World(seed, tracker, crm, keep_books(seed, crm), launch)
