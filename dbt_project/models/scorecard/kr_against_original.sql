{%- set aims = ['baseline', 'target', 'band_low', 'band_high'] -%}
with days as (
    select * from {{ ref('kr_progress') }}
    where is_last_day
),

originals as (
    select
        subject as kr_id,
        {%- for aim in aims %}
        max(case when field = '{{ aim }}' then {{ plumbline.parse_decimal('value', 28, 6) }} end) as {{ aim }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('strategy_originals') }}
    where kind = 'key_result'
    group by subject
),

aimed as (
    select
        days.kr_id,
        days.kind,
        days.value,
        days.expected_progress,
        {%- for aim in aims %}
        case when originals.kr_id is null then days.{{ aim }} else originals.{{ aim }} end as {{ aim }}{{ ',' if not loop.last }}
        {%- endfor %}
    from days
    left join originals on originals.kr_id = days.kr_id
),

progressed as (
    select
        *,
        (value - baseline) / nullif(target - baseline, 0) as progress
    from aimed
),

-- By now the same share of the way is expected as it is today, of the way that was meant at first.
paced as (
    select
        *,
        cast(progress / nullif(expected_progress, 0) as decimal(18, 6)) as pace
    from progressed
)

select
    kr_id,
    target,
    cast(progress as decimal(18, 6)) as progress,
    case
        when value is null or (kind <> 'maintain' and target is null) then null
        else {{ plumbline.status_of_value('value', 'pace') }}
    end as status
from paced
