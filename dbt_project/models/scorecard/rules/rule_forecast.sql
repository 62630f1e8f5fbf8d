with days as (
    select * from {{ ref('kr_progress') }}
    where kind <> 'maintain'
        -- Where dated steps are planned, what comes does not follow from what was.
        and pace_form <> 'steps'
        and value is not null
),

forecasts as (
    select * from {{ ref('forecasts') }}
    where horizon = 'end'
),

judged as (
    select
        days.*,
        forecasts.for_date,
        forecasts.p10,
        forecasts.p50,
        forecasts.p90,
        forecasts.p_met,
        {{ plumbline.threshold('forecast', 'red') }} as red_below,
        {{ plumbline.threshold('forecast', 'amber') }} as amber_below
    from days
    inner join forecasts
        on forecasts.kr_id = days.kr_id
        and forecasts.date = days.date
),

verdicts as (
    select
        *,
        case when p_met < red_below then 'red' else 'amber' end as status
    from judged
    where p_met < amber_below
)

select
    kr_id,
    date,
    'forecast' as rule,
    status,
    'It is headed for ' || {{ plumbline.spoken('p50', 'unit') }} || ' by ' || {{ plumbline.as_text('for_date') }}
    || ' (8 in 10 times from ' || {{ plumbline.spoken_number('p10') }} || ' to ' || {{ plumbline.spoken('p90', 'unit') }}
    || '): its chance of ' || {{ plumbline.spoken('target', 'unit') }} || ' is ' || {{ plumbline.spoken_share('p_met') }}
    || ', below ' || {{ plumbline.spoken_share("case when status = 'red' then red_below else amber_below end") }} || '.' as reason,
    {{ plumbline.json_object({
        'value': 'value',
        'target': 'target',
        'for_date': plumbline.as_text('for_date'),
        'p10': 'p10',
        'p50': 'p50',
        'p90': 'p90',
        'p_met': 'p_met',
        'red_below': 'red_below',
        'amber_below': 'amber_below',
    }) }} as inputs
from verdicts
