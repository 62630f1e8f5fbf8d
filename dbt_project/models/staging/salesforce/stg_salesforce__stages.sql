with stages as (
    select * from {{ source('raw', 'salesforce_stages') }}
),

texts as (
    {{ plumbline.json_fields('stages', 'record', {
        'stage_id': ['ApiName'],
        'stage': ['MasterLabel'],
        'order_text': ['SortOrder'],
        'probability_text': ['DefaultProbability'],
        'closed_text': ['IsClosed'],
        'won_text': ['IsWon'],
    }, keep=['_source', '_key', '_deleted']) }}
)

select
    'opportunities' as pipeline_id,
    'Opportunities' as pipeline,
    stage_id,
    stage,
    {{ plumbline.parse_decimal('order_text', 9, 0) }} as stage_no,
    {{ plumbline.parse_decimal('probability_text', 9, 4) }} / 100 as probability,
    coalesce(closed_text = 'true', false) as is_closed,
    coalesce(won_text = 'true', false) as is_won,
    _source,
    _source || '/stages/' || _key as _record,
    _deleted
from texts
