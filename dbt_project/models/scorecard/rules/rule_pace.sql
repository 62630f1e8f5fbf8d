with days as (
    select * from {{ ref('kr_progress') }}
    where kind <> 'maintain'
        and value is not null
),

judged as (
    select
        days.*,
        {{ plumbline.threshold('pace', 'red') }} as red_below,
        {{ plumbline.threshold('pace', 'amber') }} as amber_below
    from days
),

verdicts as (
    select
        *,
        {{ plumbline.pace_status('pace') }} as status
    from judged
),

phrases as (
    select
        *,
        'At ' || {{ plumbline.spoken('value', 'unit') }}
        || ' it is ' || {{ plumbline.spoken_share('progress') }}
        || ' of the way from ' || {{ plumbline.spoken_number('baseline') }}
        || ' to ' || {{ plumbline.spoken('target', 'unit') }} as where_it_is,
        {{ plumbline.spoken_share('expected_progress') }}
        || ' (' || {{ plumbline.spoken('expected_value', 'unit') }} || ')' as where_it_should_be,
        case
            when pace_form = 'seasonal' and earlier_periods >= 2
                then ' That is the season of the ' || {{ plumbline.as_text('earlier_periods') }} || ' periods before.'
            when pace_form = 'seasonal'
                then ' It has no season yet (' || {{ plumbline.as_text('earlier_periods') }}
                    || ' of the 2 earlier periods that this takes), so an even pace is expected.'
            else ''
        end as season
    from verdicts
)

select
    kr_id,
    date,
    'pace' as rule,
    status,
    case
        when pace is null then where_it_is || '; nothing is expected of it yet.'
        when status = 'green' then where_it_is || ', and ' || where_it_should_be || ' was expected by now: on pace ('
            || {{ plumbline.spoken_number('pace') }} || ').'
        else where_it_is || ', where ' || where_it_should_be || ' was expected by now: its pace of '
            || {{ plumbline.spoken_number('pace') }} || ' is below '
            || {{ plumbline.spoken_number("case when status = 'red' then red_below else amber_below end") }} || '.'
    end || season as reason,
    {{ plumbline.json_object({
        'value': 'value',
        'baseline': 'baseline',
        'target': 'target',
        'progress': 'progress',
        'expected_progress': 'expected_progress',
        'pace': 'pace',
        'red_below': 'red_below',
        'amber_below': 'amber_below',
    }) }} as inputs
from phrases
