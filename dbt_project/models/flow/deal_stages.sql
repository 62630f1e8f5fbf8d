{{ config(materialized='view') }}
with stages as (
    select * from {{ ref('stg_hubspot__stages') }}
    union all
    select * from {{ ref('stg_salesforce__stages') }}
)

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
from stages
