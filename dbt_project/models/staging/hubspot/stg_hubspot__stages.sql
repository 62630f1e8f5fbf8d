with pipelines as (
    select * from {{ source('raw', 'hubspot_pipelines') }}
),

pipeline_texts as (
    {{ plumbline.json_fields('pipelines', 'record', {
        'pipeline_id': ['id'],
        'pipeline': ['label'],
    }, keep=['_source', '_key', '_deleted', 'record']) }}
),

stages as (
    {{ plumbline.json_rows('pipeline_texts', 'record', ['stages'], keep=['_source', '_key', '_deleted', 'pipeline_id', 'pipeline']) }}
),

texts as (
    {{ plumbline.json_fields('stages', 'item', {
        'stage_id': ['id'],
        'stage': ['label'],
        'closed_text': ['metadata', 'isClosed'],
        'probability_text': ['metadata', 'probability'],
    }, keep=['_source', '_key', '_deleted', 'pipeline_id', 'pipeline', 'item_no']) }}
),

parsed as (
    select *, {{ plumbline.parse_decimal('probability_text', 9, 4) }} as probability
    from texts
)

-- Accounts made before isClosed existed say it by probability alone: 1 is won, 0 is lost.
select
    pipeline_id,
    pipeline,
    stage_id,
    stage,
    item_no as stage_no,
    probability,
    coalesce(lower(closed_text) = 'true', probability in (0, 1), false) as is_closed,
    coalesce(coalesce(lower(closed_text), 'true') = 'true' and probability = 1, false) as is_won,
    _source,
    _source || '/pipelines/' || _key as _record,
    _deleted
from parsed
