with key_results as (
    select kr_id, model from {{ ref('strategy_key_results') }}
),

inputs as (
    select * from {{ source('control', 'kr_inputs') }}
),

-- More or less than usual, and other fields than before, are questions about a source; what is wrong with its records the gates say.
stretches as (
    select * from {{ ref('check_stretches') }}
    where kind not in ('volume', 'schema')
),

-- A check's subject is a relation or a stream. The key result's own model counts among what it is made of.
subjects as (
    select kr_id, node as subject from inputs
    union
    select kr_id, source || '.' || stream as subject from inputs
    where source is not null
    union
    select kr_id, 'key_results.' || model as subject from key_results
)

select
    subjects.kr_id,
    stretches.kind,
    stretches.subject,
    stretches.check_name,
    stretches.opened_on,
    stretches.closed_on,
    stretches.is_open,
    stretches.cause,
    case
        when stretches.kind in ('freshness', 'quarantine') then stretches.message
        when stretches.kind in ('model', 'pull') then 'The ' || stretches.kind || ' of ' || stretches.subject || ' failed: '
            || rtrim(stretches.message, '.') || '.'
        else 'The ' || stretches.kind || ' ' || stretches.check_name || ' on ' || stretches.subject || ' failed: '
            || rtrim(stretches.message, '.') || '.'
    end as sentence
from subjects
inner join stretches on stretches.subject = subjects.subject
