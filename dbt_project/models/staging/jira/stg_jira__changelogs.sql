{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'jira_changelogs'))) }}",
) }}
with histories as (
    {{ plumbline.new_records(source('raw', 'jira_changelogs')) }}
),

history_texts as (
    {{ plumbline.json_fields('histories', 'record', {
        'issue_id': ['issueId'],
        'history_id': ['id'],
        'created_text': ['created'],
        'author_account': ['author', 'accountId'],
        'author_key': ['author', 'key'],
        'author_name': ['author', 'name'],
    }, keep=['_source', '_key', '_landed_file', '_deleted', 'record']) }}
),

items as (
    {{ plumbline.json_rows('history_texts', 'record', ['items'], keep=[
        '_source', '_key', '_landed_file', '_deleted', 'issue_id', 'history_id', 'created_text', 'author_account', 'author_key', 'author_name',
    ]) }}
),

item_texts as (
    {{ plumbline.json_fields('items', 'item', {
        'field_name': ['field'],
        'field_id': ['fieldId'],
        'from_value': ['from'],
        'from_text': ['fromString'],
        'to_value': ['to'],
        'to_text': ['toString'],
    }, keep=[
        '_source', '_key', '_landed_file', '_deleted', 'issue_id', 'history_id', 'item_no', 'created_text', 'author_account', 'author_key', 'author_name',
    ]) }}
),

parsed as (
    select *, {{ plumbline.parse_timestamp('created_text') }} as changed_at
    from item_texts
)

select
    issue_id,
    history_id,
    item_no,
    field_name,
    field_id,
    from_value,
    from_text,
    to_value,
    to_text,
    changed_at,
    coalesce(author_account, author_key, author_name) as author_id,
    {{ plumbline.unreadable({'issueId': 'issue_id', 'id': 'history_id', 'created': 'changed_at', 'field': 'field_name'}) }} as unreadable,
    _source,
    _source || '/changelogs/' || _key as _record,
    _landed_file,
    _deleted
from parsed
