"""Engineering's own work: three teams, two-week sprints out of their own backlogs, and defects fixed as they come."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from demo.clock import CYCLE_END, HISTORY_START, ON_CALL, is_working_day, local, moment, mondays, position
from demo.company import HEADS, STAFF, Person, stream
from demo.kanban import EvenDraws, WeeklyFlow, complete_weekly, ramp
from demo.projects import (
    APP,
    BUG,
    CANCELLED,
    DONE,
    EPIC,
    IN_PROGRESS,
    IN_REVIEW,
    INT,
    PLAT,
    SELECTED,
    STORY,
    SUBTASK,
    TASK,
)
from demo.texts import bug_title, title
from demo.tracker import Issue, Project, Sprint, Tracker

_POINTS = (1.0, 2.0, 3.0, 3.0, 5.0, 5.0, 8.0)
_SPRINT_DAYS = 10
# Days from report to fix, around the clock; they fall from August 2026 on.
_FIX_MEDIAN = ((date(2026, 8, 24), 6.8), (date(2026, 12, 14), 3.3))
_FIX_SIGMA = 0.42


@dataclass(frozen=True)
class Planned:
    """A piece of work in a backlog with the points the team will give it."""

    issue: Issue
    points: float


@dataclass
class Team:
    """A team: the project it serves, its board, the points it commits to per sprint, its people and its backlog."""

    project: Project
    board: int
    commitment: int
    bugs_per_week: float
    staff: tuple[Person, ...]
    sprints: list[Sprint] = field(default_factory=list)
    backlog: list[Planned] = field(default_factory=list)
    epics: list[Issue] = field(default_factory=list)


def found_teams(tracker: Tracker) -> dict[str, Team]:
    """The three teams with their sprints from the start of the history to past the cycle's end."""
    staff = STAFF["engineering"]
    teams = (
        Team(PLAT, 11, 54, 4.0, staff[0:7]),
        Team(APP, 12, 62, 5.5, staff[7:14]),
        Team(INT, 13, 40, 3.0, staff[14:21]),
    )
    for number, monday in enumerate(mondays(HISTORY_START, CYCLE_END + timedelta(days=28))[::2]):
        for team in teams:
            friday = monday + timedelta(days=11)
            sprint = Sprint(
                id=100 + 3 * number + team.board - 11,
                name=f"{team.project.key} Sprint {number + 1}",
                board=team.board,
                starts=local(monday, 10.0),
                ends=local(friday, 16.0),
                completes=local(friday, 16.0 + team.board / 60),
            )
            team.sprints.append(sprint)
            tracker.sprints.append(sprint)
    return {team.project.key: team for team in teams}


def run_teams(seed: int, tracker: Tracker, teams: dict[str, Team]) -> None:
    """Plays every sprint and every defect of every team into the tracker."""
    for key, team in teams.items():
        rng = stream(seed, f"engineering/{key}")
        _open_epics(team, tracker, rng)
        carried: list[Planned] = []
        for sprint in team.sprints:
            _refine(team, tracker, sprint, rng)
            carried = _play(team, sprint, carried, rng)
        _add_subtasks(team, tracker, rng)
        flow = WeeklyFlow(
            project=team.project,
            kind=BUG,
            staff=team.staff,
            title=lambda dice, key=key: bug_title(key, dice),  # type: ignore[misc]
            weekly=lambda _, rate=team.bugs_per_week: rate,  # type: ignore[misc]
            lead=lambda day: ramp(day, _FIX_MEDIAN),
            sigma=_FIX_SIGMA,
            axis=ON_CALL,
        )
        complete_weekly(flow, tracker, stream(seed, f"bugs/{key}"))


def span_of(sprint: Sprint) -> tuple[float, float]:
    """The working-time positions between which a sprint's work is done."""
    monday = sprint.starts.date()
    friday = monday + timedelta(days=11)
    last = position(friday) + 0.8 if is_working_day(friday) else position(friday) - 0.15
    return position(monday) + 0.2, last


def _open_epics(team: Team, tracker: Tracker, rng: random.Random) -> None:
    """One epic per quarter and team, opened in its first week and finished in its last."""
    for number, monday in enumerate(mondays(HISTORY_START, CYCLE_END)[::13]):
        start = position(monday) + rng.uniform(0.05, 0.1)
        summary = f"{team.project.name} roadmap {number + 1}: {title(team.project.key, rng)}"
        lead = team.staff[0]
        epic = tracker.create(
            team.project, EPIC, moment(start), HEADS["engineering"], summary=summary, assignee=lead
        )
        epic.move(moment(start + rng.uniform(1, 4)), lead, IN_PROGRESS)
        epic.move(moment(start + 60 + rng.uniform(0, 2)), lead, DONE)
        team.epics.append(epic)


def _refine(team: Team, tracker: Tracker, sprint: Sprint, rng: random.Random) -> None:
    """Fills the backlog to one and a half sprints in the two weeks before a sprint is planned."""
    planned = position(sprint.starts.date())
    first = max(position(HISTORY_START), planned - _SPRINT_DAYS)
    waiting = sum(item.points for item in team.backlog)
    while waiting < team.commitment * 1.6:
        created = rng.uniform(first, planned - 0.45) if planned > first else planned + rng.uniform(0.01, 0.1)
        item = _story(team, tracker, created, rng)
        team.backlog.append(item)
        waiting += item.points
    team.backlog.sort(key=lambda item: item.issue.created)
    if rng.random() < 0.5:
        dropped = team.backlog.pop(rng.randrange(3))
        dropped.issue.move(moment(planned + 0.16), rng.choice(team.staff), CANCELLED)


