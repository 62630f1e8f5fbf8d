with days as (
    select * from {{ ref('kr_progress') }}
    where kind = 'maintain'
        and value is not null
),

phrases as (
    select
        *,
        case
            when band_low is null then 'at most ' || {{ plumbline.spoken('band_high', 'unit') }}
            when band_high is null then 'at least ' || {{ plumbline.spoken('band_low', 'unit') }}
            else {{ plumbline.spoken_number('band_low') }} || ' to ' || {{ plumbline.spoken('band_high', 'unit') }}
        end as band
    from days
)

select
    kr_id,
    date,
    'band' as rule,
    case when is_in_band then 'green' else 'red' end as status,
    'It stands at ' || {{ plumbline.spoken('value', 'unit') }}
    || case when is_in_band then ', inside its band of ' else ', outside its band of ' end || band
    || '; it was inside on ' || {{ plumbline.spoken_share('progress') }} || ' of the days so far.' as reason,
    {{ plumbline.json_object({
        'value': 'value',
        'band_low': 'band_low',
        'band_high': 'band_high',
        'share_of_days_inside': 'progress',
    }) }} as inputs
from phrases
