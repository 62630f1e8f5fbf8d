{%- set properties = ['dealstage', 'amount', 'closedate', 'hubspot_owner_id'] -%}
with deals as (
    select * from {{ source('raw', 'hubspot_deals') }}
),

{% for property in properties %}
{{ property }}_versions as (
    {{ plumbline.json_rows('deals', 'record', ['propertiesWithHistory', property], keep=['_source', '_key', '_deleted']) }}
),
{% endfor %}
versions as (
    {%- for property in properties %}
    select '{{ property }}' as property, * from {{ property }}_versions
    {{ 'union all' if not loop.last }}
    {%- endfor %}
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
