with days as (
    select * from {{ ref('kr_progress') }}
    where kind <> 'maintain'
),

patience as (
    select cast({{ plumbline.threshold('stalled', 'amber') }} as integer) as days
),

moves as (
    select
        *,
        value - lag(value) over (partition by kr_id order by date) as move
    from days
),

-- Its own noise: twice the spread of its moves from day to day in this cycle.
noises as (
    select
        *,
        cast(2 * coalesce(stddev_samp(cast(move as double precision)) over (partition by kr_id order by date rows unbounded preceding), 0)
            as decimal(28, 6)) as noise
    from moves
),

compared as (
    select
        noises.*,
        patience.days as patience,
        earlier.value as earlier_value,
        noises.value - earlier.value as movement
    from noises
    cross join patience
    inner join days as earlier
        on earlier.kr_id = noises.kr_id
        and earlier.date = {{ plumbline.add_days('noises.date', '-1 * patience.days') }}
)

select
    kr_id,
    date,
    'stalled' as rule,
    'amber' as status,
    case
        when movement = 0 then 'It stands at ' || {{ plumbline.spoken('value', 'unit') }} || ', where it stood '
            || {{ plumbline.as_text('patience') }} || ' days ago.'
        else 'In ' || {{ plumbline.as_text('patience') }} || ' days it went from ' || {{ plumbline.spoken_number('earlier_value') }}
            || ' to ' || {{ plumbline.spoken('value', 'unit') }} || ', no more than its usual ups and downs of '
            || {{ plumbline.spoken('noise', 'unit') }} || '.'
    end as reason,
    {{ plumbline.json_object({
        'value': 'value',
        'earlier_value': 'earlier_value',
        'days': 'patience',
        'movement': 'movement',
        'noise': 'noise',
    }) }} as inputs
from compared
where abs(movement) <= noise
    and progress < 1
