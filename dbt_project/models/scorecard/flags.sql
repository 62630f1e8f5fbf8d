with reported_days as (
    select date from {{ ref('calendar') }}
    where is_reported
),

verdicts as (
    select * from {{ ref('kr_verdicts') }}
),

doubts as (
    select * from {{ ref('kr_doubts') }}
),

stretches as (
    select * from {{ ref('check_stretches') }}
),

last_reported as (
    select max(date) as date from reported_days
),

-- Days in a row on which a rule of a key result fires share the day from which their number in the row counts.
firing as (
    select
        *,
        {{ plumbline.add_days(
            'date', '-1 * row_number() over (partition by kr_id, rule order by date)'
        ) }} as island
    from verdicts
    where status <> 'green'
),

latest_of_islands as (
    select
        *,
        min(date) over (partition by kr_id, rule, island) as first_day,
        row_number() over (partition by kr_id, rule, island order by date desc) as day_from_last
    from firing
),

rule_intervals as (
    select
        latest_of_islands.kr_id,
        latest_of_islands.rule,
        latest_of_islands.first_day as opened_on,
        case when latest_of_islands.date < last_reported.date then {{ plumbline.add_days('latest_of_islands.date', 1) }} end as closed_on,
        latest_of_islands.status,
        latest_of_islands.reason
    from latest_of_islands
    cross join last_reported
    where day_from_last = 1
),

-- A key result doubted for several reasons at once is the doing of the one furthest upstream: what arrives, then what is made of it.
doubted as (
    select
        kr_id,
        cause,
        row_number() over (
            partition by kr_id
            order by
                {{ plumbline.or_never('closed_on') }} desc,
                case when cause like 'source/%' then 0 when cause like 'model/%' then 1 else 2 end,
                opened_on,
                cause
        ) as place
    from doubts
),

-- Doubt about inputs is older than the last day, on which alone it is judged: it goes back to when the check began to fail.
intervals as (
    select kr_id, rule, opened_on, closed_on, status, reason, 1 as preference from rule_intervals
    union all
    select kr_id, 'untrusted' as rule, opened_on, closed_on, 'amber' as status, 'Not to be trusted. ' || sentence as reason, 2 as preference
    from doubts
),

ends_before as (
    select
        *,
        max({{ plumbline.or_never('closed_on') }}) over (
            partition by kr_id, rule order by opened_on, closed_on, preference, reason
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before
    from intervals
),

joined_intervals as (
    select
        *,
        sum(case when opened_on <= latest_end_before then 0 else 1 end) over (
            partition by kr_id, rule order by opened_on, closed_on, preference, reason
            rows unbounded preceding
        ) as stretch
    from ends_before
),

-- The stretch speaks with its latest voice: what is still open, and the rule's own sentence before a single doubt.
voices as (
    select
        *,
        min(opened_on) over (partition by kr_id, rule, stretch) as stretch_opened_on,
        max({{ plumbline.or_never('closed_on') }}) over (partition by kr_id, rule, stretch) as stretch_closed_on,
        row_number() over (
            partition by kr_id, rule, stretch
            order by {{ plumbline.or_never('closed_on') }} desc, preference, opened_on desc, reason
        ) as voice_no
    from joined_intervals
),

key_result_flags as (
    select
        'key_result' as kind,
        voices.kr_id as subject,
        voices.rule,
        voices.status as severity,
        voices.reason as sentence,
        voices.stretch_opened_on as opened_on,
        nullif(voices.stretch_closed_on, {{ plumbline.never() }}) as closed_on,
        coalesce(doubted.cause, 'key_result/' || voices.kr_id) as cause
    from voices
    left join doubted
        on doubted.kr_id = voices.kr_id
        and doubted.place = 1
        and voices.rule = 'untrusted'
    where voices.voice_no = 1
),

operations_flags as (
    select
        kind,
        subject,
        check_name as rule,
        case severity when 'error' then 'red' else 'amber' end as severity,
        message as sentence,
        opened_on,
        closed_on,
        cause
    from stretches
),

-- Days in a row on which a hand-off fails, as with rules.
failing_handoffs as (
    select
        *,
        {{ plumbline.add_days('date', '-1 * row_number() over (partition by handoff_id order by date)') }} as island
    from {{ ref('handoff_daily') }}
    where status <> 'green'
),

latest_failing_handoffs as (
    select
        *,
        min(date) over (partition by handoff_id, island) as first_day,
        row_number() over (partition by handoff_id, island order by date desc) as day_from_last
    from failing_handoffs
),

handoff_flags as (
    select
        'handoff' as kind,
        latest_failing_handoffs.handoff_id as subject,
        'handoff' as rule,
        latest_failing_handoffs.status as severity,
        latest_failing_handoffs.sentence,
        latest_failing_handoffs.first_day as opened_on,
        case when latest_failing_handoffs.date < last_reported.date
            then {{ plumbline.add_days('latest_failing_handoffs.date', 1) }} end as closed_on,
        'handoff/' || latest_failing_handoffs.handoff_id as cause
    from latest_failing_handoffs
    cross join last_reported
    where day_from_last = 1
    union all
    select
        'handoff' as kind,
        handoff_id as subject,
        'undeclared' as rule,
        status as severity,
        sentence,
        since as opened_on,
        cast(null as date) as closed_on,
        'handoff/' || handoff_id as cause
    from {{ ref('handoff_current') }}
    where not is_declared
),

strategy_flags as (
    select
        'strategy' as kind,
        kr_id as subject,
        field as rule,
        'amber' as severity,
        sentence,
        opened_on,
        cast(null as date) as closed_on,
        'strategy/' || kr_id as cause
    from {{ ref('strategy_warnings') }}
),

flags as (
    select * from key_result_flags
    union all
    select * from strategy_flags
    union all
    select * from handoff_flags
    union all
    select * from operations_flags
)

select
    kind || '/' || subject || '/' || rule || '/' || {{ plumbline.as_text('opened_on') }} as flag_id,
    kind,
    subject,
    severity,
    rule,
    sentence,
    opened_on,
    closed_on,
    closed_on is null as is_open,
    cause
from flags
