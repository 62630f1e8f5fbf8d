{%- set days_in_cycle = plumbline.days_in_cycle() -%}
with days as (
    select cycle_day from {{ ref('calendar') }}
    where is_in_cycle
),

-- Counted back from the cycle: the day before it is the last day of the period before it.
counted_back as (
    select
        kr_id,
        amount,
        {{ dbt.datediff('date', "cast('" ~ var('cycle_start') ~ "' as date)", 'day') }} - 1 as days_back
    from {{ ref('kr_days_before') }}
),

placed as (
    select
        kr_id,
        amount,
        floor(days_back / {{ days_in_cycle }}) as periods_back,
        {{ days_in_cycle }} - mod(days_back, {{ days_in_cycle }}) as cycle_day
    from counted_back
),

-- A period without a total has no season.
totals as (
    select kr_id, periods_back, sum(amount) as total
    from placed
    group by kr_id, periods_back
    having sum(amount) <> 0
),

reached as (
    select
        totals.kr_id,
        totals.periods_back,
        days.cycle_day,
        sum(case when placed.cycle_day <= days.cycle_day then placed.amount else 0 end) / max(totals.total) as share
    from totals
    cross join days
    inner join placed
        on placed.kr_id = totals.kr_id
        and placed.periods_back = totals.periods_back
    group by totals.kr_id, totals.periods_back, days.cycle_day
)

select
    kr_id,
    cycle_day,
    cast(avg(share) as decimal(18, 6)) as share,
    cast(count(*) as integer) as earlier_periods
from reached
group by kr_id, cycle_day