def _story(team: Team, tracker: Tracker, created: float, rng: random.Random) -> Planned:
    opened = [epic for epic in team.epics if epic.created < moment(created)]
    author = rng.choice(team.staff)
    issue = tracker.create(
        team.project,
        STORY if rng.random() < 0.7 else TASK,
        moment(created),
        author,
        summary=title(team.project.key, rng),
        parent=opened[-1] if opened and rng.random() < 0.8 else None,
        labels=(rng.choice(("tech-debt", "depot", "security", "ux")),) if rng.random() < 0.3 else (),
        priority=rng.choices(("Medium", "High", "Low"), (7, 2, 1))[0],
    )
    points = rng.choice(_POINTS)
    issue.set(moment(created + rng.uniform(0.01, 0.03)), author, points=points)
    if rng.random() < 0.06:
        issue.set(moment(created + 0.04), author, summary=issue.start["summary"] + " (agreed scope)")
    if rng.random() < 0.08:
        issue.add(moment(created + 0.05), author, labels="needs-design")
    if rng.random() < 0.06:
        issue.set(moment(created + 0.3), author, priority=rng.choice(("High", "Low")))
    return Planned(issue, points)


def _play(team: Team, sprint: Sprint, carried: list[Planned], rng: random.Random) -> list[Planned]:
    """One sprint: what was carried over first, then the oldest of the backlog; returns what is carried on.

    New work is chosen to slip until a tenth of the points has slipped: the team delivers about nine tenths.
    """
    first, last = span_of(sprint)
    room = team.commitment * (last - first) / 9.6 - sum(item.points for item in carried)
    fresh: list[Planned] = []
    while room > 0 and team.backlog:
        item = team.backlog.pop(0 if rng.random() < 0.7 else rng.randrange(len(team.backlog)))
        fresh.append(item)
        room -= item.points
    total = sum(item.points for item in (*carried, *fresh))
    to_slip, slipped = total * rng.uniform(0.09, 0.12), list[Planned]()
    for item in rng.sample(fresh, len(fresh)):
        if sum(s.points for s in slipped) + item.points <= to_slip + 1:
            slipped.append(item)
    draws = EvenDraws(rng)
    for item in carried:
        item.issue.add(moment(first - 0.15), team.staff[0], sprints=sprint)
        _finish(item, team, first + draws.draw() * min(5.0, last - first), rng)
    for item in fresh:
        _plan(item, team, sprint, rng)
        begun = first + draws.draw() ** 1.8 * (last - first) * (0.75 if item not in slipped else 0.9)
        worker = rng.choice(team.staff)
        item.issue.set(moment(begun - 0.01), worker, assignee=worker)
        item.issue.move(moment(begun), worker, IN_PROGRESS)
        if item not in slipped:
            _finish(item, team, begun + (last - begun) * rng.uniform(0.1, 0.85), rng)
    return slipped


def _plan(item: Planned, team: Team, sprint: Sprint, rng: random.Random) -> None:
    at = moment(position(sprint.starts.date()) + rng.uniform(0.04, 0.14))
    item.issue.add(at, team.staff[0], sprints=sprint)
    item.issue.move(at, team.staff[0], SELECTED)


def _finish(item: Planned, team: Team, done: float, rng: random.Random) -> None:
    issue, reviewer = item.issue, rng.choice(team.staff)
    reviewed = done - rng.uniform(0.05, 0.4)
    issue.move(moment(reviewed), reviewer, IN_REVIEW)
    if rng.random() < 0.15:
        issue.move(moment(reviewed + (done - reviewed) * 0.3), reviewer, IN_PROGRESS)
        issue.move(moment(reviewed + (done - reviewed) * 0.8), reviewer, IN_REVIEW)
    issue.move(moment(done), reviewer, DONE)
    chance = rng.random()
    if chance < 0.015:
        issue.move(moment(done + rng.uniform(0.3, 2)), issue.reporter, IN_PROGRESS)
        issue.move(moment(done + rng.uniform(2.1, 4)), reviewer, DONE)
    elif chance < 0.04:
        issue.set(moment(done - 0.02), reviewer, points=max(1.0, item.points + rng.choice((-2.0, 2.0))))


def _add_subtasks(team: Team, tracker: Tracker, rng: random.Random) -> None:
    """A few stories are split into sub-tasks, as some people like to."""
    stories = [i for i in tracker.issues if i.project is team.project and i.start["type"] is STORY]
    for parent in rng.sample(stories, len(stories) // 14):
        for part in ("backend", "screens", "tests")[: rng.randint(2, 3)]:
            at = parent.created + timedelta(minutes=rng.randint(20, 200))
            subtask = tracker.create(
                team.project,
                SUBTASK,
                at,
                parent.reporter,
                summary=f"{parent.start['summary']}: {part}",
                parent=parent,
            )
            closed = parent.last_edit() - timedelta(minutes=rng.randint(5, 40))
            if closed > at:
                subtask.move(at + (closed - at) / 2, parent.reporter, IN_PROGRESS)
                subtask.move(closed, parent.reporter, DONE)
