with owners as (
    select * from {{ source('raw', 'hubspot_owners') }}
),

texts as (
    {{ plumbline.json_fields('owners', 'record', {
        'owner_id': ['id'],
        'email': ['email'],
        'first_name': ['firstName'],
        'last_name': ['lastName'],
    }, keep=['_source', '_key', '_deleted']) }}
)

select
    owner_id,
    email,
    first_name,
    last_name,
    _source,
    _source || '/owners/' || _key as _record,
    _deleted
from texts
