with declared as (
    select * from {{ ref('strategy_leading_indicators') }}
),

found as (
    select * from {{ source('forecast', 'leading_indicator') }}
)

-- What has not been looked at has no evidence.
select
    declared.kr_id,
    declared.indicator_no,
    declared.name,
    declared.measure_text,
    coalesce(found.verdict, 'no evidence') as verdict,
    found.lead_weeks,
    cast(found.correlation as decimal(9, 6)) as correlation,
    cast(coalesce(found.p_value, 1) as decimal(9, 6)) as p_value
from declared
left join found
    on found.kr_id = declared.kr_id
    and found.indicator_no = declared.indicator_no
