with run as (
    select * from {{ source('control', 'run') }}
),

recorded as (
    select * from {{ source('control', 'check_results') }}
),

freshness as (
    select * from {{ ref('source_freshness') }}
),

streams as (
    select * from {{ source('control', 'streams') }}
),

-- Freshness is found in this very build; what earlier runs found of it is recorded like any other check.
results as (
    select recorded.*, recorded.as_of as failing_since
    from recorded
    cross join run
    where recorded.as_of <= run.as_of
        and not (recorded.kind = 'freshness' and recorded.run_id = run.run_id)
    union all
    select
        run.run_id,
        run.started_at as checked_at,
        run.as_of,
        'freshness' as kind,
        freshness.source || '.' || freshness.stream as subject,
        'business_date' as check_name,
        not freshness.stale as passed,
        'warn' as severity,
        freshness.sentence as message,
        cast(null as bigint) as failing_rows,
        cast(null as {{ dbt.type_string() }}) as caused_by,
        coalesce({{ plumbline.add_days('freshness.newest_record_on', 'freshness.business_lag_days + 1') }}, run.as_of) as failing_since
    from freshness
    cross join run
    where freshness.business_lag_days is not null
),

runs as (
    select run_id, as_of, max(checked_at) as ended_at
    from results
    group by run_id, as_of
),

numbered_runs as (
    select run_id, as_of, row_number() over (order by as_of, ended_at, run_id) as run_no
    from runs
),

-- A check that was tried again within a run counts as it ended.
attempts as (
    select
        results.*,
        numbered_runs.run_no,
        row_number() over (
            partition by results.run_id, results.as_of, kind, subject, check_name
            order by checked_at desc, case when passed then 1 else 0 end, message
        ) as attempt_from_last
    from results
    inner join numbered_runs
        on numbered_runs.run_id = results.run_id
        and numbered_runs.as_of = results.as_of
),

outcomes as (
    select
        *,
        lead(as_of) over (partition by kind, subject, check_name order by run_no) as next_as_of,
        lead(passed) over (partition by kind, subject, check_name order by run_no) as next_passed,
        sum(case when passed then 1 else 0 end) over (
            partition by kind, subject, check_name order by run_no rows unbounded preceding
        ) as passes_before,
        max(run_no) over (partition by kind, subject) as last_run_of_subject
    from attempts
    where attempt_from_last = 1
),

failures as (
    select
        *,
        min(failing_since) over (partition by kind, subject, check_name, passes_before) as opened_on,
        row_number() over (partition by kind, subject, check_name, passes_before order by run_no desc) as failure_from_last
    from outcomes
    where not passed
),

-- Over when it passes, or when its subject was checked again without it: a check that is gone cannot pass any more.
judged as (
    select
        failures.*,
        case
            when next_passed then next_as_of
            when run_no < last_run_of_subject then (select as_of from numbered_runs where run_no = last_run_of_subject)
        end as closed_on
    from failures
    where failure_from_last = 1
)

-- What keeps a source from arriving is one thing, however many of its streams and checks say so; a model that was not computed
-- because another failed is that one's doing.
select
    judged.kind,
    judged.subject,
    judged.check_name,
    judged.severity,
    judged.message,
    judged.failing_rows,
    judged.opened_on,
    judged.closed_on,
    judged.closed_on is null as is_open,
    case
        when streams.source is not null then 'source/' || streams.source
        when judged.kind = 'sensor' and judged.check_name = 'succeeded' then 'run/' || judged.subject
        when judged.caused_by is not null then 'model/' || judged.caused_by
        else judged.kind || '/' || judged.subject
    end as cause
from judged
left join streams
    on judged.subject = streams.source || '.' || streams.stream
    and judged.kind in ('pull', 'freshness', 'sensor')
