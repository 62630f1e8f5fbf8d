"""The company's Jira projects, workflows, issue types and boards."""

from __future__ import annotations

from demo.tracker import IssueType, Project, Status

EPIC = IssueType("10000", "Epic", 1)
STORY = IssueType("10001", "Story")
TASK = IssueType("10002", "Task")
SUBTASK = IssueType("10003", "Sub-task", -1)
BUG = IssueType("10004", "Bug")
DELIVERY = IssueType("10020", "Delivery Order")
INCIDENT = IssueType("10021", "Incident")
OPPORTUNITY = IssueType("10022", "Opportunity")
INTERVIEW = IssueType("10023", "Customer Interview")
HIRE = IssueType("10024", "Requisition")
TRAINING = IssueType("10025", "Training")
CORRECTION = IssueType("10026", "Billing Correction")

BACKLOG = Status("10010", "Backlog", "new")
SELECTED = Status("10011", "Selected for Development", "new")
IN_PROGRESS = Status("3", "In Progress", "indeterminate")
IN_REVIEW = Status("10012", "In Review", "indeterminate")
DONE = Status("10013", "Done", "done")
CANCELLED = Status("10014", "Cancelled", "done")

IDEA = Status("10030", "Idea", "new")
DISCOVERY = Status("10031", "In Discovery", "indeterminate")
WAITING = Status("10032", "Waiting for Dependency", "indeterminate")
READY = Status("10033", "Ready", "done")

ACCEPTED = Status("10040", "Accepted", "new")
UNDER_WAY = Status("10041", "Under Way", "indeterminate")
DELIVERED = Status("10042", "Delivered", "done")

REQUESTED = Status("10050", "Requested", "new")
INTERVIEWING = Status("10051", "Interviewing", "indeterminate")
OFFER = Status("10052", "Offer", "indeterminate")
FILLED = Status("10053", "Filled", "done")

TO_DO = Status("10060", "To Do", "new")
# A second status of the same name and another id, as sites that grew by merging have it.
DONE_BUSINESS = Status("10061", "Done", "done")

_SOFTWARE = (BACKLOG, SELECTED, IN_PROGRESS, IN_REVIEW, DONE, CANCELLED)
_BUSINESS = (TO_DO, IN_PROGRESS, DONE_BUSINESS, CANCELLED)

PLAT = Project("10100", "PLAT", "Platform", "engineering", _SOFTWARE)
APP = Project("10101", "APP", "Applications", "engineering", _SOFTWARE)
INT = Project("10102", "INT", "Integrations", "engineering", _SOFTWARE)
PROD = Project("10103", "PROD", "Product & Launches", "product", (IDEA, DISCOVERY, WAITING, READY, CANCELLED))
OPS = Project("10104", "OPS", "Operations", "operations", (ACCEPTED, UNDER_WAY, DELIVERED, CANCELLED))
FINX = Project("10105", "FINX", "Finance Operations", "finance", _BUSINESS)
PEO = Project("10106", "PEO", "People", "people", (REQUESTED, INTERVIEWING, OFFER, FILLED, CANCELLED))
SAL = Project("10107", "SAL", "Sales Desk", "sales", _BUSINESS)

PROJECTS = (PLAT, APP, INT, PROD, OPS, FINX, PEO, SAL)
ISSUE_TYPES = (
    EPIC, STORY, TASK, SUBTASK, BUG, DELIVERY, INCIDENT, OPPORTUNITY, INTERVIEW, HIRE, TRAINING, CORRECTION
)  # fmt: skip


def statuses() -> list[Status]:
    """Every status of the site, in order of id."""
    found = {status.id: status for project in PROJECTS for status in project.workflow}
    return [found[key] for key in sorted(found, key=int)]


def working(project: Project) -> Status:
    """The first status in which somebody works."""
    return next(status for status in project.workflow if status.category == "indeterminate")


def finished(project: Project) -> Status:
    """The status that counts as finished."""
    return next(status for status in project.workflow if status.category == "done")
