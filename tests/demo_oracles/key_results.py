"""The value of every key result of the demo, worked out from the systems' own records.

Each function takes what is known on an evening and gives the series of its key result: a value for every day of the
cycle so far. Its name is the key result's id; it says what is measured without looking at how Plumbline says it.
"""

import calendar
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal

from tests.demo_oracles.known import CYCLE, Issue, Known, berlin_day

Series = dict[date, Decimal | None]

ENGINEERING = {"PLAT", "APP", "INT"}
FREIGHT_COST = {"5400", "5410", "5420"}


def billing_correction_time(known: Known) -> Series:
    """Average days to correct a wrong bill, of those corrected in the last 28 days."""
    corrected = [
        issue
        for issue in known.issues
        if issue.project == "FINX" and issue.type == "Billing Correction" and issue.status == "Done"
    ]
    return {day: mean(lead_times(corrected, day, days=28)) for day in known.days}


def bug_fix_time(known: Known) -> Series:
    """85th percentile of the days to fix a defect, of those that engineering fixed in the last 28 days."""
    fixed = [
        issue
        for issue in known.issues
        if issue.project in ENGINEERING and issue.type == "Bug" and issue.status == "Done"
    ]
    return {day: percentile(lead_times(fixed, day, days=28), Decimal("0.85")) for day in known.days}


def discovery_time(known: Known) -> Series:
    """Median days to decide an opportunity, of those decided in the last 42 days."""
    decided = [
        issue
        for issue in known.issues
        if issue.project == "PROD" and issue.type == "Opportunity" and issue.status == "Ready"
    ]
    return {day: percentile(lead_times(decided, day, days=42), Decimal("0.5")) for day in known.days}


def on_time_delivery(known: Known) -> Series:
    """Share of delivery orders of the last 28 days that came within the days promised: two for express, else five."""
    delivered = [
        issue for issue in known.issues if issue.type == "Delivery Order" and issue.status == "Delivered"
    ]

    def on_time(order: Issue) -> bool:
        return order.lead_days <= (2 if "promise-2d" in order.labels else 5)

    series: Series = {}
    for day in known.days:
        arrived = [order for order in delivered if is_within(28, order.done_on, day)]
        series[day] = percent(sum(map(on_time, arrived)), len(arrived))
    return series


def close_automation(known: Known) -> Series:
    """Lanes whose billing was automated since the cycle began."""
    return count_done(
        known,
        lambda issue: (
            issue.project == "FINX" and "close-automation" in issue.labels and issue.status == "Done"
        ),
    )


def scanner_rollout(known: Known) -> Series:
    """Depots that got their scanners since the cycle began."""
    return count_done(
        known,
        lambda issue: (
            issue.project == "OPS" and "scanner-rollout" in issue.labels and issue.status == "Delivered"
        ),
    )


def fleetlink_launch_items(known: Known) -> Series:
    """Launch items of FleetLink that got done since the cycle began, in whatever way."""
    return count_done(
        known,
        lambda issue: issue.project == "PROD" and "fleetlink-launch" in issue.labels and issue.type != "Epic",
    )


def hires(known: Known) -> Series:
    """Positions filled since the cycle began."""
    return count_done(
        known,
        lambda issue: issue.project == "PEO" and issue.type == "Requisition" and issue.status == "Filled",
    )


def driver_training(known: Known) -> Series:
    """Groups of drivers trained since the cycle began."""
    return count_done(
        known,
        lambda issue: (
            issue.project == "PEO" and "driver-training" in issue.labels and issue.status == "Filled"
        ),
    )


def customer_interviews(known: Known) -> Series:
    """Interviews held since the cycle began."""
    return count_done(
        known,
        lambda issue: (
            issue.project == "PROD" and issue.type == "Customer Interview" and issue.status == "Ready"
        ),
    )


def points_delivered(known: Known) -> Series:
    """Story points of the stories and tasks that engineering finished since the cycle began."""
    finished = [
        issue
        for issue in known.issues
        if issue.project in ENGINEERING and issue.type in {"Story", "Task"} and issue.status == "Done"
    ]
    return {
        day: total(issue.points for issue in finished if is_in_cycle(issue.done_on, day))
        for day in known.days
    }


def sprint_delivery(known: Known) -> Series:
    """Of the points in engineering's sprints that were completed in the last 28 days, the share done within the sprint."""
    series: Series = {}
    for day in known.days:
        planned = delivered = Decimal(0)
        for issue in known.issues:
            for sprint in issue.sprints:
                if issue.project not in ENGINEERING or issue.points is None or sprint.completed is None:
                    continue
                if is_within(28, berlin_day(sprint.completed), day):
                    planned += issue.points
                    if issue.done is not None and sprint.started <= issue.done <= sprint.completed:
                        delivered += issue.points
        series[day] = percent(delivered, planned)
    return series


