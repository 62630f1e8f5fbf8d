{{ config(materialized='view') }}
select
    kr_id,
    date,
    horizon,
    for_date,
    cast(p10 as decimal(28, 6)) as p10,
    cast(p50 as decimal(28, 6)) as p50,
    cast(p90 as decimal(28, 6)) as p90,
    cast(p_met as decimal(9, 6)) as p_met,
    cast(reference_weight as decimal(9, 6)) as reference_weight,
    cast(indicator_weight as decimal(9, 6)) as indicator_weight,
    cast(earlier_cycles as integer) as earlier_cycles
from {{ source('forecast', 'key_result') }}
