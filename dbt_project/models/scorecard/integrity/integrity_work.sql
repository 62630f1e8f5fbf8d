with findings as (
    select rule, item_id, is_severe, on_date, by_id, {{ plumbline.as_text('null') }} as kr_id, finding
    from {{ ref('suspect_histories') }}
    union all
    select rule, item_id, is_severe, on_date, by_id, {{ plumbline.as_text('null') }} as kr_id, finding
    from {{ ref('suspect_bursts') }}
    union all
    select rule, item_id, is_severe, on_date, by_id, kr_id, finding
    from {{ ref('suspect_scope_changes') }}
),

items as (
    select * from {{ ref('work_items') }}
    where not deleted
)

select
    findings.rule,
    findings.is_severe,
    items._record as record,
    items.key as item,
    items.function_id,
    findings.on_date,
    findings.by_id,
    findings.kr_id,
    items.key || ' ' || findings.finding as sentence
from findings
inner join items on items.item_id = findings.item_id
