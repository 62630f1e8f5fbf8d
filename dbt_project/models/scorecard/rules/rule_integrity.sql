with days as (
    select
        kr_progress.*,
        kr_strict.value_strict,
        kr_strict.suspects
    from {{ ref('kr_progress') }} as kr_progress
    inner join {{ ref('kr_strict') }} as kr_strict
        on kr_strict.kr_id = kr_progress.kr_id
        and kr_strict.date = kr_progress.date
    where kr_strict.suspects > 0
        and kr_progress.value is not null
),

paced as (
    select
        *,
        (value_strict - baseline) / nullif(target - baseline, 0) / nullif(expected_progress, 0) as pace_strict,
        {{ plumbline.is_in_band('value_strict', 'band_low', 'band_high') }} as is_strict_in_band
    from days
),

judged as (
    select
        *,
        case
            when kind = 'maintain' then case when is_in_band then 'green' else 'red' end
            else {{ plumbline.pace_status('pace') }}
        end as status_with,
        -- Where nothing is left without the suspects, nothing is shown.
        case
            when value_strict is null then 'red'
            when kind = 'maintain' then case when is_strict_in_band then 'green' else 'red' end
            else {{ plumbline.pace_status('pace_strict') }}
        end as status_without
    from paced
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
)

select
    judged.kr_id,
    judged.date,
    'integrity' as rule,
    'amber' as status,
    'Without ' || {{ plumbline.spoken_count('judged.suspects', 'suspect record') }} || ' (' || listed.rules || ') '
    || case
        when value_strict is null then 'nothing is left to measure, where it now stands at ' || {{ plumbline.spoken('value', 'unit') }}
            || ' (' || status_with || ').'
        else 'it would stand at ' || {{ plumbline.spoken('value_strict', 'unit') }} || ' instead of '
            || {{ plumbline.spoken('value', 'unit') }} || ': ' || status_without || ' instead of ' || status_with || '.'
    end as reason,
    {{ plumbline.json_object({
        'value': 'value',
        'value_strict': 'value_strict',
        'suspects': 'suspects',
        'rules': 'listed.rules',
        'status_with': 'status_with',
        'status_without': 'status_without',
    }) }} as inputs
from judged
inner join listed on listed.kr_id = judged.kr_id
where {{ plumbline.severity('status_without') }} > {{ plumbline.severity('status_with') }}
