{{ config(materialized='view') }}
with measures as (
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
)

select
    'left_scope' as rule,
    leavings.item_id,
    false as is_severe,
    leavings.day as on_date,
    leavings.by_id,
    leavings.kr_id,
    'lost its '
    || case leavings.scope
        when 'project_key' then 'project'
        when 'fix_versions' then 'fix version'
        when 'epic_key' then 'epic'
        when 'labels' then 'label'
        else 'type'
    end
    || ' ' || left_value || ' on ' || {{ plumbline.as_text('leavings.day') }}
    || ', by which key result ' || leavings.kr_id || ' finds its records.' as finding
from leavings
inner join {{ ref('work_items') }} as items on items.item_id = leavings.item_id
where from_last = 1
    and {{ plumbline.days_between('items.created_at', 'leavings."at"') }} >= {{ var('integrity_triage_days') }}
    and case leavings.scope
        when 'type' then coalesce(items.type, '') <> left_value
        when 'project_key' then items.project_key <> left_value
        when 'epic_key' then coalesce(items.epic_key, '') <> left_value
        when 'labels' then {{ dbt.position("('|' || left_value || '|')", 'items.labels') }} = 0
        else {{ dbt.position("('|' || left_value || '|')", 'items.fix_versions') }} = 0
    end
