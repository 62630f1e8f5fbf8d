{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=[
        "{{ plumbline.remove_outdated('_history_record', plumbline.new_record_names(source('raw', 'salesforce_opportunity_history'))) }}",
        "{{ plumbline.remove_outdated('_history_record', plumbline.new_record_names(source('raw', 'salesforce_field_history'))) }}",
    ],
) }}
with states as (
    {{ plumbline.new_records(source('raw', 'salesforce_opportunity_history')) }}
),

state_texts as (
    {{ plumbline.json_fields('states', 'record', {
        'deal_id': ['OpportunityId'],
        'stage': ['StageName'],
        'amount': ['Amount'],
        'close_date': ['CloseDate'],
        'changed_text': ['CreatedDate'],
        'by_id': ['CreatedById'],
    }, keep=['_source', '_key', '_stream', '_landed_file', '_deleted']) }}
),

tracked as (
    {{ plumbline.new_records(source('raw', 'salesforce_field_history')) }}
),

tracked_texts as (
    {{ plumbline.json_fields('tracked', 'record', {
        'deal_id': ['OpportunityId'],
        'field': ['Field'],
        'old_value': ['OldValue'],
        'value': ['NewValue'],
        'changed_text': ['CreatedDate'],
        'by_id': ['CreatedById'],
    }, keep=['_source', '_key', '_stream', '_landed_file', '_deleted']) }}
),

-- A row of the history tells all three as they were after a change of one of them. A change of owner comes twice, once with names.
versions as (
    {%- for property in ['stage', 'amount', 'close_date'] %}
    select
        '{{ property }}' as property,
        {{ plumbline.as_text('null') }} as old_value,
        {{ property }} as value,
        deal_id, changed_text, by_id, _source, _key, _stream, _landed_file, _deleted
    from state_texts
    union all
    {%- endfor %}
    select
        'owner' as property,
        old_value,
        value,
        deal_id, changed_text, by_id, _source, _key, _stream, _landed_file, _deleted
    from tracked_texts
    where field = 'Owner' and value like '005%'
)

-- Histories are deleted and come back with their opportunity, which tells of it.
select
    deal_id,
    property,
    _key as version_id,
    nullif(old_value, '') as old_value,
    nullif(value, '') as value,
    {{ plumbline.parse_timestamp('changed_text') }} as changed_at,
    by_id,
    _source,
    _source || '/opportunities/' || deal_id as _record,
    _source || '/' || _stream || '/' || _key as _history_record,
    _landed_file,
    _deleted
from versions
