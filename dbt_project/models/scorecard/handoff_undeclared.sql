{#- So many items of one function must hold up another's before somebody is asked to write the hand-off down. -#}
{%- set enough_items = 5 -%}
with declared as (
    select distinct item_id from {{ ref('handoff_items') }}
),

items as (
    select
        item_id,
        function_id,
        {{ plumbline.local_date('created_at') }} as created_on,
        {{ plumbline.local_date('started_at') }} as started_on,
        {{ plumbline.local_date('done_at') }} as done_on,
        _record
    from {{ ref('work_items') }}
    where not deleted
),

days as (
    select max(date) as date from {{ ref('calendar') }}
    where is_reported
),

-- Work of this cycle that another function's work waits for, and that no hand-off speaks of.
held_up as (
    select distinct
        links.blocker_function as giver_function,
        links.blocked_function as receiver_function,
        blockers.item_id,
        blockers.created_on,
        blockers.started_on,
        blockers.done_on,
        blockers._record
    from {{ ref('work_item_links') }} as links
    inner join items as blockers on blockers.item_id = links.blocker_id
    left join declared on declared.item_id = blockers.item_id
    where links.blocker_function <> links.blocked_function
        and declared.item_id is null
        and coalesce(blockers.done_on, cast('9999-12-31' as date)) >= {{ plumbline.first_day_of_cycle() }}
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
