with days as (
    select * from {{ ref('kr_progress') }}
    where is_last_day
),

measures as (
    select * from {{ ref('strategy_measures') }}
),

evidence as (
    select * from {{ ref('evidence') }}
),

severe as (
    select distinct record from {{ ref('integrity_events') }}
    where is_severe
),

removed as (
    select evidence.kr_id, count(distinct evidence.record) as suspects
    from evidence
    inner join severe on severe.record = evidence.record
    group by evidence.kr_id
),

kept as (
    select evidence.*
    from evidence
    left join severe on severe.record = evidence.record
    where severe.record is null
),

totals as (
    select kept.kr_id, {{ plumbline.evidence_totals('kept', 'measures') }}
    from kept
    inner join measures on measures.kr_id = kept.kr_id
    group by kept.kr_id
)

-- A metric has no evidence, so its value without some records is not known.
select
    days.kr_id,
    days.date,
    case
        when measures.kr_id is null or days.value is null then null
        when removed.suspects is null then days.value
        else {{ plumbline.value_of_totals('measures', 'totals') }}
    end as value_strict,
    cast(case when measures.kr_id is not null then coalesce(removed.suspects, 0) end as bigint) as suspects
from days
left join measures on measures.kr_id = days.kr_id
left join removed on removed.kr_id = days.kr_id
left join totals on totals.kr_id = days.kr_id
