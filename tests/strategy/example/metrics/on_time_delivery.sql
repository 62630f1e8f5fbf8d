select
    date,
    cast(null as decimal(28, 6)) as value,
    0 as records
from {{ ref('calendar') }}
where is_reported
