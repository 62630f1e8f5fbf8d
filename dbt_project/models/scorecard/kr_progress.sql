with key_results as (
    select
        kr_id,
        kind,
        pace as pace_form,
        unit,
        model,
        cast(baseline as decimal(28, 6)) as baseline,
        cast(target as decimal(28, 6)) as target,
        cast(band_low as decimal(28, 6)) as band_low,
        cast(band_high as decimal(28, 6)) as band_high
    from {{ ref('strategy_key_results') }}
),

series as (
    select * from {{ ref('kr_values') }}
),

steps as (
    select kr_id, cast(on_date as date) as on_date, cast(expected_value as decimal(28, 6)) as expected_value
    from {{ ref('strategy_steps') }}
),

seasons as (
    select * from {{ ref('kr_seasons') }}
),

cycle_days as (
    select
        date,
        is_reported,
        cycle_day,
        count(*) over () as days_in_cycle,
        sum(case when is_working_day then 1 else 0 end) over (order by date rows unbounded preceding) as working_days_so_far,
        sum(case when is_working_day then 1 else 0 end) over () as working_days_in_cycle
    from {{ ref('calendar') }}
    where is_in_cycle
),

elapsed as (
    select
        date,
        date = max(date) over () as is_last_day,
        cycle_day,
        1.0 * cycle_day / days_in_cycle as share_of_days,
        1.0 * working_days_so_far / nullif(working_days_in_cycle, 0) as share_of_working_days
    from cycle_days
    where is_reported
),

measured as (
    select distinct kr_id from series
),

-- A key result without any series still has to show up, on the last day.
days_of_key_results as (
    select
        key_results.*,
        elapsed.*,
        measured.kr_id is not null as is_measured
    from key_results
    cross join elapsed
    left join measured on measured.kr_id = key_results.kr_id
    where measured.kr_id is not null or elapsed.is_last_day
),

last_steps as (
    select days_of_key_results.kr_id, days_of_key_results.date, max(steps.on_date) as on_date
    from days_of_key_results
    inner join steps
        on steps.kr_id = days_of_key_results.kr_id
        and steps.on_date <= days_of_key_results.date
    group by days_of_key_results.kr_id, days_of_key_results.date
),

valued as (
    select
        days_of_key_results.*,
        series.value,
        series.records,
        seasons.share as season_share,
        coalesce(seasons.earlier_periods, 0) as earlier_periods,
        coalesce(steps.expected_value, days_of_key_results.baseline) as step_value,
        {{ plumbline.is_in_band('series.value', 'band_low', 'band_high') }} as is_in_band
    from days_of_key_results
    left join series
        on series.kr_id = days_of_key_results.kr_id
        and series.date = days_of_key_results.date
    left join last_steps
        on last_steps.kr_id = days_of_key_results.kr_id
        and last_steps.date = days_of_key_results.date
    left join steps
        on steps.kr_id = last_steps.kr_id
        and steps.on_date = last_steps.on_date
    left join seasons
        on seasons.kr_id = days_of_key_results.kr_id
        and seasons.cycle_day = days_of_key_results.cycle_day
),

-- A day without a value counts as outside the band: nothing gets greener for lack of evidence.
progressed as (
    select
        *,
        case
            when value is null then null
            when kind = 'maintain' then
                1.0 * sum(case when is_in_band then 1 else 0 end) over (partition by kr_id order by date rows unbounded preceding)
                / cycle_day
            else (value - baseline) / nullif(target - baseline, 0)
        end as progress,
        case
            when kind = 'maintain' then null
            when pace_form = 'working_days' then share_of_working_days
            when pace_form = 'steps' then (step_value - baseline) / nullif(target - baseline, 0)
            when pace_form = 'seasonal' and earlier_periods >= 2 then season_share
            else share_of_days
        end as expected_progress
    from valued
)

select
    kr_id,
    kind,
    unit,
    model,
    baseline,
    target,
    band_low,
    band_high,
    date,
    is_last_day,
    is_measured,
    pace_form,
    earlier_periods,
    value,
    records,
    is_in_band,
    cast(progress as decimal(18, 6)) as progress,
    cast(expected_progress as decimal(18, 6)) as expected_progress,
    cast(baseline + expected_progress * (target - baseline) as decimal(28, 6)) as expected_value,
    cast(case when kind <> 'maintain' then progress / nullif(expected_progress, 0) end as decimal(18, 6)) as pace
from progressed
