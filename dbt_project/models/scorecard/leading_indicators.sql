with declared as (
    select * from {{ ref('strategy_leading_indicators') }}
),

found as (
    select * from {{ source('forecast', 'leading_indicator') }}
),

last_forecasts as (
    select
        *,
        row_number() over (partition by kr_id order by date desc) as day_no
    from {{ source('forecast', 'key_result') }}
    where horizon = 'end'
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
    cast(coalesce(found.p_value, 1) as decimal(9, 6)) as p_value,
    cast(coalesce(last_forecasts.indicator_weight, 0) as decimal(9, 6)) as weight
from declared
left join found
    on found.kr_id = declared.kr_id
    and found.indicator_no = declared.indicator_no
left join last_forecasts
    on last_forecasts.kr_id = declared.kr_id
    and last_forecasts.indicator_no = declared.indicator_no
    and last_forecasts.day_no = 1
