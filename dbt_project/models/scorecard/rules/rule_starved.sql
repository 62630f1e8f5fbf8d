{#- Younger queues are no news. -#}
{%- set patience_days = 14 -%}
with needs as (
    select * from {{ ref('strategy_kr_handoffs') }}
),

handoffs as (
    select handoffs.handoff_id, handoffs.name, givers.name as giver_name
    from {{ ref('strategy_handoffs') }} as handoffs
    inner join {{ ref('strategy_functions') }} as givers on givers.function_id = handoffs.giver_function
),

work as (
    select * from {{ ref('handoff_days') }}
),

limits as (
    select {{ plumbline.threshold('starved', 'amber') }} as times_usual
),

-- Its queue ages, nothing of it is taken up, and the giver's own work moves.
starving as (
    select
        needs.kr_id,
        work.*,
        handoffs.name,
        handoffs.giver_name,
        row_number() over (
            partition by needs.kr_id, work.date
            order by work.average_waiting_days desc, work.handoff_id
        ) as place_from_worst
    from needs
    inner join work on work.handoff_id = needs.handoff_id
    inner join handoffs on handoffs.handoff_id = needs.handoff_id
    cross join limits
    where work.waiting > 0
        and work.taken_up_in_4_weeks = 0
        and work.average_waiting_days > {{ patience_days }}
        and work.average_waiting_days > limits.times_usual * coalesce(work.giver_usual_wait_days, 0)
        and work.giver_done_in_4_weeks > work.done_in_window
)

select
    kr_id,
    date,
    'starved' as rule,
    'amber' as status,
    'The ' || {{ plumbline.as_text('waiting') }} || ' items of "' || name || '" that nobody has started have waited '
    || {{ plumbline.spoken_number('average_waiting_days') }} || ' days on average in the queue of ' || giver_name
    || '. None was taken up in four weeks, in which it finished ' || {{ plumbline.as_text('giver_done_in_4_weeks') }} || ' items'
    || case
        when giver_usual_wait_days is null then '.'
        else '; its work usually waits ' || {{ plumbline.spoken_number('giver_usual_wait_days') }} || ' days.'
    end as reason,
    {{ plumbline.json_object({
        'handoff_id': 'handoff_id',
        'waiting': 'waiting',
        'average_waiting_days': 'average_waiting_days',
        'giver_usual_wait_days': 'giver_usual_wait_days',
        'giver_done_in_4_weeks': 'giver_done_in_4_weeks',
    }) }} as inputs
from starving
where place_from_worst = 1
