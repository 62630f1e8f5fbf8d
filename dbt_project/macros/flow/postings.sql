{#- The rows of ledger_entries. `removed`: those that their export holds no more instead of those that it holds. -#}
{% macro postings(removed=false) %}
with postings as (
    select * from {{ ref('stg_finance__ledger') }}
    where {{ '_deleted' if removed else 'not _deleted' }}
),

cost_centres_of_functions as (
    {{ plumbline.function_members('cost_centre') }}
)

select
    postings._source || '/' || postings._key as entry_id,
    postings.date,
    postings.posted_at,
    postings.account,
    postings.account_name,
    postings.account_type,
    postings.cost_centre,
    cost_centres_of_functions.function_id,
    postings.amount,
    {{ plumbline.company_amount('postings') }},
    postings.document,
    postings.line,
    postings.counterparty,
    postings.description,
    postings._record
from postings
left join cost_centres_of_functions on cost_centres_of_functions.value = postings.cost_centre
{{ plumbline.company_rate('postings', 'date') }}
{%- endmacro %}
