{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('item_id', plumbline.new_items()) }}",
) }}
{%- set estimate_field = var('jira_estimate_field') -%}
{%- set sprint_field = var('jira_sprint_field') -%}
with changes as (
    select * from {{ ref('stg_jira__changelogs') }}
),

issues as (
    select * from {{ ref('stg_jira__issues') }}
),

statuses as (
    select * from {{ ref('stg_jira__statuses') }}
),

-- Jira Data Center tells by its name of that time alone which field was changed; a name of several fields tells nothing.
fields_by_name as (
    select _source, name, min(field_id) as field_id
    from {{ ref('stg_jira__fields') }}
    group by _source, name
    having count(distinct field_id) = 1
),

projects_of_functions as (
    {{ plumbline.function_members('project') }}
),

named as (
    select
        changes.*,
        case coalesce(changes.field_id, fields_by_name.field_id)
            when '{{ estimate_field }}' then 'estimate'
            when '{{ sprint_field }}' then 'sprint'
            else coalesce(changes.field_id, changes.field_name)
        end as field
    from changes
    left join fields_by_name
        on changes.field_id is null
        and fields_by_name._source = changes._source
        and fields_by_name.name = changes.field_name
    where not changes._deleted
    {%- if is_incremental() %}
        and changes._source || '/' || changes.issue_id in ({{ plumbline.new_items() }})
    {%- endif %}
)

select
    named._source || '/' || named.issue_id as item_id,
    projects_of_functions.function_id,
    named.field,
    named.from_value,
    named.to_value,
    named.from_text,
    named.to_text,
    from_status.status_category as from_category,
    to_status.status_category as to_category,
    named.changed_at as "at",
    named.author_id as by_id,
    named._record
from named
left join issues
    on issues._source = named._source
    and issues.issue_id = named.issue_id
left join projects_of_functions on projects_of_functions.value = issues.project_key
left join statuses as from_status
    on named.field = 'status'
    and from_status._source = named._source
    and from_status.status_id = named.from_value
left join statuses as to_status
    on named.field = 'status'
    and to_status._source = named._source
    and to_status.status_id = named.to_value
where not coalesce(issues._deleted, false)
