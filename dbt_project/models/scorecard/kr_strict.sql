with days as (
    select * from {{ ref('kr_progress') }}
    where is_last_day
),

measures as (
    select * from {{ ref('strategy_measures') }}
),

severe as (
    select distinct record from {{ ref('integrity_events') }}
    where is_severe
),

-- What was removed from its source counts on: nothing gets greener by taking evidence away.
records as (
    select evidence.kr_id, evidence.record, evidence.contribution, evidence.part, severe.record is not null as is_suspect, false as is_removed
    from {{ ref('evidence') }} as evidence
    left join severe on severe.record = evidence.record
    union all
    select kr_id, record, contribution, part, false as is_suspect, true as is_removed
    from {{ ref('removed_evidence') }}
),

counted as (
    select
        kr_id,
        count(distinct case when is_suspect then record end) as suspects,
        count(distinct case when is_removed then record end) as removed
    from records
    group by kr_id
),

unsuspected as (
    select * from records
    where not is_suspect
),

totals_strict as (
    select unsuspected.kr_id, {{ plumbline.evidence_totals('unsuspected', 'measures') }}
    from unsuspected
    inner join measures on measures.kr_id = unsuspected.kr_id
    group by unsuspected.kr_id
),

totals_whole as (
    select records.kr_id, {{ plumbline.evidence_totals('records', 'measures') }}
    from records
    inner join measures on measures.kr_id = records.kr_id
    inner join counted on counted.kr_id = records.kr_id
    where counted.removed > 0
    group by records.kr_id
)

-- A metric has no evidence, so its value with other records is not known.
select
    days.kr_id,
    days.date,
    case
        when measures.kr_id is null or days.value is null then null
        when coalesce(counted.suspects + counted.removed, 0) = 0 then days.value
        else {{ plumbline.value_of_totals('measures', 'totals_strict') }}
    end as value_strict,
    case
        when measures.kr_id is null then null
        when coalesce(counted.removed, 0) = 0 then days.value
        else {{ plumbline.value_of_totals('measures', 'totals_whole') }}
    end as value_whole,
    cast(case when measures.kr_id is not null then coalesce(counted.suspects, 0) end as bigint) as suspects,
    cast(case when measures.kr_id is not null then coalesce(counted.removed, 0) end as bigint) as removed
from days
left join measures on measures.kr_id = days.kr_id
left join counted on counted.kr_id = days.kr_id
left join totals_strict on totals_strict.kr_id = days.kr_id
left join totals_whole on totals_whole.kr_id = days.kr_id
