{#- A view, because a run splits the differences when the scorecard is computed. -#}
{{ config(materialized='view') }}

{%- set old_progress -%}
    case
        when goals.kind = 'maintain' then
            case when told.band_low is not null or told.band_high is not null then 1.0 * days_in_band / cycle_day end
        else (days.value - told.baseline) / nullif(told.target - told.baseline, 0)
    end
{%- endset %}
with restated_days as (
    select * from {{ source('control', 'restated_days') }}
),

told as (
    select lines.*
    from {{ source('control', 'ledger') }} as lines
    inner join restated_days on restated_days.number = lines.number
),

days as (
    select * from {{ ref('kr_daily') }}
),

goals as (
    select kr_id, kind from {{ ref('strategy_key_results') }}
),

calendar as (
    select date, cycle_day from {{ ref('calendar') }}
),

-- Today's values of the days so far, by the band of then.
in_band_of_then as (
    select
        told.number,
        sum(case
            when {{ plumbline.is_in_band('days.value', 'told.band_low', 'told.band_high') }} then 1
            else 0
        end) as days_in_band
    from told
    inner join days
        on days.kr_id = told.kr_id
        and days.date <= told.date
    group by told.number
),

compared as (
    select
        days.kr_id,
        days.date,
        told.number,
        told.run_id,
        told.reported_at,
        told.value as reported_value,
        days.value,
        told.progress as reported_progress,
        cast({{ old_progress }} as decimal(18, 6)) as progress_by_old_target,
        days.progress,
        told.status as reported_status,
        days.status,
        restated_days.value_then,
        restated_days.value_with_late,
        restated_days.unsplit_reason,
        days.value is not distinct from told.value as is_same_value,
        days.value is not null and told.value is not null as has_values,
        restated_days.split_at is not null and restated_days.unsplit_reason is null as has_parts
    from restated_days
    inner join told on told.number = restated_days.number
    inner join days
        on days.kr_id = restated_days.kr_id
        and days.date = restated_days.date
        and days.value is not distinct from restated_days.value
    inner join goals on goals.kr_id = days.kr_id
    inner join calendar on calendar.date = days.date
    inner join in_band_of_then on in_band_of_then.number = told.number
)

-- What is left when late data and a changed definition are accounted for was edited, so the parts add up.
select
    kr_id,
    date,
    number as first_number,
    run_id as first_run_id,
    reported_at as first_reported_at,
    reported_value,
    value,
    cast(case when is_same_value then 0 else value - reported_value end as decimal(28, 6)) as difference,
    cast(case when is_same_value then 0 when has_parts then value_with_late - value_then end as decimal(28, 6)) as from_late,
    cast(case when is_same_value then 0 when has_parts then value - value_with_late end as decimal(28, 6)) as from_edited,
    cast(case when is_same_value then 0 when has_parts then value_then - reported_value end as decimal(28, 6)) as from_definition,
    is_same_value or has_parts as is_split,
    case
        when is_same_value or has_parts then null
        when not has_values then 'There was no value, or there is none now.'
        else coalesce(unsplit_reason, 'A run splits only so many days; it waits for the next.')
    end as unsplit_reason,
    reported_progress,
    progress,
    cast(progress_by_old_target - reported_progress as decimal(18, 6)) as progress_from_value,
    cast(progress - progress_by_old_target as decimal(18, 6)) as progress_from_target,
    reported_status,
    status
from compared
