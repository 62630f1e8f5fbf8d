with told as (
    {{ plumbline.told_forecasts() }}
),

judged as (
    select 'told' as basis, horizon, p_met, is_in_band, is_met from told

    union all

    select
        'back-test' as basis,
        'end' as horizon,
        cast(p_met as decimal(9, 6)) as p_met,
        value >= p10 and value <= p90 as is_in_band,
        met as is_met
    from {{ source('forecast', 'back_test') }}
),

in_tenths as (
    select
        *,
        case when is_met then 1 else 0 end as outcome,
        least(floor(10 * p_met), 9) as tenth
    from judged
)

select
    basis,
    horizon,
    cast(tenth / 10 as decimal(9, 6)) as p_from,
    cast((tenth + 1) / 10 as decimal(9, 6)) as p_to,
    cast(count(*) as bigint) as forecasts,
    cast(sum(case when is_in_band then 1 else 0 end) as bigint) as in_band,
    cast(avg(p_met) as decimal(9, 6)) as foretold,
    cast(avg(1.0 * outcome) as decimal(9, 6)) as came_true,
    cast(avg((p_met - outcome) * (p_met - outcome)) as decimal(9, 6)) as brier
from in_tenths
group by basis, horizon, tenth
