with days as (
    select * from {{ ref('kr_progress') }}
    where kind = 'maintain'
        and value is not null
),

forecasts as (
    select * from {{ ref('forecasts') }}
    where horizon = 'soon'
),

-- Inside now, and more likely outside than inside some weeks on.
foretold as (
    select
        days.*,
        forecasts.for_date,
        forecasts.p50,
        forecasts.p_met,
        coalesce(is_in_band and forecasts.p_met < 0.5, false) as is_leaving
    from days
    left join forecasts
        on forecasts.kr_id = days.kr_id
        and forecasts.date = days.date
),

phrases as (
    select
        *,
        case
            when band_low is null then 'at most ' || {{ plumbline.spoken('band_high', 'unit') }}
            when band_high is null then 'at least ' || {{ plumbline.spoken('band_low', 'unit') }}
            else {{ plumbline.spoken_number('band_low') }} || ' to ' || {{ plumbline.spoken('band_high', 'unit') }}
        end as band
    from foretold
)

select
    kr_id,
    date,
    'band' as rule,
    case when is_leaving then 'amber' when is_in_band then 'green' else 'red' end as status,
    'It stands at ' || {{ plumbline.spoken('value', 'unit') }}
    || case when is_in_band then ', inside its band of ' else ', outside its band of ' end || band
    || '; it was inside on ' || {{ plumbline.spoken_share('progress') }} || ' of the days so far.'
    || case
        when is_leaving then ' It is headed for ' || {{ plumbline.spoken('p50', 'unit') }} || ' by ' || {{ plumbline.as_text('for_date') }}
            || ', with a chance of ' || {{ plumbline.spoken_share('p_met') }} || ' to be inside then.'
        else ''
    end as reason,
    {{ plumbline.json_object({
        'value': 'value',
        'band_low': 'band_low',
        'band_high': 'band_high',
        'share_of_days_inside': 'progress',
        'for_date': plumbline.as_text('for_date'),
        'p50': 'p50',
        'p_met': 'p_met',
    }) }} as inputs
from phrases
