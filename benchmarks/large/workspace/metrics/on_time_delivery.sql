-- Share of delivery orders that arrived within the days promised for them, in percent, over the last 28 days.
-- The promise stands in the order's label: two days for express, five for the rest.

with promised as (

    select
        {{ plumbline.local_date('done_at') }} as arrived_on,
        lead_time_days,
        case when labels like '%|promise-2d|%' then 2 else 5 end as promised_days
    from {{ ref('work_items') }}
    where type = 'Delivery Order'
        and status_category = 'done'
        and not deleted

),

arrivals as (

    select
        arrived_on,
        count(*) as orders,
        sum(case when lead_time_days <= promised_days then 1 else 0 end) as on_time
    from promised
    group by arrived_on

),

days as (

    select date
    from {{ ref('calendar') }}
    where is_measured

)

select
    days.date,
    100.0 * sum(arrivals.on_time) / nullif(sum(arrivals.orders), 0) as value,
    coalesce(sum(arrivals.orders), 0) as records
from days
left join arrivals
    on arrivals.arrived_on <= days.date
    and arrivals.arrived_on > days.date - interval '28' day
group by days.date
