{{ config(materialized='view') }}
select
    _source as source,
    pipeline_id,
    pipeline,
    stage_id,
    stage,
    cast(stage_no as integer) as stage_no,
    is_closed,
    is_won,
    _record
from {{ ref('stg_hubspot__stages') }}
