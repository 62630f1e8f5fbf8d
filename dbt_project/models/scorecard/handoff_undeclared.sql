{#- So many items of one function must hold up another's before somebody is asked to write the hand-off down. -#}
{%- set enough_items = 5 -%}
with days as (
    select max(date) as date from {{ ref('calendar') }}
    where is_reported
),

held_up as (
    {{ plumbline.undeclared_items() }}
)

select
    'undeclared/' || held_up.giver_function || '/' || held_up.receiver_function as handoff_id,
    held_up.giver_function,
    held_up.receiver_function,
    max(days.date) as date,
    min(held_up.created_on) as first_asked_on,
    cast(count(*) as integer) as items,
    cast(sum(case when held_up.done_on is not null then 1 else 0 end) as integer) as done,
    cast(sum(case when held_up.started_on is null and held_up.done_on is null then 1 else 0 end) as integer) as waiting,
    cast(max(case when held_up.started_on is null and held_up.done_on is null
        then {{ dbt.datediff('held_up.created_on', 'days.date', 'day') }} end) as integer) as oldest_waiting_days
from held_up
cross join days
group by held_up.giver_function, held_up.receiver_function
having count(*) >= {{ enough_items }}
    and sum(case when held_up.done_on is null then 1 else 0 end) > 0
