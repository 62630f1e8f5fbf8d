{{ config(materialized='view') }}
{%- set settled_days = var('integrity_settled_days') -%}
with evidence as (
    select distinct record from {{ ref('evidence') }}
),

all_items as (
    select
        _record,
        source,
        item_id,
        type,
        status_id,
        created_at,
        started_at,
        resolved_at,
        done_at,
        lead_time_days,
        {{ plumbline.local_date('done_at') }} as done_on,
        -- By the flow's convention an item that never was in progress started when it was done.
        started_at < done_at as was_in_progress
    from {{ ref('work_items') }}
    where not deleted
),

-- What a key result of this cycle may count.
items as (
    select * from all_items
    where done_on >= {{ plumbline.first_day_of_cycle() }}
        or _record in (select record from evidence)
),

crossings as (
    {{ plumbline.crossings() }}
),

-- 1. Reopened soon after being counted.
turns as (
    select
        *,
        lag(is_closing) over (partition by item_id order by "at", is_closing) as was_closed,
        lag("at") over (partition by item_id order by "at", is_closing) as closed_at
    from crossings
    where day >= {{ plumbline.add_days(plumbline.first_day_of_cycle(), -1 * settled_days) }}
),

reopenings as (
    select
        *,
        {{ plumbline.days_between('closed_at', '"at"') }} as days_closed,
        count(*) over (partition by item_id) as times,
        row_number() over (partition by item_id order by "at" desc, by_id) as from_last
    from turns
    where not is_closing
        and was_closed
        and {{ plumbline.days_between('closed_at', '"at"') }} < {{ settled_days }}
        and day >= {{ plumbline.first_day_of_cycle() }}
),

reopened as (
    select
        'reopened' as rule,
        reopenings.item_id,
        -- What was closed again counts once more when it has stayed closed for as long.
        coalesce(
            items.done_at > reopenings."at"
            and {{ plumbline.last_reported_day() }} < {{ plumbline.add_days('items.done_on', settled_days) }},
            false
        ) as is_severe,
        reopenings.day as on_date,
        reopenings.by_id,
        'was reopened on ' || {{ plumbline.as_text('reopenings.day') }} || ', '
        || case when days_closed < 1 then 'less than a day' else {{ plumbline.spoken_count('cast(floor(days_closed) as integer)', 'day') }} end
        || ' after it had been counted as done'
        || case when times > 1 then ', and ' || {{ plumbline.as_text('times') }} || ' times in all' else '' end
        || case
            when items.done_at is null then '; it is open.'
            else '; it was closed again on ' || {{ plumbline.as_text('items.done_on') }} || '.'
        end as finding
    from reopenings
    inner join all_items as items on items.item_id = reopenings.item_id
    where from_last = 1
),

-- 2. Resolved before the history says so.
first_closings as (
    select items.item_id, min(crossings."at") as closed_at
    from items
    inner join crossings on crossings.item_id = items.item_id
    where crossings.is_closing
    group by items.item_id
),

resolved_before_history as (
    select
        'resolved_before_history' as rule,
        items.item_id,
        true as is_severe,
        items.done_on as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        'bears the resolution date ' || {{ plumbline.as_text(plumbline.local_date('resolved_at')) }}
        || ', but its history enters done only on ' || {{ plumbline.as_text(plumbline.local_date('closed_at')) }} || '.' as finding
    from items
    inner join first_closings on first_closings.item_id = items.item_id
    where {{ plumbline.days_between('resolved_at', 'closed_at') }} > {{ var('integrity_resolved_days') }}
),

-- 3. Created and closed at once.
usual_lead_times as (
    select source, type, {{ plumbline.percentile('lead_time_days', 0.5) }} as median_days
    from all_items
    where lead_time_days is not null
    group by source, type
    having count(*) >= {{ var('integrity_usual_records') }}
),

closed_at_once as (
    select
        'closed_at_once' as rule,
        items.item_id,
        true as is_severe,
        items.done_on as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        'was created and closed within '
        || {{ plumbline.spoken_count('cast(ceiling(lead_time_days * 1440) as integer)', 'minute') }}
        || ' on ' || {{ plumbline.as_text('done_on') }} || '; an item of type ' || items.type || ' usually takes '
        || {{ plumbline.spoken_number('median_days') }} || ' days.' as finding
    from items
    inner join usual_lead_times
        on usual_lead_times.source = items.source
        and usual_lead_times.type = items.type
    where lead_time_days * 1440 < {{ var('integrity_at_once_minutes') }}
        and median_days >= {{ var('integrity_at_once_usual_days') }}
),

-- 4. Never started, where items of the type that end in this status usually were in progress.
usual_starts as (
    select
        source,
        type,
        status_id,
        sum(case when was_in_progress then 1.0 else 0 end) / count(*) as share
    from all_items
    where was_in_progress is not null
    group by source, type, status_id
    having count(*) >= {{ var('integrity_usual_records') }}
),

never_started as (
    select
        'never_started' as rule,
        items.item_id,
        true as is_severe,
        items.done_on as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        'was done on ' || {{ plumbline.as_text('done_on') }} || ' without ever being in progress; '
        || {{ plumbline.spoken_share('share') }} || ' of the items of type ' || items.type || ' were.' as finding
    from items
    inner join usual_starts
        on usual_starts.source = items.source
        and usual_starts.type = items.type
        and usual_starts.status_id = items.status_id
    where not was_in_progress
        and share >= {{ var('integrity_usual_share') }}
),

-- 5. Estimates changed after the start.
estimate_changes as (
    select
        items.*,
        {{ plumbline.local_date('changes."at"') }} as changed_on,
        changes.by_id,
        changes.from_text,
        changes.to_text,
        count(*) over (partition by items.item_id) as times,
        row_number() over (partition by items.item_id order by changes."at" desc, changes.to_text) as from_last
    from items
    inner join {{ ref('work_item_changes') }} as changes on changes.item_id = items.item_id
    where changes.field = 'estimate'
        and changes."at" > items.started_at
        and changes.from_text <> ''
        and coalesce(changes.to_text, '') <> changes.from_text
        and {{ plumbline.local_date('changes."at"') }} >= {{ plumbline.first_day_of_cycle() }}
),

estimate_changed as (
    select
        'estimate_changed' as rule,
        item_id,
        false as is_severe,
        changed_on as on_date,
        by_id,
        'had its estimate changed after the start, from ' || from_text || ' to ' || coalesce(nullif(to_text, ''), 'nothing')
        || ' on ' || {{ plumbline.as_text('changed_on') }}
        || case when times > 1 then '; that was change ' || {{ plumbline.as_text('times') }} || '.' else '.' end as finding
    from estimate_changes
    where from_last = 1
)

select * from reopened
union all
select * from resolved_before_history
union all
select * from closed_at_once
union all
select * from never_started
union all
select * from estimate_changed
