with deals as (
    select * from {{ ref('stg_hubspot__deals') }}
    union all
    select * from {{ ref('stg_salesforce__opportunities') }}
),

stages as (
    select * from {{ ref('stg_hubspot__stages') }}
    union all
    select * from {{ ref('stg_salesforce__stages') }}
),

moves_to_the_end as (
    select * from {{ ref('deal_changes') }}
    where field = 'stage'
        and to_value in (select stage_id from stages where is_closed or is_won)
),

pipelines_of_functions as (
    {{ plumbline.function_members('pipeline') }}
),

pipelines as (
    select _source, pipeline_id, min(pipeline) as pipeline
    from stages
    group by _source, pipeline_id
),

-- A deal may have come through stages of another pipeline, and its history names no pipeline.
stages_by_id as (
    select
        _source,
        stage_id,
        min(stage) as stage,
        bool_or(is_closed) as is_closed,
        bool_or(is_won) as is_won
    from stages
    group by _source, stage_id
),

entries as (
    select
        moves.deal_id,
        max(case when into_stage.is_closed and not coalesce(out_of_stage.is_closed, false) then moves."at" end) as last_closed_at,
        max(case when into_stage.is_won and not coalesce(out_of_stage.is_won, false) then moves."at" end) as last_won_at
    from moves_to_the_end as moves
    inner join deals on deals._source || '/' || deals.deal_id = moves.deal_id
    left join stages_by_id as into_stage
        on into_stage._source = deals._source
        and into_stage.stage_id = moves.to_value
    left join stages_by_id as out_of_stage
        on out_of_stage._source = deals._source
        and out_of_stage.stage_id = moves.from_value
    group by moves.deal_id
),

standing as (
    select
        deals.*,
        pipelines.pipeline,
        stages_by_id.stage,
        coalesce(stages_by_id.is_closed, false) as is_closed,
        coalesce(stages_by_id.is_won, false) as is_won,
        entries.last_closed_at,
        entries.last_won_at
    from deals
    left join pipelines
        on pipelines._source = deals._source
        and pipelines.pipeline_id = deals.pipeline_id
    left join stages_by_id
        on stages_by_id._source = deals._source
        and stages_by_id.stage_id = deals.stage_id
    left join entries on entries.deal_id = deals._source || '/' || deals.deal_id
)

-- Without a stage history the close date is all there is.
select
    standing._source || '/' || standing.deal_id as deal_id,
    standing._source as source,
    standing.name,
    standing.pipeline_id,
    standing.pipeline,
    standing.stage_id,
    standing.stage,
    standing.is_closed,
    standing.is_won,
    standing.amount,
    coalesce(standing.currency, '{{ var("company_currency") }}') as currency,
    case
        when coalesce(standing.currency, '{{ var("company_currency") }}') = '{{ var("company_currency") }}' then standing.amount
        else standing.amount_company
    end as amount_company,
    standing.created_at,
    case when standing.is_closed then coalesce(standing.last_closed_at, standing.close_at) end as closed_at,
    case when standing.is_won then coalesce(standing.last_won_at, standing.close_at) end as won_at,
    {{ plumbline.local_date('standing.close_at') }} as close_date,
    standing.owner_id,
    standing.product,
    standing.waits_for,
    pipelines_of_functions.function_id,
    standing._deleted as deleted,
    standing._record
from standing
left join pipelines_of_functions on pipelines_of_functions.value = standing.pipeline_id
