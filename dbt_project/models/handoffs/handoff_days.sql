with handoffs as (
    select * from {{ ref('strategy_handoffs') }}
),

days as (
    select date from {{ ref('calendar') }}
    where is_reported
),

working_days as (
    select date from {{ ref('calendar') }}
    where is_working_day
),

work as (
    select
        function_id,
        lead_time_days,
        cycle_time_days,
        lead_time_days - cycle_time_days as wait_days,
        {{ plumbline.local_date('created_at') }} as created_on,
        {{ plumbline.local_date('done_at') }} as done_on
    from {{ ref('work_items') }}
    where not deleted
),

items as (
    select
        handoff_id,
        item_id,
        {{ plumbline.local_date('created_at') }} as created_on,
        {{ plumbline.local_date('started_at') }} as started_on,
        {{ plumbline.local_date('done_at') }} as done_on
    from {{ ref('handoff_items') }}
),

-- The giver's own habit, from the thirteen weeks before the cycle: how long its work takes from being asked for to done, from being
-- taken up to done, and waits.
usual_times as (
    select
        function_id,
        {{ plumbline.percentile('lead_time_days', 0.5) }} as lead_days,
        {{ plumbline.percentile('cycle_time_days', 0.5) }} as cycle_days,
        {{ plumbline.percentile('wait_days', 0.5) }} as wait_days
    from work
    where done_on >= {{ plumbline.add_days(plumbline.first_day_of_cycle(), -91) }}
        and done_on < {{ plumbline.first_day_of_cycle() }}
    group by function_id
),

firsts as (
    select handoff_id, min(created_on) as asked_on, min(started_on) as taken_up_on, min(done_on) as delivered_on
    from items
    group by handoff_id
),

expected as (
    select
        handoffs.handoff_id,
        handoffs.giver_function,
        firsts.taken_up_on,
        usual_times.wait_days as usual_wait_days,
        coalesce(usual_times.cycle_days, 0) as usual_cycle_days,
        least(
            {{ plumbline.add_days('firsts.taken_up_on', 'cast(coalesce(usual_times.cycle_days, 0) as integer)') }},
            {{ plumbline.or_never('firsts.delivered_on') }}
        ) as could_deliver_on,
        {{ plumbline.add_days('firsts.asked_on', 'cast(coalesce(usual_times.lead_days, 0) as integer)') }} as due_on
    from handoffs
    left join firsts on firsts.handoff_id = handoffs.handoff_id
    left join usual_times on usual_times.function_id = handoffs.giver_function
),

-- Throughput counts from the day the first item that was taken up could be done by the giver's habit, or was; while none is taken up,
-- from the day the first one asked for should have been done. Of these days, the last four weeks.
windows as (
    select
        expected.handoff_id,
        expected.giver_function,
        expected.usual_wait_days,
        expected.usual_cycle_days,
        days.date,
        greatest(
            case when expected.taken_up_on <= days.date then expected.could_deliver_on else expected.due_on end,
            {{ plumbline.add_days('days.date', -27) }}
        ) as window_start
    from expected
    cross join days
),

exposures as (
    select windows.handoff_id, windows.date, count(*) as working_days
    from windows
    inner join working_days on working_days.date between windows.window_start and windows.date
    group by windows.handoff_id, windows.date
),

progress as (
    select
        windows.handoff_id,
        windows.date,
        count(*) as items,
        sum(case when items.done_on <= windows.date then 1 else 0 end) as done,
        sum(case when coalesce(items.started_on, items.done_on) <= windows.date then 0 else 1 end) as waiting,
        sum(case when items.created_on > {{ plumbline.add_days('windows.date', -28) }} then 1 else 0 end) as added_in_4_weeks,
        sum(case when items.done_on between windows.window_start and windows.date then 1 else 0 end) as done_in_window,
        count(distinct case when items.done_on between windows.window_start and windows.date then items.done_on end) as delivery_days_in_window,
        -- What has been in progress for twice as long as is usual is stuck.
        sum(case when items.started_on <= windows.date and {{ plumbline.or_never('items.done_on') }} > windows.date
            and {{ dbt.datediff('items.started_on', 'windows.date', 'day') }} <= 2 * windows.usual_cycle_days then 1 else 0 end) as under_way,
        sum(case when coalesce(items.started_on, items.done_on)
            between {{ plumbline.add_days('windows.date', -27) }} and windows.date then 1 else 0 end) as taken_up_in_4_weeks,
        avg(case when coalesce(items.started_on, items.done_on) <= windows.date then null
            else {{ dbt.datediff('items.created_on', 'windows.date', 'day') }} end) as average_waiting_days,
        max(case when coalesce(items.started_on, items.done_on) <= windows.date then null
            else {{ dbt.datediff('items.created_on', 'windows.date', 'day') }} end) as oldest_waiting_days
    from windows
    inner join items
        on items.handoff_id = windows.handoff_id
        and items.created_on <= windows.date
    group by windows.handoff_id, windows.date
),

