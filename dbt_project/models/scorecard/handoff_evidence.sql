with handoffs as (
    select * from {{ ref('handoff_current') }}
),

undeclared as (
    {{ plumbline.undeclared_items() }}
),

items as (
    select
        handoff_id,
        item_id,
        {{ plumbline.local_date('created_at') }} as created_on,
        {{ plumbline.local_date('started_at') }} as started_on,
        {{ plumbline.local_date('done_at') }} as done_on,
        _record
    from {{ ref('handoff_items') }}
    union all
    select
        handoffs.handoff_id,
        undeclared.item_id,
        undeclared.created_on,
        undeclared.started_on,
        undeclared.done_on,
        undeclared._record
    from handoffs
    inner join undeclared
        on undeclared.giver_function = handoffs.giver_function
        and undeclared.receiver_function = handoffs.receiver_function
    where not handoffs.is_declared
),

reopenings as (
    {{ plumbline.reopenings() }}
),

returns as (
    select items.handoff_id, items.item_id, count(*) as times, max(reopenings.on_date) as last_on
    from items
    inner join handoffs on handoffs.handoff_id = items.handoff_id
    inner join reopenings
        on reopenings.item_id = items.item_id
        and reopenings.on_date <= handoffs.as_of
    group by items.handoff_id, items.item_id
),

standing as (
    select
        items.*,
        case
            when items.done_on <= handoffs.as_of then 'done'
            when coalesce(items.started_on, items.done_on) <= handoffs.as_of then 'in_progress'
            else 'waiting'
        end as state,
        coalesce(returns.times, 0) as returned,
        returns.last_on as returned_on
    from items
    inner join handoffs
        on handoffs.handoff_id = items.handoff_id
        and items.created_on <= handoffs.as_of
    left join returns
        on returns.handoff_id = items.handoff_id
        and returns.item_id = items.item_id
),

-- What came back is not under way, or waits, for longer than since then.
parts as (
    select
        handoff_id,
        'item' as part,
        _record as record,
        state,
        case state
            when 'done' then done_on
            when 'in_progress' then greatest(started_on, coalesce(returned_on, started_on))
            else greatest(created_on, coalesce(returned_on, created_on))
        end as since,
        returned,
        cast(null as date) as closes_on,
        cast(null as decimal(28, 2)) as amount
    from standing
    union all
    select
        deals.handoff_id,
        'deal' as part,
        deals._record as record,
        deals.stage as state,
        deals.created_on as since,
        null as returned,
        deals.close_date as closes_on,
        deals.amount_company as amount
    from (
        {{- plumbline.deals_waiting_for_handoffs() }}
    ) as deals
    inner join handoffs on handoffs.handoff_id = deals.handoff_id
    where {{ plumbline.is_at_stake('deals', 'handoffs.as_of') }}
),

records as (
    {{ plumbline.records_of('parts') }}
)

select
    parts.handoff_id,
    parts.part,
    parts.record,
    records.name,
    records.title,
    parts.state,
    parts.since,
    cast(parts.returned as integer) as returned,
    parts.closes_on,
    cast(parts.amount as decimal(28, 2)) as amount,
    records.url,
    records.found_in,
    records.landed_file
from parts
left join records on records.record = parts.record
