with deals as (
    select * from {{ ref('stg_hubspot__deals') }}
),

stages as (
    select * from {{ ref('stg_hubspot__stages') }}
),

history as (
    select * from {{ ref('stg_hubspot__deal_history') }}
    where property = 'dealstage'
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

stage_visits as (
    select
        history._source,
        history.deal_id,
        history.changed_at,
        coalesce(stages_by_id.is_closed, false) as is_closed,
        coalesce(stages_by_id.is_won, false) as is_won,
        coalesce(lag(stages_by_id.is_closed) over (
            partition by history._source, history.deal_id
            order by history.changed_at, history.item_no desc
        ), false) as was_closed,
        coalesce(lag(stages_by_id.is_won) over (
            partition by history._source, history.deal_id
            order by history.changed_at, history.item_no desc
        ), false) as was_won
    from history
    left join stages_by_id
        on stages_by_id._source = history._source
        and stages_by_id.stage_id = history.value
),

entries as (
    select
        _source,
        deal_id,
        max(case when is_closed and not was_closed then changed_at end) as last_closed_at,
        max(case when is_won and not was_won then changed_at end) as last_won_at
    from stage_visits
    group by _source, deal_id
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
    left join entries
        on entries._source = deals._source
        and entries.deal_id = deals.deal_id
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
