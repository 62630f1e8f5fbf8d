with days as (
    select
        kr_progress.*,
        kr_strict.value_strict,
        kr_strict.value_whole,
        kr_strict.suspects,
        kr_strict.removed
    from {{ ref('kr_progress') }} as kr_progress
    inner join {{ ref('kr_strict') }} as kr_strict
        on kr_strict.kr_id = kr_progress.kr_id
        and kr_strict.date = kr_progress.date
    where kr_strict.suspects + kr_strict.removed > 0
),

paced as (
    select
        *,
        (value_strict - baseline) / nullif(target - baseline, 0) / nullif(expected_progress, 0) as pace_strict,
        (value_whole - baseline) / nullif(target - baseline, 0) / nullif(expected_progress, 0) as pace_whole
    from days
),

-- A key result without a value is amber by itself.
judged as (
    select
        *,
        case when value is null then 'amber' else {{ plumbline.status_of_value('value', 'pace') }} end as status_with,
        {{ plumbline.status_of_value('value_strict', 'pace_strict') }} as status_strict,
        {{ plumbline.status_of_value('value_whole', 'pace_whole') }} as status_whole
    from paced
),

-- Removed records speak alone where they say red by themselves or suspects say nothing: with both, suspects may make up for them.
worse as (
    select
        *,
        value is not null and {{ plumbline.severity('status_strict') }} > {{ plumbline.severity('status_with') }} as is_strict_worse,
        {{ plumbline.severity('status_whole') }} > {{ plumbline.severity('status_with') }} as is_whole_worse
    from judged
),

chosen as (
    select *, is_whole_worse and (status_whole = 'red' or not is_strict_worse) as is_by_removal
    from worse
    where is_strict_worse or is_whole_worse
),

-- A suspect record is a question, so it makes amber; a removed one takes nothing off what the records had said.
verdicts as (
    select
        *,
        case when is_by_removal then status_whole else 'amber' end as status,
        case when is_by_removal then value_whole else value_strict end as value_without,
        case when is_by_removal then status_whole else status_strict end as status_without,
        case when is_by_removal then 0 else suspects end as left_out
    from chosen
),

reasons as (
    select kr_id, rule, count(*) as records
    from {{ ref('integrity_events') }}
    where is_severe
        and contribution is not null
    group by kr_id, rule
),

listed as (
    select
        kr_id,
        {{ dbt.listagg(
            "replace(rule, '_', ' ') || ': ' || " ~ plumbline.as_text('records'), "', '", "order by records desc, rule"
        ) }} as rules
    from reasons
    group by kr_id
),

phrases as (
    select
        verdicts.*,
        listed.rules,
        case when left_out > 0 then 'Without ' || {{ plumbline.spoken_count('left_out', 'suspect record') }} || ' (' || listed.rules || ')' end as leaving_out,
        case when removed > 0 then {{ plumbline.spoken_count('removed', 'removed record') }} || ' put back' end as putting_back
    from verdicts
    left join listed on listed.kr_id = verdicts.kr_id
)

select
    kr_id,
    date,
    'integrity' as rule,
    status,
    coalesce(leaving_out || ' and with ' || putting_back, leaving_out, 'With ' || putting_back)
    || case
        when value_without is null then ' nothing is left to measure, where it now stands at ' || {{ plumbline.spoken('value', 'unit') }}
            || ' (' || status_with || ').'
        when value is null then ' it would stand at ' || {{ plumbline.spoken('value_without', 'unit') }} || ' (' || status_without
            || '), where nothing is left to measure.'
        else ' it would stand at ' || {{ plumbline.spoken('value_without', 'unit') }} || ' instead of '
            || {{ plumbline.spoken('value', 'unit') }} || ': ' || status_without || ' instead of ' || status_with || '.'
    end as reason,
    {{ plumbline.json_object({
        'value': 'value',
        'value_strict': 'value_without',
        'suspects': 'left_out',
        'removed': 'removed',
        'rules': 'rules',
        'status_with': 'status_with',
        'status_without': 'status_without',
    }) }} as inputs
from phrases
