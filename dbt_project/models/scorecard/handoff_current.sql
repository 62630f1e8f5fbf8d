with handoffs as (
    select * from {{ ref('strategy_handoffs') }}
),

functions as (
    select * from {{ ref('strategy_functions') }}
),

days as (
    select * from {{ ref('handoff_daily') }}
),

undeclared as (
    select * from {{ ref('handoff_undeclared') }}
),

last_days as (
    select handoff_id, max(date) as date
    from days
    group by handoff_id
),

-- The present state has held since the day after the last day that had another.
last_changes as (
    select days.handoff_id, max(days.date) as date
    from days
    inner join last_days on last_days.handoff_id = days.handoff_id
    inner join days as current_days
        on current_days.handoff_id = last_days.handoff_id
        and current_days.date = last_days.date
    where days.state <> current_days.state
    group by days.handoff_id
),

starts as (
    select days.handoff_id, min(days.date) as since
    from days
    left join last_changes on last_changes.handoff_id = days.handoff_id
    where last_changes.date is null or days.date > last_changes.date
    group by days.handoff_id
),

standing as (
    select
        days.handoff_id,
        handoffs.name,
        true as is_declared,
        handoffs.giver_function,
        handoffs.receiver_function,
        days.date as as_of,
        days.state,
        days.status,
        starts.since,
        days.items,
        days.done,
        days.open,
        days.waiting,
        days.added_in_4_weeks,
        days.oldest_waiting_days,
        days.returned,
        days.delivered_to_waiting_work,
        days.taken_up,
        days.items_per_week,
        days.needed_by,
        days.p50_on,
        days.p85_on,
        days.sure_on,
        days.slack_days,
        days.deals_at_stake,
        days.amount_at_stake,
        days.sentence
    from last_days
    inner join days
        on days.handoff_id = last_days.handoff_id
        and days.date = last_days.date
    inner join handoffs on handoffs.handoff_id = days.handoff_id
    inner join starts on starts.handoff_id = days.handoff_id
    union all
    select
        handoff_id,
        'Work that no hand-off speaks of' as name,
        false as is_declared,
        giver_function,
        receiver_function,
        date as as_of,
        'undeclared' as state,
        'amber' as status,
        first_asked_on as since,
        items,
        done,
        items - done as open,
        waiting,
        null as added_in_4_weeks,
        oldest_waiting_days,
        null as returned,
        null as delivered_to_waiting_work,
        null as taken_up,
        null as items_per_week,
        null as needed_by,
        null as p50_on,
        null as p85_on,
        null as sure_on,
        null as slack_days,
        0 as deals_at_stake,
        0 as amount_at_stake,
        {{ plumbline.as_text('items') }} || ' items of this cycle hold up work of the receiver, '
        || {{ plumbline.as_text('items - done') }} || ' of them are open, and no hand-off in the strategy speaks of them.' as sentence
    from undeclared
)

select
    standing.handoff_id,
    standing.name,
    standing.is_declared,
    standing.giver_function,
    standing.receiver_function,
    givers.head_name as giving_head_name,
    givers.head_email as giving_head_email,
    receivers.head_name as receiving_head_name,
    receivers.head_email as receiving_head_email,
    standing.as_of,
    standing.state,
    standing.status,
    standing.since,
    standing.items,
    standing.done,
    standing.open,
    standing.waiting,
    cast(standing.added_in_4_weeks as integer) as added_in_4_weeks,
    standing.oldest_waiting_days,
    cast(standing.returned as integer) as returned,
    cast(standing.delivered_to_waiting_work as integer) as delivered_to_waiting_work,
    cast(standing.taken_up as integer) as taken_up,
    cast(standing.items_per_week as decimal(18, 6)) as items_per_week,
    cast(standing.needed_by as date) as needed_by,
    cast(standing.p50_on as date) as p50_on,
    cast(standing.p85_on as date) as p85_on,
    cast(standing.sure_on as date) as sure_on,
    cast(standing.slack_days as integer) as slack_days,
    cast(standing.deals_at_stake as integer) as deals_at_stake,
    cast(standing.amount_at_stake as decimal(28, 2)) as amount_at_stake,
    standing.sentence
from standing
inner join functions as givers on givers.function_id = standing.giver_function
inner join functions as receivers on receivers.function_id = standing.receiver_function
