{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'jira_issues'))) }}",
) }}
with issues as (
    {{ plumbline.new_records(source('raw', 'jira_issues')) }}
),

sprints as (
    {{ plumbline.json_rows('issues', 'record', ['fields', var('jira_sprint_field')], keep=['_source', '_key', '_deleted', '_landed_at']) }}
),

texts as (
    {{ plumbline.json_fields('sprints', 'item', {
        'sprint_id': ['id'],
        'sprint_name': ['name'],
        'sprint_state': ['state'],
        'started_text': ['startDate'],
        'ends_text': ['endDate'],
        'completed_text': ['completeDate'],
    }, keep=['_source', '_key', '_deleted', '_landed_at']) }}
)

select
    _key as issue_id,
    sprint_id,
    sprint_name,
    lower(sprint_state) as sprint_state,
    {{ plumbline.parse_timestamp('started_text') }} as started_at,
    {{ plumbline.parse_timestamp('ends_text') }} as ends_at,
    {{ plumbline.parse_timestamp('completed_text') }} as completed_at,
    _landed_at as landed_at,
    _source,
    _source || '/issues/' || _key as _record,
    _deleted
from texts
where sprint_id is not null