finished_of_functions as (
    select function_id, done_on as on_date, count(*) as items
    from work
    where done_on is not null
    group by function_id, done_on
),

asked_of_functions as (
    select function_id, created_on as on_date, count(*) as items
    from work
    group by function_id, created_on
),

givers as (
    select distinct giver_function from handoffs
),

finished_by_givers as (
    select
        givers.giver_function,
        days.date,
        sum(finished.items) as ever,
        sum(case when finished.on_date > {{ plumbline.add_days('days.date', -28) }} then finished.items else 0 end) as in_4_weeks
    from givers
    cross join days
    inner join finished_of_functions as finished
        on finished.function_id = givers.giver_function
        and finished.on_date <= days.date
    group by givers.giver_function, days.date
),

asked_of_givers as (
    select givers.giver_function, days.date, sum(asked.items) as ever
    from givers
    cross join days
    inner join asked_of_functions as asked
        on asked.function_id = givers.giver_function
        and asked.on_date <= days.date
    group by givers.giver_function, days.date
),

reopenings as (
    select items.handoff_id, reopened.on_date
    from (
        {{- plumbline.reopenings() }}
    ) as reopened
    inner join items on items.item_id = reopened.item_id
),

returns as (
    select days.date, reopenings.handoff_id, count(*) as returned
    from days
    inner join reopenings on reopenings.on_date <= days.date
    group by days.date, reopenings.handoff_id
),

-- The receiver takes a delivery up when the work that was waiting for it moves.
waiting_for_items as (
    select
        items.handoff_id,
        items.item_id,
        items.done_on,
        min({{ plumbline.local_date('blocked.started_at') }}) as taken_up_on
    from items
    inner join {{ ref('work_item_links') }} as links on links.blocker_id = items.item_id
    inner join {{ ref('work_items') }} as blocked on blocked.item_id = links.blocked_id
    where not blocked.deleted
    group by items.handoff_id, items.item_id, items.done_on
),

acceptances as (
    select
        days.date,
        waiting_for_items.handoff_id,
        count(*) as delivered_to_waiting_work,
        sum(case when waiting_for_items.taken_up_on <= days.date then 1 else 0 end) as taken_up
    from days
    inner join waiting_for_items on waiting_for_items.done_on <= days.date
    group by days.date, waiting_for_items.handoff_id
)

select
    windows.handoff_id,
    windows.date,
    cast(coalesce(progress.items, 0) as integer) as items,
    cast(coalesce(progress.done, 0) as integer) as done,
    cast(coalesce(progress.items - progress.done, 0) as integer) as open,
    cast(coalesce(progress.waiting, 0) as integer) as waiting,
    cast(coalesce(progress.added_in_4_weeks, 0) as integer) as added_in_4_weeks,
    cast(progress.oldest_waiting_days as integer) as oldest_waiting_days,
    cast(progress.average_waiting_days as decimal(18, 6)) as average_waiting_days,
    cast(coalesce(progress.taken_up_in_4_weeks, 0) as integer) as taken_up_in_4_weeks,
    cast(windows.usual_wait_days as decimal(18, 6)) as giver_usual_wait_days,
    cast(coalesce(returns.returned, 0) as integer) as returned,
    cast(coalesce(acceptances.delivered_to_waiting_work, 0) as integer) as delivered_to_waiting_work,
    cast(coalesce(acceptances.taken_up, 0) as integer) as taken_up,
    cast(coalesce(progress.under_way, 0) as integer) as under_way,
    cast(coalesce(progress.done_in_window, 0) as integer) as done_in_window,
    cast(coalesce(progress.delivery_days_in_window, 0) as integer) as delivery_days_in_window,
    cast(coalesce(exposures.working_days, 0) as integer) as working_days_in_window,
    cast(coalesce(finished_by_givers.in_4_weeks, 0) as integer) as giver_done_in_4_weeks,
    cast(coalesce(asked_of_givers.ever, 0) - coalesce(finished_by_givers.ever, 0) as integer) as giver_open
from windows
left join progress
    on progress.handoff_id = windows.handoff_id
    and progress.date = windows.date
left join exposures
    on exposures.handoff_id = windows.handoff_id
    and exposures.date = windows.date
left join finished_by_givers
    on finished_by_givers.giver_function = windows.giver_function
    and finished_by_givers.date = windows.date
left join asked_of_givers
    on asked_of_givers.giver_function = windows.giver_function
    and asked_of_givers.date = windows.date
left join returns
    on returns.handoff_id = windows.handoff_id
    and returns.date = windows.date
left join acceptances
    on acceptances.handoff_id = windows.handoff_id
    and acceptances.date = windows.date
