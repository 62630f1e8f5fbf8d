with handoffs as (
    select * from {{ ref('strategy_handoffs') }}
),

work as (
    select * from {{ ref('handoff_days') }}
),

finishes as (
    select * from {{ source('forecast', 'handoff_finish') }}
),

waiting_deals as (
    {{ plumbline.deals_waiting_for_handoffs() }}
),

stakes as (
    select
        work.handoff_id,
        work.date,
        count(*) as deals,
        sum(waiting_deals.amount_company) as amount
    from work
    inner join waiting_deals
        on waiting_deals.handoff_id = work.handoff_id
        and {{ plumbline.is_at_stake('waiting_deals', 'work.date') }}
    group by work.handoff_id, work.date
),

foreseen as (
    select
        work.*,
        handoffs.needed_by,
        finishes.p50_on,
        finishes.p85_on,
        finishes.sure_on,
        finishes.items_per_week,
        {{ dbt.datediff('finishes.sure_on', 'handoffs.needed_by', 'day') }} as slack_days,
        coalesce(stakes.deals, 0) as deals_at_stake,
        coalesce(stakes.amount, 0) as amount_at_stake
    from work
    inner join handoffs on handoffs.handoff_id = work.handoff_id
    left join finishes
        on finishes.handoff_id = work.handoff_id
        and finishes.date = work.date
    left join stakes
        on stakes.handoff_id = work.handoff_id
        and stakes.date = work.date
),

judged as (
    select
        *,
        case
            when items = 0 then 'empty'
            when open = 0 then 'delivered'
            when date > needed_by then 'late'
            when sure_on is null or sure_on > needed_by then 'at_risk'
            else 'on_track'
        end as state
    from foreseen
),

phrases as (
    select
        *,
        {{ plumbline.as_text('done') }} || ' of ' || {{ plumbline.as_text('items') }} || ' items are done'
        || case
            when waiting = 0 then ''
            else ', ' || {{ plumbline.as_text('waiting') }} || ' have not been started, the oldest asked for '
                || {{ plumbline.as_text('oldest_waiting_days') }} || ' days ago'
        end as where_it_is,
        'at the throughput seen on it, ' || {{ plumbline.spoken_number('items_per_week') }} || ' items a week, ' as at_this_rate
    from judged
)

select
    handoff_id,
    date,
    state,
    case state when 'late' then 'red' when 'at_risk' then 'amber' when 'empty' then 'amber' else 'green' end as status,
    items,
    done,
    open,
    waiting,
    added_in_4_weeks,
    oldest_waiting_days,
    returned,
    delivered_to_waiting_work,
    taken_up,
    cast(items_per_week as decimal(18, 6)) as items_per_week,
    needed_by,
    p50_on,
    p85_on,
    sure_on,
    cast(slack_days as integer) as slack_days,
    cast(deals_at_stake as integer) as deals_at_stake,
    cast(amount_at_stake as decimal(28, 2)) as amount_at_stake,
    case state
        when 'empty' then 'No item of work is in its scope: the giver has nothing of it on the list.'
        when 'delivered' then 'All ' || {{ plumbline.as_text('items') }} || ' items are done.'
        when 'late' then 'It was needed by ' || {{ plumbline.as_text('needed_by') }} || ', and ' || where_it_is || '.'
        else upper(substring(where_it_is, 1, 1)) || substring(where_it_is, 2) || '; ' || at_this_rate
            || case
                when sure_on is null then 'the end is not in sight within two years; it is needed by ' || {{ plumbline.as_text('needed_by') }} || '.'
                else 'it is through by ' || {{ plumbline.as_text('sure_on') }} || ' with '
                    || {{ plumbline.spoken_share(plumbline.threshold('handoff', 'amber')) }} || ' confidence, '
                    || case
                        when slack_days >= 0 then {{ plumbline.as_text('slack_days') }} || ' days before it is needed ('
                        else {{ plumbline.as_text('-1 * slack_days') }} || ' days after it is needed ('
                    end || {{ plumbline.as_text('needed_by') }} || ').'
            end
    end as sentence
from phrases
