"""The evenings that the demo is judged on, and the runs that lead to them: as few as show all ways to come there."""

from datetime import date

# A Wednesday in the middle of a sprint, so that going on from it runs into sprints that closed without a trace in
# the issues that were done before.
WEEK_3 = date(2026, 10, 21)
WEEK_4 = date(2026, 10, 30)
WEEK_11 = date(2026, 12, 18)

# From nothing; back in time; the same evening again; and on from there.
RUN_AGAIN = (WEEK_11, WEEK_3, WEEK_3)
RUNS = {WEEK_11: (WEEK_11,), WEEK_3: (WEEK_11, WEEK_3), WEEK_4: (*RUN_AGAIN, WEEK_4)}
WENT_ON = (*RUNS[WEEK_4], WEEK_11)
