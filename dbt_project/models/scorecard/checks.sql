{#- A view, because the tables of the scorecard are checked when everything else is computed. -#}
{{ config(materialized='view') }}
with run as (
    select * from {{ source('control', 'run') }}
),

recorded as (
    select check_results.*
    from {{ source('control', 'check_results') }} as check_results
    cross join run
    where check_results.as_of <= run.as_of
),

open_stretches as (
    select * from {{ ref('check_stretches') }}
    where is_open
),

-- Not every run looks at everything: a new computation pulls nothing, and what a sensor saw comes in between.
runs_by_kind as (
    select
        kind,
        run_id,
        as_of,
        row_number() over (partition by kind order by as_of desc, max(checked_at) desc, run_id) as run_from_last
    from recorded
    group by kind, run_id, as_of
),

latest_runs as (
    select * from runs_by_kind
    where run_from_last = 1
),

-- A check that was tried again within a run counts as it ended.
attempts as (
    select
        recorded.*,
        row_number() over (
            partition by recorded.kind, recorded.subject, recorded.check_name
            order by recorded.checked_at desc, case when recorded.passed then 1 else 0 end, recorded.message
        ) as attempt_from_last
    from recorded
    inner join latest_runs
        on latest_runs.kind = recorded.kind
        and latest_runs.run_id = recorded.run_id
        and latest_runs.as_of = recorded.as_of
)

select
    attempts.kind,
    attempts.subject,
    attempts.check_name,
    attempts.passed,
    attempts.severity,
    attempts.message,
    attempts.failing_rows,
    case when not attempts.passed then coalesce(open_stretches.opened_on, attempts.as_of) end as failing_since,
    attempts.as_of as checked_on
from attempts
left join open_stretches
    on open_stretches.kind = attempts.kind
    and open_stretches.subject = attempts.subject
    and open_stretches.check_name = attempts.check_name
where attempts.attempt_from_last = 1
