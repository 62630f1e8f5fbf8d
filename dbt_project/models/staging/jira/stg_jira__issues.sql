{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'jira_issues'))) }}",
) }}
with issues as (
    {{ plumbline.new_records(source('raw', 'jira_issues')) }}
),

texts as (
    {{ plumbline.json_fields('issues', 'record', {
        'issue_id': ['id'],
        'issue_key': ['key'],
        'project_id': ['fields', 'project', 'id'],
        'project_key': ['fields', 'project', 'key'],
        'summary': ['fields', 'summary'],
        'type_id': ['fields', 'issuetype', 'id'],
        'type': ['fields', 'issuetype', 'name'],
        'type_level': ['fields', 'issuetype', 'hierarchyLevel'],
        'status_id': ['fields', 'status', 'id'],
        'status': ['fields', 'status', 'name'],
        'status_category': ['fields', 'status', 'statusCategory', 'key'],
        'parent_id': ['fields', 'parent', 'id'],
        'priority': ['fields', 'priority', 'name'],
        'epic_link': ['fields', var('jira_epic_field')],
        'assignee_account': ['fields', 'assignee', 'accountId'],
        'assignee_key': ['fields', 'assignee', 'key'],
        'assignee_name': ['fields', 'assignee', 'name'],
        'reporter_account': ['fields', 'reporter', 'accountId'],
        'reporter_key': ['fields', 'reporter', 'key'],
        'reporter_name': ['fields', 'reporter', 'name'],
        'created_text': ['fields', 'created'],
        'updated_text': ['fields', 'updated'],
        'resolved_text': ['fields', 'resolutiondate'],
        'estimate_text': ['fields', var('jira_estimate_field')],
    }, keep=['_source', '_key', '_landed_file', '_deleted', 'record']) }}
),

parsed as (
    select
        *,
        {{ plumbline.parse_timestamp('created_text') }} as created_at,
        {{ plumbline.parse_timestamp('updated_text') }} as updated_at,
        {{ plumbline.parse_timestamp('resolved_text') }} as resolved_at,
        {{ plumbline.parse_decimal('estimate_text', 18, 2) }} as estimate
    from texts
)

select
    issue_id,
    issue_key,
    project_id,
    project_key,
    summary,
    type_id,
    type,
    {{ plumbline.parse_decimal('type_level', 4, 0) }} as type_level,
    status_id,
    status,
    status_category,
    parent_id,
    epic_link,
    {{ plumbline.json_joined('record', ['fields', 'labels']) }} as labels,
    {{ plumbline.json_joined('record', ['fields', 'fixVersions'], ['name']) }} as fix_versions,
    estimate,
    priority,
    coalesce(assignee_account, assignee_key, assignee_name) as assignee_id,
    coalesce(reporter_account, reporter_key, reporter_name) as reporter_id,
    created_at,
    updated_at,
    resolved_at,
    {{ plumbline.unreadable({
        'id': 'issue_id',
        'project': 'project_key',
        'status': 'status_id',
        'created': 'created_at',
        'updated': 'updated_at',
    }, optional={
        'resolutiondate': ('resolved_text', 'resolved_at'),
        'estimate': ('estimate_text', 'estimate'),
    }) }} as unreadable,
    _source,
    _source || '/issues/' || _key as _record,
    _landed_file,
    _deleted
from parsed
