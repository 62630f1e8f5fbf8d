{{ config(materialized='view') }}
with lines as (
    select * from {{ ref('stg_finance__budgets') }}
    where not _deleted
),

cost_centres_of_functions as (
    {{ plumbline.function_members('cost_centre') }}
)

select
    lines._source || '/' || lines._key as line_id,
    lines.month,
    lines.account,
    lines.account_type,
    lines.cost_centre,
    cost_centres_of_functions.function_id,
    lines.amount,
    {{ plumbline.company_amount('lines') }},
    lines._record
from lines
left join cost_centres_of_functions on cost_centres_of_functions.value = lines.cost_centre
{{ plumbline.company_rate('lines', 'month') }}
