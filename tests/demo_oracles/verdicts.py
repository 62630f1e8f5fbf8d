"""What a series of values means: progress, pace, status and the roll-up to objectives, by the rules of the design.

The aims are read from the strategy's YAML files as they are written; numbers are exact fractions.
"""

import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import yaml

from tests.command_line import DEMO_WORKSPACE
from tests.demo_oracles.handoffs import Standing, standing
from tests.demo_oracles.key_results import ENGINEERING, Series
from tests.demo_oracles.known import CYCLE, Known, berlin_day, days_between
from tests.demo_oracles.working_days import is_working_day

STRATEGY = DEMO_WORKSPACE / "strategy"
RED_PACE, AMBER_PACE = Fraction(7, 10), Fraction(9, 10)
RED_CHANCE, AMBER_CHANCE = Decimal("0.2"), Decimal("0.5")
PATIENCE = timedelta(days=14)
THREE_WEEKS = timedelta(weeks=3)
# Days in a row that are better, before a status is.
HYSTERESIS = 3
# The same weight decides in this order: doubt about a number goes before what the number says.
RULES = ("untrusted", "handoff", "band", "pace", "forecast", "stalled", "starved", "resources")
SEVERITY = {"green": 0, "amber": 1, "red": 2}


@dataclass(frozen=True)
class Verdict:
    """A key result on one day. What does not apply to it is None: to one that is to be maintained, all about pace."""

    value: Decimal | None
    progress: Fraction | None
    expected_progress: Fraction | None
    expected_value: Fraction | None
    pace: Fraction | None
    status: str
    rule: str


@dataclass(frozen=True)
class RolledUp:
    """Key results taken together, on the last day."""

    status: str
    progress: Fraction
    weakest: str
    statuses: tuple[str, ...]


@cache
def objectives() -> list[dict[str, Any]]:
    """Every objective as its file has it."""
    return [
        yaml.safe_load(path.read_text("utf-8"))["objective"]
        for path in sorted((STRATEGY / "objectives").glob("*.yml"))
    ]


@cache
def key_results() -> dict[str, dict[str, Any]]:
    """Every key result as its file has it, with the id of its `objective`."""
    files = [
        yaml.safe_load(path.read_text("utf-8")) for path in sorted((STRATEGY / "objectives").glob("*.yml"))
    ]
    return {
        kr["id"]: {**kr, "objective": file["objective"]["id"]} for file in files for kr in file["key_results"]
    }


Chances = Mapping[tuple[date, str], Decimal]
"""The published chances of a key result's aim, by day and horizon: what is drawn by chance is not drawn again here."""


def judged(kr_id: str, series: Series, known: Known, chances: Chances) -> dict[date, Verdict]:
    """The verdict of every day of the series."""
    kr = key_results()[kr_id]
    values = {day: None if value is None else rounded(value) for day, value in series.items()}
    days = _maintained(kr, values) if kr["kind"] == "maintain" else _pursued(kr, values)
    needed = [standing(handoff, known) for handoff in kr.get("handoffs", [])]
    by_itself: dict[date, Verdict] = {}
    lasting: dict[date, Verdict] = {}
    for day, (verdict, says) in days:
        said = (
            _foretold(kr, says, day, chances) | _held_up(needed, day) | _out_of_line(kr, verdict, day, known)
        )
        by_itself[day] = _decided(verdict, said, doubted=_is_doubted(kr, day, values, known))
        if verdict.value is not None:
            beside_handoffs = {rule: status for rule, status in said.items() if rule != "handoff"}
            lasting[day] = _decided(verdict, beside_handoffs, doubted=False)
    return _held(by_itself, lasting)


def since(verdicts: Mapping[date, Verdict]) -> date:
    """First day of the status that the last day has."""
    days = sorted(verdicts, reverse=True)
    last = verdicts[days[0]].status
    first = days[0]
    for day in days:
        if verdicts[day].status != last:
            break
        first = day
    return first


def by_objective() -> dict[str, set[str]]:
    """The key results of every objective."""
    return _grouped((kr["objective"], kr_id) for kr_id, kr in key_results().items())


def by_tree() -> dict[str, set[str]]:
    """The key results of every objective and of all that lead up to it."""
    supports = {objective["id"]: objective.get("supports", []) for objective in objectives()}
    found = by_objective()
    for _ in supports:
        for objective, above in supports.items():
            for each in above:
                found[each] = found.get(each, set()) | found.get(objective, set())
    return found


