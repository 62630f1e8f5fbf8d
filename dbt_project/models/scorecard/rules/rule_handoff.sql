with needs as (
    select * from {{ ref('strategy_kr_handoffs') }}
),

handoffs as (
    select
        handoffs.handoff_id,
        handoffs.name,
        givers.name as giver_name,
        receivers.name as receiver_name
    from {{ ref('strategy_handoffs') }} as handoffs
    inner join {{ ref('strategy_functions') }} as givers on givers.function_id = handoffs.giver_function
    inner join {{ ref('strategy_functions') }} as receivers on receivers.function_id = handoffs.receiver_function
),

failing as (
    select * from {{ ref('handoff_daily') }}
    where status <> 'green'
),

-- The worst of those that the key result needs: by status, then the one that comes last after its day.
ranked as (
    select
        needs.kr_id,
        failing.*,
        handoffs.name,
        handoffs.giver_name,
        handoffs.receiver_name,
        row_number() over (
            partition by needs.kr_id, failing.date
            order by {{ plumbline.severity('failing.status') }} desc, coalesce(failing.slack_days, -100000), failing.handoff_id
        ) as place_from_worst
    from needs
    inner join failing on failing.handoff_id = needs.handoff_id
    inner join handoffs on handoffs.handoff_id = needs.handoff_id
)

select
    kr_id,
    date,
    'handoff' as rule,
    status,
    'It needs "' || name || '" from ' || giver_name || ' to ' || receiver_name || '. ' || sentence as reason,
    {{ plumbline.json_object({
        'handoff_id': 'handoff_id',
        'items': 'items',
        'done': 'done',
        'waiting': 'waiting',
        'items_per_week': 'items_per_week',
        'sure_on': 'sure_on',
        'needed_by': 'needed_by',
        'slack_days': 'slack_days',
    }) }} as inputs
from ranked
where place_from_worst = 1
