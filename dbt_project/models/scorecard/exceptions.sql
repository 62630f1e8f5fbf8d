{#- After so many days open it goes to the sponsor; one that opens again so soon after it was closed is the old one come back. -#}
{%- set escalation_days = 7 -%}
{%- set relapse_days = 28 -%}
{%- set cycle_end = "cast('" ~ var('cycle_end') ~ "' as date)" -%}
with run as (
    select * from {{ source('control', 'run') }}
),

ledger as (
    select * from {{ source('control', 'ledger') }}
),

current_key_results as (
    select * from {{ ref('kr_current') }}
),

-- What every run said of its own day, this one included.
said as (
    select ledger.kr_id, ledger.as_of, ledger.number as place, ledger.status, ledger.rule, ledger.reason
    from ledger
    cross join run
    where ledger.date = least(ledger.as_of, {{ cycle_end }})
        and ledger.run_id <> run.run_id
        and ledger.as_of <= run.as_of
    union all
    select current_key_results.kr_id, run.as_of, 9223372036854775807 as place,
        current_key_results.status, current_key_results.rule, current_key_results.reason
    from current_key_results
    cross join run
),

-- A day is evaluated by its last run: to run again on the same day proves nothing.
ranked as (
    select
        *,
        row_number() over (partition by kr_id, as_of order by place desc) as place_from_last
    from said
),

evaluations as (
    select
        kr_id,
        as_of,
        status,
        rule,
        reason,
        status = 'green' as is_healthy,
        lag(status) over (partition by kr_id order by as_of) as status_before,
        lag(as_of) over (partition by kr_id order by as_of) as as_of_before
    from ranked
    where place_from_last = 1
),

-- Healthy twice in a row is settled. The first evaluation of all has nothing to settle.
settling as (
    select
        *,
        is_healthy and coalesce(status_before = 'green', true) as is_settled
    from evaluations
),

opening as (
    select
        *,
        case
            when not is_healthy and coalesce(lag(is_settled) over (partition by kr_id order by as_of), true) then 1
            else 0
        end as opens
    from settling
),

numbered as (
    select
        *,
        sum(opens) over (partition by kr_id order by as_of rows unbounded preceding) as exception_no
    from opening
),

lives as (
    select
        kr_id,
        exception_no,
        min(as_of) as opened_on,
        min(case when is_settled then as_of end) as closed_on,
        min(case when is_settled then as_of_before end) as healthy_before_closed_on,
        max(case when not is_healthy then as_of end) as last_unhealthy_on,
        max(as_of) as last_evaluated_on
    from numbered
    where exception_no > 0
    group by kr_id, exception_no
),

with_relapses as (
    select
        *,
        lag(closed_on) over (partition by kr_id order by exception_no) as closed_before_on
    from lives
),

-- The hand-off that weighs most: the worst of those that fail on the last day on which the key result was not healthy.
failing_handoffs as (
    select
        lives.kr_id,
        lives.exception_no,
        days.handoff_id,
        days.amount_at_stake,
        days.sentence,
        row_number() over (
            partition by lives.kr_id, lives.exception_no
            order by {{ plumbline.severity('days.status') }} desc, days.amount_at_stake desc,
                coalesce(days.slack_days, -100000), days.handoff_id
        ) as place_from_worst
    from lives
    inner join {{ ref('strategy_kr_handoffs') }} as needs on needs.kr_id = lives.kr_id
    inner join {{ ref('handoff_daily') }} as days
        on days.handoff_id = needs.handoff_id
        and days.date = lives.last_unhealthy_on
    where days.status <> 'green'
),

heads as (
    select
        handoffs.handoff_id,
        givers.head_name as giving_head_name,
        givers.head_email as giving_head_email,
        receivers.head_name as receiving_head_name,
        receivers.head_email as receiving_head_email
    from {{ ref('strategy_handoffs') }} as handoffs
    inner join {{ ref('strategy_functions') }} as givers on givers.function_id = handoffs.giver_function
    inner join {{ ref('strategy_functions') }} as receivers on receivers.function_id = handoffs.receiver_function
),

-- Without a failing hand-off the head of its function talks to its sponsor, and where that is one person to its owner.
own_people as (
    select
        key_results.kr_id,
        functions.head_name,
        functions.head_email,
        objectives.sponsor_name,
        objectives.sponsor_email,
        case when objectives.sponsor_email = functions.head_email then key_results.owner_name else objectives.sponsor_name end as other_name,
        case when objectives.sponsor_email = functions.head_email then key_results.owner_email else objectives.sponsor_email end as other_email
    from {{ ref('strategy_key_results') }} as key_results
    inner join {{ ref('strategy_functions') }} as functions on functions.function_id = key_results.function_id
    inner join {{ ref('strategy_objectives') }} as objectives on objectives.objective_id = key_results.objective_id
),

standing as (
    select
        lives.*,
        last_unhealthy.status,
        last_unhealthy.rule,
        last_unhealthy.reason,
        last_evaluated.is_healthy as is_healthy_now,
        case
            when lives.closed_on is not null then lives.healthy_before_closed_on
            when last_evaluated.is_healthy then lives.last_evaluated_on
        end as healthy_on,
        failing_handoffs.handoff_id,
        coalesce(failing_handoffs.amount_at_stake, 0) as amount_at_stake,
        coalesce(heads.giving_head_name, own_people.head_name) as giving_head_name,
        coalesce(heads.giving_head_email, own_people.head_email) as giving_head_email,
        coalesce(heads.receiving_head_name, own_people.other_name) as receiving_head_name,
        coalesce(heads.receiving_head_email, own_people.other_email) as receiving_head_email,
        own_people.sponsor_name,
        own_people.sponsor_email,
        case
            when coalesce(lives.closed_on, lives.last_evaluated_on) >= {{ plumbline.add_days('lives.opened_on', escalation_days) }}
                then {{ plumbline.add_days('lives.opened_on', escalation_days) }}
        end as escalated_on,
        coalesce(lives.opened_on <= {{ plumbline.add_days('lives.closed_before_on', relapse_days) }}, false) as is_reopened
    from with_relapses as lives
    inner join evaluations as last_unhealthy
        on last_unhealthy.kr_id = lives.kr_id
        and last_unhealthy.as_of = lives.last_unhealthy_on
    inner join evaluations as last_evaluated
        on last_evaluated.kr_id = lives.kr_id
        and last_evaluated.as_of = lives.last_evaluated_on
    inner join own_people on own_people.kr_id = lives.kr_id
    left join failing_handoffs
        on failing_handoffs.kr_id = lives.kr_id
        and failing_handoffs.exception_no = lives.exception_no
        and failing_handoffs.place_from_worst = 1
    left join heads on heads.handoff_id = failing_handoffs.handoff_id
)

select
    kr_id || '/' || {{ plumbline.as_text('opened_on') }} as exception_id,
    kr_id,
    case
        when closed_on is not null then 'closed'
        when is_healthy_now then 'healthy_once'
        when escalated_on is not null then 'escalated'
        when is_reopened then 'reopened'
        else 'opened'
    end as state,
    closed_on is null as is_open,
    status,
    rule,
    reason,
    handoff_id,
    giving_head_name,
    giving_head_email,
    receiving_head_name,
    receiving_head_email,
    sponsor_name,
    sponsor_email,
    cast(amount_at_stake as decimal(28, 2)) as amount_at_stake,
    opened_on,
    {{ plumbline.add_days('opened_on', 2) }} as review_due_on,
    escalated_on,
    last_unhealthy_on,
    last_evaluated_on,
    healthy_on,
    closed_on,
    is_reopened
from standing
