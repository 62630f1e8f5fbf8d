{%- set settled_days = var('integrity_settled_days') -%}
{%- set last_hours = 24 - var('integrity_cut_hours') -%}
with evidence as (
    select distinct record from {{ ref('evidence') }}
),

all_items as (
    select
        _record,
        source,
        item_id,
        key,
        type,
        project_key,
        function_id,
        status_id,
        epic_key,
        labels,
        fix_versions,
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
    select
        item_id,
        function_id,
        by_id,
        "at",
        {{ plumbline.local_date('"at"') }} as day,
        coalesce(to_category, '') = 'done' as is_closing
    from {{ ref('work_item_changes') }}
    where field = 'status'
        and (coalesce(to_category, '') = 'done') <> (coalesce(from_category, '') = 'done')
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
        -- What was closed again counts once more when it has stayed closed for as long.
        coalesce(
            items.done_at > reopenings."at"
            and {{ plumbline.last_reported_day() }} < {{ plumbline.add_days('items.done_on', settled_days) }},
            false
        ) as is_severe,
        items._record as record,
        items.key as item,
        items.function_id,
        reopenings.day as on_date,
        reopenings.by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        items.key || ' was reopened on ' || {{ plumbline.as_text('reopenings.day') }} || ', '
        || case when days_closed < 1 then 'less than a day' else {{ plumbline.spoken_count('cast(floor(days_closed) as integer)', 'day') }} end
        || ' after it had been counted as done'
        || case when times > 1 then ', and ' || {{ plumbline.as_text('times') }} || ' times in all' else '' end
        || case
            when items.done_at is null then '; it is open.'
            else '; it was closed again on ' || {{ plumbline.as_text('items.done_on') }} || '.'
        end as sentence
    from reopenings
    inner join all_items as items on items.item_id = reopenings.item_id
    where from_last = 1
),

-- 2. Closed in a burst just before the weekly cut.
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
),

closed_before_cut as (
    select
        'closed_before_cut' as rule,
        false as is_severe,
        items._record as record,
        items.key as item,
        items.function_id,
        burst_closings.day as on_date,
        burst_closings.by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        items.key || ' was closed on ' || {{ plumbline.as_text('burst_closings.day') }} || ' just before the weekly cut, as '
        || {{ plumbline.as_text('late') }} || ' of the ' || {{ plumbline.spoken_count('closings', 'closing') }} || ' of one ' || kind
        || ' in that week were; the usual share is ' || {{ plumbline.spoken_share('usual_share') }} || '.' as sentence
    from burst_closings
    inner join all_items as items on items.item_id = burst_closings.item_id
    where preference = 1
),

-- 3. Resolved before the history says so.
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
        true as is_severe,
        items._record as record,
        items.key as item,
        items.function_id,
        items.done_on as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        items.key || ' bears the resolution date ' || {{ plumbline.as_text(plumbline.local_date('resolved_at')) }}
        || ', but its history enters done only on ' || {{ plumbline.as_text(plumbline.local_date('closed_at')) }} || '.' as sentence
    from items
    inner join first_closings on first_closings.item_id = items.item_id
    where {{ plumbline.days_between('resolved_at', 'closed_at') }} > {{ var('integrity_resolved_days') }}
),

-- 4. Created and closed at once.
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
        true as is_severe,
        items._record as record,
        items.key as item,
        items.function_id,
        items.done_on as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        items.key || ' was created and closed within '
        || {{ plumbline.spoken_count('cast(ceiling(lead_time_days * 1440) as integer)', 'minute') }}
        || ' on ' || {{ plumbline.as_text('done_on') }} || '; an item of type ' || items.type || ' usually takes '
        || {{ plumbline.spoken_number('median_days') }} || ' days.' as sentence
    from items
    inner join usual_lead_times
        on usual_lead_times.source = items.source
        and usual_lead_times.type = items.type
    where lead_time_days * 1440 < {{ var('integrity_at_once_minutes') }}
        and median_days >= {{ var('integrity_at_once_usual_days') }}
),

-- 5. Never started, where items of the type that end in this status usually were in progress.
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
        true as is_severe,
        items._record as record,
        items.key as item,
        items.function_id,
        items.done_on as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        items.key || ' was done on ' || {{ plumbline.as_text('done_on') }} || ' without ever being in progress; '
        || {{ plumbline.spoken_share('share') }} || ' of the items of type ' || items.type || ' were.' as sentence
    from items
    inner join usual_starts
        on usual_starts.source = items.source
        and usual_starts.type = items.type
        and usual_starts.status_id = items.status_id
    where not was_in_progress
        and share >= {{ var('integrity_usual_share') }}
),

