with weeks as (
    select cycle_week, min(date) as week_start, max(date) as date
    from {{ ref('calendar') }}
    where is_reported
    group by cycle_week
),

work as (
    select
        item_id,
        function_id,
        {{ plumbline.local_date('created_at') }} as created_on,
        {{ plumbline.local_date('coalesce(started_at, done_at)') }} as started_on,
        {{ plumbline.local_date('done_at') }} as done_on
    from {{ ref('work_items') }}
    where not deleted
        and function_id is not null
        and {{ plumbline.or_never(plumbline.local_date('done_at')) }} >= {{ plumbline.first_day_of_cycle() }}
),

-- Work of one function is for another when it is in a hand-off to it, or holds up an item of it.
served as (
    select work.item_id, handoffs.receiver_function
    from {{ ref('handoff_items') }} as items
    inner join {{ ref('strategy_handoffs') }} as handoffs on handoffs.handoff_id = items.handoff_id
    inner join work
        on work.item_id = items.item_id
        and work.function_id = handoffs.giver_function
    union
    select work.item_id, links.blocked_function as receiver_function
    from {{ ref('work_item_links') }} as links
    inner join work on work.item_id = links.blocker_id
    where links.blocked_function <> work.function_id
),

for_whom as (
    select work.*, coalesce(served.receiver_function, work.function_id) as receiver_function
    from work
    left join served on served.item_id = work.item_id
),

weekly as (
    select
        for_whom.function_id as giver_function,
        for_whom.receiver_function,
        weeks.cycle_week,
        weeks.date,
        sum(case when {{ plumbline.or_never('started_on') }} > weeks.date then 1 else 0 end) as waiting,
        sum(case when {{ plumbline.or_never('started_on') }} > weeks.date
            then {{ dbt.datediff('created_on', 'weeks.date', 'day') }} else 0 end) as days_waited,
        sum(case when done_on between weeks.week_start and weeks.date then 1 else 0 end) as finished
    from for_whom
    inner join weeks on for_whom.created_on <= weeks.date
    group by for_whom.function_id, for_whom.receiver_function, weeks.cycle_week, weeks.date
),

own as (
    select * from weekly
    where receiver_function = giver_function
),

finished_by_givers as (
    select giver_function, cycle_week, sum(finished) as finished
    from weekly
    group by giver_function, cycle_week
)

select
    weekly.giver_function,
    weekly.receiver_function,
    cast(weekly.cycle_week as integer) as cycle_week,
    weekly.date,
    cast(weekly.waiting as integer) as waiting,
    cast(1.0 * weekly.days_waited / nullif(weekly.waiting, 0) as decimal(18, 6)) as average_days_waited,
    cast(coalesce(own.waiting, 0) as integer) as own_waiting,
    cast(1.0 * own.days_waited / nullif(own.waiting, 0) as decimal(18, 6)) as own_average_days_waited,
    cast(weekly.finished as integer) as finished,
    cast(coalesce(own.finished, 0) as integer) as own_finished,
    cast(1.0 * weekly.finished / nullif(finished_by_givers.finished, 0) as decimal(18, 6)) as share_of_finished
from weekly
left join own
    on own.giver_function = weekly.giver_function
    and own.cycle_week = weekly.cycle_week
inner join finished_by_givers
    on finished_by_givers.giver_function = weekly.giver_function
    and finished_by_givers.cycle_week = weekly.cycle_week
where weekly.receiver_function <> weekly.giver_function