def fleetlink_revenue(known: Known) -> Series:
    """Amount of the FleetLink deals won since the cycle began."""
    won = [
        (deal.amount, berlin_day(deal.won))
        for deal in known.deals
        if deal.product == "FleetLink" and deal.won
    ]
    return {day: total(amount for amount, on in won if is_in_cycle(on, day)) for day in known.days}


def won_amount(known: Known) -> Series:
    """Amount of the deals of new business won since the cycle began."""
    won = [
        (deal.amount, berlin_day(deal.won)) for deal in known.deals if deal.pipeline == "default" and deal.won
    ]
    return {day: total(amount for amount, on in won if is_in_cycle(on, day)) for day in known.days}


def win_rate(known: Known) -> Series:
    """Of the deals of new business decided in the last 28 days, the share that was won."""
    decided = [
        (deal, berlin_day(deal.closed)) for deal in known.deals if deal.pipeline == "default" and deal.closed
    ]
    series: Series = {}
    for day in known.days:
        recent = [deal for deal, on in decided if is_within(28, on, day)]
        series[day] = percent(sum(deal.won is not None for deal in recent), len(recent))
    return series


def open_pipeline(known: Known) -> Series:
    """Amount of the deals of new business that were open at the end of the day."""
    new_business = [deal for deal in known.deals if deal.pipeline == "default"]
    return {
        day: total(
            deal.amount
            for deal in new_business
            if berlin_day(deal.created) <= day and (deal.closed is None or berlin_day(deal.closed) > day)
        )
        for day in known.days
    }


def operating_revenue(known: Known) -> Series:
    """Revenue booked since the cycle began; the ledger writes it as credit, below zero."""
    revenue = [posting for posting in known.postings if posting.account_type == "revenue"]
    return {
        day: -total(posting.amount for posting in revenue if is_in_cycle(posting.on, day))
        for day in known.days
    }


def carrier_cost(known: Known) -> Series:
    """Carrier, fuel and toll cost of the last 28 days against their budget, each month's spread evenly over its days."""
    spent = [posting for posting in known.postings if posting.account in FREIGHT_COST]
    planned: dict[tuple[int, int], Decimal] = {}
    for line in known.budget:
        if line.account in FREIGHT_COST:
            month = (line.month.year, line.month.month)
            planned[month] = planned.get(month, Decimal(0)) + line.amount / calendar.monthrange(*month)[1]
    series: Series = {}
    for day in known.days:
        window = [day - timedelta(days=n) for n in range(28)]
        budget = total(planned[on.year, on.month] for on in window)
        series[day] = percent(total(p.amount for p in spent if is_within(28, p.on, day)), budget)
    return series


ORACLES: dict[str, Callable[[Known], Series]] = {
    oracle.__name__.replace("_", "-"): oracle
    for oracle in (
        billing_correction_time, bug_fix_time, discovery_time, on_time_delivery, close_automation, scanner_rollout,
        fleetlink_launch_items, hires, driver_training, customer_interviews, points_delivered, sprint_delivery,
        fleetlink_revenue, won_amount, win_rate, open_pipeline, operating_revenue, carrier_cost,
    )
}  # fmt: skip


def is_within(days: int, on: date | None, day: date) -> bool:
    """Whether it falls on `day` or one of the days before it, so many in all."""
    return on is not None and day - timedelta(days=days) < on <= day


def is_in_cycle(on: date | None, day: date) -> bool:
    """Whether it falls between the cycle's start and `day`."""
    return on is not None and CYCLE[0] <= on <= day


def count_done(known: Known, counts: Callable[[Issue], bool]) -> Series:
    """How many of the issues that count were done between the cycle's start and each day."""
    done = [issue.done_on for issue in known.issues if counts(issue)]
    return {day: Decimal(sum(is_in_cycle(on, day) for on in done)) for day in known.days}


def lead_times(issues: Iterable[Issue], day: date, days: int) -> list[Decimal]:
    """The days from creation to done of the issues that were done in the last days up to `day`."""
    return [issue.lead_days for issue in issues if is_within(days, issue.done_on, day)]


def total(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def mean(values: list[Decimal]) -> Decimal | None:
    return total(values) / len(values) if values else None


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return 100 * Decimal(part) / Decimal(whole) if whole else None


def percentile(values: list[Decimal], share: Decimal) -> Decimal | None:
    """The value below which the share of the values lies, on the straight line between the two neighbours."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
