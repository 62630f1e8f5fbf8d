{%- set idle_days = plumbline.threshold('resources_idle', 'amber') ~ ' * 7' -%}
with resources as (
    select
        kr_id,
        cast(budget as decimal(28, 2)) as budget,
        cast(people as decimal(18, 2)) as people
    from {{ ref('strategy_resources') }}
),

spenders as (
    select kr_id, cost_centre from {{ ref('strategy_spenders') }}
),

days as (
    select kr_id, date, kind, progress from {{ ref('kr_progress') }}
),

postings as (
    select spenders.kr_id, ledger.date, sum(ledger.amount_company) as amount
    from {{ ref('ledger_entries') }} as ledger
    inner join spenders on spenders.cost_centre = ledger.cost_centre
    where ledger.account_type = 'expense'
        and ledger.date >= {{ plumbline.first_day_of_cycle() }}
    group by spenders.kr_id, ledger.date
),

spending as (
    select days.kr_id, days.date, sum(postings.amount) as spent
    from days
    inner join postings
        on postings.kr_id = days.kr_id
        and postings.date <= days.date
    group by days.kr_id, days.date
),

patience as (
    select cast({{ idle_days }} as integer) as days
),

-- A person works for a key result on a day on which she changes one of its items.
touches as (
    select distinct
        items.kr_id,
        changes.by_id,
        {{ plumbline.local_date('changes."at"') }} as on_date
    from {{ ref('work_item_changes') }} as changes
    inner join {{ ref('kr_work_items') }} as items on items.item_id = changes.item_id
    where changes.by_id is not null
),

capacities as (
    select days.kr_id, days.date, count(distinct touches.by_id) as people_seen
    from days
    cross join patience
    inner join touches
        on touches.kr_id = days.kr_id
        and touches.on_date <= days.date
        and touches.on_date > {{ plumbline.add_days('days.date', '-1 * patience.days') }}
    group by days.kr_id, days.date
)

-- A cycle younger than the patience is judged by the weeks before it as well.
select
    days.kr_id,
    days.date,
    resources.budget,
    cast(case when resources.budget is not null then coalesce(spending.spent, 0) end as decimal(28, 2)) as spent,
    cast(case when resources.budget > 0 then coalesce(spending.spent, 0) / resources.budget end as decimal(18, 6)) as spent_share,
    resources.people,
    cast(case when resources.people is not null then coalesce(capacities.people_seen, 0) end as integer) as people_seen,
    case when days.kind <> 'maintain' then days.progress end as progress
from days
inner join resources on resources.kr_id = days.kr_id
left join spending
    on spending.kr_id = days.kr_id
    and spending.date = days.date
left join capacities
    on capacities.kr_id = days.kr_id
    and capacities.date = days.date
