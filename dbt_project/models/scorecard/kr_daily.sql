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

ranked as (
    select
        *,
        row_number() over (
            partition by kr_id, date
            order by {{ plumbline.severity('status') }} desc, {{ plumbline.rule_precedence('rule') }}, rule
        ) as verdict_no,
        row_number() over (
            partition by kr_id, date, rule in ('untrusted', 'handoff')
            order by {{ plumbline.severity('status') }} desc, {{ plumbline.rule_precedence('rule') }}, rule
        ) as verdict_no_of_its_kind
    from verdicts
),

of_the_day as (
    select * from ranked
    where verdict_no = 1
),

-- What is never held against a later day: doubt, as trust that is back is back at once, and a hand-off, as its finish rests on four weeks of
-- deliveries and does not flap.
lasting as (
    select ranked.*, progress.days_with_value
    from ranked
    inner join progress
        on progress.kr_id = ranked.kr_id
        and progress.date = ranked.date
    where ranked.rule not in ('untrusted', 'handoff')
        and ranked.verdict_no_of_its_kind = 1
),

-- A status gets worse at once, and better when so many days in a row have been better: it is the worst of these days.
-- A day without a value shows nothing, so it does not count among them.
held as (
    select
        progress.kr_id,
        progress.date,
        earlier.date as held_by,
        earlier.status,
        earlier.rule,
        earlier.inputs,
        progress.days_with_value - earlier.days_with_value as better_days,
        row_number() over (
            partition by progress.kr_id, progress.date
            order by {{ plumbline.severity('earlier.status') }} desc, earlier.date desc
        ) as held_no
    from progress
    cross join patience
    inner join lasting as earlier
        on earlier.kr_id = progress.kr_id
        and earlier.date < progress.date
        and earlier.days_with_value > progress.days_with_value - patience.days
),

deciding as (
    select
        of_the_day.*,
        held.status as held_status,
        held.rule as held_rule,
        held.inputs as held_inputs,
        held.held_by,
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
