{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'jira_issues'))) }}",
) }}
with issues as (
    {{ plumbline.new_records(source('raw', 'jira_issues')) }}
),

links as (
    {{ plumbline.json_rows('issues', 'record', ['fields', 'issuelinks'], keep=['_source', '_key', '_deleted']) }}
),

texts as (
    {{ plumbline.json_fields('links', 'item', {
        'link_id': ['id'],
        'link_type_id': ['type', 'id'],
        'link_type': ['type', 'name'],
        'outward': ['type', 'outward'],
        'inward_issue_id': ['inwardIssue', 'id'],
        'outward_issue_id': ['outwardIssue', 'id'],
    }, keep=['_source', '_key', '_deleted']) }}
)

-- Both issues show their link: read outward, from the issue that does to the one that it is done to.
select
    link_id,
    link_type_id,
    link_type,
    outward,
    coalesce(inward_issue_id, _key) as from_issue_id,
    coalesce(outward_issue_id, _key) as to_issue_id,
    _source,
    _source || '/issues/' || _key as _record,
    _deleted
from texts
where coalesce(inward_issue_id, outward_issue_id) is not null
