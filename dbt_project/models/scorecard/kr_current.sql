with key_results as (
    select * from {{ ref('strategy_key_results') }}
),

objectives as (
    select * from {{ ref('strategy_objectives') }}
),

days as (
    select * from {{ ref('kr_daily') }}
),

originals as (
    select * from {{ ref('kr_against_original') }}
),

strict as (
    select * from {{ ref('kr_strict') }}
),

inputs as (
    select distinct kr_id, source, stream from {{ source('control', 'kr_inputs') }}
    where source is not null
),

freshness as (
    select * from {{ ref('source_freshness') }}
),

forecasts as (
    select * from {{ ref('forecasts') }}
),

last_days as (
    select kr_id, max(date) as date
    from days
    group by kr_id
),

current_days as (
    select days.*
    from days
    inner join last_days
        on last_days.kr_id = days.kr_id
        and last_days.date = days.date
),

-- The present status has held since the day after the last day that had another.
last_changes as (
    select current_days.kr_id, max(days.date) as date
    from current_days
    inner join days
        on days.kr_id = current_days.kr_id
        and days.status <> current_days.status
    group by current_days.kr_id
),

status_starts as (
    select days.kr_id, min(days.date) as since
    from days
    left join last_changes on last_changes.kr_id = days.kr_id
    where last_changes.date is null or days.date > last_changes.date
    group by days.kr_id
),

-- No fresher than the least fresh of its dated inputs.
reach_of_data as (
    select inputs.kr_id, min(freshness.newest_record_on) as data_through
    from inputs
    inner join freshness
        on freshness.source = inputs.source
        and freshness.stream = inputs.stream
    group by inputs.kr_id
)

select
    key_results.kr_id,
    key_results.name,
    key_results.objective_id,
    objectives.name as objective_name,
    key_results.function_id,
    key_results.owner_name,
    key_results.owner_email,
    key_results.perspective,
    key_results.kind,
    key_results.unit,
    cast(key_results.baseline as decimal(28, 6)) as baseline,
    cast(key_results.target as decimal(28, 6)) as target,
    cast(key_results.band_low as decimal(28, 6)) as band_low,
    cast(key_results.band_high as decimal(28, 6)) as band_high,
    current_days.date as as_of,
    current_days.value,
    current_days.records,
    current_days.progress,
    current_days.expected_progress,
    current_days.expected_value,
    current_days.pace,
    current_days.status,
    current_days.rule,
    current_days.reason,
    current_days.inputs,
    status_starts.since,
    reach_of_data.data_through,
    key_results.measure_text,
    key_results.model,
    key_results.handoffs,
    originals.target as original_target,
    originals.status as original_status,
    strict.value_strict,
    strict.suspects,
    soon.for_date as soon_on,
    soon.p10 as soon_p10,
    soon.p50 as soon_p50,
    soon.p90 as soon_p90,
    soon.p_met as soon_p_met,
    ends.for_date as end_on,
    ends.p10 as end_p10,
    ends.p50 as end_p50,
    ends.p90 as end_p90,
    ends.p_met as end_p_met
from key_results
inner join current_days on current_days.kr_id = key_results.kr_id
inner join status_starts on status_starts.kr_id = key_results.kr_id
inner join originals on originals.kr_id = key_results.kr_id
left join strict on strict.kr_id = key_results.kr_id
left join forecasts as soon
    on soon.kr_id = key_results.kr_id
    and soon.date = current_days.date
    and soon.horizon = 'soon'
left join forecasts as ends
    on ends.kr_id = key_results.kr_id
    and ends.date = current_days.date
    and ends.horizon = 'end'
left join objectives on objectives.objective_id = key_results.objective_id
left join reach_of_data on reach_of_data.kr_id = key_results.kr_id
