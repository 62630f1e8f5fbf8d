{%- set before_the_cycle = "as_of < cast('" ~ var('cycle_start') ~ "' as date)" -%}
-- Until the cycle starts the strategy is being made, so the last word before it is the original one; else the first word after.
with ranked as (
    select
        *,
        row_number() over (
            partition by kind, subject, field
            order by
                case when {{ before_the_cycle }} then 1 else 2 end,
                case when {{ before_the_cycle }} then seen_at end desc,
                seen_at
        ) as choice
    from {{ ref('strategy_versions') }}
)

select kind, subject, field, value
from ranked
where choice = 1