def by_function() -> dict[str, set[str]]:
    """The key results that every function works on."""
    of_objective = {objective["id"]: objective.get("function") for objective in objectives()}
    return _grouped(
        (str(kr.get("function") or of_objective[kr["objective"]]), kr_id)
        for kr_id, kr in key_results().items()
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group, kr_id in pairs:
        found.setdefault(group, set()).add(kr_id)
    return found


def rolled_up(current: Mapping[str, Verdict], groups: Mapping[str, set[str]]) -> dict[str, RolledUp]:
    """Every group, by its key results on the last day: the weakest decides, progress is their average."""
    found = {}
    for group, kr_ids in groups.items():
        weakest = min(
            kr_ids, key=lambda kr_id: (-SEVERITY[current[kr_id].status], current[kr_id].progress or 0, kr_id)
        )
        progress = sum((current[kr_id].progress or Fraction(0) for kr_id in kr_ids), Fraction(0)) / len(
            kr_ids
        )
        statuses = tuple(sorted(current[kr_id].status for kr_id in kr_ids))
        found[group] = RolledUp(current[weakest].status, progress, weakest, statuses)
    return found


def rounded(value: Decimal | Fraction) -> Decimal:
    """To six decimals, as values are published."""
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    return value.quantize(Decimal("0.000001"), ROUND_HALF_UP)


_Found = tuple[Verdict, dict[str, str]]


def _maintained(kr: dict[str, Any], values: Series) -> Iterator[tuple[date, _Found]]:
    """Inside the band or not; progress is the share of the days so far inside it."""
    low, high = kr["band"].get("low"), kr["band"].get("high")
    inside_days = 0
    for number, (day, value) in enumerate(sorted(values.items()), start=1):
        inside = value is not None and (low is None or value >= low) and (high is None or value <= high)
        inside_days += inside
        progress = None if value is None else Fraction(inside_days, number)
        says = {} if value is None else {"band": "green" if inside else "red"}
        yield day, (Verdict(value, progress, None, None, None, "", ""), says)


def _pursued(kr: dict[str, Any], values: Series) -> Iterator[tuple[date, _Found]]:
    """On the way from baseline to target."""
    baseline, way = _fraction(kr["baseline"]), _fraction(kr["target"]) - _fraction(kr["baseline"])
    for day, value in values.items():
        expected = _expected(kr, day)
        progress = None if value is None else (Fraction(value) - baseline) / way
        pace = progress / expected if progress is not None and expected else None
        says = {}
        if value is not None:
            says["pace"] = "green"
            if pace is not None and pace < AMBER_PACE:
                says["pace"] = "red" if pace < RED_PACE else "amber"
            if _is_stalled(values, day) and progress is not None and progress < 1:
                says["stalled"] = "amber"
        yield day, (Verdict(value, progress, expected, baseline + expected * way, pace, "", ""), says)


def _foretold(kr: dict[str, Any], says: dict[str, str], day: date, chances: Chances) -> dict[str, str]:
    """What lies ahead, beside what is: the chance at the end of the cycle, or in three weeks for what is to be maintained."""
    if kr["kind"] == "maintain":
        leaving = says.get("band") == "green" and chances.get((day, "soon"), Decimal(1)) < AMBER_CHANCE
        return {**says, "band": "amber"} if leaving else says
    chance = chances.get((day, "end"), Decimal(1))
    if not says or kr.get("pace") == "steps" or chance >= AMBER_CHANCE:
        return says
    return {**says, "forecast": "red" if chance < RED_CHANCE else "amber"}


def _expected(kr: dict[str, Any], day: date) -> Fraction:
    """The share of the way expected by the end of the day."""
    form = kr.get("pace", "linear")
    if form == "steps":
        reached = [step["value"] for step in kr["steps"] if step["date"] <= day]
        way = _fraction(kr["target"]) - _fraction(kr["baseline"])
        return (_fraction(reached[-1]) - _fraction(kr["baseline"])) / way if reached else Fraction(0)
    counted = [each for each in days_between(*CYCLE) if form == "linear" or is_working_day(each)]
    return Fraction(sum(each <= day for each in counted), len(counted))


def _is_stalled(values: Series, day: date) -> bool:
    """Within two weeks it moved no further than twice the spread of its moves from day to day in this cycle."""
    now, before = values[day], values.get(day - PATIENCE)
    if now is None or before is None:
        return False
    so_far = [value for on, value in sorted(values.items()) if on <= day]
    moves = [
        float(later - earlier)
        for earlier, later in pairwise(so_far)
        if earlier is not None and later is not None
    ]
    return abs(float(now - before)) <= 2 * statistics.stdev(moves)


def _is_doubted(kr: dict[str, Any], day: date, values: Series, known: Known) -> bool:
    """No value; or, on the last day, an input whose newest record is older than the workspace allows."""
    return values[day] is None or (day == max(values) and _is_stale(kr, known))


def _is_stale(kr: dict[str, Any], known: Known) -> bool:
    config = yaml.safe_load((DEMO_WORKSPACE / "plumbline.yml").read_text("utf-8"))
    table = kr["measure"].get("table", "work_items")
    if table == "ledger_entries":
        source, newest = "finance", max(p.entered for p in known.postings if p.entered <= known.today)
    elif table == "deals":
        source, newest = "hubspot", max(berlin_day(deal.updated) for deal in known.deals)
    else:
        source, newest = "jira", max(berlin_day(issue.updated) for issue in known.issues)
    return (known.today - newest).days > int(config["sources"][source]["freshness_days"])


def _held_up(needed: Iterable[Mapping[date, Standing]], day: date) -> dict[str, str]:
    """What the hand-offs that a key result needs say of it."""
    says = {}
    states = {each[day].state for each in needed}
    if states & {"late", "at_risk", "empty"}:
        says["handoff"] = "red" if "late" in states else "amber"
    if any(each[day].starved for each in needed):
        says["starved"] = "amber"
    return says


def _out_of_line(kr: dict[str, Any], verdict: Verdict, day: date, known: Known) -> dict[str, str]:
    """Its money runs ahead of it, or nobody works on it. The people of the demo's key results work in these projects."""
    if budget := kr.get("budget"):
        spent = sum(
            posting.amount for posting in known.postings
            if posting.cost_centre in budget["cost_centres"] and posting.account_type == "expense"
            and CYCLE[0] <= posting.on <= day
        )  # fmt: skip
        ahead = Fraction(spent) / _fraction(budget["amount"]) - (verdict.progress or 0)
        if kr["kind"] != "maintain" and verdict.progress is not None and ahead >= Fraction(1, 4):
            return {"resources": "amber"}
    if "capacity" in kr and (verdict.progress or 0) < 1:
        projects = {"sprint-delivery": ENGINEERING, "fleetlink-launch-items": {"PROD"}}[kr["id"]]
        days = {on for issue in known.issues if issue.project in projects for on in issue.changed}
        if not any(day - THREE_WEEKS < on <= day for on in days):
            return {"resources": "amber"}
    return {}


def _decided(verdict: Verdict, says: dict[str, str], doubted: bool) -> Verdict:
    """The worst that any rule says."""
    if doubted:
        says = {**says, "untrusted": "amber"}
    rule = min(says, key=lambda each: (-SEVERITY[says[each]], RULES.index(each)))
    return Verdict(
        verdict.value,
        verdict.progress,
        verdict.expected_progress,
        verdict.expected_value,
        verdict.pace,
        says[rule],
        rule,
    )


def _held(by_itself: Mapping[date, Verdict], lasting: Mapping[date, Verdict]) -> dict[date, Verdict]:
    """Worse at once, better only by the worst of the last days with a value; doubt and hand-offs do not last."""
    held: dict[date, Verdict] = {}
    for day, verdict in sorted(by_itself.items()):
        # The days before this one that are still counted: of three in a row with a value, this day is one where it has a value.
        before = [each for on, each in sorted(lasting.items()) if on < day][
            -(HYSTERESIS - (day in lasting)) :
        ]
        worst = max(before, key=lambda each: SEVERITY[each.status], default=verdict)
        latest = [each for each in before if each.status == worst.status]
        is_held = bool(latest) and SEVERITY[worst.status] > SEVERITY[verdict.status]
        held[day] = replace(verdict, status=worst.status, rule=latest[-1].rule) if is_held else verdict
    return held


def _fraction(number: float) -> Fraction:
    """A number of a YAML file as it is written there."""
    return Fraction(str(number))
