with progress as (
    select * from {{ ref('kr_progress') }}
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
        ) as verdict_no
    from verdicts
),

deciding as (
    select * from ranked
    where verdict_no = 1
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
    deciding.status,
    deciding.rule,
    deciding.reason,
    deciding.inputs
from progress
inner join deciding
    on deciding.kr_id = progress.kr_id
    and deciding.date = progress.date
