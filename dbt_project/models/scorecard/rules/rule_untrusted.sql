with days as (
    select * from {{ ref('kr_progress') }}
),

doubts as (
    select * from {{ ref('kr_doubts') }}
    where is_open
),

-- Only the last reported day is judged by the inputs: what failed on an earlier day and has been mended since did not go into its value.
doubted as (
    select days.kr_id, days.date, doubts.kind, doubts.subject, doubts.sentence
    from days
    inner join doubts on doubts.kr_id = days.kr_id
    where days.is_last_day
),

unmeasured as (
    select
        kr_id,
        date,
        'value' as kind,
        'key_results.' || model as subject,
        case
            when is_measured then 'No record falls into the window of this day, so there is no value.'
            else 'The model ' || model || ' has not been built, so there is no value.'
        end as sentence
    from days
    where value is null
),

causes as (
    select * from doubted
    union all
    select * from unmeasured
),

ranked as (
    select
        *,
        count(*) over (partition by kr_id, date) as causes,
        row_number() over (
            partition by kr_id, date
            order by
                case kind when 'pull' then 1 when 'model' then 2 when 'gate' then 3 when 'test' then 4 when 'quarantine' then 5 when 'freshness' then 6 else 7 end,
                subject, sentence
        ) as cause_no
    from causes
)

select
    kr_id,
    date,
    'untrusted' as rule,
    'amber' as status,
    'Not to be trusted. ' || sentence
    || case causes
        when 1 then ''
        when 2 then ' One more cause.'
        else ' ' || {{ plumbline.as_text('causes - 1') }} || ' more causes.'
    end as reason,
    {{ plumbline.json_object({'kind': 'kind', 'subject': 'subject', 'causes': 'causes'}) }} as inputs
from ranked
where cause_no = 1
