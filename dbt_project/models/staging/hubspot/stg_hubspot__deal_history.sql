{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'hubspot_deals'))) }}",
) }}
with deals as (
    {{ plumbline.new_records(source('raw', 'hubspot_deals')) }}
),

versions as (
    {{ plumbline.json_rows_of_each('deals', 'record', {
        'dealstage': ['propertiesWithHistory', 'dealstage'],
        'amount': ['propertiesWithHistory', 'amount'],
        'closedate': ['propertiesWithHistory', 'closedate'],
        'hubspot_owner_id': ['propertiesWithHistory', 'hubspot_owner_id'],
    }, 'property', keep=['_source', '_key', '_deleted']) }}
),

texts as (
    {{ plumbline.json_fields('versions', 'item', {
        'value': ['value'],
        'changed_text': ['timestamp'],
        'user_id': ['updatedByUserId'],
        'source_id': ['sourceId'],
    }, keep=['property', 'item_no', '_source', '_key', '_deleted']) }}
)

select
    _key as deal_id,
    property,
    item_no,
    nullif(value, '') as value,
    {{ plumbline.parse_timestamp('changed_text') }} as changed_at,
    coalesce(user_id, source_id) as by_id,
    _source,
    _source || '/deals/' || _key as _record,
    _deleted
from texts
