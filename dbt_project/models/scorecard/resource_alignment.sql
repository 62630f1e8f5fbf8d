with days as (
    select * from {{ ref('resource_daily') }}
),

last_days as (
    select kr_id, max(date) as date
    from days
    group by kr_id
),

key_results as (
    select * from {{ ref('kr_current') }}
),

people as (
    select sum(people) as meant from {{ ref('strategy_resources') }}
)

select
    key_results.kr_id,
    key_results.objective_id,
    key_results.function_id,
    days.date as as_of,
    key_results.status,
    days.progress,
    days.budget,
    days.spent,
    days.spent_share,
    cast(days.spent_share - days.progress as decimal(18, 6)) as spent_ahead,
    days.people,
    cast(days.people / nullif(people.meant, 0) as decimal(18, 6)) as share_of_people,
    days.people_seen
from last_days
inner join days
    on days.kr_id = last_days.kr_id
    and days.date = last_days.date
inner join key_results on key_results.kr_id = days.kr_id
cross join people
