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

projects_of_functions as (
    {{ plumbline.function_members('project') }}
),

named as (
    select
        *,
        case coalesce(field_id, field_name)
            when '{{ estimate_field }}' then 'estimate'
            when '{{ sprint_field }}' then 'sprint'
            else coalesce(field_id, field_name)
        end as field
    from changes
    where not _deleted
    {%- if is_incremental() %}
        and _source || '/' || issue_id in ({{ plumbline.new_items() }})
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
