{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'hubspot_deals'))) }}",
) }}
{%- set lists = {
    'dealstage': ['propertiesWithHistory', 'dealstage'],
    'amount': ['propertiesWithHistory', 'amount'],
    'closedate': ['propertiesWithHistory', 'closedate'],
    'hubspot_owner_id': ['propertiesWithHistory', 'hubspot_owner_id'],
} %}
with deals as (
    {{ plumbline.new_records(source('raw', 'hubspot_deals')) }}
),

versions as (
    {{ plumbline.json_rows_of_each('deals', 'record', lists, 'property', keep=['_source', '_key', '_deleted']) }}
),

-- HubSpot is said to list no more than the last twenty values. Those before stand in what the deal was before.
former_deals as (
    select * from {{ source('raw', 'hubspot_deals__superseded') }} as former
    where exists (
        select 1 from versions
        where versions._source = former._source and versions._key = former._key and versions.item_no >= 20
    )
),

former_versions as (
    {{ plumbline.json_rows_of_each('former_deals', 'record', lists, 'property', keep=['_source', '_key', '_deleted']) }}
),

listed as (
    select *, false as is_former from versions
    union all
    select *, true as is_former from former_versions
),

texts as (
    {{ plumbline.json_fields('listed', 'item', {
        'value': ['value'],
        'changed_text': ['timestamp'],
        'user_id': ['updatedByUserId'],
        'source_id': ['sourceId'],
    }, keep=['property', 'item_no', 'is_former', '_source', '_key', '_deleted']) }}
),

parsed as (
    select
        _key as deal_id,
        property,
        item_no,
        nullif(value, '') as value,
        {{ plumbline.parse_timestamp('changed_text') }} as changed_at,
        coalesce(user_id, source_id) as by_id,
        is_former,
        _source,
        _source || '/deals/' || _key as _record,
        _deleted
    from texts
),

reaches as (
    select _record, property, _deleted, min(changed_at) as back_to
    from parsed
    where not is_former
    group by _record, property, _deleted
)

select deal_id, property, item_no, value, changed_at, by_id, _source, _record, _deleted
from parsed
where not is_former
union all
select distinct
    parsed.deal_id, parsed.property, 0 as item_no, parsed.value, parsed.changed_at, parsed.by_id, parsed._source,
    parsed._record, reaches._deleted
from parsed
inner join reaches on reaches._record = parsed._record and reaches.property = parsed.property
where parsed.is_former and parsed.changed_at < reaches.back_to