-- 6. Retyped, moved or relabelled, so that it left what a key result counts.
measures as (
    select kr_id, measure_text from {{ ref('strategy_key_results') }}
    where measure_text like '%work_items%'
),

scope_changes as (
    select
        item_id,
        by_id,
        "at",
        {{ plumbline.local_date('"at"') }} as day,
        case lower(field)
            when 'issuetype' then 'type'
            when 'key' then 'project_key'
            when 'labels' then 'labels'
            when 'fixversions' then 'fix_versions'
            else 'epic_key'
        end as scope,
        case when lower(field) = 'key' then {{ dbt.split_part('from_text', "'-'", 1) }} else from_text end as from_text,
        case when lower(field) = 'key' then {{ dbt.split_part('to_text', "'-'", 1) }} else to_text end as to_text
    from {{ ref('work_item_changes') }}
    where {{ plumbline.local_date('"at"') }} >= {{ plumbline.first_day_of_cycle() }}
        and lower(field) in ('issuetype', 'key', 'labels', 'fixversions', 'parent', 'issueparentassociation', 'epic link')
        and from_text <> ''
),

places as (
    {%- for place in range(1, 21) %}
    select {{ place }} as place {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- A change of labels names all of them, set apart by blanks.
values_before as (
    select scope_changes.*, from_text as left_value from scope_changes
    where scope <> 'labels'
    union all
    select scope_changes.*, {{ dbt.split_part('from_text', "' '", 'places.place') }} as left_value
    from scope_changes
    cross join places
    where scope = 'labels'
),

leavings as (
    select
        values_before.*,
        measures.kr_id,
        row_number() over (partition by values_before.item_id, measures.kr_id order by values_before."at" desc, left_value) as from_last
    from values_before
    inner join measures
        on {{ dbt.position('values_before.scope', 'measures.measure_text') }} > 0
        and (
            {{ dbt.position("('''' || values_before.left_value || '''')", 'measures.measure_text') }} > 0
            or {{ dbt.position("('|' || values_before.left_value || '|')", 'measures.measure_text') }} > 0
        )
    where left_value <> ''
        -- From one of several that the filter names to another is no leaving.
        and {{ dbt.position("('''' || coalesce(values_before.to_text, '') || '''')", 'measures.measure_text') }} = 0
),

left_scope as (
    select
        'left_scope' as rule,
        false as is_severe,
        items._record as record,
        items.key as item,
        items.function_id,
        leavings.day as on_date,
        leavings.by_id,
        leavings.kr_id,
        items.key || ' lost its '
        || case leavings.scope
            when 'project_key' then 'project'
            when 'fix_versions' then 'fix version'
            when 'epic_key' then 'epic'
            when 'labels' then 'label'
            else 'type'
        end
        || ' ' || left_value || ' on ' || {{ plumbline.as_text('leavings.day') }}
        || ', by which key result ' || leavings.kr_id || ' finds its records.' as sentence
    from leavings
    inner join all_items as items on items.item_id = leavings.item_id
    where from_last = 1
        and {{ plumbline.days_between('items.created_at', 'leavings."at"') }} >= {{ var('integrity_triage_days') }}
        and case leavings.scope
            when 'type' then coalesce(items.type, '') <> left_value
            when 'project_key' then items.project_key <> left_value
            when 'epic_key' then coalesce(items.epic_key, '') <> left_value
            when 'labels' then {{ dbt.position("('|' || left_value || '|')", 'items.labels') }} = 0
            else {{ dbt.position("('|' || left_value || '|')", 'items.fix_versions') }} = 0
        end
),

-- 7. Estimates changed after the start.
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
        false as is_severe,
        _record as record,
        key as item,
        function_id,
        changed_on as on_date,
        by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        key || ' had its estimate changed after the start, from ' || from_text || ' to ' || coalesce(nullif(to_text, ''), 'nothing')
        || ' on ' || {{ plumbline.as_text('changed_on') }}
        || case when times > 1 then '; that was change ' || {{ plumbline.as_text('times') }} || '.' else '.' end as sentence
    from estimate_changes
    where from_last = 1
)

select * from reopened
union all
select * from closed_before_cut
union all
select * from resolved_before_history
union all
select * from closed_at_once
union all
select * from never_started
union all
select * from left_scope
union all
select * from estimate_changed
