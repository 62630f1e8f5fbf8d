{%- set raw_tables = {
    'jira': [
        'issues', 'changelogs', 'statuses', 'projects', 'fields', 'versions', 'boards', 'sprints', 'worklogs', 'worklog_deletions',
    ],
    'hubspot': ['deals', 'pipelines', 'owners'],
    'salesforce': ['opportunities', 'opportunity_history', 'field_history', 'stages', 'accounts', 'users'],
    'finance': ['ledger', 'budgets', 'rates', 'files'],
} -%}
with run as (
    select * from {{ source('control', 'run') }}
),

streams as (
    select * from {{ source('control', 'streams') }}
),

landed as (
    {%- for system, names in raw_tables.items() %}
    {%- set outer_last = loop.last %}
    {%- for name in names %}
    select _source as source, '{{ name }}' as stream, count(*) as row_count, max(_landed_at) as last_landed_at
    from {{ source('raw', system ~ '_' ~ name) }}
    where not _deleted
    group by _source
    {{ 'union all' if not (loop.last and outer_last) }}
    {%- endfor %}
    {%- endfor %}
),

business_days as (
    select _source as source, 'issues' as stream, {{ plumbline.local_date('updated_at') }} as date
    from {{ ref('stg_jira__issues') }}
    union all
    select _source as source, 'deals' as stream, {{ plumbline.local_date('updated_at') }} as date
    from {{ ref('stg_hubspot__deals') }}
    union all
    select _source as source, 'opportunities' as stream, {{ plumbline.local_date('updated_at') }} as date
    from {{ ref('stg_salesforce__opportunities') }}
    union all
    select _source as source, 'ledger' as stream, {{ plumbline.local_date('posted_at') }} as date
    from {{ ref('stg_finance__ledger') }}
),

-- What is dated ahead says nothing of how fresh a source is.
newest as (
    select business_days.source, business_days.stream, max(business_days.date) as newest_record_on
    from business_days
    cross join run
    where business_days.date <= run.as_of
    group by business_days.source, business_days.stream
),

compared as (
    select
        streams.source,
        streams.system,
        streams.stream,
        coalesce(landed.row_count, 0) as row_count,
        landed.last_landed_at,
        newest.newest_record_on,
        streams.business_lag_days,
        {{ dbt.datediff('newest.newest_record_on', 'run.as_of', 'day') }} as days_behind
    from streams
    cross join run
    left join landed
        on landed.source = streams.source
        and landed.stream = streams.stream
    left join newest
        on newest.source = streams.source
        and newest.stream = streams.stream
),

judged as (
    select
        *,
        business_lag_days is not null and coalesce(days_behind > business_lag_days, true) as stale
    from compared
),

phrases as (
    select
        *,
        source || '.' || stream as name,
        {{ plumbline.as_text('days_behind') }} || case when days_behind = 1 then ' day' else ' days' end as age
    from judged
)

select
    source,
    system,
    stream,
    row_count as rows,
    last_landed_at,
    newest_record_on,
    business_lag_days,
    cast(days_behind as integer) as days_behind,
    stale,
    case
        when row_count = 0 then 'No record of ' || name || ' has arrived.'
        when newest_record_on is null and stale then 'No record of ' || name || ' bears a date up to the as-of day.'
        when newest_record_on is null then 'The records of ' || name || ' bear no business date.'
        else 'The newest record of ' || name || ' is ' || age || ' old (' || {{ plumbline.as_text('newest_record_on') }} || ')'
            || case
                when business_lag_days is null then '.'
                else '; up to ' || {{ plumbline.as_text('business_lag_days') }} || ' is fresh.'
            end
    end as sentence
from phrases
