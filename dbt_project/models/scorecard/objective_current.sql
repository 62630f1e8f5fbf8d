with objectives as (
    select * from {{ ref('strategy_objectives') }}
),

key_results as (
    select * from {{ ref('kr_current') }}
),

-- The weakest: the worst status, and among equals the one with the least progress.
ranked as (
    select
        *,
        row_number() over (
            partition by objective_id
            order by {{ plumbline.severity('status') }} desc, coalesce(progress, 0), kr_id
        ) as from_weakest
    from key_results
),

-- A key result without progress adds none to the average.
rolled_up as (
    select
        objective_id,
        cast(sum(coalesce(progress, 0)) / count(*) as decimal(18, 6)) as progress,
        count(*) as key_results,
        sum(case when status = 'green' then 1 else 0 end) as green,
        sum(case when status = 'amber' then 1 else 0 end) as amber,
        sum(case when status = 'red' then 1 else 0 end) as red,
        max(case when from_weakest = 1 then status end) as status,
        max(case when from_weakest = 1 then kr_id end) as weakest_kr_id,
        max(as_of) as as_of
    from ranked
    group by objective_id
)

select
    objectives.objective_id,
    objectives.name,
    objectives.level,
    objectives.function_id,
    objectives.perspective,
    objectives.sponsor_name,
    rolled_up.status,
    rolled_up.progress,
    cast(coalesce(rolled_up.key_results, 0) as integer) as key_results,
    cast(coalesce(rolled_up.green, 0) as integer) as green,
    cast(coalesce(rolled_up.amber, 0) as integer) as amber,
    cast(coalesce(rolled_up.red, 0) as integer) as red,
    rolled_up.weakest_kr_id,
    rolled_up.as_of
from objectives
left join rolled_up on rolled_up.objective_id = objectives.objective_id
