{%- set first_day = "cast('" ~ var('history_start') ~ "' as date)" -%}
{%- set cycle_start = "cast('" ~ var('cycle_start') ~ "' as date)" -%}
{%- set days_in_cycle = plumbline.days_in_cycle() -%}
{%- set cycle_end = "cast('" ~ var('cycle_end') ~ "' as date)" -%}
with run as (
    select * from {{ source('control', 'run') }}
),

holidays as (
    select distinct cast(on_date as date) as on_date from {{ ref('strategy_holidays') }}
),

spine as (
    {{ dbt.date_spine('day', first_day, plumbline.add_days(cycle_end, 1)) }}
),

days as (
    select
        cast(date_day as date) as date,
        -- 1900-01-01 was a Monday.
        mod({{ dbt.datediff("cast('1900-01-01' as date)", 'date_day', 'day') }}, 7) as days_after_monday
    from spine
    where cast(date_day as date) <= {{ cycle_end }}
),

placed as (
    select
        days.date,
        days.days_after_monday < 5 and holidays.on_date is null as is_working_day,
        days.date >= {{ cycle_start }} as is_in_cycle,
        {{ dbt.datediff(cycle_start, 'days.date', 'day') }} + 1 as day_of_cycle
    from days
    left join holidays on holidays.on_date = days.date
),

-- The time before the cycle, cut into periods of its length counted back from it.
in_periods as (
    select
        placed.*,
        {{ plumbline.add_days(cycle_start, 'cast(floor(1.0 * (day_of_cycle - 1) / ' ~ days_in_cycle ~ ') * ' ~ days_in_cycle ~ ' as integer)') }} as period_start
    from placed
)

select
    in_periods.date,
    period_start,
    cast(case when is_in_cycle then day_of_cycle end as integer) as cycle_day,
    cast(case when is_in_cycle then floor((day_of_cycle - 1) / 7) + 1 end as integer) as cycle_week,
    is_in_cycle,
    is_working_day,
    is_in_cycle and in_periods.date <= run.as_of as is_reported,
    period_start >= {{ first_day }} and in_periods.date <= run.as_of as is_measured
from in_periods
cross join run
