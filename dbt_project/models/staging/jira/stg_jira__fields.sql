with listed as (
    select _source, _key, _deleted, true as is_current, record from {{ source('raw', 'jira_fields') }}
    union all
    select _source, _key, true as _deleted, false as is_current, record from {{ source('raw', 'jira_fields__superseded') }}
),

texts as (
    {{ plumbline.json_fields('listed', 'record', {
        'field_id': ['id'],
        'name': ['name'],
    }, keep=['_source', '_key', '_deleted', 'is_current']) }}
)

select
    field_id,
    name,
    max(case when is_current then 1 else 0 end) = 1 as is_current,
    _source,
    _source || '/fields/' || _key as _record,
    min(case when _deleted then 1 else 0 end) = 1 as _deleted
from texts
group by _source, _key, field_id, name
