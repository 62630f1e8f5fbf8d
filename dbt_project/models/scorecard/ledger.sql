{#- A view, because a run adds its lines when everything else is computed. -#}
{{ config(materialized='view') }}

select
    number,
    run,
    run_id,
    reported_at,
    as_of,
    kr_id,
    date,
    value,
    value_strict,
    baseline,
    target,
    band_low,
    band_high,
    progress,
    status,
    rule,
    reason,
    definition,
    strategy,
    computation,
    version,
    previous,
    hash
from {{ source('control', 'ledger') }}
