with key_results as (
    select kr_id from {{ ref('strategy_key_results') }}
    where pace = 'seasonal'
),

calendar as (
    select
        date,
        period_start,
        {{ dbt.datediff('period_start', 'date', 'day') }} + 1 as cycle_day
    from {{ ref('calendar') }}
    where is_measured
        and not is_in_cycle
),

-- What each earlier period had come to by the same day, and at its end.
reached as (
    select
        series.kr_id,
        calendar.cycle_day,
        series.value,
        last_value(series.value) over (
            partition by series.kr_id, calendar.period_start
            order by calendar.date rows between unbounded preceding and unbounded following
        ) as total
    from {{ ref('kr_values') }} as series
    inner join key_results on key_results.kr_id = series.kr_id
    inner join calendar on calendar.date = series.date
)

-- A period without a total has no season.
select
    kr_id,
    cycle_day,
    cast(avg(1.0 * value / total) as decimal(18, 6)) as share,
    cast(count(*) as integer) as earlier_periods
from reached
where total <> 0
group by kr_id, cycle_day
