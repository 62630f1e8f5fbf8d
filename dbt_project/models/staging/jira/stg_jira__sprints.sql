{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=[
        "{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'jira_issues'))) }}",
        "{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'jira_sprints'))) }}",
    ],
) }}
with issues as (
    {{ plumbline.new_records(source('raw', 'jira_issues')) }}
),

listed as (
    {{ plumbline.new_records(source('raw', 'jira_sprints')) }}
),

of_issues as (
    {{ plumbline.json_rows('issues', 'record', ['fields', var('jira_sprint_field')], keep=['_source', '_key', '_deleted', '_landed_at']) }}
),

told as (
    select
        _source,
        _source || '/issues/' || _key as _record,
        _key as issue_id,
        item as sprint,
        _landed_at,
        _deleted
    from of_issues
    union all
    select
        _source,
        _source || '/sprints/' || _key as _record,
        {{ plumbline.as_text('null') }} as issue_id,
        record as sprint,
        _landed_at,
        _deleted
    from listed
),

texts as (
    {{ plumbline.json_fields('told', 'sprint', {
        'sprint_id': ['id'],
        'sprint_name': ['name'],
        'sprint_state': ['state'],
        'started_text': ['startDate'],
        'ends_text': ['endDate'],
        'completed_text': ['completeDate'],
    }, keep=['_source', '_record', 'issue_id', 'sprint', '_landed_at', '_deleted']) }}
),

-- Jira Data Center prints the sprints of an issue as one text: "…Sprint@1f[id=7,rapidViewId=3,state=CLOSED,name=Sprint 7,startDate=…,…]".
read as (
    select
        _source,
        _record,
        issue_id,
        coalesce(sprint_id, {{ plumbline.captured('sprint', '[\\[,]id=([0-9]+)[,\\]]') }}) as sprint_id,
        coalesce(sprint_name, {{ plumbline.captured('sprint', ',name=(.*?),(?:startDate|goal)=') }}) as sprint_name,
        coalesce(sprint_state, {{ plumbline.captured('sprint', '[\\[,]state=([A-Z]+)[,\\]]') }}) as sprint_state,
        coalesce(started_text, {{ plumbline.captured('sprint', ',startDate=([^,\\]<]+)') }}) as started_text,
        coalesce(ends_text, {{ plumbline.captured('sprint', ',endDate=([^,\\]<]+)') }}) as ends_text,
        coalesce(completed_text, {{ plumbline.captured('sprint', ',completeDate=([^,\\]<]+)') }}) as completed_text,
        _landed_at,
        _deleted
    from texts
)

select
    issue_id,
    sprint_id,
    sprint_name,
    lower(sprint_state) as sprint_state,
    {{ plumbline.parse_timestamp('started_text') }} as started_at,
    {{ plumbline.parse_timestamp('ends_text') }} as ends_at,
    {{ plumbline.parse_timestamp('completed_text') }} as completed_at,
    _landed_at as landed_at,
    _source,
    _record,
    _deleted
from read
where sprint_id is not null
