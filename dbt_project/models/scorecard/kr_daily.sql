with progress as (
    select
        *,
        sum(case when value is not null then 1 else 0 end) over (
            partition by kr_id order by date rows unbounded preceding
        ) as days_with_value
    from {{ ref('kr_progress') }}
),

patience as (
    select cast({{ plumbline.threshold('hysteresis', 'amber') }} as integer) as days
),

verdicts as (
    select * from {{ ref('kr_verdicts') }}
),

doubts as (
    select distinct kr_id, opened_on from {{ ref('kr_doubts') }}
    where is_open
),

ranked as (
    select
        *,
        row_number() over (
            partition by kr_id, date
            order by {{ plumbline.severity('status') }} desc, {{ plumbline.rule_precedence('rule') }}, rule
        ) as verdict_no,
        row_number() over (
            partition by kr_id, date, rule = 'untrusted'
            order by {{ plumbline.severity('status') }} desc, {{ plumbline.rule_precedence('rule') }}, rule
        ) as verdict_no_beside_doubt,
        row_number() over (
            partition by kr_id, date, rule in ('untrusted', 'handoff')
            order by {{ plumbline.severity('status') }} desc, {{ plumbline.rule_precedence('rule') }}, rule
        ) as verdict_no_beside_handoffs
    from verdicts
),

of_the_day as (
    select * from ranked
    where verdict_no = 1
),

-- What is held against later days. Never doubt: trust that is back is back at once. A hand-off only while its data is in doubt, as its finish
-- rests on four weeks of deliveries and does not flap.
lasting as (
    select *, false as is_doubted
    from ranked
    where rule not in ('untrusted', 'handoff')
        and verdict_no_beside_handoffs = 1
    union all
    select *, true as is_doubted
    from ranked
    where rule <> 'untrusted'
        and verdict_no_beside_doubt = 1
),

-- A status gets worse at once, and better when so many days in a row have been better: it is the worst of these days.
-- A day without a value shows nothing, so it does not count among them.
-- Nor do days show anything better while an input is in doubt, so those before the doubt began hold on until it is over.
days_before as (
    select kr_id, date, date as ended_by, days_with_value, false as is_doubted
    from progress
    union all
    select progress.kr_id, progress.date, doubts.opened_on as ended_by, max(earlier.days_with_value) as days_with_value, true as is_doubted
    from progress
    inner join doubts
        on doubts.kr_id = progress.kr_id
        and doubts.opened_on <= progress.date
    inner join progress as earlier
        on earlier.kr_id = progress.kr_id
        and earlier.date < doubts.opened_on
    group by progress.kr_id, progress.date, doubts.opened_on
),

held as (
    select
        days_before.kr_id,
        days_before.date,
        earlier.date as held_by,
        earlier.status,
        earlier.rule,
        earlier.inputs,
        days_before.is_doubted as is_held_by_doubt,
        days_before.days_with_value - earlier_days.days_with_value as better_days,
        row_number() over (
            partition by days_before.kr_id, days_before.date
            order by {{ plumbline.severity('earlier.status') }} desc, earlier.date desc, days_before.is_doubted
        ) as held_no
    from days_before
    cross join patience
    inner join progress as earlier_days
        on earlier_days.kr_id = days_before.kr_id
        and earlier_days.date < days_before.ended_by
        and earlier_days.days_with_value > days_before.days_with_value - patience.days
    inner join lasting as earlier
        on earlier.kr_id = earlier_days.kr_id
        and earlier.date = earlier_days.date
        and earlier.is_doubted = days_before.is_doubted
),

deciding as (
    select
        of_the_day.*,
        held.status as held_status,
        held.rule as held_rule,
        held.inputs as held_inputs,
        held.held_by,
        held.is_held_by_doubt,
        held.better_days,
        patience.days as patience,
        coalesce({{ plumbline.severity('held.status') }} > {{ plumbline.severity('of_the_day.status') }}, false) as is_held
    from of_the_day
    cross join patience
    left join held
        on held.kr_id = of_the_day.kr_id
        and held.date = of_the_day.date
        and held.held_no = 1
)

select
    progress.kr_id,
    progress.date,
    progress.value,
    progress.records,
    progress.progress,
    progress.expected_progress,
    progress.expected_value,
    progress.pace,
    case when is_held then held_status else deciding.status end as status,
    case when is_held then held_rule else deciding.rule end as rule,
    case
        when is_held and is_held_by_doubt then 'Still ' || held_status || ', as on ' || {{ plumbline.as_text('held_by') }}
            || ': it does not get better while its data is in doubt. ' || deciding.reason
        when is_held then 'Still ' || held_status || ', as on ' || {{ plumbline.as_text('held_by') }} || ': it was better on '
            || {{ plumbline.as_text('better_days') }} || ' of the ' || {{ plumbline.as_text('patience') }}
            || ' days in a row that this takes. ' || deciding.reason
        else deciding.reason
    end as reason,
    case when is_held then held_inputs else deciding.inputs end as inputs,
    deciding.status as day_status
from progress
inner join deciding
    on deciding.kr_id = progress.kr_id
    and deciding.date = progress.date
