{#- What bears a date that never changes, by stream; "in_files": it comes when somebody exports it, not when it is asked for. -#}
{%- set dated = [
    {'stream': 'issues', 'model': 'stg_jira__issues', 'at': 'created_at', 'in_files': false},
    {'stream': 'changelogs', 'model': 'stg_jira__changelogs', 'at': 'changed_at', 'in_files': false},
    {'stream': 'deals', 'model': 'stg_hubspot__deal_history', 'at': 'changed_at', 'in_files': false},
    {'stream': 'opportunities', 'model': 'stg_salesforce__history', 'at': 'changed_at', 'in_files': false},
    {'stream': 'ledger', 'model': 'stg_finance__ledger', 'at': 'posted_at', 'in_files': true},
] -%}
with run as (
    select * from {{ source('control', 'run') }}
),

working_days as (
    select date from {{ ref('calendar') }}
    where is_working_day
),

-- A run that pulls nothing has nothing new to count.
pulled as (
    select distinct checks.subject
    from {{ source('control', 'check_results') }} as checks
    inner join run
        on run.run_id = checks.run_id
        and run.as_of = checks.as_of
    where checks.kind = 'pull' and checks.passed
),

counted as (
    {%- for each in dated %}
    select
        _source as source,
        '{{ each.stream }}' as stream,
        {{ each.in_files }} as is_in_files,
        {{ plumbline.local_date(each.at) }} as date,
        count(distinct _record) as records
    from {{ ref(each.model) }}
    cross join run
    where not _deleted and {{ plumbline.local_date(each.at) }} between {{ plumbline.add_days('run.as_of', -14 * var('volume_weeks')) }} and run.as_of
    group by _source, {{ plumbline.local_date(each.at) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

known as (
    select counted.*
    from counted
    inner join pulled on pulled.subject = counted.source || '.' || counted.stream
),

spans as (
    select source, stream, is_in_files, min(date) as first_on, max(date) as newest_on
    from known
    group by source, stream, is_in_files
),

-- What is asked for by each pull has come when the day is over; of files a day has come when there is a later one.
judged as (
    select spans.source, spans.stream, spans.first_on, max(working_days.date) as date
    from spans
    cross join run
    inner join working_days
        on working_days.date > spans.first_on
        and working_days.date < case when spans.is_in_files then spans.newest_on else run.as_of end
    group by spans.source, spans.stream, spans.first_on
),

earlier_days as (
    select judged.source, judged.stream, working_days.date, coalesce(known.records, 0) as records
    from judged
    inner join working_days
        on working_days.date > judged.first_on
        and working_days.date < judged.date
        and working_days.date >= {{ plumbline.add_days('judged.date', "-7 * " ~ var('volume_weeks')) }}
        and mod({{ dbt.datediff('working_days.date', 'judged.date', 'day') }}, 7) = 0
    left join known
        on known.source = judged.source
        and known.stream = judged.stream
        and known.date = working_days.date
),

medians as (
    select source, stream, count(*) as days, {{ plumbline.percentile('records', 0.5) }} as usual
    from earlier_days
    group by source, stream
),

deviations as (
    select
        earlier_days.source,
        earlier_days.stream,
        {{ plumbline.percentile('abs(earlier_days.records - medians.usual)', 0.5) }} as usual_deviation
    from earlier_days
    inner join medians
        on medians.source = earlier_days.source
        and medians.stream = earlier_days.stream
    group by earlier_days.source, earlier_days.stream
),

-- Even what comes at a steady rate varies by the root of its count, however alike the few earlier days were.
leeways as (
    select
        medians.*,
        greatest(
            {{ var('volume_deviations') }} * greatest(1.4826 * deviations.usual_deviation, sqrt(medians.usual)),
            {{ var('volume_least_records') }}
        ) as leeway
    from medians
    inner join deviations
        on deviations.source = medians.source
        and deviations.stream = medians.stream
),

compared as (
    select
        judged.source,
        judged.stream,
        judged.date,
        coalesce(known.records, 0) as records,
        coalesce(leeways.days, 0) as days,
        case when leeways.days >= {{ var('volume_least_days') }}
            then cast(ceil(greatest(leeways.usual - leeways.leeway, 0)) as bigint) end as usual_from,
        case when leeways.days >= {{ var('volume_least_days') }}
            then cast(floor(leeways.usual + leeways.leeway) as bigint) end as usual_to
    from judged
    left join known
        on known.source = judged.source
        and known.stream = judged.stream
        and known.date = judged.date
    left join leeways
        on leeways.source = judged.source
        and leeways.stream = judged.stream
)

select
    source,
    stream,
    date,
    records,
    cast(days as integer) as earlier_days,
    usual_from,
    usual_to,
    coalesce(records between usual_from and usual_to, true) as is_usual,
    case
        when usual_from is null then 'Too few earlier weeks of ' || source || '.' || stream || ' to say how much is usual.'
        else {{ plumbline.as_text('records') }} || case when records = 1 then ' record' else ' records' end
            || ' of ' || source || '.' || stream || ' dated ' || {{ plumbline.as_text('date') }}
            || '; this day of the week usually brings ' || {{ plumbline.as_text('usual_from') }} || ' to ' || {{ plumbline.as_text('usual_to') }} || '.'
    end as sentence
from compared
