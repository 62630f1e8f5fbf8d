{{ config(materialized='view') }}
{%- set last_hours = 24 - var('integrity_cut_hours') -%}
with crossings as (
    {{ plumbline.crossings() }}
),

week_cuts as (
    select cast({{ dbt.date_trunc('week', 'date') }} as date) as week, max(case when is_working_day then date end) as cut_day
    from {{ ref('calendar') }}
    group by 1
    having count(*) = 7
),

closings as (
    select
        crossings.*,
        week_cuts.week,
        crossings.day > week_cuts.cut_day
        or (
            crossings.day = week_cuts.cut_day
            and extract(hour from crossings."at" at time zone '{{ var("timezone") }}') >= {{ last_hours }}
        ) as is_late
    from crossings
    inner join week_cuts on week_cuts.week = cast({{ dbt.date_trunc('week', 'crossings.day') }} as date)
    where crossings.is_closing
        and crossings.day >= {{ plumbline.add_days(plumbline.first_day_of_cycle(), -1 * var('integrity_cut_history_days')) }}
),

closings_by_closer as (
    select *, 'person' as kind, by_id as closer from closings
    where by_id is not null
    union all
    select *, 'function' as kind, function_id as closer from closings
    where function_id is not null
),

weeks_of_closers as (
    select kind, closer, week, count(*) as closings, sum(case when is_late then 1 else 0 end) as late
    from closings_by_closer
    group by kind, closer, week
),

usual_weeks as (
    select
        *,
        sum(closings) over (partition by kind, closer order by week rows between unbounded preceding and 1 preceding) as earlier,
        sum(late) over (partition by kind, closer order by week rows between unbounded preceding and 1 preceding) as earlier_late
    from weeks_of_closers
),

shares as (
    select *, cast(earlier_late + 1 as double precision) / (earlier + 2) as usual_share
    from usual_weeks
    where earlier >= {{ var('integrity_usual_records') }}
),

-- How far chance alone strays from a usual share: the standard deviation of a binomial count.
bursts as (
    select * from shares
    where late >= {{ var('integrity_cut_closings') }}
        and late - closings * usual_share
            >= {{ var('integrity_cut_deviations') }} * sqrt(closings * usual_share * (1 - usual_share))
),

burst_closings as (
    select
        closings_by_closer.*,
        bursts.closings,
        bursts.late,
        bursts.usual_share,
        row_number() over (
            partition by closings_by_closer.item_id
            order by closings_by_closer."at" desc, case closings_by_closer.kind when 'person' then 1 else 2 end
        ) as preference
    from closings_by_closer
    inner join bursts
        on bursts.kind = closings_by_closer.kind
        and bursts.closer = closings_by_closer.closer
        and bursts.week = closings_by_closer.week
    where closings_by_closer.is_late
        and closings_by_closer.day >= {{ plumbline.first_day_of_cycle() }}
)

select
    'closed_before_cut' as rule,
    item_id,
    false as is_severe,
    burst_closings.day as on_date,
    burst_closings.by_id,
    'was closed on ' || {{ plumbline.as_text('burst_closings.day') }} || ' just before the weekly cut, as '
    || {{ plumbline.as_text('late') }} || ' of the ' || {{ plumbline.spoken_count('closings', 'closing') }} || ' of one ' || kind
    || ' in that week were; the usual share is ' || {{ plumbline.spoken_share('usual_share') }} || '.' as finding
from burst_closings
where preference = 1
