with removals as (
    select distinct evidence.kr_id, evidence.record, evidence.name, {{ plumbline.local_date('loads.landed_at') }} as seen_on
    from {{ ref('removed_evidence') }} as evidence
    left join {{ source('control', 'loads') }} as loads on loads.file = evidence.landed_file
),

-- That a record is gone is known since the pull that did not bring it any more.
removed as (
    select
        'removed' as rule,
        false as is_severe,
        record,
        name as item,
        {{ plumbline.as_text('null') }} as function_id,
        least(coalesce(seen_on, {{ plumbline.last_reported_day() }}), {{ plumbline.last_reported_day() }}) as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        kr_id,
        name || ' has been removed from its source; it would count in key result ' || kr_id || '.' as sentence
    from removals
),

events as (
    select * from {{ ref('integrity_work') }}
    union all
    select * from {{ ref('integrity_crm') }}
    union all
    select * from {{ ref('integrity_finance') }}
    union all
    select * from removed
),

known as (
    select * from events
    where on_date <= {{ plumbline.last_reported_day() }}
),

evidence as (
    select * from {{ ref('evidence') }}
),

measures as (
    select * from {{ ref('strategy_measures') }}
),

totals as (
    select evidence.kr_id, {{ plumbline.evidence_totals('evidence', 'measures') }}
    from evidence
    inner join measures on measures.kr_id = evidence.kr_id
    group by evidence.kr_id
),

suspect_records as (
    select distinct record from known
),

parts as (
    select evidence.kr_id, evidence.record, {{ plumbline.evidence_totals('evidence', 'measures') }}
    from evidence
    inner join suspect_records on suspect_records.record = evidence.record
    inner join measures on measures.kr_id = evidence.kr_id
    group by evidence.kr_id, evidence.record
),

-- What the value would be without the record, where that can be said without all the others: not for percentiles.
effects as (
    select
        parts.kr_id,
        parts.record,
        parts.total as contribution,
        {{ plumbline.value_of_totals('measures', 'totals') }} - {{ plumbline.value_of_totals('measures', 'totals', less='parts') }} as effect
    from parts
    inner join totals on totals.kr_id = parts.kr_id
    inner join measures on measures.kr_id = parts.kr_id
),

records as (
    {{ plumbline.records_of('suspect_records') }}
)

select
    known.rule || '/' || known.record || coalesce('/' || known.kr_id, '') as event_id,
    known.rule,
    known.is_severe,
    known.record,
    known.item,
    known.function_id,
    known.on_date,
    known.by_id,
    known.sentence,
    coalesce(known.kr_id, effects.kr_id) as kr_id,
    cast(effects.contribution as decimal(28, 6)) as contribution,
    cast(effects.effect as decimal(28, 6)) as effect,
    records.url,
    records.found_in,
    records.landed_file
from known
left join records on records.record = known.record
left join effects
    on effects.record = known.record
    and effects.kr_id = coalesce(known.kr_id, effects.kr_id)
