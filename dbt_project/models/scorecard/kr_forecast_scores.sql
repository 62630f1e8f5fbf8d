with told as (
    {{ plumbline.told_forecasts() }}
),

of_this_cycle as (
    select
        *,
        case when is_met then 1 else 0 end as outcome
    from told
    where date >= cast('{{ var("cycle_start") }}' as date)
)

select
    kr_id,
    horizon,
    cast(count(*) as bigint) as forecasts,
    cast(sum(case when is_in_band then 1 else 0 end) as bigint) as in_band,
    cast(avg(p_met) as decimal(9, 6)) as foretold,
    cast(avg(1.0 * outcome) as decimal(9, 6)) as came_true,
    cast(avg((p_met - outcome) * (p_met - outcome)) as decimal(9, 6)) as brier
from of_this_cycle
group by kr_id, horizon
